"""Operands for the law cases: seeded, so that a failure can be repeated."""

from __future__ import annotations

import zlib

import numpy as np


def _rng(*key: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal numbers."""
    return _rng("normal", shape, seed).standard_normal(shape)


def between(low: float, high: float, *shape: int, seed: int = 0) -> np.ndarray:
    """Uniform numbers well inside an open interval (2 % away from either end)."""
    margin = 0.02 * (high - low)
    return _rng("between", shape, seed).uniform(low + margin, high - margin, shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers between 0.3 and 3."""
    return _rng("positive", shape, seed).uniform(0.3, 3.0, shape)


def away_from_zero(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers of both signs, at least 0.3 in absolute value."""
    rng = _rng("away", shape, seed)
    return rng.uniform(0.3, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def distinct(*shape: int, seed: int = 0) -> np.ndarray:
    """A shuffled grid: no two entries are closer than 0.1, so orderings are stable under small steps."""
    size = int(np.prod(shape, dtype=int))
    values = _rng("distinct", shape, seed).permutation(size) * 0.17 - 0.07 * size + 0.03
    return values.reshape(shape)


def integers(low: int, high: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Integers in [low, high)."""
    return _rng("integers", shape, seed).integers(low, high, shape)


def booleans(*shape: int, seed: int = 0) -> np.ndarray:
    """True and False."""
    return _rng("booleans", shape, seed).random(shape) < 0.5


def definite(n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Symmetric positive definite matrices, well conditioned."""
    a = normal(*batch, n, n, seed=seed)
    return a @ np.swapaxes(a, -1, -2) / n + np.eye(n)


def regular(n: int, *batch: int, seed: int = 0) -> np.ndarray:
    """Invertible matrices, well conditioned."""
    return normal(*batch, n, n, seed=seed) + 2.0 * np.eye(n)

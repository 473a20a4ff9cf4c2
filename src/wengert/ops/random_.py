"""Random numbers.

Every draw is an operation on a *key*: two 64-bit numbers from which a counter-based generator makes as many random
numbers as are asked for. The same key gives the same numbers, whatever else has been drawn and on any machine; so a
draw can be replayed, mapped over, recorded and compiled like any other operation.

``wengert.random`` hands keys to the user. Here is also the eager generator behind ``randn`` and ``dropout``: a key and
a counter, from which the next key is derived.

Draws come from Philox-4x64-10, keys are derived by Threefry-2x64-20: J. Salmon, M. Moraes, R. Dror and D. Shaw,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.apply import apply, as_operand
from wengert.core.errors import DTypeError, ShapeError, TraceError
from wengert.core.levels import as_tensor, bottom
from wengert.core.mode import MODE
from wengert.core.primitive import Primitive
from wengert.core.tensor import Tensor, wrap
from wengert.core.types import Shape, TensorSpec, get_default_dtype, real_dtype
from wengert.ops.creation import shape_from

_ROTATIONS = ((16, 42, 12, 31), (16, 32, 24, 21))
_PARITY = np.uint64(0x1BD11BDAA9FC1A22)


def threefry(key: np.ndarray, counter: np.ndarray) -> np.ndarray:
    """Threefry-2x64 with 20 rounds: two words of ``counter`` enciphered by two words of ``key``, along the last axis.

    Leading axes broadcast.
    """
    words = (key[..., 0], key[..., 1], key[..., 0] ^ key[..., 1] ^ _PARITY)
    with np.errstate(over="ignore"):
        x = counter[..., 0] + words[0]
        y = counter[..., 1] + words[1]
        for block in range(5):
            for turn in _ROTATIONS[block % 2]:
                x = x + y
                y = (y << np.uint64(turn)) | (y >> np.uint64(64 - turn))
                y = y ^ x
            x = x + words[(block + 1) % 3]
            y = y + words[(block + 2) % 3] + np.uint64(block + 1)
    return np.stack([x, y], axis=-1)


def check_key(key: Any, name: str) -> None:
    """Raise ``DTypeError`` for what is not a key."""
    if getattr(key, "dtype", None) != np.uint64 or key.shape[-1:] != (2,):
        described = f"{key.dtype}{key.shape}" if hasattr(key, "dtype") else f"a {type(key).__name__}"
        raise DTypeError(
            f"{name}: a key is a uint64 tensor of shape (2,), from wengert.random.key(seed); got {described}"
        )


#: The second word of the counter, which keeps the keys of ``split`` and of ``fold_in`` apart.
_SPLIT, _FOLD = 1, 2


class SplitKey(Primitive):
    """``count`` new keys, of shape (count, 2), from one."""

    count: int
    differentiable = False
    maps_leading_axes = True

    def value(self, key: Any) -> Any:
        check_key(key, "split")
        counter = np.empty((self.count, 2), np.uint64)
        counter[:, 0] = np.arange(self.count)
        counter[:, 1] = _SPLIT
        return threefry(key[..., None, :], counter)

    def spec(self, key: TensorSpec) -> TensorSpec:
        return TensorSpec((*key.shape[:-1], self.count, 2), "uint64")


class FoldIn(Primitive):
    """A new key from a key and an integer."""

    differentiable = False
    maps_leading_axes = False

    def value(self, key: Any, data: Any) -> Any:
        check_key(key, "fold_in")
        data = np.asarray(data)
        if data.dtype.kind not in "iub":
            raise DTypeError(f"fold_in: data must be an integer, not {data.dtype}")
        words = data.astype(np.int64).astype(np.uint64) if data.dtype.kind == "i" else data.astype(np.uint64)
        counter = np.stack([words, np.full_like(words, _FOLD)], axis=-1)
        return threefry(key, counter)

    def spec(self, key: TensorSpec, data: Any) -> TensorSpec:
        shape = np.broadcast_shapes(key.shape[:-1], getattr(data, "shape", ()))
        return TensorSpec((*shape, 2), "uint64")

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        key, data = inputs
        rank = data.ndim - batched[1] if hasattr(data, "ndim") else 0
        if batched[0] and rank:
            key = key.reshape((*key.shape[:1], *(1,) * rank, *key.shape[1:]))
        return self(key, data)


class Draw(Primitive, abstract=True):
    """Random numbers from a key. Subclasses give ``sample``, which asks NumPy's generator for them."""

    shape: Shape
    dtype: str
    differentiable: ClassVar[bool] = False
    random: ClassVar[bool] = True
    maps_leading_axes: ClassVar[bool] = True

    def sample(self, generator: Any) -> Any:
        """The numbers that belong to one key."""
        raise NotImplementedError

    def value(self, key: Any) -> Any:
        check_key(key, self.name)
        if key.ndim == 1:
            return self._draw(key)
        rows = [self._draw(row) for row in key.reshape((-1, 2))]
        return np.array(rows, self.dtype).reshape((*key.shape[:-1], *self.shape))

    def _draw(self, key: np.ndarray) -> Any:
        return np.asarray(self.sample(np.random.Generator(np.random.Philox(key=key))), self.dtype)

    def spec(self, key: TensorSpec) -> TensorSpec:
        return TensorSpec((*key.shape[:-1], *self.shape), self.dtype)


class RandomUniform(Draw):
    """Uniform on [0, 1)."""

    def sample(self, generator: Any) -> Any:
        return generator.random(self.shape, _precision(self.dtype))


class RandomNormal(Draw):
    """Standard normal."""

    def sample(self, generator: Any) -> Any:
        if np.dtype(self.dtype).kind != "c":
            return generator.standard_normal(self.shape, _precision(self.dtype))
        # Circularly symmetric with variance one, as in PyTorch and JAX: each part has variance one half.
        parts = generator.standard_normal((*self.shape, 2)) * math.sqrt(0.5)
        return parts[..., 0] + 1j * parts[..., 1]


class RandomExponential(Draw):
    """Exponential with rate one."""

    def sample(self, generator: Any) -> Any:
        return generator.standard_exponential(self.shape, _precision(self.dtype))


class RandomIntegers(Draw):
    """Uniform integers from ``low`` up to but not including ``high``."""

    low: int
    high: int

    def sample(self, generator: Any) -> Any:
        return generator.integers(self.low, self.high, self.shape, self.dtype)


class RandomPermutation(Draw):
    """A permutation of 0, ..., n - 1, for the shape (n,)."""

    def sample(self, generator: Any) -> Any:
        return generator.permutation(self.shape[0])


def _precision(dtype: str) -> str:
    """The precision to draw in: half precision is rounded from single."""
    return "float64" if np.dtype(dtype).itemsize == 8 else "float32"


def floating(dtype: Any, name: str, complex_too: bool = False) -> str:
    """The name of a floating dtype: the default one if none is given."""
    chosen = np.dtype(get_default_dtype() if dtype is None else dtype)
    if chosen.kind not in ("fc" if complex_too else "f"):
        raise DTypeError(f"{name}: a floating dtype is needed, not {chosen}")
    return chosen.name


# -- the eager generator --------------------------------------------------------------------------------------------


class Generator:
    """The state behind ``randn`` and its like: a key and the number of draws so far.

    One generator serves all threads: each draw takes the next number under a lock, so no two draws are alike, but which
    thread gets which numbers depends on their timing. Threads that must be reproducible use keys (``wengert.random``).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Not ``secrets``, which takes longer to import than this whole family.
        self._key = np.frombuffer(os.urandom(16), np.uint64).copy()
        self._count = 0

    def manual_seed(self, seed: int) -> Generator:
        """Start over from a seed, any Python integer."""
        words = key_words(seed)
        with self._lock:
            self._key, self._count = words, 0
        return self

    def next_key(self) -> Tensor:
        """A key that was never handed out before. Raises ``TraceError`` in a trace, where it would be handed out every
        time the graph runs."""
        if MODE.get().trace is not None:
            raise TraceError(
                "random numbers of the eager generator (randn, dropout, ...) would be the same at every run of the "
                "graph that is being traced; pass a key and draw with wengert.random.normal(key, ...)"
            )
        with self._lock:
            count = self._count
            self._count += 1
            key = self._key
        return wrap(threefry(key, np.array([count, 0], np.uint64)))

    def get_state(self) -> Tensor:
        """The state, as a uint64 tensor of three numbers."""
        with self._lock:
            return wrap(np.array([*self._key, self._count], np.uint64))

    def set_state(self, state: Any) -> None:
        """Go back to a state that ``get_state`` returned: the same numbers follow."""
        words = np.asarray(bottom(as_tensor(state)))
        if words.dtype != np.uint64 or words.shape != (3,):
            raise DTypeError(
                f"set_rng_state: a state is what get_rng_state returned, a uint64 tensor of shape (3,), not "
                f"{words.dtype}{words.shape}"
            )
        with self._lock:
            self._key, self._count = words[:2].copy(), int(words[2])


def key_words(seed: Any) -> np.ndarray:
    """The two words of a seed's key: its 128 lowest bits."""
    if isinstance(seed, (bool, float)) or not hasattr(seed, "__index__"):
        raise DTypeError(f"a seed is an integer, not {seed!r}")
    number = seed.__index__()
    mask = (1 << 64) - 1
    return np.array([number >> 64 & mask, number & mask], np.uint64)


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the eager generator (``randn``, ``dropout``, parameters of layers); any Python integer.

    >>> import wengert as wg
    >>> _ = wg.manual_seed(0)
    >>> first = wg.randn(2)
    >>> _ = wg.manual_seed(0)
    >>> bool((wg.randn(2) == first).all())
    True
    """
    return default_generator.manual_seed(seed)


def get_rng_state() -> Tensor:
    """The eager generator's state; ``set_rng_state`` goes back to it, and the same numbers follow, bit for bit."""
    return default_generator.get_state()


def set_rng_state(state: Any) -> None:
    """Put the eager generator back into a state that ``get_rng_state`` returned."""
    default_generator.set_state(state)


def _draw(kind: type[Draw], shape: Shape, dtype: str, requires_grad: bool, *parameters: Any) -> Tensor:
    drawn: Tensor = apply(kind(shape, dtype, *parameters), default_generator.next_key())
    return drawn.requires_grad_() if requires_grad else drawn


def rand(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers on [0, 1). Inside ``vmap`` all elements share one draw; ``wengert.random`` gives each its own."""
    return _draw(RandomUniform, shape_from(shape, "rand"), floating(dtype, "rand"), requires_grad)


def randn(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers; complex ones have variance one in all, half of it in each part.

    >>> import wengert as wg
    >>> wg.randn(2, 3, dtype="float32").shape
    (2, 3)
    """
    name = floating(dtype, "randn", complex_too=True)
    return _draw(RandomNormal, shape_from(shape, "randn"), name, requires_grad)


def randint(low: int, high: Any = None, size: Any = (), dtype: Any = "int64") -> Tensor:
    """Uniform integers from ``low`` up to but not including ``high``: ``randint(0, 10, (2, 3))``.

    As in PyTorch and NumPy, ``low`` is 0 if only one limit is given (``randint(10, (2,))`` or ``randint(10, size=2)``).
    """
    if isinstance(high, (tuple, list)):
        high, size = None, high
    low, high = (0, low) if high is None else (low, high)
    return _draw(RandomIntegers, *integer_draw("randint", size, dtype), False, *limits("randint", low, high, dtype))


def integer_draw(name: str, shape: Any, dtype: Any) -> tuple[Shape, str]:
    """The shape and the name of an integer dtype."""
    chosen = np.dtype(dtype)
    if chosen.kind not in "iu":
        raise DTypeError(f"{name}: an integer dtype is needed, not {chosen}")
    return shape_from((shape,), name), chosen.name


def limits(name: str, low: Any, high: Any, dtype: Any) -> tuple[int, int]:
    """Limits of integers; raises ``ShapeError`` for an empty range or one that the dtype cannot hold."""
    if not (hasattr(low, "__index__") and hasattr(high, "__index__")):
        raise DTypeError(f"{name}: the limits must be integers, not {low!r} and {high!r}")
    low, high = low.__index__(), high.__index__()
    if low >= high:
        raise ShapeError(f"{name}: there is no integer from {low} up to but not including {high}")
    info = np.iinfo(dtype)
    if low < info.min or high - 1 > info.max:
        raise ShapeError(f"{name}: {np.dtype(dtype)} cannot hold the integers from {low} to {high - 1}")
    return low, high


def randperm(n: int, dtype: Any = "int64") -> Tensor:
    """A random permutation of 0, ..., n - 1."""
    return _draw(RandomPermutation, *integer_draw("randperm", n, dtype), False)


def rand_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers on [0, 1) of the shape and dtype of ``x``."""
    x = as_tensor(x)
    return rand(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def randn_like(x: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers of the shape and dtype of ``x``."""
    x = as_tensor(x)
    return randn(x.shape, dtype=dtype or x.dtype, requires_grad=requires_grad)


def normal(mean: Any = 0.0, std: Any = 1.0, size: Any = None, dtype: Any = None) -> Tensor:
    """Normal numbers with the given mean and standard deviation, which broadcast; gradients flow to both.

    >>> import wengert as wg
    >>> mean = wg.zeros(3, requires_grad=True)
    >>> wg.normal(mean, 2.0).sum().backward(); mean.grad
    tensor([1., 1., 1.])
    """
    mean, std = as_operand(mean, "normal"), as_operand(std, "normal")
    shapes = [getattr(x, "shape", ()) for x in (mean, std)]
    shape = np.broadcast_shapes(*shapes) if size is None else shape_from((size,), "normal")
    located: Tensor = mean + std * randn(shape, dtype=dtype or common_dtype(mean, std))
    return located


def common_dtype(*parameters: Any) -> Any:
    """The floating dtype that a distribution's parameters have in common; ``None`` if all of them are numbers."""
    kinds = [x.dtype for x in parameters if hasattr(x, "dtype") and x.dtype.kind == "f"]
    return np.result_type(*kinds) if kinds else None


def bernoulli(p: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """Ones with probability ``p``, else zeros, of the shape and dtype of ``p``. No gradient flows to ``p``."""
    p = as_operand(p, "bernoulli")
    shape = getattr(p, "shape", ()) if size is None else shape_from((size,), "bernoulli")
    precision = floating(common_dtype(p), "bernoulli")
    drawn: Tensor = np.astype(np.less(rand(shape, dtype=precision), p), dtype or precision)
    return drawn


class DropoutMask(Draw):
    """0 with probability ``p``, else 1 / (1 - p)."""

    p: float

    def sample(self, generator: Any) -> Any:
        # 16 random bits for each element, a quarter of the work of a float64: p is right to 2**-16 = 0.000015.
        kept = generator.integers(0, 1 << 16, self.shape, np.uint16) >= round(self.p * (1 << 16))
        return np.multiply(kept, 1.0 / (1.0 - self.p) if self.p < 1 else 0.0, dtype=self.dtype)


def dropout(x: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Zero each element with probability ``p`` and scale the others by 1 / (1 - p), if ``training``.

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014. Inside
    ``vmap`` all elements of the batch share one mask. Raises ``ShapeError`` unless 0 <= p <= 1.
    """
    if not 0 <= p <= 1:
        raise ShapeError(f"dropout: p is a probability, from 0 to 1, not {p}")
    x = as_operand(x, "dropout")
    if not training or p == 0:
        return as_tensor(x)
    if x.dtype.kind not in "fc":
        raise DTypeError(f"dropout: a floating tensor is needed, not {x.dtype}")
    mask = _draw(DropoutMask, x.shape, real_dtype(x.dtype).name, False, float(p))
    masked: Tensor = x * mask
    return masked

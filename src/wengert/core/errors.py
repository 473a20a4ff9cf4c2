"""Every exception that Wengert raises on purpose.

Each class also derives from the built-in exception that a NumPy or PyTorch user would try to catch, so ``except
ValueError`` around a shape mismatch works, while ``except WengertError`` catches them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class WengertError(Exception):
    """Base class of all of Wengert's own errors."""


class ShapeError(WengertError, ValueError):
    """Operands have shapes, axes or values that the operation cannot combine."""


class DTypeError(WengertError, TypeError):
    """Operands have types that the operation does not accept."""


class IndexRangeError(WengertError, IndexError):
    """An index lies outside the axis that it indexes."""


class LinearAlgebraError(WengertError, np.linalg.LinAlgError):
    """A matrix is singular, not positive definite, or a decomposition has no derivative at this point."""


class GradientError(WengertError, RuntimeError):
    """A gradient was asked for where there is none, or in a way that is ambiguous."""


class ConvergenceError(WengertError, RuntimeError):
    """An iteration did not reach its tolerance."""


class FreedGraphError(GradientError):
    """The residuals of a node were freed by an earlier backward pass."""


class NotDifferentiableError(GradientError):
    """The operation has no derivative; the message says why."""


class AnomalyError(WengertError, FloatingPointError):
    """The first NaN or infinity, found by ``autograd.detect_anomaly``."""


class GradcheckError(WengertError, RuntimeError):
    """An analytic derivative and its numerical estimate disagree."""


class ContainerError(WengertError, ValueError):
    """A nested container is cyclic, or does not have the structure that was expected."""


class TransformError(WengertError, RuntimeError):
    """A tensor of a transform was used outside of it, or in a way that the transform cannot follow."""


class TraceError(TransformError):
    """Python asked for something that is not known while a graph is being traced: a value, or an unknown length."""


class DonatedTensorError(WengertError, RuntimeError):
    """A tensor was used after it was given away to a compiled function, which has put a result into its memory."""


class GraphError(WengertError, ValueError):
    """A graph is not closed, not acyclic or not well typed, or was run with the wrong inputs."""


class GraphFileError(GraphError):
    """A file is not that of a graph, is truncated or damaged, or was written by a newer version."""


class UnsupportedFunctionError(WengertError, TypeError):
    """A NumPy function has no counterpart on tensors; the message names an alternative."""


class StateError(WengertError, ValueError):
    """A saved state is damaged, or does not fit the module that it is loaded into."""


class MiscompiledError(WengertError, ArithmeticError):
    """Native code and the interpreter disagree; ``jit(check=True)`` looks for that. ``node`` is the first node of the
    graph that differs, ``native`` and ``expected`` its numbers at ``index``, ``ulps`` how far they lie apart."""

    def __init__(
        self,
        message: str,
        node: Any = None,
        native: Any = None,
        expected: Any = None,
        ulps: float = 0.0,
        index: tuple[int, ...] = (),
    ) -> None:
        super().__init__(message)
        self.node = node
        self.native = native
        self.expected = expected
        self.ulps = ulps
        self.index = index

"""Wengert: the computational graph as a first-class object.

Tensors are NumPy arrays that remember how they were computed, so gradients of any order, in both directions, follow
from ordinary code. The functions here have the names of NumPy and of the Python array API standard, tensors have PyTorch's
methods, and the transforms (``grad``, ``jvp``, ``vmap``, ...) JAX's meaning.

>>> import wengert as wg
>>> x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4., 6.])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from numpy import bool as bool
from numpy import broadcast_shapes as broadcast_shapes
from numpy import can_cast as can_cast
from numpy import complex64 as complex64
from numpy import complex128 as complex128
from numpy import e as e
from numpy import finfo as finfo
from numpy import float16 as float16
from numpy import float32 as float32
from numpy import float64 as float64
from numpy import iinfo as iinfo
from numpy import inf as inf
from numpy import int8 as int8
from numpy import int16 as int16
from numpy import int32 as int32
from numpy import int64 as int64
from numpy import isdtype as isdtype
from numpy import nan as nan
from numpy import newaxis as newaxis
from numpy import pi as pi
from numpy import result_type as result_type
from numpy import uint8 as uint8
from numpy import uint16 as uint16
from numpy import uint32 as uint32
from numpy import uint64 as uint64

from wengert.core.apply import apply as apply
from wengert.core.errors import AnomalyError as AnomalyError
from wengert.core.errors import ContainerError as ContainerError
from wengert.core.errors import DTypeError as DTypeError
from wengert.core.errors import FreedGraphError as FreedGraphError
from wengert.core.errors import GradcheckError as GradcheckError
from wengert.core.errors import GradientError as GradientError
from wengert.core.errors import IndexRangeError as IndexRangeError
from wengert.core.errors import LinearAlgebraError as LinearAlgebraError
from wengert.core.errors import NotDifferentiableError as NotDifferentiableError
from wengert.core.errors import ShapeError as ShapeError
from wengert.core.errors import StateError as StateError
from wengert.core.errors import TransformError as TransformError
from wengert.core.errors import UnsupportedFunctionError as UnsupportedFunctionError
from wengert.core.errors import WengertError as WengertError
from wengert.core.graph import graph_of as graph_of
from wengert.core.mode import enable_grad as enable_grad
from wengert.core.mode import is_grad_enabled as is_grad_enabled
from wengert.core.mode import no_grad as no_grad
from wengert.core.mode import record_source as record_source
from wengert.core.mode import scope as scope
from wengert.core.mode import set_grad_enabled as set_grad_enabled
from wengert.core.primitive import NotDifferentiable as NotDifferentiable
from wengert.core.primitive import Primitive as Primitive
from wengert.core.tensor import Tensor as Tensor
from wengert.core.types import TensorSpec as TensorSpec
from wengert.core.types import get_default_dtype as get_default_dtype
from wengert.core.types import set_default_dtype as set_default_dtype
from wengert.ops import operators as _operators  # noqa: F401 - gives Tensor its operators
from wengert.ops.affine import affine as affine
from wengert.ops.arithmetic import add as add
from wengert.ops.arithmetic import deg2rad as deg2rad
from wengert.ops.arithmetic import degrees as degrees
from wengert.ops.arithmetic import divide as divide
from wengert.ops.arithmetic import divmod as divmod
from wengert.ops.arithmetic import floor_divide as floor_divide
from wengert.ops.arithmetic import fmod as fmod
from wengert.ops.arithmetic import lerp as lerp
from wengert.ops.arithmetic import mod as mod
from wengert.ops.arithmetic import multiply as multiply
from wengert.ops.arithmetic import negative as negative
from wengert.ops.arithmetic import positive as positive
from wengert.ops.arithmetic import rad2deg as rad2deg
from wengert.ops.arithmetic import radians as radians
from wengert.ops.arithmetic import remainder as remainder
from wengert.ops.arithmetic import subtract as subtract
from wengert.ops.arithmetic import true_divide as true_divide
from wengert.ops.array_api import __array_api_version__ as __array_api_version__
from wengert.ops.array_api import __array_namespace_info__ as __array_namespace_info__
from wengert.ops.bitwise import bitwise_and as bitwise_and
from wengert.ops.bitwise import bitwise_count as bitwise_count
from wengert.ops.bitwise import bitwise_invert as bitwise_invert
from wengert.ops.bitwise import bitwise_left_shift as bitwise_left_shift
from wengert.ops.bitwise import bitwise_not as bitwise_not
from wengert.ops.bitwise import bitwise_or as bitwise_or
from wengert.ops.bitwise import bitwise_right_shift as bitwise_right_shift
from wengert.ops.bitwise import bitwise_xor as bitwise_xor
from wengert.ops.bitwise import gcd as gcd
from wengert.ops.bitwise import invert as invert
from wengert.ops.bitwise import lcm as lcm
from wengert.ops.bitwise import left_shift as left_shift
from wengert.ops.bitwise import right_shift as right_shift
from wengert.ops.comparison import allclose as allclose
from wengert.ops.comparison import array_equal as array_equal
from wengert.ops.comparison import array_equiv as array_equiv
from wengert.ops.comparison import equal as equal
from wengert.ops.comparison import greater as greater
from wengert.ops.comparison import greater_equal as greater_equal
from wengert.ops.comparison import isclose as isclose
from wengert.ops.comparison import iscomplex as iscomplex
from wengert.ops.comparison import isfinite as isfinite
from wengert.ops.comparison import isinf as isinf
from wengert.ops.comparison import isnan as isnan
from wengert.ops.comparison import isneginf as isneginf
from wengert.ops.comparison import isposinf as isposinf
from wengert.ops.comparison import isreal as isreal
from wengert.ops.comparison import less as less
from wengert.ops.comparison import less_equal as less_equal
from wengert.ops.comparison import logical_and as logical_and
from wengert.ops.comparison import logical_not as logical_not
from wengert.ops.comparison import logical_or as logical_or
from wengert.ops.comparison import logical_xor as logical_xor
from wengert.ops.comparison import not_equal as not_equal
from wengert.ops.comparison import signbit as signbit
from wengert.ops.complex import abs as abs
from wengert.ops.complex import absolute as absolute
from wengert.ops.complex import angle as angle
from wengert.ops.complex import conj as conj
from wengert.ops.complex import conjugate as conjugate
from wengert.ops.complex import fabs as fabs
from wengert.ops.complex import imag as imag
from wengert.ops.complex import real as real
from wengert.ops.complex import real_if_close as real_if_close
from wengert.ops.complex import sign as sign
from wengert.ops.convolution import conv1d as conv1d
from wengert.ops.convolution import conv2d as conv2d
from wengert.ops.convolution import conv3d as conv3d
from wengert.ops.convolution import conv_transpose1d as conv_transpose1d
from wengert.ops.convolution import conv_transpose2d as conv_transpose2d
from wengert.ops.convolution import conv_transpose3d as conv_transpose3d
from wengert.ops.creation import arange as arange
from wengert.ops.creation import array as array
from wengert.ops.creation import asarray as asarray
from wengert.ops.creation import empty as empty
from wengert.ops.creation import empty_like as empty_like
from wengert.ops.creation import eye as eye
from wengert.ops.creation import from_dlpack as from_dlpack
from wengert.ops.creation import from_numpy as from_numpy
from wengert.ops.creation import fromfunction as fromfunction
from wengert.ops.creation import full as full
from wengert.ops.creation import full_like as full_like
from wengert.ops.creation import geomspace as geomspace
from wengert.ops.creation import identity as identity
from wengert.ops.creation import linspace as linspace
from wengert.ops.creation import logspace as logspace
from wengert.ops.creation import ones as ones
from wengert.ops.creation import ones_like as ones_like
from wengert.ops.creation import tensor as tensor
from wengert.ops.creation import tri as tri
from wengert.ops.creation import zeros as zeros
from wengert.ops.creation import zeros_like as zeros_like
from wengert.ops.embedding import embedding as embedding
from wengert.ops.embedding import one_hot as one_hot
from wengert.ops.embedding import sum_rows as sum_rows
from wengert.ops.power import cbrt as cbrt
from wengert.ops.power import float_power as float_power
from wengert.ops.power import hypot as hypot
from wengert.ops.power import pow as pow
from wengert.ops.power import power as power
from wengert.ops.power import reciprocal as reciprocal
from wengert.ops.power import sqrt as sqrt
from wengert.ops.power import square as square
from wengert.ops.random_ import bernoulli as bernoulli
from wengert.ops.random_ import dropout as dropout
from wengert.ops.random_ import get_rng_state as get_rng_state
from wengert.ops.random_ import manual_seed as manual_seed
from wengert.ops.random_ import normal as normal
from wengert.ops.random_ import rand as rand
from wengert.ops.random_ import rand_like as rand_like
from wengert.ops.random_ import randint as randint
from wengert.ops.random_ import randn as randn
from wengert.ops.random_ import randn_like as randn_like
from wengert.ops.random_ import randperm as randperm
from wengert.ops.random_ import set_rng_state as set_rng_state
from wengert.ops.reduction import sum as sum
from wengert.ops.rounding import around as around
from wengert.ops.rounding import ceil as ceil
from wengert.ops.rounding import copysign as copysign
from wengert.ops.rounding import fix as fix
from wengert.ops.rounding import floor as floor
from wengert.ops.rounding import frexp as frexp
from wengert.ops.rounding import ldexp as ldexp
from wengert.ops.rounding import modf as modf
from wengert.ops.rounding import nextafter as nextafter
from wengert.ops.rounding import rint as rint
from wengert.ops.rounding import round as round
from wengert.ops.rounding import spacing as spacing
from wengert.ops.rounding import trunc as trunc
from wengert.ops.selection import clamp as clamp
from wengert.ops.selection import clip as clip
from wengert.ops.selection import fmax as fmax
from wengert.ops.selection import fmin as fmin
from wengert.ops.selection import heaviside as heaviside
from wengert.ops.selection import maximum as maximum
from wengert.ops.selection import minimum as minimum
from wengert.ops.selection import piecewise as piecewise
from wengert.ops.selection import select as select
from wengert.ops.selection import where as where
from wengert.ops.shape import broadcast_to as broadcast_to
from wengert.ops.shape import reshape as reshape
from wengert.ops.transcendental import cos as cos
from wengert.ops.transcendental import exp as exp
from wengert.ops.transcendental import sin as sin
from wengert.ops.transcendental import tanh as tanh
from wengert.ops.windows import blocks as blocks
from wengert.ops.windows import check_fits as check_fits
from wengert.ops.windows import per_axis as per_axis
from wengert.ops.windows import volume as volume

if TYPE_CHECKING:
    from wengert import nn as nn
    from wengert import numpy as numpy
    from wengert import optim as optim
    from wengert import scipy as scipy
    from wengert import testing as testing

__version__ = "0.1.0"

#: Imported when first used, so that ``import wengert`` stays quick.
_SUBMODULES = frozenset(
    {
        "autograd",
        "fft",
        "linalg",
        "nn",
        "numpy",
        "optim",
        "random",
        "scalar",
        "scipy",
        "testing",
        "utils",
    }
)


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"wengert.{name}")
    raise AttributeError(f"module 'wengert' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES})

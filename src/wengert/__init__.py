"""Wengert: the computational graph as a first-class object.

Tensors are NumPy arrays that remember how they were computed, so gradients of any order, in both directions, follow
from ordinary code. The functions here have the names of NumPy and of the Python array API standard, tensors have
PyTorch's methods, and the transforms (``grad``, ``jvp``, ``vmap``, ...) JAX's meaning.

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
from wengert.core.display import set_renderer
from wengert.core.errors import AnomalyError as AnomalyError
from wengert.core.errors import ContainerError as ContainerError
from wengert.core.errors import ConvergenceError as ConvergenceError
from wengert.core.errors import DonatedTensorError as DonatedTensorError
from wengert.core.errors import DTypeError as DTypeError
from wengert.core.errors import FreedGraphError as FreedGraphError
from wengert.core.errors import GradcheckError as GradcheckError
from wengert.core.errors import GradientError as GradientError
from wengert.core.errors import GraphError as GraphError
from wengert.core.errors import GraphFileError as GraphFileError
from wengert.core.errors import IndexRangeError as IndexRangeError
from wengert.core.errors import LinearAlgebraError as LinearAlgebraError
from wengert.core.errors import MiscompiledError as MiscompiledError
from wengert.core.errors import NotDifferentiableError as NotDifferentiableError
from wengert.core.errors import ShapeError as ShapeError
from wengert.core.errors import StateError as StateError
from wengert.core.errors import TraceError as TraceError
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
from wengert.core.pytree import register_pytree_node as register_pytree_node
from wengert.core.pytree import tree_flatten as tree_flatten
from wengert.core.pytree import tree_leaves as tree_leaves
from wengert.core.pytree import tree_map as tree_map
from wengert.core.pytree import tree_structure as tree_structure
from wengert.core.pytree import tree_unflatten as tree_unflatten
from wengert.core.tensor import Tensor as Tensor
from wengert.core.types import TensorSpec as TensorSpec
from wengert.core.types import get_default_dtype as get_default_dtype
from wengert.core.types import set_default_dtype as set_default_dtype
from wengert.ops import bessel as _bessel  # noqa: F401 - the functions that SciPy's ufuncs find on tensors
from wengert.ops import cumulative_distributions as _cumulative_distributions  # noqa: F401
from wengert.ops import decomposition as _decomposition  # noqa: F401
from wengert.ops import draws as _draws  # noqa: F401
from wengert.ops import eigen as _eigen  # noqa: F401
from wengert.ops import factorisation as _factorisation  # noqa: F401
from wengert.ops import fft as _fft  # noqa: F401 - NumPy's fft and linalg functions on tensors
from wengert.ops import linalg as _linalg  # noqa: F401
from wengert.ops import matrix_functions as _matrix_functions  # noqa: F401
from wengert.ops import operators as _operators  # noqa: F401 - gives Tensor its operators
from wengert.ops import solving as _solving  # noqa: F401
from wengert.ops import special_formulas as _special_formulas  # noqa: F401
from wengert.ops import writing as _writing  # noqa: F401
from wengert.ops.activation import celu as celu
from wengert.ops.activation import elu as elu
from wengert.ops.activation import expit as expit
from wengert.ops.activation import gelu as gelu
from wengert.ops.activation import hardshrink as hardshrink
from wengert.ops.activation import hardsigmoid as hardsigmoid
from wengert.ops.activation import hardswish as hardswish
from wengert.ops.activation import hardtanh as hardtanh
from wengert.ops.activation import leaky_relu as leaky_relu
from wengert.ops.activation import log_sigmoid as log_sigmoid
from wengert.ops.activation import mish as mish
from wengert.ops.activation import prelu as prelu
from wengert.ops.activation import relu as relu
from wengert.ops.activation import relu6 as relu6
from wengert.ops.activation import selu as selu
from wengert.ops.activation import sigmoid as sigmoid
from wengert.ops.activation import silu as silu
from wengert.ops.activation import softplus as softplus
from wengert.ops.activation import softshrink as softshrink
from wengert.ops.activation import softsign as softsign
from wengert.ops.activation import swish as swish
from wengert.ops.activation import tanhshrink as tanhshrink
from wengert.ops.affine import affine as affine
from wengert.ops.answers import isin as isin
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
from wengert.ops.contraction import cross as cross
from wengert.ops.contraction import dot as dot
from wengert.ops.contraction import einsum as einsum
from wengert.ops.contraction import einsum_path as einsum_path
from wengert.ops.contraction import inner as inner
from wengert.ops.contraction import kron as kron
from wengert.ops.contraction import matmul as matmul
from wengert.ops.contraction import matvec as matvec
from wengert.ops.contraction import multi_dot as multi_dot
from wengert.ops.contraction import outer as outer
from wengert.ops.contraction import tensordot as tensordot
from wengert.ops.contraction import vdot as vdot
from wengert.ops.contraction import vecdot as vecdot
from wengert.ops.contraction import vecmat as vecmat
from wengert.ops.convolution import conv1d as conv1d
from wengert.ops.convolution import conv2d as conv2d
from wengert.ops.convolution import conv3d as conv3d
from wengert.ops.convolution import conv_transpose1d as conv_transpose1d
from wengert.ops.convolution import conv_transpose2d as conv_transpose2d
from wengert.ops.convolution import conv_transpose3d as conv_transpose3d
from wengert.ops.correlation import convolve as convolve
from wengert.ops.correlation import convolve_nd as convolve_nd
from wengert.ops.correlation import correlate as correlate
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
from wengert.ops.cumulative import cumlogsumexp as cumlogsumexp
from wengert.ops.cumulative import cummax as cummax
from wengert.ops.cumulative import cummin as cummin
from wengert.ops.cumulative import cumprod as cumprod
from wengert.ops.cumulative import cumsum as cumsum
from wengert.ops.cumulative import cumulative_prod as cumulative_prod
from wengert.ops.cumulative import cumulative_sum as cumulative_sum
from wengert.ops.cumulative import diff as diff
from wengert.ops.cumulative import ediff1d as ediff1d
from wengert.ops.cumulative import logcumsumexp as logcumsumexp
from wengert.ops.cumulative import trapezoid as trapezoid
from wengert.ops.differences import unwrap as unwrap
from wengert.ops.editing import choose as choose
from wengert.ops.editing import delete as delete
from wengert.ops.editing import insert as insert
from wengert.ops.editing import resize as resize
from wengert.ops.editing import trim_zeros as trim_zeros
from wengert.ops.embedding import embedding as embedding
from wengert.ops.embedding import one_hot as one_hot
from wengert.ops.incomplete import betainc as betainc
from wengert.ops.incomplete import gammainc as gammainc
from wengert.ops.incomplete import gammaincc as gammaincc
from wengert.ops.indexing import add_at as add_at
from wengert.ops.indexing import argwhere as argwhere
from wengert.ops.indexing import compress as compress
from wengert.ops.indexing import extract as extract
from wengert.ops.indexing import flatnonzero as flatnonzero
from wengert.ops.indexing import gather as gather
from wengert.ops.indexing import get_at as get_at
from wengert.ops.indexing import index_add as index_add
from wengert.ops.indexing import index_select as index_select
from wengert.ops.indexing import masked_fill as masked_fill
from wengert.ops.indexing import masked_select as masked_select
from wengert.ops.indexing import nonzero as nonzero
from wengert.ops.indexing import parse as parse
from wengert.ops.indexing import put_along_axis as put_along_axis
from wengert.ops.indexing import scatter as scatter
from wengert.ops.indexing import scatter_add as scatter_add
from wengert.ops.indexing import set_at as set_at
from wengert.ops.indexing import take as take
from wengert.ops.indexing import take_along_axis as take_along_axis
from wengert.ops.interpolation import interp as interp
from wengert.ops.interpolation import interpolate as interpolate
from wengert.ops.joining import append as append
from wengert.ops.joining import array_split as array_split
from wengert.ops.joining import block as block
from wengert.ops.joining import cat as cat
from wengert.ops.joining import chunk as chunk
from wengert.ops.joining import column_stack as column_stack
from wengert.ops.joining import concat as concat
from wengert.ops.joining import concatenate as concatenate
from wengert.ops.joining import dsplit as dsplit
from wengert.ops.joining import dstack as dstack
from wengert.ops.joining import hsplit as hsplit
from wengert.ops.joining import hstack as hstack
from wengert.ops.joining import split as split
from wengert.ops.joining import stack as stack
from wengert.ops.joining import unbind as unbind
from wengert.ops.joining import unstack as unstack
from wengert.ops.joining import vsplit as vsplit
from wengert.ops.joining import vstack as vstack
from wengert.ops.padding import pad as pad
from wengert.ops.polynomials import poly as poly
from wengert.ops.polynomials import polyadd as polyadd
from wengert.ops.polynomials import polyder as polyder
from wengert.ops.polynomials import polydiv as polydiv
from wengert.ops.polynomials import polyfit as polyfit
from wengert.ops.polynomials import polyint as polyint
from wengert.ops.polynomials import polymul as polymul
from wengert.ops.polynomials import polysub as polysub
from wengert.ops.polynomials import polyval as polyval
from wengert.ops.polynomials import roots as roots
from wengert.ops.polynomials import vander as vander
from wengert.ops.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from wengert.ops.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from wengert.ops.pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from wengert.ops.pooling import adaptive_max_pool1d as adaptive_max_pool1d
from wengert.ops.pooling import adaptive_max_pool2d as adaptive_max_pool2d
from wengert.ops.pooling import adaptive_max_pool3d as adaptive_max_pool3d
from wengert.ops.pooling import avg_pool1d as avg_pool1d
from wengert.ops.pooling import avg_pool2d as avg_pool2d
from wengert.ops.pooling import avg_pool3d as avg_pool3d
from wengert.ops.pooling import fold as fold
from wengert.ops.pooling import max_pool1d as max_pool1d
from wengert.ops.pooling import max_pool2d as max_pool2d
from wengert.ops.pooling import max_pool3d as max_pool3d
from wengert.ops.pooling import unfold as unfold
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
from wengert.ops.reduction import all as all
from wengert.ops.reduction import any as any
from wengert.ops.reduction import argmax as argmax
from wengert.ops.reduction import argmin as argmin
from wengert.ops.reduction import count as count
from wengert.ops.reduction import count_nonzero as count_nonzero
from wengert.ops.reduction import max as max
from wengert.ops.reduction import mean as mean
from wengert.ops.reduction import min as min
from wengert.ops.reduction import prod as prod
from wengert.ops.reduction import ptp as ptp
from wengert.ops.reduction import std as std
from wengert.ops.reduction import sum as sum
from wengert.ops.reduction import var as var
from wengert.ops.reduction import vector_norm as vector_norm
from wengert.ops.repetition import meshgrid as meshgrid
from wengert.ops.repetition import repeat as repeat
from wengert.ops.repetition import tile as tile
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
from wengert.ops.selection import nan_to_num as nan_to_num
from wengert.ops.selection import piecewise as piecewise
from wengert.ops.selection import select as select
from wengert.ops.selection import where as where
from wengert.ops.shape import astype as astype
from wengert.ops.shape import atleast_1d as atleast_1d
from wengert.ops.shape import atleast_2d as atleast_2d
from wengert.ops.shape import atleast_3d as atleast_3d
from wengert.ops.shape import broadcast_arrays as broadcast_arrays
from wengert.ops.shape import broadcast_to as broadcast_to
from wengert.ops.shape import clone as clone
from wengert.ops.shape import copy as copy
from wengert.ops.shape import diag as diag
from wengert.ops.shape import diag_embed as diag_embed
from wengert.ops.shape import diagflat as diagflat
from wengert.ops.shape import diagonal as diagonal
from wengert.ops.shape import expand_dims as expand_dims
from wengert.ops.shape import flatten as flatten
from wengert.ops.shape import flip as flip
from wengert.ops.shape import fliplr as fliplr
from wengert.ops.shape import flipud as flipud
from wengert.ops.shape import matrix_transpose as matrix_transpose
from wengert.ops.shape import moveaxis as moveaxis
from wengert.ops.shape import permute as permute
from wengert.ops.shape import permute_dims as permute_dims
from wengert.ops.shape import ravel as ravel
from wengert.ops.shape import reshape as reshape
from wengert.ops.shape import roll as roll
from wengert.ops.shape import rollaxis as rollaxis
from wengert.ops.shape import rot90 as rot90
from wengert.ops.shape import squeeze as squeeze
from wengert.ops.shape import swapaxes as swapaxes
from wengert.ops.shape import transpose as transpose
from wengert.ops.shape import tril as tril
from wengert.ops.shape import triu as triu
from wengert.ops.shape import unsqueeze as unsqueeze
from wengert.ops.softmax import log_softmax as log_softmax
from wengert.ops.softmax import logsumexp as logsumexp
from wengert.ops.softmax import softmax as softmax
from wengert.ops.softmax import softmin as softmin
from wengert.ops.sorting import argpartition as argpartition
from wengert.ops.sorting import argsort as argsort
from wengert.ops.sorting import intersect1d as intersect1d
from wengert.ops.sorting import kthvalue as kthvalue
from wengert.ops.sorting import lexsort as lexsort
from wengert.ops.sorting import partition as partition
from wengert.ops.sorting import searchsorted as searchsorted
from wengert.ops.sorting import setdiff1d as setdiff1d
from wengert.ops.sorting import setxor1d as setxor1d
from wengert.ops.sorting import sort as sort
from wengert.ops.sorting import sort_complex as sort_complex
from wengert.ops.sorting import topk as topk
from wengert.ops.sorting import union1d as union1d
from wengert.ops.sorting import unique as unique
from wengert.ops.sorting import unique_all as unique_all
from wengert.ops.sorting import unique_counts as unique_counts
from wengert.ops.sorting import unique_inverse as unique_inverse
from wengert.ops.sorting import unique_values as unique_values
from wengert.ops.special import beta as beta
from wengert.ops.special import betaln as betaln
from wengert.ops.special import digamma as digamma
from wengert.ops.special import entr as entr
from wengert.ops.special import erf as erf
from wengert.ops.special import erfc as erfc
from wengert.ops.special import erfcinv as erfcinv
from wengert.ops.special import erfcx as erfcx
from wengert.ops.special import erfinv as erfinv
from wengert.ops.special import gamma as gamma
from wengert.ops.special import gammaln as gammaln
from wengert.ops.special import i0 as i0
from wengert.ops.special import i0e as i0e
from wengert.ops.special import i1 as i1
from wengert.ops.special import i1e as i1e
from wengert.ops.special import j0 as j0
from wengert.ops.special import j1 as j1
from wengert.ops.special import kl_div as kl_div
from wengert.ops.special import lgamma as lgamma
from wengert.ops.special import log_ndtr as log_ndtr
from wengert.ops.special import logit as logit
from wengert.ops.special import multigammaln as multigammaln
from wengert.ops.special import ndtr as ndtr
from wengert.ops.special import ndtri as ndtri
from wengert.ops.special import polygamma as polygamma
from wengert.ops.special import psi as psi
from wengert.ops.special import rel_entr as rel_entr
from wengert.ops.special import xlog1py as xlog1py
from wengert.ops.special import xlogy as xlogy
from wengert.ops.statistics import average as average
from wengert.ops.statistics import bincount as bincount
from wengert.ops.statistics import corrcoef as corrcoef
from wengert.ops.statistics import cov as cov
from wengert.ops.statistics import histogram as histogram
from wengert.ops.statistics import median as median
from wengert.ops.statistics import nanargmax as nanargmax
from wengert.ops.statistics import nanargmin as nanargmin
from wengert.ops.statistics import nancumprod as nancumprod
from wengert.ops.statistics import nancumsum as nancumsum
from wengert.ops.statistics import nanmax as nanmax
from wengert.ops.statistics import nanmean as nanmean
from wengert.ops.statistics import nanmedian as nanmedian
from wengert.ops.statistics import nanmin as nanmin
from wengert.ops.statistics import nanpercentile as nanpercentile
from wengert.ops.statistics import nanprod as nanprod
from wengert.ops.statistics import nanquantile as nanquantile
from wengert.ops.statistics import nanstd as nanstd
from wengert.ops.statistics import nansum as nansum
from wengert.ops.statistics import nanvar as nanvar
from wengert.ops.statistics import percentile as percentile
from wengert.ops.statistics import quantile as quantile
from wengert.ops.transcendental import acos as acos
from wengert.ops.transcendental import acosh as acosh
from wengert.ops.transcendental import arccos as arccos
from wengert.ops.transcendental import arccosh as arccosh
from wengert.ops.transcendental import arcsin as arcsin
from wengert.ops.transcendental import arcsinh as arcsinh
from wengert.ops.transcendental import arctan as arctan
from wengert.ops.transcendental import arctan2 as arctan2
from wengert.ops.transcendental import arctanh as arctanh
from wengert.ops.transcendental import asin as asin
from wengert.ops.transcendental import asinh as asinh
from wengert.ops.transcendental import atan as atan
from wengert.ops.transcendental import atan2 as atan2
from wengert.ops.transcendental import atanh as atanh
from wengert.ops.transcendental import cos as cos
from wengert.ops.transcendental import cosh as cosh
from wengert.ops.transcendental import exp as exp
from wengert.ops.transcendental import exp2 as exp2
from wengert.ops.transcendental import expm1 as expm1
from wengert.ops.transcendental import log as log
from wengert.ops.transcendental import log1p as log1p
from wengert.ops.transcendental import log2 as log2
from wengert.ops.transcendental import log10 as log10
from wengert.ops.transcendental import logaddexp as logaddexp
from wengert.ops.transcendental import logaddexp2 as logaddexp2
from wengert.ops.transcendental import sin as sin
from wengert.ops.transcendental import sinc as sinc
from wengert.ops.transcendental import sinh as sinh
from wengert.ops.transcendental import tan as tan
from wengert.ops.transcendental import tanh as tanh
from wengert.transforms import checkpoint_policies as checkpoint_policies

if TYPE_CHECKING:
    from wengert import autograd as autograd
    from wengert import fft as fft
    from wengert import inspect as inspect
    from wengert import linalg as linalg
    from wengert import nn as nn
    from wengert import numpy as numpy
    from wengert import optim as optim
    from wengert import optimize as optimize
    from wengert import random as random
    from wengert import scalar as scalar
    from wengert import scipy as scipy
    from wengert import testing as testing
    from wengert import utils as utils
    from wengert.autograd.custom import custom_jvp as custom_jvp
    from wengert.autograd.custom import custom_vjp as custom_vjp
    from wengert.backends.llvm.threads import get_num_threads as get_num_threads
    from wengert.backends.llvm.threads import set_num_threads as set_num_threads
    from wengert.compile import explain_recompiles as explain_recompiles
    from wengert.compile import jit as jit
    from wengert.inspect.drawing import draw as draw
    from wengert.inspect.drawing import make_dot as make_dot
    from wengert.inspect.exploring import explore as explore
    from wengert.inspect.progress import progress as progress
    from wengert.inspect.reasons import why as why
    from wengert.inspect.reporting import report as report
    from wengert.inspect.terminal import show as show
    from wengert.plan.ledger import ledger as ledger
    from wengert.static.graph import Graph as Graph
    from wengert.static.graph import load as load
    from wengert.static.graph import trace as trace
    from wengert.static.session import Session as Session
    from wengert.static.session import placeholder as placeholder
    from wengert.static.session import variable as variable
    from wengert.transforms.batching import vmap as vmap
    from wengert.transforms.checking import check_grads as check_grads
    from wengert.transforms.checkpoint import checkpoint as checkpoint
    from wengert.transforms.checkpoint import checkpoint_sequential as checkpoint_sequential
    from wengert.transforms.checkpoint_policies import checkpoint_name as checkpoint_name
    from wengert.transforms.control import cond as cond
    from wengert.transforms.control import fori_loop as fori_loop
    from wengert.transforms.control import map_ as map  # noqa: F401
    from wengert.transforms.control import scan as scan
    from wengert.transforms.control import switch as switch
    from wengert.transforms.control import while_loop as while_loop
    from wengert.transforms.estimators import clip_gradient as clip_gradient
    from wengert.transforms.estimators import clip_gradient_norm as clip_gradient_norm
    from wengert.transforms.estimators import reverse_gradient as reverse_gradient
    from wengert.transforms.estimators import scale_gradient as scale_gradient
    from wengert.transforms.estimators import stop_gradient as stop_gradient
    from wengert.transforms.estimators import straight_through as straight_through
    from wengert.transforms.estimators import surrogate as surrogate
    from wengert.transforms.gradient import grad as grad
    from wengert.transforms.gradient import hvp as hvp
    from wengert.transforms.gradient import jvp as jvp
    from wengert.transforms.gradient import value_and_grad as value_and_grad
    from wengert.transforms.gradient import vjp as vjp
    from wengert.transforms.implicit import custom_argmin as custom_argmin
    from wengert.transforms.implicit import custom_fixed_point as custom_fixed_point
    from wengert.transforms.implicit import custom_linear_solve as custom_linear_solve
    from wengert.transforms.implicit import custom_root as custom_root
    from wengert.transforms.jacobian import JacobianReport as JacobianReport
    from wengert.transforms.jacobian import hessian as hessian
    from wengert.transforms.jacobian import jacfwd as jacfwd
    from wengert.transforms.jacobian import jacobian as jacobian
    from wengert.transforms.jacobian import jacrev as jacrev
    from wengert.transforms.linearization import linearize as linearize

__version__ = "0.1.0"

#: Imported when first used, so that ``import wengert`` stays quick.
_SUBMODULES = frozenset(
    {
        "autograd",
        "fft",
        "inspect",
        "linalg",
        "nn",
        "numpy",
        "optim",
        "optimize",
        "random",
        "scalar",
        "scipy",
        "testing",
        "utils",
    }
)


#: Functions whose modules are imported when they are first used, for the same reason.
_LAZY = {
    "JacobianReport": "wengert.transforms.jacobian",
    "check_grads": "wengert.transforms.checking",
    "checkpoint": "wengert.transforms.checkpoint",
    "checkpoint_name": "wengert.transforms.checkpoint_policies",
    "checkpoint_sequential": "wengert.transforms.checkpoint",
    "clip_gradient": "wengert.transforms.estimators",
    "clip_gradient_norm": "wengert.transforms.estimators",
    "cond": "wengert.transforms.control",
    "custom_argmin": "wengert.transforms.implicit",
    "custom_fixed_point": "wengert.transforms.implicit",
    "custom_jvp": "wengert.autograd.custom",
    "custom_linear_solve": "wengert.transforms.implicit",
    "custom_root": "wengert.transforms.implicit",
    "custom_vjp": "wengert.autograd.custom",
    "fori_loop": "wengert.transforms.control",
    "grad": "wengert.transforms.gradient",
    "hessian": "wengert.transforms.jacobian",
    "hvp": "wengert.transforms.gradient",
    "jacfwd": "wengert.transforms.jacobian",
    "jacobian": "wengert.transforms.jacobian",
    "jacrev": "wengert.transforms.jacobian",
    "jvp": "wengert.transforms.gradient",
    "ledger": "wengert.plan.ledger",
    "linearize": "wengert.transforms.linearization",
    "map": "wengert.transforms.control:map_",
    "reverse_gradient": "wengert.transforms.estimators",
    "scale_gradient": "wengert.transforms.estimators",
    "scan": "wengert.transforms.control",
    "set_num_threads": "wengert.backends.llvm.threads",
    "stop_gradient": "wengert.transforms.estimators",
    "straight_through": "wengert.transforms.estimators",
    "surrogate": "wengert.transforms.estimators",
    "switch": "wengert.transforms.control",
    "value_and_grad": "wengert.transforms.gradient",
    "vjp": "wengert.transforms.gradient",
    "vmap": "wengert.transforms.batching",
    "while_loop": "wengert.transforms.control",
    "Graph": "wengert.static.graph",
    "Session": "wengert.static.session",
    "explain_recompiles": "wengert.compile",
    "get_num_threads": "wengert.backends.llvm.threads",
    "jit": "wengert.compile",
    "load": "wengert.static.graph",
    "placeholder": "wengert.static.session",
    "trace": "wengert.static.graph",
    "variable": "wengert.static.session",
    "draw": "wengert.inspect.drawing",
    "explore": "wengert.inspect.exploring",
    "make_dot": "wengert.inspect.drawing",
    "progress": "wengert.inspect.progress",
    "report": "wengert.inspect.reporting",
    "show": "wengert.inspect.terminal",
    "why": "wengert.inspect.reasons",
}


# In a notebook: pictures are made by a layer that nothing below imports.
set_renderer(lambda x: importlib.import_module("wengert.inspect.notebook").html_of(x))


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module, _, own = _LAZY[name].partition(":")
        found = globals()[name] = getattr(importlib.import_module(module), own or name)
        return found
    if name in _SUBMODULES:
        return importlib.import_module(f"wengert.{name}")
    raise AttributeError(f"module 'wengert' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LAZY})

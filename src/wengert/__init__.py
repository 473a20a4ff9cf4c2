from wengert.core.tensor import Tensor as Tensor
from wengert.core.tensor import Tensor as tensor
from wengert.ops import operators
from wengert.ops.arithmetic import *
from wengert.ops.transcendental import *
from wengert.ops.reduction import *
from wengert.ops.shape import *

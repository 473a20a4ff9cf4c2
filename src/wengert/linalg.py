"""Linear algebra, with the array API standard's names."""

from wengert.ops.contraction import linalg_cross as cross  # noqa: F401
from wengert.ops.contraction import matmul as matmul
from wengert.ops.contraction import multi_dot as multi_dot
from wengert.ops.contraction import outer as outer
from wengert.ops.contraction import tensordot as tensordot
from wengert.ops.contraction import vecdot as vecdot
from wengert.ops.decomposition import cond as cond
from wengert.ops.decomposition import matrix_rank as matrix_rank
from wengert.ops.decomposition import svd as svd
from wengert.ops.decomposition import svdvals as svdvals
from wengert.ops.eigen import eig as eig
from wengert.ops.eigen import eigvals as eigvals
from wengert.ops.factorisation import logm as logm
from wengert.ops.factorisation import lu as lu
from wengert.ops.factorisation import solve_sylvester as solve_sylvester
from wengert.ops.factorisation import sqrtm as sqrtm
from wengert.ops.linalg import cholesky as cholesky
from wengert.ops.linalg import det as det
from wengert.ops.linalg import eigh as eigh
from wengert.ops.linalg import eigvalsh as eigvalsh
from wengert.ops.linalg import inv as inv
from wengert.ops.linalg import matrix_norm as matrix_norm
from wengert.ops.linalg import matrix_power as matrix_power
from wengert.ops.linalg import norm as norm
from wengert.ops.linalg import qr as qr
from wengert.ops.linalg import slogdet as slogdet
from wengert.ops.linalg import solve as solve
from wengert.ops.matrix_functions import expm as expm
from wengert.ops.reduction import vector_norm as vector_norm
from wengert.ops.shape import linalg_diagonal as diagonal  # noqa: F401
from wengert.ops.shape import linalg_trace as trace  # noqa: F401
from wengert.ops.shape import matrix_transpose as matrix_transpose
from wengert.ops.solving import lstsq as lstsq
from wengert.ops.solving import pinv as pinv
from wengert.ops.solving import solve_triangular as solve_triangular
from wengert.ops.solving import tensorinv as tensorinv
from wengert.ops.solving import tensorsolve as tensorsolve

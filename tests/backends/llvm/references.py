"""What NumPy and SciPy call the compiled functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

NUMPY: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in "exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh".split()},
    **{name: getattr(np, name) for name in "cbrt hypot logaddexp logaddexp2 fmod remainder floor_divide".split()},
    **{f"{name}_near": getattr(np, name) for name in ("sin", "cos", "tan")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in "sin cos tan tan2 sinh cosh tanh".split()},
    **{
        name: getattr(special, name)
        for name in "erf erfc erfcx ndtr log_ndtr erfinv erfcinv ndtri gamma xlogy xlog1py entr".split()
    },
    "pow": np.power,
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(x, np.zeros_like(x)),
    "lgamma": special.gammaln,
    "digamma": special.psi,
}

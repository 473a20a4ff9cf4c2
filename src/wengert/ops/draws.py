"""Random numbers whose distribution has parameters that no transformation of fixed numbers can stand in for.

Gradients go to the shape of a gamma distribution by implicit reparameterisation (M. Figurnov, S. Mohamed and A. Mnih,
"Implicit reparameterization gradients", NeurIPS 2018): a number z keeps its place F(z; a) in the distribution when a
moves, so dz/da = -(dF/da) / (dF/dz), however z was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from wengert.core.errors import ShapeError
from wengert.core.primitive import Primitive
from wengert.core.types import Array, Shape, TensorSpec
from wengert.ops.incomplete import GammaincByShape, log_gamma_weight
from wengert.ops.random_ import check_key
from wengert.ops.special import Polygamma


class ParameterDraw(Primitive, abstract=True):
    """Random numbers from a key, whose distribution depends on a parameter; mapped over by a loop."""

    shape: Shape
    dtype: str
    random: ClassVar[bool] = True
    #: What the parameter must be, and the test for it.
    demand: ClassVar[str]
    meets: ClassVar[Callable[[Any], Any]]

    def sample(self, generator: Any, parameter: Any) -> Any:
        """The numbers that belong to one key and to a parameter that broadcasts to their shape."""
        raise NotImplementedError

    def value(self, key: Any, parameter: Any) -> Any:
        check_key(key, self.name)
        if not np.all(type(self).meets(parameter)):
            raise ShapeError(f"{self.name}: {self.demand}, not {parameter}")
        generator = np.random.Generator(np.random.Philox(key=key))
        return np.asarray(self.sample(generator, parameter), self.dtype)

    def spec(self, key: TensorSpec, parameter: TensorSpec) -> TensorSpec:
        return TensorSpec(self.shape, self.dtype)


#: Below this log z the power z^a / Gamma(a + 1) is the distribution function to the last bit.
_SMALL = -40.0


def _log_slope(a: Any, log_z: Any) -> Any:
    """d(log z)/da of a gamma number z with its place in the distribution kept."""
    small = log_z < _SMALL
    z = np.exp(np.where(small, 0.0, log_z))
    exact = -GammaincByShape(1)(a, z) * np.exp(-log_gamma_weight(a, z))
    return np.where(small, (Polygamma(0)(a + 1) - np.where(small, log_z, 0.0)) / a, exact)


class RandomGamma(ParameterDraw):
    """Gamma with shape ``parameter`` and scale one (G. Marsaglia and W. W. Tsang, 2000)."""

    demand = "the shape must be positive"
    meets = staticmethod(lambda a: np.greater(a, 0))
    vjp_key = None

    def sample(self, generator: Any, parameter: Any) -> Any:
        return generator.standard_gamma(parameter, self.shape)

    def vjp_parameter(self, g: Array, parameter: Array, out: Array) -> Array:
        return g * self.slope(parameter, out)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[1] is None else tangents[1] * self.slope(inputs[1], out)

    def slope(self, a: Any, z: Any) -> Any:
        """dz/da, which is 0 where z is rounded to 0."""
        some = z > 0
        return np.where(some, z * _log_slope(a, np.log(np.where(some, z, 1.0))), 0.0).astype(z.dtype)


class RandomLogGamma(ParameterDraw):
    """Logarithms of gamma numbers with shape ``parameter``, which for small shapes the numbers themselves round to 0.

    For a shape a below one, a number of shape a + 1 times U^(1/a) has shape a.
    """

    demand = "the shape must be positive"
    meets = staticmethod(lambda a: np.greater(a, 0))
    vjp_key = None

    def sample(self, generator: Any, parameter: Any) -> Any:
        a = np.asarray(parameter, np.float64)
        small = a < 1
        drawn = np.log(generator.standard_gamma(a + small, self.shape))
        return drawn + np.where(small, np.log1p(-generator.random(self.shape)) / a, 0.0)

    def vjp_parameter(self, g: Array, parameter: Array, out: Array) -> Array:
        return g * _log_slope(parameter, out).astype(out.dtype)

    def jvp(self, tangents: Sequence[Any], inputs: Sequence[Any], out: Any) -> Any:
        return None if tangents[1] is None else tangents[1] * _log_slope(inputs[1], out).astype(out.dtype)


class RandomPoisson(ParameterDraw):
    """Poisson with mean ``parameter``."""

    demand = "the mean must be at least zero"
    meets = staticmethod(lambda mean: np.greater_equal(mean, 0))
    differentiable = False

    def sample(self, generator: Any, parameter: Any) -> Any:
        return generator.poisson(parameter, self.shape)


class RandomBinomial(ParameterDraw):
    """The number of successes among ``count`` trials with probability ``parameter`` each."""

    count: int
    demand = "the probability must be between 0 and 1"
    meets = staticmethod(lambda p: np.greater_equal(p, 0) & np.less_equal(p, 1))
    differentiable = False

    def sample(self, generator: Any, parameter: Any) -> Any:
        return generator.binomial(self.count, parameter, self.shape)

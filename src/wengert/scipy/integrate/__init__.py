"""``scipy.integrate``'s names on tensors: ordinary differential equations, and integrals of samples and of functions.

>>> import wengert as wg
>>> from wengert.scipy.integrate import odeint
>>> rate = wg.tensor(2.0, requires_grad=True)
>>> y = odeint(lambda y, t: -rate * y, 1.0, [0.0, 1.0])
>>> y[-1].backward(); round(rate.grad.item(), 6)
-0.135335
"""

from wengert.scipy.integrate.quadrature import cumulative_trapezoid as cumulative_trapezoid
from wengert.scipy.integrate.quadrature import fixed_quad as fixed_quad
from wengert.scipy.integrate.quadrature import simpson as simpson
from wengert.scipy.integrate.quadrature import trapezoid as trapezoid
from wengert.scipy.integrate.runge_kutta import odeint as odeint

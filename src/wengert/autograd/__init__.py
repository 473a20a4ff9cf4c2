"""Reverse mode by hand: gradients of tensors, custom functions, checks, and looking for the first NaN."""

from wengert.autograd import function as function
from wengert.autograd.function import Function as Function
from wengert.autograd.gradcheck import gradcheck as gradcheck
from wengert.autograd.gradcheck import gradgradcheck as gradgradcheck
from wengert.autograd.modes import detect_anomaly as detect_anomaly
from wengert.autograd.modes import saved_tensors_hooks as saved_tensors_hooks
from wengert.autograd.modes import set_detect_anomaly as set_detect_anomaly
from wengert.core.backward import backward as backward
from wengert.core.backward import grad as grad
from wengert.core.graph import graph_of as graph_of
from wengert.core.mode import enable_grad as enable_grad
from wengert.core.mode import is_grad_enabled as is_grad_enabled
from wengert.core.mode import no_grad as no_grad
from wengert.core.mode import set_grad_enabled as set_grad_enabled

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tests.ops.gradients import gradient
from wengert.core.errors import DTypeError, TransformError
from wengert.core.levels import VmapLevel, running
from wengert.core.tensor import Tensor, wrap
from wengert.ops import complex as ops


def test_conventions_at_zero() -> None:
    assert_array_equal(gradient(ops.abs, [0.0, -0.0, -2.0]), [0, 0, -1])
    assert_array_equal(gradient(ops.fabs, [0.0, 3.0]), [0, 1])
    assert_array_equal(gradient(ops.abs, [0j, 3 + 4j]), [0, 0.6 + 0.8j])
    assert_array_equal(gradient(ops.sign, [0j]), [0])
    assert_array_equal(gradient(ops.angle, [0j]), [0])


def test_gradient_of_a_real_loss_is_its_derivative_towards_both_parts() -> None:
    z = np.array([1 + 2j])
    assert_array_equal(gradient(ops.real, z), [1])
    assert_array_equal(gradient(ops.imag, z), [1j])
    assert_allclose(gradient(ops.angle, z), 1j * z / np.abs(z) ** 2)
    assert_allclose(gradient(lambda z: ops.angle(z, deg=True), z), 1j * z / np.abs(z) ** 2 * 180 / np.pi)
    assert_array_equal(gradient(lambda z: ops.real(ops.conj(z) * z), z), 2 * z)


def test_real_operands() -> None:
    x = [-1.5, 2.0]
    assert_array_equal(gradient(ops.real, x), [1, 1])
    assert_array_equal(gradient(ops.imag, x), [0, 0])
    assert_array_equal(gradient(ops.conj, x), [1, 1])
    assert_array_equal(gradient(ops.angle, x), [0, 0])
    assert_array_equal(gradient(ops.sign, x), [0, 0])
    assert_array_equal(ops.angle(Tensor(x))._value, [np.pi, 0])
    assert ops.imag(Tensor(x)).dtype == np.float64


@pytest.mark.parametrize("function", [ops.abs, ops.real, ops.imag, ops.angle])
def test_parts_of_complex64_are_float32(function: object) -> None:
    z = np.array([1 + 2j], np.complex64)
    assert function(Tensor(z)).dtype == np.float32  # type: ignore[operator]
    assert gradient(function, z).dtype == np.complex64  # type: ignore[arg-type]


def test_absolute_values_of_integers_are_integers() -> None:
    assert ops.abs(Tensor([-3, 2])).dtype == np.int64
    assert ops.fabs(Tensor([-3, 2])).dtype == np.float64
    with pytest.raises(DTypeError, match=r"fabs on complex128"):
        ops.fabs(Tensor([1j]))


def test_real_if_close() -> None:
    near = Tensor([1 + 1e-15j])
    assert ops.real_if_close(near).dtype == np.float64
    assert ops.real_if_close(near, tol=2).dtype == np.complex128
    assert ops.real_if_close(Tensor([1 + 1e-3j]), tol=0.01).dtype == np.float64
    assert ops.real_if_close(Tensor([1.0, 2.0])).dtype == np.float64
    assert_array_equal(gradient(ops.real_if_close, [2 + 0j]), [1])
    level = VmapLevel(1)
    with running(level), pytest.raises(TransformError, match="not known to Python"):
        ops.real_if_close(level.batched(wrap(np.array([[1j]]))))

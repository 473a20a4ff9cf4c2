"""Linear algebra: what the laws cannot say (errors, conventions, degenerate and empty matrices)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.linalg

import wengert as wg
from tests.laws.samples import definite, normal, regular
from wengert.core.errors import DTypeError, LinearAlgebraError
from wengert.core.interpreter import interpret
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec

ONES = np.ones((3, 3))


def gradient(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    leaf = wg.tensor(x, requires_grad=True)
    function(leaf).backward()
    assert leaf.grad is not None
    return leaf.grad.numpy()


class TestEig:
    def test_is_complex_even_where_all_eigenvalues_are_real(self) -> None:
        values, vectors = wg.linalg.eig(wg.tensor(definite(3), dtype="float32"))
        assert values.dtype == vectors.dtype == np.complex64

    def test_a_gradient_that_depends_on_phases_is_an_error(self) -> None:
        rotation = np.array([[0.0, 1.0], [-1.0, 0.0]])
        with pytest.raises(wg.LinearAlgebraError, match="unique up to a phase"):
            gradient(lambda x: np.imag(wg.linalg.eig(x)[1][1, 0] ** 2), rotation)

    def test_the_sum_of_coinciding_eigenvalues_has_its_gradient(self) -> None:
        found = gradient(lambda x: np.real(wg.linalg.eigvals(x)).sum(), np.eye(3))
        np.testing.assert_allclose(found, np.eye(3), atol=1e-12)

    def test_vectors_of_coinciding_eigenvalues_have_none(self) -> None:
        with pytest.raises(wg.LinearAlgebraError, match="not unique"):
            gradient(lambda x: np.abs(wg.linalg.eig(x)[1] + wg.tensor(ONES)).sum(), np.eye(3))


class TestEigh:
    def test_a_gradient_that_depends_on_phases_is_an_error(self) -> None:
        x = definite(3) + 1j * np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]])
        with pytest.raises(wg.LinearAlgebraError, match="eigh: complex vectors are unique up to a phase"):
            gradient(lambda x: np.imag(wg.linalg.eigh(x)[1][0]).sum(), x)

    def test_single_precision_noise_is_no_ambiguity(self) -> None:
        x = np.eye(4, dtype=np.float32)
        c = wg.tensor(normal(4, 4).astype(np.float32))

        def square(x: Any) -> Any:
            values, vectors = wg.linalg.eigh(x)
            return (c * ((vectors * values**2) @ vectors.T)).sum()

        assert np.isfinite(gradient(square, x)).all()


class TestSvd:
    def test_full_matrices_are_the_default_as_in_numpy(self) -> None:
        u, _, vh = wg.linalg.svd(wg.tensor(normal(4, 2)))
        assert (u.shape, vh.shape) == ((4, 4), (2, 2))
        assert np.linalg.svd(wg.tensor(normal(2, 4)))[2].shape == (4, 4)

    def test_the_gradient_of_singular_values_exists_at_rank_deficiency(self) -> None:
        x = np.outer([1.0, 2.0, 3.0], [1.0, 1.0])
        found = gradient(lambda x: wg.linalg.svdvals(x)[0], x)
        np.testing.assert_allclose(found, x / np.linalg.norm(x), atol=1e-12)
        assert np.isfinite(gradient(lambda x: wg.linalg.matrix_norm(x, "nuc"), np.zeros((3, 2)))).all()

    def test_a_gradient_that_depends_on_phases_is_an_error(self) -> None:
        with pytest.raises(wg.LinearAlgebraError, match="svd: complex vectors are unique up to a phase"):
            gradient(lambda x: np.real(wg.linalg.svd(x)[0][0, 1]), regular(3) + 1j * normal(3, 3))

    def test_a_gradient_through_the_choice_of_a_complement_is_an_error(self) -> None:
        with pytest.raises(wg.LinearAlgebraError, match="complete the singular vectors"):
            gradient(lambda x: wg.linalg.svd(x)[0][0, 3], normal(5, 2))

    def test_the_projector_on_the_complement_has_one(self) -> None:
        def by_complement(x: Any) -> Any:
            rest = wg.linalg.svd(x)[0][:, 2:]
            return (wg.tensor(normal(5, 5)) * (rest @ rest.T)).sum()

        def by_image(x: Any) -> Any:
            return (wg.tensor(normal(5, 5)) * (wg.eye(5) - x @ wg.linalg.pinv(x))).sum()

        x = normal(5, 2)
        np.testing.assert_allclose(gradient(by_complement, x), gradient(by_image, x), atol=1e-12)

    def test_hermitian_reads_the_lower_triangle(self) -> None:
        x = normal(3, 3)
        expected = np.linalg.svd(np.tril(x) + np.tril(x, -1).T, compute_uv=False)
        np.testing.assert_allclose(np.linalg.svd(wg.tensor(x), compute_uv=False, hermitian=True), expected)


class TestPinv:
    def test_the_derivative_at_constant_rank(self) -> None:
        a, b = normal(4, 2), normal(2, 3)
        c = wg.tensor(normal(3, 4))
        step = 1e-6 * normal(4, 2, seed=3)
        found = (gradient(lambda a: (c * wg.linalg.pinv(a @ b)).sum(), a) * step).sum()
        up, down = (float((c.numpy() * np.linalg.pinv((a + s) @ b, rcond=1e-9)).sum()) for s in (step, -step))
        assert found == pytest.approx((up - down) / 2, rel=1e-6)

    def test_a_singular_matrix_in_single_precision(self) -> None:
        found = wg.linalg.pinv(wg.ones((3, 3), dtype="float32"))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, ONES / 9, atol=1e-6)

    @pytest.mark.parametrize("shape", [(0, 3), (3, 0), (2, 0, 0)])
    def test_empty_matrices(self, shape: tuple[int, ...]) -> None:
        found = gradient(lambda x: wg.linalg.pinv(x).sum(), np.zeros(shape))
        assert found.shape == shape
        assert wg.linalg.pinv(wg.zeros(shape)).shape == (*shape[:-2], shape[-1], shape[-2])

    def test_hermitian(self) -> None:
        x = normal(3, 3)
        expected = np.linalg.pinv(np.tril(x), hermitian=True)
        np.testing.assert_allclose(np.linalg.pinv(wg.tensor(x), hermitian=True), expected, rtol=1e-10)

    def test_takes_one_tolerance(self) -> None:
        with pytest.raises(wg.DTypeError, match="one number"):
            wg.linalg.pinv(wg.tensor(normal(2, 3, 3)), rcond=[1e-3, 1e-4])


class TestLstsq:
    def test_what_numpy_gives_where_the_rank_is_not_full(self) -> None:
        a = np.outer([1.0, 2.0, 3.0, 4.0], [1.0, 2.0])
        for one, other in zip(wg.linalg.lstsq(wg.tensor(a), np.ones(4)), np.linalg.lstsq(a, np.ones(4)), strict=True):
            assert one.shape == np.shape(other)
            np.testing.assert_allclose(one, other, atol=1e-12)

    def test_stacks(self) -> None:
        a, b = normal(3, 5, 2), normal(3, 5, 1)
        x, residuals, rank, s = wg.linalg.lstsq(wg.tensor(a), b)
        assert (x.shape, residuals.shape, rank.shape, s.shape) == ((3, 2, 1), (3, 1), (3,), (3, 2))
        np.testing.assert_allclose(x[1], np.linalg.lstsq(a[1], b[1])[0])

    def test_the_gradient_of_the_residual_is_that_of_the_problem(self) -> None:
        # d min |a x - b|^2 = 2 (a x - b)^T (da x - db), for x does not move to first order (the envelope theorem).
        a, b = normal(5, 2), normal(5)
        x = np.linalg.lstsq(a, b)[0]
        found = gradient(lambda a: wg.linalg.lstsq(a, b)[1].sum(), a)
        np.testing.assert_allclose(found, 2 * np.outer(a @ x - b, x), rtol=1e-9)

    def test_traced(self) -> None:
        a, b = normal(4, 2), normal(4)
        graph = trace_flat(lambda a, b: wg.linalg.lstsq(a, b)[:2], [TensorSpec(x.shape, x.dtype) for x in (a, b)])
        for one, other in zip(interpret(graph, [a, b]), np.linalg.lstsq(a, b)[:2], strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10)

    def test_shapes_that_do_not_fit(self) -> None:
        with pytest.raises(wg.ShapeError, match="does not fit a right-hand side"):
            wg.linalg.lstsq(wg.ones((3, 2)), wg.ones(2))


class TestSolveTriangular:
    def test_the_rest_is_never_read(self) -> None:
        a = np.tril(regular(3)) + np.triu(np.full((3, 3), np.nan), 1)
        leaf = wg.tensor(a, requires_grad=True)
        out = wg.linalg.solve_triangular(leaf, np.ones(3), lower=True)
        np.testing.assert_allclose(
            out.detach(), scipy.linalg.solve_triangular(np.tril(regular(3)), np.ones(3), lower=True)
        )
        out.sum().backward()
        assert leaf.grad is not None
        assert (np.triu(leaf.grad.numpy(), 1) == 0).all()

    def test_a_zero_on_the_diagonal(self) -> None:
        with pytest.raises(wg.LinearAlgebraError, match="singular"):
            wg.linalg.solve_triangular(wg.tensor([[0.0, 1.0], [0.0, 1.0]]), wg.ones(2))

    def test_an_unknown_transpose(self) -> None:
        with pytest.raises(wg.DTypeError, match="trans is"):
            wg.linalg.solve_triangular(wg.eye(2), wg.ones(2), trans="H")

    def test_empty(self) -> None:
        assert wg.linalg.solve_triangular(wg.zeros((0, 0)), wg.zeros((0, 2))).shape == (0, 2)
        assert wg.linalg.solve_triangular(wg.eye(2), wg.zeros((2, 0))).shape == (2, 0)


class TestExpm:
    def test_a_direction_of_any_length(self) -> None:
        x, g = normal(3, 3), normal(3, 3, seed=1)
        expected = scipy.linalg.expm_frechet(x.T, g, compute_expm=False)
        for length in (1e-30, 1.0, 1e30):
            found = gradient(lambda x, length=length: (wg.linalg.expm(x) * (g * length)).sum(), x)
            np.testing.assert_allclose(found / length, expected, rtol=1e-12)

    def test_the_exponential_of_zero_and_of_nothing(self) -> None:
        np.testing.assert_array_equal(gradient(lambda x: wg.linalg.expm(x).sum(), np.zeros((2, 2))), np.ones((2, 2)))
        assert gradient(lambda x: wg.linalg.expm(x).sum(), np.zeros((0, 0))).shape == (0, 0)


class TestTensorEquations:
    def test_maps_that_are_not_square(self) -> None:
        with pytest.raises(wg.ShapeError, match="different numbers of elements"):
            wg.linalg.tensorinv(wg.ones((2, 3, 5)))
        with pytest.raises(wg.ShapeError, match="ind must be"):
            wg.linalg.tensorinv(wg.ones((2, 3, 6)), ind=0)
        with pytest.raises(wg.ShapeError, match="no invertible map"):
            wg.linalg.tensorsolve(wg.ones((2, 3, 5)), wg.ones((2, 3)))


class TestRankAndCondition:
    @pytest.mark.parametrize("x", [np.zeros(3), np.ones(3), np.array(2.0), ONES, np.zeros((2, 3, 3)), normal(2, 3, 4)])
    def test_rank(self, x: np.ndarray) -> None:
        np.testing.assert_array_equal(np.linalg.matrix_rank(wg.tensor(x)), np.linalg.matrix_rank(x))

    def test_tolerances(self) -> None:
        x = np.diag([1.0, 0.1, 0.01])
        assert int(wg.linalg.matrix_rank(wg.tensor(x), 0.05)) == 2
        assert int(wg.linalg.matrix_rank(wg.tensor(x), rtol=0.5)) == 1
        with pytest.raises(wg.DTypeError, match="not both"):
            wg.linalg.matrix_rank(wg.tensor(x), 0.05, rtol=0.5)


def test_qr_with_a_whole_basis() -> None:
    x = wg.tensor(np.arange(6.0).reshape(3, 2) ** 2, requires_grad=True)
    q, r = wg.linalg.qr(x, mode="complete")
    assert (q.shape, r.shape) == ((3, 3), (3, 2))
    np.testing.assert_allclose((q.T @ q).detach().numpy(), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(wg.linalg.qr(x, mode="r").detach().numpy(), r[:2].detach().numpy(), atol=1e-13)
    with pytest.raises(LinearAlgebraError, match=r"mode='complete' adds to Q are not unique.*mode='reduced'"):
        q.sum().backward()
    with pytest.raises(DTypeError, match="mode is 'reduced', 'complete' or 'r', not 'raw'"):
        wg.linalg.qr(x, mode="raw")


class TestQr:
    @pytest.mark.parametrize("mode", ["reduced", "complete", "r"])
    def test_of_wide_matrices_is_numpys(self, mode: str) -> None:
        x = normal(2, 3, 5)
        got, expected = np.linalg.qr(wg.tensor(x), mode), np.linalg.qr(x, mode)
        for one, other in zip((got,) if mode == "r" else got, (expected,) if mode == "r" else expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-12)

    def test_a_singular_matrix_has_no_derivative(self) -> None:
        with pytest.raises(
            wg.LinearAlgebraError, match=r"qr.* has no derivative here: Singular matrix\n.*in the backward"
        ):
            gradient(lambda x: wg.linalg.qr(x)[1].sum(), ONES)


def test_the_condition_number_of_nothing() -> None:
    with pytest.raises(wg.LinearAlgebraError, match="without elements"):
        wg.linalg.cond(wg.zeros((0, 3)))


def test_norms_of_arrays_are_tensors() -> None:
    assert isinstance(wg.linalg.norm(ONES, "nuc"), wg.Tensor)

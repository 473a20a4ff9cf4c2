from __future__ import annotations

import numpy as np

from tests.laws.samples import normal
from wengert.ops import correlation as c
from wengert.ops import fft as f
from wengert.ops import random_ as r
from wengert.testing.laws import ALL_FLOATS, Case

KEY = np.array([1, 2], "uint64")

CASES = [
    Case(f.Resize((-1,), (5,)), normal(3, 4)),
    Case(f.Resize((-2, -1), (2, 6)), normal(3, 4)),
    *(
        Case(f.fft, normal(3, 5), kwargs=options, reference=np.fft.fft, dtypes=ALL_FLOATS)
        for options in ({}, {"axis": 0}, {"n": 7}, {"n": 3, "norm": "ortho"}, {"norm": "forward"})
    ),
    Case(f.FourierTransform((-1,), "backward", False), normal(3, 4), dtypes=("complex128", "complex64")),
    Case(f.FourierTransform((-2, -1), "ortho", True), normal(3, 4), dtypes=("complex128", "complex64")),
    Case(f.RealFourierTransform(-1, "backward"), normal(3, 5)),
    Case(f.RealFourierTransform(-1, "ortho"), normal(3, 4)),
    Case(f.InverseRealFourierTransform(5, -1, "backward"), normal(2, 3), dtypes=("complex128", "complex64")),
    Case(f.InverseRealFourierTransform(4, -1, "forward"), normal(2, 3), dtypes=("complex128", "complex64")),
    Case(f.ifft, normal(5), reference=np.fft.ifft, dtypes=ALL_FLOATS),
    Case(f.fft2, normal(3, 4), reference=np.fft.fft2, dtypes=ALL_FLOATS),
    Case(f.ifftn, normal(2, 3, 2), reference=np.fft.ifftn, dtypes=ALL_FLOATS),
    Case(f.rfft, normal(2, 6), reference=np.fft.rfft),
    Case(f.irfft, normal(2, 4), reference=np.fft.irfft, dtypes=("complex128", "complex64")),
    Case(f.rfft2, normal(3, 4), reference=np.fft.rfft2),
    Case(f.irfftn, normal(3, 4), reference=np.fft.irfftn, dtypes=("complex128", "complex64")),
    Case(f.fftshift, normal(5), reference=np.fft.fftshift),
    Case(f.ifftshift, normal(4, 5), reference=np.fft.ifftshift),
    Case(c.Convolve(), normal(5), normal(3), reference=np.convolve, dtypes=ALL_FLOATS),
    Case(c.Correlate(), normal(5), normal(3), dtypes=ALL_FLOATS),
    Case(c.convolve, normal(5), normal(3), kwargs={"mode": "same"}, reference=np.convolve),
    Case(c.correlate, normal(5), normal(3), reference=np.correlate),
    Case(r.SplitKey(3), KEY),
    Case(r.FoldIn(), KEY, np.array(5)),
    Case(r.RandomUniform((2, 3), "float64"), KEY),
    Case(r.RandomNormal((2, 3), "float64"), KEY),
    Case(r.RandomExponential((4,), "float32"), KEY),
    Case(r.RandomIntegers((4,), "int64", 0, 9), KEY),
    Case(r.DropoutMask((5,), "float64", 0.25), KEY),
    Case(r.RandomPermutation((5,), "int64"), KEY),
]

from __future__ import annotations

import numpy as np

from tests.laws.samples import integers, normal
from wengert.ops import fft
from wengert.ops.fft import FourierTransform, InverseRealFourierTransform, RealFourierTransform, Resize
from wengert.testing.laws import ALL_FLOATS, COMPLEX, REAL, Case

CASES = [
    Case(Resize((-1,), (3,)), normal(2, 5), dtypes=ALL_FLOATS),
    Case(Resize((-1, -3), (7, 1)), normal(2, 3, 5), dtypes=ALL_FLOATS),
    Case(FourierTransform((-1,)), normal(3, 5), reference=np.fft.fft, dtypes=ALL_FLOATS),
    Case(FourierTransform((-1, -2), "ortho", inverse=True), normal(3, 4), dtypes=ALL_FLOATS),
    Case(FourierTransform((-3, -1), "forward"), normal(2, 3, 4), dtypes=ALL_FLOATS),
    Case(FourierTransform((-1,)), integers(-5, 5, 4), reference=np.fft.fft),
    Case(RealFourierTransform(-1), normal(3, 5), reference=np.fft.rfft, dtypes=REAL),
    Case(RealFourierTransform(-2, "ortho"), normal(6, 2), dtypes=REAL),
    Case(RealFourierTransform(-1, "forward"), normal(1), dtypes=REAL),
    Case(InverseRealFourierTransform(6, -1), normal(3, 4), reference=np.fft.irfft, dtypes=ALL_FLOATS),
    Case(InverseRealFourierTransform(5, -2, "ortho"), normal(3, 2), dtypes=ALL_FLOATS),
    Case(InverseRealFourierTransform(1, -1, "forward"), normal(2, 1), dtypes=ALL_FLOATS),
    *(
        Case(getattr(fft, name), normal(3, 4), kwargs=kwargs, reference=getattr(np.fft, name), dtypes=ALL_FLOATS)
        for name in ("fft", "ifft", "irfft", "hfft")
        for kwargs in ({}, {"n": 7, "axis": 0, "norm": "ortho"}, {"n": 2, "norm": "forward"})
    ),
    *(
        Case(getattr(fft, name), normal(3, 4), kwargs=kwargs, reference=getattr(np.fft, name), dtypes=REAL)
        for name in ("rfft", "ihfft")
        for kwargs in ({}, {"n": 7, "axis": 0, "norm": "ortho"}, {"n": 2, "norm": "forward"})
    ),
    *(
        Case(getattr(fft, name), normal(2, 4, 3), kwargs=kwargs, reference=getattr(np.fft, name), dtypes=dtypes)
        for name, dtypes in (("fftn", ALL_FLOATS), ("ifftn", COMPLEX), ("rfftn", REAL), ("irfftn", ALL_FLOATS))
        for kwargs in ({}, {"s": (5, 2), "axes": (2, 0)}, {"axes": (1,), "norm": "ortho"})
    ),
    *(
        Case(getattr(fft, name), normal(2, 4, 3), kwargs=kwargs, reference=getattr(np.fft, name), dtypes=dtypes)
        for name, dtypes in (("fft2", ALL_FLOATS), ("ifft2", COMPLEX), ("rfft2", REAL), ("irfft2", ALL_FLOATS))
        for kwargs in ({}, {"s": (3, 5), "norm": "forward"})
    ),
    Case(fft.fftshift, normal(3, 4), reference=np.fft.fftshift, dtypes=ALL_FLOATS),
    Case(fft.ifftshift, normal(3, 5), kwargs={"axes": -1}, reference=np.fft.ifftshift, dtypes=ALL_FLOATS),
]

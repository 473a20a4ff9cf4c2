"""``numpy.fft``'s names, on tensors."""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from wengert.numpy._names import look_up, supported
from wengert.ops.answers import by_value

_MAKERS = ("fftfreq", "rfftfreq")


def __getattr__(name: str) -> Any:
    if name in _MAKERS:
        return by_value(getattr(_numpy.fft, name), wrapping=True)
    return look_up(_numpy.fft, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MAKERS, *supported(_numpy.fft)})

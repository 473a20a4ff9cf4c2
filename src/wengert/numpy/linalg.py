"""``numpy.linalg``'s names, on tensors."""

from __future__ import annotations

from typing import Any

import numpy as _numpy
from numpy.linalg import LinAlgError as LinAlgError

from wengert.numpy._names import look_up, supported


def __getattr__(name: str) -> Any:
    return look_up(_numpy.linalg, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *supported(_numpy.linalg)})

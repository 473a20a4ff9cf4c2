"""Fourier transforms, with NumPy's names."""

from wengert.ops.fft import fft as fft
from wengert.ops.fft import fft2 as fft2
from wengert.ops.fft import fftfreq as fftfreq
from wengert.ops.fft import fftn as fftn
from wengert.ops.fft import fftshift as fftshift
from wengert.ops.fft import hfft as hfft
from wengert.ops.fft import ifft as ifft
from wengert.ops.fft import ifft2 as ifft2
from wengert.ops.fft import ifftn as ifftn
from wengert.ops.fft import ifftshift as ifftshift
from wengert.ops.fft import ihfft as ihfft
from wengert.ops.fft import irfft as irfft
from wengert.ops.fft import irfft2 as irfft2
from wengert.ops.fft import irfftn as irfftn
from wengert.ops.fft import rfft as rfft
from wengert.ops.fft import rfft2 as rfft2
from wengert.ops.fft import rfftfreq as rfftfreq
from wengert.ops.fft import rfftn as rfftn

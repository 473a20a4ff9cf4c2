"""PyTorch's places for things."""

from wengert.utils import checkpoint as checkpoint

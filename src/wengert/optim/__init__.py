"""Optimisers, with PyTorch's names."""

from wengert.optim import lr_scheduler as lr_scheduler
from wengert.optim.adam import Adam as Adam
from wengert.optim.adam import AdamW as AdamW
from wengert.optim.optimizer import Optimizer as Optimizer
from wengert.optim.sgd import SGD as SGD
from wengert.optim.sgd import RMSprop as RMSprop

"""Optimisers, with PyTorch's names."""

from wengert.optim import lr_scheduler as lr_scheduler
from wengert.optim.adam import Adam as Adam
from wengert.optim.adam import AdamW as AdamW
from wengert.optim.adaptive import ASGD as ASGD
from wengert.optim.adaptive import Adadelta as Adadelta
from wengert.optim.adaptive import Adagrad as Adagrad
from wengert.optim.adaptive import Adamax as Adamax
from wengert.optim.adaptive import NAdam as NAdam
from wengert.optim.adaptive import RAdam as RAdam
from wengert.optim.adaptive import Rprop as Rprop
from wengert.optim.optimizer import Optimizer as Optimizer
from wengert.optim.second_order import LBFGS as LBFGS
from wengert.optim.second_order import NewtonCG as NewtonCG
from wengert.optim.sgd import SGD as SGD
from wengert.optim.sgd import RMSprop as RMSprop

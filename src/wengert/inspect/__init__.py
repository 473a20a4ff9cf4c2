"""Seeing the graph: reports, drawings, the explorer, and why a gradient is missing."""

from __future__ import annotations

from wengert.inspect.building import model_of as model_of
from wengert.inspect.drawing import Drawing as Drawing
from wengert.inspect.drawing import draw as draw
from wengert.inspect.drawing import make_dot as make_dot
from wengert.inspect.exploring import Page as Page
from wengert.inspect.exploring import explore as explore
from wengert.inspect.model import Model as Model
from wengert.inspect.progress import progress as progress
from wengert.inspect.reasons import why as why
from wengert.inspect.reporting import Report as Report
from wengert.inspect.reporting import report as report
from wengert.inspect.terminal import show as show

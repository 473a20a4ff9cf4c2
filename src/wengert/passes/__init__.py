"""Graph to graph: what makes a graph smaller or cheaper without changing what it computes."""

from wengert.passes.chain import OrderMatmuls as OrderMatmuls
from wengert.passes.cse import ShareSubexpressions as ShareSubexpressions
from wengert.passes.dce import DropDeadCode as DropDeadCode
from wengert.passes.decompose import Decompose as Decompose
from wengert.passes.fold import Fold as Fold
from wengert.passes.loops import MergeLoops as MergeLoops
from wengert.passes.pipeline import DEFAULT as DEFAULT
from wengert.passes.pipeline import FOR_CODE as FOR_CODE
from wengert.passes.pipeline import Report as Report
from wengert.passes.pipeline import optimize as optimize
from wengert.passes.rewriting import rewrite as rewrite
from wengert.passes.simplify import Simplify as Simplify
from wengert.passes.slices import AddSlices as AddSlices
from wengert.passes.views import CancelViews as CancelViews

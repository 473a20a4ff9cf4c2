"""Loops that carry their body as a graph: ``scan``, with a known number of steps, and ``while_loop``.

The pullback of a scan is a scan in the other direction over what the forward half of the body's pullback keeps at each
step; so loops nest, and have derivatives of any order, without rules of their own for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from wengert.core.derived import Flags, batch_graph, differentiable, halves, jvp_graph, pullback_graph, selected
from wengert.core.errors import GradientError
from wengert.core.interpreter import METER, interpret
from wengert.core.primitive import REGISTRY
from wengert.core.static import Graph, GraphNode, Input, Result
from wengert.core.tracing import needed, trace_flat
from wengert.core.types import TensorSpec
from wengert.ops.control import GraphPrimitive, any_tensor, cotangents_of, moving_of, spread
from wengert.ops.reversal import Pieces, Reversal, Snapshots, sweep_back


class Parts(NamedTuple):
    """A scan's operands, or what belongs to them, by their role."""

    consts: Sequence[Any]
    carry: Sequence[Any]
    xs: Sequence[Any]


class Loop(GraphPrimitive, abstract=True):
    """What the two loops share: operands are constants, carry and (in a scan) ``xs``; results are carry and ``ys``."""

    body: Graph

    def parts(self, operands: Sequence[Any]) -> Parts:
        """Operands, or what belongs to them, by their role."""
        raise NotImplementedError

    @property
    def carried(self) -> int:
        """How many values are handed from step to step."""
        raise NotImplementedError

    def dual(self, moving: Flags) -> tuple[Any, Flags]:
        """The loop over values and tangents together, and which results have a tangent. Its operands are constants,
        their tangents, carry, its tangents, xs, their tangents; its results likewise."""
        raise NotImplementedError

    def fixed_point(self, moving: Flags) -> tuple[Parts, Graph, Flags]:
        """What moves in the body when these operands do: a carry that becomes moving is moving; the body over values
        and tangents together; and which of its results move."""
        consts, carry, xs = map(tuple, self.parts(moving))
        rest = (False,) * (len(self.body.outputs) - self.carried)
        while True:
            joint, moved = jvp_graph(self.body, (*consts, *carry, *xs), (*carry, *rest))
            if moved[: self.carried] == carry:
                return Parts(consts, carry, xs), joint, moved
            carry = moved[: self.carried]

    def dual_operands(self, moving: Flags, moved: Flags, inputs: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """The operands of ``dual``: a carry that starts without a tangent and gets one starts with zeros."""
        full = self.parts([t if flag else None for t, flag in zip(tangents, moving, strict=True)])
        own = self.parts(inputs)
        carry = [
            np.zeros(np.shape(x), x.dtype) if flag and t is None else t
            for x, t, flag in zip(own.carry, full.carry, moved, strict=False)
        ]
        return interleaved(own, Parts(full.consts, carry, full.xs))

    def dual_wanted(self, moving: Flags, moved: Flags, wanted: Flags) -> Flags:
        """Which operands of ``dual`` are the values in the places marked in ``wanted``."""
        own = self.parts(moving)
        dots = Parts(
            *([False if flag else None for flag in group] for group in (own.consts, moved[: self.carried], own.xs))
        )
        return tuple(interleaved(self.parts(wanted), dots))

    def dual_cotangents(self, moved: Flags, values: Sequence[Any], tangents: Sequence[Any]) -> list[Any]:
        """Cotangents of values and tangents in the order of the results of ``dual``; those that are ``None`` left
        out."""
        count = self.carried
        dots = [t if flag else None for t, flag in zip(tangents, moved, strict=True)]
        order = interleaved((values[:count], values[count:]), (dots[:count], dots[count:]))
        return [x for x in order if x is not None]

    def sorted_results(self, moved: Flags, outs: Sequence[Any]) -> tuple[tuple[Any, ...], list[Any]]:
        """Results and tangents (``None`` for those without) from the results of ``dual``."""
        fresh, total = sum(moved[: self.carried]), len(self.body.outputs)
        ys = outs[self.carried + fresh :]
        values = (*outs[: self.carried], *ys[: total - self.carried])
        return values, spread((*outs[self.carried : self.carried + fresh], *ys[total - self.carried :]), moved)

    def value_and_jvp(self, tangents: Sequence[Any], inputs: Sequence[Any]) -> Any:
        moving = moving_of(tangents)
        dual, moved = self.dual(moving)
        return self.sorted_results(moved, dual(*self.dual_operands(moving, moved, inputs, tangents)))


def interleaved(values: Sequence[Sequence[Any]], dots: Sequence[Sequence[Any]]) -> list[Any]:
    """Group by group the values, followed by the dots that are not ``None``."""
    return [x for own, theirs in zip(values, dots, strict=True) for x in (*own, *(t for t in theirs if t is not None))]


class Scan(Loop):
    """``carry, y = body(consts, carry, x)``, step after step over the first axis of ``xs``, last to first if
    ``reverse``; the results are the last carry and the stacked ``ys``."""

    name = "scan"
    body: Graph
    length: int
    consts: int
    carry: int
    reverse: bool = False
    #: Which operands a gradient is expected for: what the backward loop needs is kept beside the results.
    wanted: Flags = ()
    #: Keep the carry at each step only, and compute the rest of the step again.
    recompute: bool = False
    #: How many states the backward pass may hold at once (Revolve); 0 for no limit.
    slots: int = 0

    def graphs(self) -> tuple[Graph, ...]:
        return (self.body,)

    def parts(self, operands: Sequence[Any]) -> Parts:
        middle = self.consts + self.carry
        return Parts(operands[: self.consts], operands[self.consts : middle], operands[middle:])

    def but(self, **changes: Any) -> Scan:
        return Scan(**(self.parameters() | changes))

    @property
    def carried(self) -> int:
        return self.carry

    # -- value --------------------------------------------------------------------------------------------------

    @property
    def order(self) -> range:
        """The places along the first axis of ``xs`` in the order of the steps."""
        return range(self.length - 1, -1, -1) if self.reverse else range(self.length)

    def step(self, place: int, consts: Sequence[Any], carry: Sequence[Any], xs: Sequence[Any]) -> tuple[Any, ...]:
        """The body's results at one place."""
        return interpret(self.body, [*consts, *carry, *(x[place, ...] for x in xs)])

    def value(self, *operands: Any) -> Any:
        consts, carry, xs = self.parts(operands)
        ys = self._stacks()
        for place in self.order:
            outs = self.step(place, consts, carry, xs)
            carry = outs[: self.carry]
            for y, one in zip(ys, outs[self.carry :], strict=True):
                y[place] = one
        return (*map(np.asarray, carry), *ys)

    def _stacks(self) -> list[np.ndarray]:
        meter = METER.get()
        ys = [np.empty((self.length, *y.shape), y.dtype) for y in self.body.outputs[self.carry :]]
        if meter is not None:
            for y in ys:
                meter.note(y)
        return ys

    def rehearse(self, *operands: Any) -> Any:
        # The first step has the initial carry, which is not its own; from the second on all are alike.
        stacks = self._stacks()
        consts, carry, xs = self.parts(operands)
        for place in list(self.order)[:3]:
            outs = self.step(place, consts, carry, xs)
            carry = outs[: self.carry]
        return (*map(np.asarray, carry), *stacks)

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        outs = self.body.outputs
        return (
            *(y.spec for y in outs[: self.carry]),
            *(TensorSpec((self.length, *y.shape), y.dtype) for y in outs[self.carry :]),
        )

    # -- reverse mode -------------------------------------------------------------------------------------------

    def value_and_aux(self, *operands: Any) -> Any:
        if not self.wanted:
            return self.value(*operands), None
        if self.slots:
            return self._with_snapshots(operands)
        outs = self.pullback(self.wanted).forward.value(*operands)
        count = len(self.body.outputs)
        return outs[:count], outs[count:]

    def traced(self, bind: Any, *inputs: Any) -> Any:
        return bind(self, *inputs), None

    def vjp(self, g: Any, inputs: Any, aux: Any, needed: Any) -> Sequence[Any]:
        flags = tuple(flag and differentiable(x) for flag, x in zip(needed, self.body.inputs, strict=True))
        recorded = any_tensor(g, inputs)
        if self.slots:
            if aux is not None and not recorded:
                return spread(self.swept_back(inputs, cotangents_of(g), self.wanted, aux), self.wanted)
            return spread(Reversal(self, flags)(*inputs, *cotangents_of(g)), flags)
        if aux is not None and not recorded:
            return self.pullback(self.wanted).run(inputs, aux, g)
        pull = self.pullback(flags)
        return pull.run(inputs, pull.forward(*inputs)[len(self.body.outputs) :], g)

    def pullback(self, wanted: Flags) -> ScanPullback:
        """The two loops of the pullback, made once for each set of wanted operands."""
        key = ("scan pullback", wanted, self.length, self.consts, self.carry, self.reverse, self.recompute)
        found: ScanPullback = self.body.cached(key, lambda: ScanPullback(self, wanted))
        return found

    # -- reverse mode with few states ---------------------------------------------------------------------------

    def _with_snapshots(self, operands: Sequence[Any]) -> Any:
        consts, carry, xs = self.parts(operands)
        snapshots = Snapshots.planned(self.length, self.slots)
        ys = self._stacks()
        for number, place in enumerate(self.order):
            snapshots.offer(number, carry, last=number == self.length - 1)
            outs = self.step(place, consts, carry, xs)
            carry = outs[: self.carry]
            for y, one in zip(ys, outs[self.carry :], strict=True):
                y[place] = one
        return (*map(np.asarray, carry), *ys), snapshots

    def swept_back(self, operands: Any, cotangents: Sequence[Any], wanted: Flags, snapshots: Any = None) -> list[Any]:
        """The cotangents of the wanted operands, holding at most ``slots`` states at once."""
        consts, carry, xs = self.parts(operands)
        flags = self.parts(wanted)
        floats = tuple(map(differentiable, carry))
        pull = pullback_graph(self.body, (*flags.consts, *floats, *flags.xs))
        g_carry, g_ys = cotangents[: sum(floats)], cotangents[sum(floats) :]
        g_consts = [np.zeros(np.shape(x), x.dtype) for x, flag in zip(consts, flags.consts, strict=True) if flag]
        g_xs = [np.zeros(x.shape, x.dtype) for x, flag in zip(xs, flags.xs, strict=True) if flag]
        order = self.order
        if snapshots is None:
            snapshots = Snapshots.planned(self.length, self.slots)
            snapshots.fill(carry, self.length, lambda number, state: self.step(order[number], consts, state, xs))

        def advance(number: int, state: Any) -> Any:
            return self.step(order[number], consts, state, xs)[: self.carry]

        def back(number: int, state: Any) -> None:
            nonlocal g_carry
            place = order[number]
            xs_here = [x[place, ...] for x in xs]
            found = interpret(pull, [*consts, *state, *xs_here, *g_carry, *(g[place, ...] for g in g_ys)])
            for total, one in zip(g_consts, found, strict=False):
                total += one
            g_carry = found[len(g_consts) : len(g_consts) + sum(floats)]
            for total, one in zip(g_xs, found[len(g_consts) + sum(floats) :], strict=True):
                total[place] = one

        sweep_back(snapshots, self.length, advance, back)
        g_init = [g for g, flag in zip(g_carry, _of(flags.carry, floats), strict=True) if flag]
        return [*g_consts, *g_init, *g_xs]

    def sweep_pieces(self, wanted: Flags) -> Pieces:
        flags = self.parts(wanted)
        floats = tuple(map(differentiable, self.parts(self.body.inputs).carry))
        pull = pullback_graph(self.body, (*flags.consts, *floats, *flags.xs))
        advance = selected(self.body, self.body.outputs[: self.carry])
        return Pieces(None, advance, _state_first(pull, sum(flags.consts), sum(floats)))

    def pruned(self, used: Sequence[bool]) -> tuple[Scan, Sequence[int]] | None:
        """A scan without the carries and stacked results that neither a result that is used nor another step needs."""
        outs = self.body.outputs
        own = self.parts(self.body.inputs)
        live = list(used)
        while True:
            wanted = [y for y, flag in zip(outs, live, strict=True) if flag]
            reached = {x for node in needed(self.body.nodes, wanted) for x in node.inputs} | set(wanted)
            more = [x in reached for x in own.carry]
            grown = [a or (k < self.carry and more[k]) for k, a in enumerate(live)]
            if grown == live:
                break
            live = grown
        if any(flag and not known for flag, known in zip(live, used, strict=True)):
            # A carry that is needed but not used as a result stays a result.
            return None
        keep = [
            k for k, x in enumerate(self.body.inputs) if x in reached or (x in own.carry and live[own.carry.index(x)])
        ]
        consts = sum(k < self.consts for k in keep)
        carry = sum(live[: self.carry])
        body = self.body.replace(
            inputs=tuple(self.body.inputs[k] for k in keep),
            outputs=tuple(y for y, flag in zip(outs, live, strict=True) if flag),
        )
        body = body.replace(nodes=tuple(needed(body.nodes, body.outputs)))
        return self.but(body=body, consts=consts, carry=carry, wanted=()), keep

    # -- forward mode and batches -------------------------------------------------------------------------------

    def dual(self, moving: Flags) -> tuple[Scan, Flags]:
        flags, joint, moved = self.fixed_point(moving)
        count, total = len(self.body.inputs), len(self.body.outputs)
        dots = iter(joint.inputs[count:])
        own = self.parts(joint.inputs[:count])
        inputs = interleaved(own, [[next(dots) if flag else None for flag in group] for group in flags])
        moves = iter(joint.outputs[total:])
        tangents = [next(moves) if flag else None for flag in moved]
        values, n = joint.outputs[:total], self.carry
        outputs = interleaved((values[:n], values[n:]), (tangents[:n], tangents[n:]))
        body = joint.replace(inputs=tuple(inputs), outputs=tuple(outputs))
        consts, carry = self.consts + sum(flags.consts), self.carry + sum(flags.carry)
        return self.but(body=body, consts=consts, carry=carry, wanted=()), moved

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        consts, carry, xs = self.parts(tuple(batched))
        while True:
            flags = batch_graph(
                self.body, size, (*consts, *carry, *xs), (*carry, *(False,) * (len(self.body.outputs) - self.carry))
            )[1]
            grown = tuple(a or b for a, b in zip(carry, flags, strict=False))
            if grown == tuple(carry):
                break
            carry = grown
        body, flags = batch_graph(
            self.body, size, (*consts, *carry, *xs), (*carry, *(False,) * (len(self.body.outputs) - self.carry))
        )
        own = self.parts(inputs)
        start = [
            np.broadcast_to(x, (size, *x.shape)) if flag and not was else x
            for x, flag, was in zip(own.carry, carry, self.parts(batched).carry, strict=True)
        ]
        # The body sees one place of xs at a time, so there the batch axis comes second.
        columns = [np.moveaxis(x, 0, 1) if flag else x for x, flag in zip(own.xs, xs, strict=True)]
        outs = self.but(body=body, wanted=())(*own.consts, *start, *columns)
        return tuple(
            _batch_first(y, flag, size, k >= self.carry) for k, (y, flag) in enumerate(zip(outs, flags, strict=True))
        )


def _batch_first(y: Any, batched: bool, size: int, stacked: bool) -> Any:
    if not batched:
        return np.broadcast_to(y, (size, *y.shape))
    return np.moveaxis(y, 1, 0) if stacked else y


def _of(flags: Sequence[bool], chosen: Sequence[bool]) -> list[bool]:
    """The flags in the chosen places."""
    return [flag for flag, keep in zip(flags, chosen, strict=True) if keep]


class ScanPullback:
    """The two loops of a scan's pullback: ``forward`` gives the results and, stacked, what ``backward`` needs."""

    def __init__(self, scan: Scan, wanted: Flags) -> None:
        self.scan = scan
        self.flags = scan.parts(wanted)
        body = scan.body
        own = scan.parts(body.inputs)
        #: Every floating carry hands a cotangent on, wanted or not.
        self.floats = tuple(map(differentiable, own.carry))
        want = (*self.flags.consts, *self.floats, *self.flags.xs)
        invariant = tuple(k < scan.consts for k in range(len(body.inputs)))
        half = halves(body, want, invariant, scan.recompute)
        middle = scan.consts + scan.carry
        self.kept_consts = [i for i in half.kept if i < scan.consts]
        kept_carry = [i for i in half.kept if scan.consts <= i < middle]
        self.kept_xs = [i - middle for i in half.kept if i >= middle]
        inputs = half.forward.inputs
        self.forward = scan.but(
            body=half.forward.replace(outputs=(*half.forward.outputs, *(inputs[i] for i in kept_carry))), wanted=()
        )
        count = len(half.kept)
        given = dict(zip(half.kept, half.backward.inputs[half.residuals : half.residuals + count], strict=True))
        cotangents = half.backward.inputs[half.residuals + count :]
        g_carry, g_ys = cotangents[: sum(self.floats)], cotangents[sum(self.floats) :]
        outs = list(half.backward.outputs)
        sums = sum(self.flags.consts)
        totals = [Input(y.spec) for y in outs[:sums]]
        nodes = list(half.backward.nodes)
        added = []
        for total, one in zip(totals, outs, strict=False):
            result = Result(total.spec, 0)
            nodes.append(GraphNode(REGISTRY["add"](), [total, one], [result]))
            added.append(result)
        carries = sum(self.floats)
        backward = Graph(
            [
                *(given[i] for i in self.kept_consts),
                *g_carry,
                *totals,
                *half.backward.inputs[: half.residuals],
                *(given[i] for i in kept_carry),
                *(given[i + middle] for i in self.kept_xs),
                *g_ys,
            ],
            nodes,
            [*outs[sums : sums + carries], *added, *outs[sums + carries :]],
        )
        self.backward = Scan(backward, scan.length, len(self.kept_consts), carries + sums, not scan.reverse)

    def run(self, inputs: Sequence[Any], residuals: Sequence[Any], g: Sequence[Any]) -> list[Any]:
        """The cotangents of the operands, ``None`` for those that are not wanted."""
        consts, _, xs = self.scan.parts(inputs)
        cotangents = cotangents_of(g)
        carries = sum(self.floats)
        totals = [np.zeros(np.shape(x), x.dtype) for x, flag in zip(consts, self.flags.consts, strict=True) if flag]
        found = self.backward(
            *(consts[i] for i in self.kept_consts),
            *cotangents[:carries],
            *totals,
            *residuals,
            *(xs[i] for i in self.kept_xs),
            *cotangents[carries:],
        )
        g_init = spread(found[:carries], self.floats)
        g_init = [g if flag else None for g, flag in zip(g_init, self.flags.carry, strict=True)]
        g_consts = spread(found[carries : carries + len(totals)], self.flags.consts)
        return [*g_consts, *g_init, *spread(found[carries + len(totals) :], self.flags.xs)]


class While(Loop):
    """``carry = body(consts, carry)`` for as long as ``condition(consts, carry)`` holds."""

    name = "while_loop"
    condition: Graph
    body: Graph
    consts: int
    #: How many states the backward pass may hold at once; 0 where there is none.
    slots: int = 0

    def graphs(self) -> tuple[Graph, ...]:
        return (self.condition, self.body)

    @property
    def carried(self) -> int:
        return len(self.body.outputs)

    def parts(self, operands: Sequence[Any]) -> Parts:
        return Parts(operands[: self.consts], operands[self.consts :], ())

    def states(self, operands: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        """The carry before each step, and after the last."""
        consts, carry = operands[: self.consts], tuple(operands[self.consts :])
        yield carry
        meter = METER.get()
        rehearsed = 3 if meter is not None and meter.rehearsal else None
        while bool(interpret(self.condition, [*consts, *carry])[0]) if rehearsed is None else rehearsed:
            carry = interpret(self.body, [*consts, *carry])
            yield carry
            rehearsed = None if rehearsed is None else rehearsed - 1

    def value(self, *operands: Any) -> Any:
        carry: tuple[Any, ...] = ()
        for carry in self.states(operands):  # noqa: B007 - only the last one counts
            pass
        return tuple(map(np.asarray, carry))

    def spec(self, *specs: Any) -> tuple[TensorSpec, ...]:
        return tuple(y.spec for y in self.body.outputs)

    def vjp(self, g: Any, inputs: Any, needed: Any) -> Sequence[Any]:
        if not self.slots:
            raise GradientError(
                "while_loop: the gradient needs the states of all steps, whose number is not known, so its memory has "
                "no bound; say how many states it may hold, while_loop(..., checkpoint=20), or use scan or fori_loop"
            )
        flags = tuple(flag and differentiable(x) for flag, x in zip(needed, self.body.inputs, strict=True))
        return spread(Reversal(self, flags)(*inputs, *cotangents_of(g)), flags)

    def swept_back(self, operands: Any, cotangents: Sequence[Any], wanted: Flags) -> list[Any]:
        """The cotangents of the wanted operands, holding at most ``slots`` states at once."""
        consts = operands[: self.consts]
        snapshots = Snapshots(self.slots)
        steps = -1
        for steps, state in enumerate(self.states(operands)):
            snapshots.thin(steps, state)
        floats = tuple(map(differentiable, self.body.outputs))
        flags = wanted[: self.consts]
        pull = pullback_graph(self.body, (*flags, *floats))
        g_consts = [np.zeros(np.shape(x), x.dtype) for x, flag in zip(consts, flags, strict=True) if flag]
        g_carry = list(cotangents)

        def back(number: int, state: Any) -> None:
            nonlocal g_carry
            found = interpret(pull, [*consts, *state, *g_carry])
            for total, one in zip(g_consts, found, strict=False):
                total += one
            g_carry = list(found[len(g_consts) :])

        sweep_back(snapshots, steps, lambda number, state: interpret(self.body, [*consts, *state]), back)
        return [*g_consts, *(g for g, flag in zip(g_carry, _of(wanted[self.consts :], floats), strict=True) if flag)]

    def sweep_pieces(self, wanted: Flags) -> Pieces:
        floats = tuple(map(differentiable, self.body.outputs))
        flags = wanted[: self.consts]
        pull = pullback_graph(self.body, (*flags, *floats))
        return Pieces(self.condition, self.body, _state_first(pull, sum(flags), sum(floats)))

    def dual(self, moving: Flags) -> tuple[While, Flags]:
        flags, joint, moved = self.fixed_point(moving)
        count = len(self.body.inputs)
        dots = iter(joint.inputs[count:])
        marked = [[next(dots) if flag else None for flag in group] for group in flags]
        unused = [[None if x is None else Input(x.spec) for x in group] for group in marked]
        body = joint.replace(
            inputs=tuple(interleaved(self.parts(joint.inputs[:count]), marked)),
        )
        condition = self.condition.replace(inputs=tuple(interleaved(self.parts(self.condition.inputs), unused)))
        return While(body, condition, self.consts + sum(flags.consts), self.slots), moved

    def batch(self, size: int, batched: Sequence[bool], inputs: Sequence[Any]) -> Any:
        consts, carry = tuple(batched[: self.consts]), tuple(batched[self.consts :])
        while True:
            moved = batch_graph(self.body, size, (*consts, *carry), carry)[1]
            by_element = batch_graph(self.condition, size, (*consts, *carry), (False,))[1][0]
            grown = tuple(by_element or a or b for a, b in zip(carry, moved, strict=True))
            if grown == carry:
                break
            carry = grown
        body = batch_graph(self.body, size, (*consts, *carry), carry)[0]
        condition = batch_graph(self.condition, size, (*consts, *carry), (False,))[0]
        if by_element:
            condition, body = _until_all_stop(condition, body, self.consts, size)
        start = [
            np.broadcast_to(x, (size, *x.shape)) if flag and not was else x
            for x, flag, was in zip(inputs[self.consts :], carry, batched[self.consts :], strict=True)
        ]
        outs = While(body, condition, self.consts, self.slots)(*inputs[: self.consts], *start)
        return tuple(y if flag else np.broadcast_to(y, (size, *y.shape)) for y, flag in zip(outs, carry, strict=True))


def _until_all_stop(condition: Graph, body: Graph, consts: int, size: int) -> tuple[Graph, Graph]:
    """A batch of loops that stop at different times: it goes on while any does, and those that have stopped stay."""
    from_graph = {"condition": condition, "body": body}

    def build() -> tuple[Graph, Graph]:
        specs = [x.spec for x in body.inputs]

        def go_on(*xs: Any) -> list[Any]:
            return [_call(from_graph["condition"], xs)[0].any()]

        def step(*xs: Any) -> list[Any]:
            running = _call(from_graph["condition"], xs)[0]
            news = _call(from_graph["body"], xs)
            return [
                np.where(running.reshape((size, *(1,) * (new.ndim - 1))), new, old)
                for new, old in zip(news, xs[consts:], strict=True)
            ]

        return trace_flat(go_on, specs, fresh=True), trace_flat(step, specs, fresh=True)

    found: tuple[Graph, Graph] = body.cached(("until all stop", condition), build)
    return found


def _state_first(pull: Graph, consts: int, carry: int) -> Graph:
    """A pullback that gives the cotangents of the state before those of the constants."""
    outs = pull.outputs
    return pull.replace(
        outputs=(*outs[consts : consts + carry], *outs[:consts], *outs[consts + carry :]), out_tree=None
    )


def _call(graph: Graph, xs: Sequence[Any]) -> Any:
    return REGISTRY["call"](graph)(*xs)

"""What the backward pass keeps, and what checkpointing saves: predicted and measured.

A network of 100 layers of width 1,000 in float32 keeps one activation a layer: 100 x 1,000 x 4 bytes = 400 KB a sample,
12.8 MB for a batch of 32. Cut into k segments it keeps only the segments' inputs; the backward pass replays one segment
at a time, each once, so the price is at most 100 extra layer evaluations. (A common estimate replays from the nearest
checkpoint for every layer anew: 100 (1 + 10) forward and 100 backward evaluations, 1,200 units instead of 200. Keeping
a replayed segment while it is swept makes it 300.) Wrapping single layers saves nothing: the input that a wrapped layer
keeps is the output that its predecessor keeps anyway.

Run it: ``python examples/checkpointing.py``
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

import wengert as wg

LAYERS, WIDTH = 100, 1000

Layer = Callable[[wg.Tensor], wg.Tensor]
Run = Callable[[Sequence[Layer], wg.Tensor], wg.Tensor]


def in_turn(layers: Sequence[Layer], x: wg.Tensor) -> wg.Tensor:
    for layer in layers:
        x = layer(x)
    return x


def in_segments(segments: int | str) -> Run:
    return lambda layers, x: wg.checkpoint_sequential(layers, x, segments=segments)


def every_tenth(layers: Sequence[Layer], x: wg.Tensor) -> wg.Tensor:
    for position, layer in enumerate(layers):
        x = wg.checkpoint(layer)(x) if position % 10 == 0 else layer(x)
    return x


def every_single(layers: Sequence[Layer], x: wg.Tensor) -> wg.Tensor:
    for layer in layers:
        x = wg.checkpoint(layer)(x)
    return x


def measure(run: Run, batch: int) -> dict[str, int]:
    """Bytes kept after the forward pass, by the ledger and by Python's memory tracer; and layer evaluations."""
    evaluations = 0
    rng = np.random.default_rng(0)
    # One weight matrix serves all layers: it is the activations that are counted here, and they do not care.
    weight = wg.tensor(rng.standard_normal((WIDTH, WIDTH), dtype="f4") / np.sqrt(np.float32(WIDTH)), requires_grad=True)
    x = wg.tensor(rng.standard_normal((batch, WIDTH), dtype="f4"), requires_grad=True)

    def layer(h: wg.Tensor) -> wg.Tensor:
        nonlocal evaluations
        evaluations += 1
        return (h @ weight).tanh()

    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    loss = run([layer] * LAYERS, x).sum()
    alive = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    kept = wg.ledger(loss).total
    forward = evaluations
    loss.backward()
    return {"kept": kept, "alive": alive, "forward": forward, "replayed": evaluations - forward}


def activations(count: int, batch: int) -> int:
    """Bytes of ``count`` activations."""
    return count * batch * WIDTH * 4


#: Name, how to run the layers, how many activations are kept after the forward pass, how many evaluations are replayed.
#: The input of the first segment is the user's own tensor, so k segments keep k - 1 activations.
PLANS: list[tuple[str, Run, int, int]] = [
    ("nothing", in_turn, 100, 0),
    ("2 segments", in_segments(2), 1, 100),
    ("5 segments", in_segments(5), 4, 100),
    ("10 segments (sqrt)", in_segments("sqrt"), 9, 100),
    ("25 segments", in_segments(25), 24, 100),
    ("every tenth layer alone", every_tenth, 100, 10),
    ("every layer alone", every_single, 99, 100),
]


def main(batch: int = 32) -> list[dict[str, int]]:
    """Print the table and return the measurements, each with its prediction."""
    print(f"{LAYERS} layers of width {WIDTH:,}, float32, batch {batch}; bytes kept for the backward pass\n")
    print(f"{'checkpointed':24} {'predicted':>12} {'ledger':>12} {'memory':>12} {'a sample':>9} {'replayed':>12}")
    found = []
    for name, run, count, replayed in PLANS:
        result = measure(run, batch) | {"predicted": activations(count, batch), "predicted replays": replayed}
        print(
            f"{name:24} {result['predicted']:12,} {result['kept']:12,} {result['alive']:12,} "
            f"{result['kept'] // batch:9,} {result['replayed']:5} of {replayed:3}"
        )
        found.append(result)
    forward, extra = found[3]["forward"], found[3]["replayed"]
    print(
        f"\nWith sqrt segments, in units of one layer: {forward} forward + {extra} replayed + {forward} backward = "
        f"{2 * forward + extra};\nwithout, {2 * forward}. Replaying anew for every layer would take "
        f"{forward * 11 + forward:,}."
    )
    print("While a segment is swept, its own activations are alive too: with 10 segments, 9 + 10 at a time.")
    return found


if __name__ == "__main__":
    main()

"""``wengert demo``."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from time import perf_counter
from typing import Any

import wengert as wg
from wengert.cli.command import Command, Result, positive
from wengert.cli.commands.bench import median_seconds
from wengert.cli.failures import FILE, Failure
from wengert.cli.files import OutputPath, written
from wengert.cli.loading import loaded
from wengert.cli.terminal import status
from wengert.inspect.model import bytes_text, seconds_text


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=OutputPath, metavar="FOLDER", help="write the file, a picture and a page into a folder"
    )
    parser.add_argument("--steps", type=positive, default=600, help="of the training (default: 600)")


def run(options: argparse.Namespace) -> Result:
    source = (resources.files("wengert.cli") / "spirals.py").read_text("utf-8")
    with _folder(options.output) as folder:
        file = folder / "spirals.py"
        if file.exists() and file.read_text("utf-8", "replace") != source:
            raise Failure(f"{file} was changed, and would be lost; name another folder")
        files = [str(written(str(file), lambda place: place.write_text(source, "utf-8")))]
        with loaded(file) as module:
            start = perf_counter()
            with status() as show:
                layers, history, accuracy = module.train(
                    options.steps, progress=lambda step, steps, loss: show(f"step {step}/{steps}  loss {loss:.4f}")
                )
            data = {
                "steps": options.steps,
                "seconds": perf_counter() - start,
                "first_loss": history[0],
                "loss": history[-1],
                "accuracy": accuracy,
                **_measured(module, layers),
            }
            files = [*files, *_pictures(module, layers, folder)] if options.output is not None else []
    return Result({**data, "files": files}, _text(data, files, str(file) if files else ""))


@contextlib.contextmanager
def _folder(name: str | None) -> Iterator[Path]:
    if name is None:
        with tempfile.TemporaryDirectory(prefix="wengert-") as folder:
            yield Path(folder)
        return
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failure(f"cannot make the folder {name}: {error.strerror or error}", FILE) from error
    yield Path(name)


def _measured(module: Any, layers: Any) -> dict[str, Any]:
    points, label = module.spirals()
    wg.check_grads(module.loss, (module.parameters(), points[:8], label[:8]), order=2)
    report = wg.report(module.loss, layers, points, label, measure=False)
    compiled = wg.jit(wg.value_and_grad(module.loss))
    compiled(layers, points, label)
    eager = wg.value_and_grad(module.loss)
    return {
        "nodes": report.nodes,
        "edges": report.edges,
        "depth": report.depth,
        "kept_bytes": report.kept_bytes,
        "derivatives_agree": True,
        "eager_seconds": median_seconds(lambda: eager(layers, points, label), 0.2),
        "compiled_seconds": median_seconds(lambda: compiled(layers, points, label), 0.2),
    }


def _pictures(module: Any, layers: Any, folder: Path) -> list[str]:
    points, label = module.spirals()
    drawing = wg.draw(module.loss, layers, points, label)
    files = [str(written(str(folder / "graph.svg"), lambda place: drawing.render(place)))]
    page = written(str(folder / "graph.html"), lambda place: wg.explore(module.loss, layers, points, label, path=place))
    return [*files, str(page)]


def _text(data: dict[str, Any], files: list[str], file: str) -> str:
    x = wg.tensor([1.0, 2.0, 3.0], requires_grad=True)
    ratio = data["eager_seconds"] / data["compiled_seconds"]
    lines = [
        "A result, the operations behind it, and gradients beside values (∂):",
        *(f"  {line}" for line in str(wg.draw((x * wg.sin(x)).sum())).splitlines()),
        "",
        f"A network learns to tell two spirals apart: {data['steps']} steps in {data['seconds']:.1f} s",
        f"  loss                  {data['first_loss']:.3g} -> {data['loss']:.3g}",
        f"  points told apart     {data['accuracy']:.1%}",
        f"  graph of the loss     {data['nodes']} nodes, {data['edges']} edges, depth {data['depth']}",
        f"  kept for the gradient {bytes_text(data['kept_bytes'])}",
        "  derivatives           first and second order agree with differences, in both modes",
        f"  value and gradient    {seconds_text(data['eager_seconds'])} eager, "
        f"{seconds_text(data['compiled_seconds'])} compiled ({ratio:.1f}×)",
        "",
    ]
    if not file:
        return "\n".join([*lines, "'wengert demo -o FOLDER' writes the network's file, a picture and a page."])
    nexts = (f"wengert report {file}:loss", f"wengert check {file}:loss", f"wengert bench {file}:loss")
    return "\n".join([*lines, *files, "", "now try:", *(f"  {line}" for line in nexts)])


COMMAND = Command(
    "demo",
    "a network that learns, and the graph that trains it",
    "Train a small network for a few seconds, check its derivatives, and show what its graph holds. Downloads nothing.",
    ("wengert demo", "wengert demo -o spirals"),
    configure,
    run,
)

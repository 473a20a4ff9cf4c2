"""Drawings: what is shown, folded and escaped, and what the files hold."""

from __future__ import annotations

import itertools
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.inspect.compound import arrange
from wengert.inspect.drawing import Drawing, draw, make_dot
from wengert.inspect.scene import BLUE, RED, Curve, Rectangle, text_width

SVG = "{http://www.w3.org/2000/svg}"


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.one = nn.Linear(width, 2 * width)
        self.two = nn.Linear(2 * width, width)

    def forward(self, x: Any) -> Any:
        return x + self.two(self.one(self.norm(x)).relu())


def network(blocks: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), *[Block(4) for _ in range(blocks)], nn.Linear(4, 1))


def curves(drawing: Drawing, color: str) -> list[Curve]:
    return [shape for shape in drawing.scene.shapes if isinstance(shape, Curve) and shape.color == color]


def test_every_edge_is_blue_and_has_its_gradient_in_red_beside_it() -> None:
    drawing = draw(lambda x, w: (x * w + 1.0).relu(), 2.0, 3.0)
    assert len(curves(drawing, BLUE)) == len(drawing.model.edges) == 4
    for blue, red in zip(curves(drawing, BLUE), curves(drawing, RED), strict=True):
        assert [y for _, y in blue.points] == [y for _, y in reversed(red.points)]
        assert all(abs(a[0] - b[0]) < 10 for a, b in zip(blue.points, reversed(red.points), strict=True))
    assert len(curves(draw(lambda x: x.exp(), 2.0, gradients=False), RED)) == 0


def test_an_edge_without_a_derivative_has_no_red_one() -> None:
    drawing = draw(lambda x: wg.floor(x) + x, 2.5)
    assert len(curves(drawing, RED)) == len(drawing.model.edges) - 1
    assert "style=dashed" in drawing.source


def test_repeated_blocks_are_shown_once() -> None:
    net = network(6)
    whole = draw(net, np.ones((2, 3)), fold=False)
    folded = draw(net, np.ones((2, 3)))
    assert len(folded.model.nodes) < len(whole.model.nodes) / 3
    assert "(×6)" in folded.svg
    assert sum(node.flops for node in folded.model.nodes) == sum(node.flops for node in whole.model.nodes)
    assert [node.output for node in folded.model.nodes].count(True) == 1
    keys = [(edge.source, edge.target, edge.slot) for edge in folded.model.edges]
    assert len(keys) == len(set(keys))
    assert all(len(edges) == len({edge.source for edge in edges}) for edges in folded.model.incoming)


def test_blocks_side_by_side_are_not_taken_for_one() -> None:
    parts = [nn.Linear(3, 3) for _ in range(4)]
    drawing = draw(lambda x: sum(part(x) for part in parts), np.ones((2, 3)))
    assert "×4" not in drawing.svg


def test_groups_close_until_few_enough_nodes_are_left() -> None:
    net = network(6)
    drawing = draw(net, np.ones((2, 3)), fold=False, limit=20)
    assert len(drawing.model.nodes) <= 20
    assert any(node.op == "group" for node in drawing.model.nodes)
    seen = {edge.target for edge in drawing.model.edges} | {edge.source for edge in drawing.model.edges}
    assert seen == set(range(len(drawing.model.nodes)))


def test_frames_hold_their_nodes_and_do_not_overlap() -> None:
    model = draw(network(4), np.ones((2, 3)), fold=False).model
    found = arrange(model, [(80.0, 40.0)] * len(model.nodes), lambda path: 30.0)
    frames = {frame.path: frame for frame in found.frames}
    for node in model.nodes:
        for depth in range(1, len(node.group) + 1):
            frame = frames[node.group[:depth]]
            assert frame.x < found.x[node.index] - 40
            assert found.x[node.index] + 40 < frame.x + frame.width
            assert frame.y < found.y[node.index] - 20
            assert found.y[node.index] + 20 < frame.y + frame.height
    for edge, route in zip(model.edges, found.routes, strict=True):
        assert abs(route[0][1] - found.y[edge.source] - 20) < 1e-6
        assert abs(route[-1][1] - found.y[edge.target] + 20) < 1e-6


def test_a_module_that_is_called_again_makes_no_cycle() -> None:
    layer = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    drawing = draw(lambda x: layer(layer(x).sin()), np.ones((2, 3)))
    assert {node.group[0] for node in drawing.model.nodes if node.op == "tanh"} == {"Sequential", "Sequential #2"}
    ET.fromstring(drawing.svg)


def test_files_of_every_format(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG needs the extra viz")
    drawing = draw(lambda x: (x.exp() * x).sum(), np.array([1.0, 2.0]))
    png = Path(drawing.render(tmp_path / "computational_graph", format="png")).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width = int.from_bytes(png[16:20], "big")
    assert width == round(drawing.scene.width * 2)
    pdf = Path(drawing.render(tmp_path / "g.pdf")).read_bytes()
    assert pdf.startswith(b"%PDF-1.4")
    assert pdf.endswith(b"%%EOF\n")
    assert ET.fromstring(Path(drawing.save(tmp_path / "g.svg")).read_text()).tag == f"{SVG}svg"
    assert Path(drawing.render(tmp_path / "g.dot")).read_text() == drawing.source
    assert "exp" in Path(drawing.render(tmp_path / "g.txt")).read_text()
    assert drawing.render(tmp_path / "plain").endswith("plain.svg")
    with pytest.raises(wg.WengertError, match="gif"):
        drawing.render(tmp_path / "g.gif")
    with pytest.raises(wg.WengertError, match="no program"):
        drawing.render(tmp_path / "g.svg", engine="no-such-engine")


def test_a_png_has_text_without_any_system_font(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="PNG needs the extra viz")
    from_text = Path(draw(lambda x: x.exp(), 1.0).render(tmp_path / "a.png")).stat().st_size
    drawing = draw(lambda x: x.exp(), 1.0)
    drawing.scene.shapes = [shape for shape in drawing.scene.shapes if not hasattr(shape, "text")]
    assert from_text > 1.5 * Path(drawing.render(tmp_path / "b.png")).stat().st_size


HOSTILE = '</title><script>alert(1)</script>"\\N\n]; bad [label=<b>x</b>'


def test_hostile_names_stay_text() -> None:
    x = wg.tensor(2.0, requires_grad=True)
    with wg.scope(HOSTILE):
        y = x * x
    drawing = make_dot(y * 2.0, params={HOSTILE: x})
    root = ET.fromstring(drawing.svg)
    assert root.findall(f".//{SVG}script") == []
    assert "<script" not in drawing.svg
    for line in drawing.source.splitlines():
        unquoted = "".join(part for i, part in enumerate(line.replace('\\"', "").split('"')) if i % 2 == 0)
        assert "script" not in unquoted
        assert "bad" not in unquoted


def test_make_dot_names_parameters_and_shows_what_is_saved() -> None:
    w = wg.tensor([1.0, 2.0], requires_grad=True)
    drawing = make_dot((w.exp() * 2.0).sum(), params={"weight": w}, show_saved=True)
    assert "weight" in drawing.source
    assert "saves out" in drawing.source
    assert drawing._repr_svg_() == drawing.svg
    assert "weight" in str(drawing)


def test_values_and_gradients_stand_in_the_boxes() -> None:
    svg = draw(lambda x: x * x, 3.0).svg
    assert ">9<" in svg
    assert ">∂ 6<" in svg


def test_boxes_are_wide_enough() -> None:
    assert text_width("multiply", 12, True) > 50
    assert text_width("iii", 12) < text_width("mmm", 12)


def test_a_tall_picture_is_broken_between_its_boxes() -> None:
    x = y = wg.tensor(1.0, requires_grad=True)
    for i in range(150):
        y = (y * x).sin() if i % 3 else y + x
    drawing = draw(y)
    strips = drawing.scene.strips
    assert len(strips) > 2
    assert drawing.scene.height < drawing.scene.length / 2
    assert strips[0][0] == 0
    assert strips[-1][1] == drawing.scene.length
    for before, after in itertools.pairwise(strips):
        assert before[1] == after[0]
    boxes = [shape for shape in drawing.scene.shapes if isinstance(shape, Rectangle) and not shape.frame]
    for box in boxes:
        assert sum(top <= box.y and box.y + box.height <= bottom for top, bottom in strips) == 1
    root = ET.fromstring(drawing.svg)
    assert len(root.findall(f"{SVG}svg")) == len(strips)
    assert len(draw(y, wrap=False).scene.strips) == 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz is installed")
def test_an_installed_graphviz_reads_the_source(tmp_path: Path) -> None:
    x = wg.tensor(2.0, requires_grad=True)
    with wg.scope(HOSTILE):
        y = x * x
    drawing = make_dot(y * 2.0, params={HOSTILE: x})
    root = ET.fromstring(Path(drawing.render(tmp_path / "g.svg", engine="dot")).read_text())
    assert root.findall(f".//{SVG}script") == []
    colors = [path.get("stroke") for path in root.iter(f"{SVG}path")]
    assert colors.count(BLUE) == colors.count(RED) == len(drawing.model.edges)


def test_edges_say_what_flows_along_them_if_asked() -> None:
    x = wg.tensor([[1.0, 2.0]], requires_grad=True)
    plain, labelled = draw(wg.tanh(x).sum()), draw(wg.tanh(x).sum(), edge_labels=True)
    assert 'label="float64 1×2"' in labelled.source
    assert 'label="float64 1×2"' not in plain.source
    assert labelled.svg.count("<text") == plain.svg.count("<text") + len(labelled.model.edges)

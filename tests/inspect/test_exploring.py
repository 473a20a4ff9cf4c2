"""The explorer's page, in a real Chromium where there is one."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert import nn
from wengert.core.tracing import trace_flat
from wengert.core.types import TensorSpec
from wengert.inspect.building import model_of
from wengert.inspect.compound import arrange
from wengert.inspect.exploring import crowds_split, explore
from wengert.inspect.layout import Box, Line, place
from wengert.inspect.memory import timeline

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


class Net(nn.Module):
    def __init__(self, blocks: int) -> None:
        super().__init__()
        parts = [nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(blocks)]
        self.layers = nn.Sequential(*parts)
        self.out = nn.Linear(4, 1)

    def forward(self, x: Any) -> Any:
        return self.out(self.layers(x) + x)


# -- without a browser ------------------------------------------------------------------------------------------------


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    page = explore(Net(3), np.ones((2, 4)), path=tmp_path / "graph.html")
    text = Path(page.path).read_text()
    assert page.bytes == len(text.encode()) < 200_000
    assert page.nodes == len(model_of(Net(3), np.ones((2, 4))).nodes)
    assert "src=" not in text.replace("srcdoc", "")
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text
    assert "{{" not in text.split("<script")[0]
    assert "<iframe sandbox" in page._repr_html_()
    assert explore(Net(1), np.ones((2, 4)), path=tmp_path / "plain").path.endswith("plain.html")


def test_crowded_groups_are_split() -> None:
    x = y = wg.tensor(1.0, requires_grad=True)
    for _ in range(4_000):
        y = y * x
    model = crowds_split(model_of(y, gradients=False))
    assert len({node.group for node in model.nodes}) == -(-4001 // 300)
    firsts = [node.group[0] for node in model.nodes]
    assert firsts == sorted(firsts, key=lambda name: int(name.split()[1]))


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Session:
    """A page that is open, with everything that went wrong in it."""

    def __init__(self, browser: Any, path: str, size: tuple[int, int] = (1300, 850)) -> None:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
        self.page = context.new_page()
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("dialog", lambda dialog: (self.problems.append("a dialog opened"), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(Path(path).resolve().as_uri())
        self.until("window.__graph !== undefined && window.__graph.ready")

    def __call__(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)

    def until(self, condition: str, seconds: float = 60.0) -> None:
        # The page forbids ``eval``, which Playwright's own waiting needs.
        end = time.monotonic() + seconds
        while not self(condition):
            assert time.monotonic() < end, f"waited in vain for {condition}; {self.problems}"
            self.page.wait_for_timeout(30)

    def frame(self) -> None:
        self("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@needs_browser
def test_load_expand_search_and_select(browser: Any, tmp_path: Path) -> None:
    net = Net(3)
    session = Session(browser, explore(net, np.ones((2, 4)), path=tmp_path / "g.html").path)
    page = session.page
    session("__graph.closeAll()")
    closed = session("__graph.state.view.items.length")
    assert session("__graph.state.view.items.some((item) => item.group)")
    page.keyboard.press("o")
    assert session("__graph.state.view.items.length") == session("__graph.state.data.count") > closed
    page.keyboard.press("c")
    # A double click opens a group, on the canvas itself.
    spot = session(
        """() => { const g = __graph.state, item = g.view.items.find((one) => one.group), c = g.camera;
        const box = document.getElementById('graph').getBoundingClientRect();
        return [box.left + (item.x - c.x) * c.scale + box.width / 2,
                box.top + (item.y - c.y) * c.scale + box.height / 2]; }"""
    )
    page.mouse.dblclick(*spot)
    assert session("__graph.state.open.size") == 1
    page.keyboard.press("/")
    page.keyboard.type("tanh 2")
    assert page.locator("#results div").count() == 1
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    assert "tanh" in panel.inner_text()
    assert "test_exploring.py" in panel.inner_text()
    assert "g · (1 - out * out)" in panel.inner_text() or "out" in panel.inner_text()
    page.locator("#panel .link").first.click()
    assert "affine" in panel.inner_text()
    page.keyboard.press("Escape")
    assert panel.is_hidden()
    assert session.problems == []
    assert len(session.requests) == 1


@needs_browser
def test_values_gradients_and_memory_are_the_library_s_own(browser: Any, tmp_path: Path) -> None:
    def f(x: Any, w: Any) -> Any:
        return ((x @ w).tanh() * 2.0).sum()

    args = (np.arange(6.0).reshape(2, 3) / 10, np.arange(12.0).reshape(3, 4) / 10)
    model = model_of(f, *args)
    session = Session(browser, explore(f, *args, path=tmp_path / "g.html").path)
    for node in model.nodes:
        for column, expected in (("value", node.value), ("grad", node.grad)):
            shown = session(f"__graph.state.data.nodes.{column}[{node.index}].v")
            np.testing.assert_allclose(shown, np.ravel(expected), rtol=1e-6)
    steps = timeline(model)
    data = session("__graph.state.data.steps")
    assert data["n"] == [step.node for step in steps]
    assert [a + b for a, b in zip(data["v"], data["g"], strict=True)] == [step.total for step in steps]


@needs_browser
def test_it_plays_to_the_end_and_steps(browser: Any, tmp_path: Path) -> None:
    session = Session(browser, explore(lambda x: (x * x + x).exp(), 1.0, path=tmp_path / "g.html").path)
    page = session.page
    page.keyboard.press("Home")
    assert session("__graph.state.step") == -1
    page.keyboard.press("ArrowRight")
    assert "multiply" in page.locator("#now").inner_text()
    page.locator("#speed").fill("9")
    page.locator("#play").click()
    session.until("!__graph.state.playing && __graph.state.step === Infinity")
    # x is used three times: its gradient is complete only after all three pullbacks.
    steps = session("__graph.state.data.steps")
    last = max(i for i, back in enumerate(steps["b"]) if back and steps["n"][i] != 0)
    uses = session("__graph.state.data.gradientUses[0]")
    assert uses == 3
    assert last == len(steps["n"]) - 2
    page.locator("#timeline").click(position={"x": 5, "y": 30})
    assert session("__graph.state.step") == 0
    assert session.problems == []


@needs_browser
def test_colours_themes_paths_and_filters(browser: Any, tmp_path: Path) -> None:
    session = Session(browser, explore(Net(3), np.ones((2, 4)), path=tmp_path / "g.html").path)
    page = session.page
    session("__graph.openAll()")
    seen = set()
    for color in ("kind", "time", "bytes", "norm", "nan"):
        page.select_option("#color", color)
        session.frame()
        seen.add(page.screenshot())
    assert len(seen) == 5
    page.keyboard.press("Escape")
    page.locator("#theme").click()
    assert session("document.documentElement.className") == "dark"
    found = session("[...__graph.pathBetween(0, __graph.state.data.count - 1)].length")
    assert found > 3
    page.locator("#filter").click()
    page.locator("#kinds label", has_text="tanh").locator("input").uncheck()
    assert session("__graph.state.hidden.size") == 1
    assert session.problems == []


HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>{{SCRIPT}}"


@needs_browser
def test_hostile_names_cannot_run(browser: Any, tmp_path: Path) -> None:
    x = wg.tensor(2.0, requires_grad=True)
    with wg.scope(HOSTILE):
        y = x * x
    page = explore(y, params={HOSTILE: x}, path=tmp_path / "g.html")
    assert "window.hacked" not in Path(page.path).read_text()
    session = Session(browser, page.path)
    session("() => { __graph.openAll(); __graph.goTo(0); }")
    session.page.keyboard.press("/")
    session.page.keyboard.type("hacked")
    session.frame()
    assert session("window.hacked === undefined")
    assert "<img" in session.page.locator("#panel").inner_text()
    # Even a handler that got into the page would not run.
    session("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.hacked=1\">'); }")
    session.page.wait_for_timeout(100)
    assert session("window.hacked === undefined")


@needs_browser
def test_passes_of_a_static_graph_are_stages(browser: Any, tmp_path: Path) -> None:
    graph = trace_flat(
        lambda x: [wg.exp(x) * 1.0 + wg.exp(x) + (x.reshape(2, 1)).reshape(2)], [TensorSpec((2,), "float64")], ["x"]
    )
    session = Session(browser, explore(graph, path=tmp_path / "g.html").path)
    count = session("__graph.stages.length")
    assert count > 1
    before = session("__graph.state.data.count")
    session.page.select_option("#stage", str(count - 1))
    assert session("__graph.state.data.count") < before
    assert session.problems == []


@needs_browser
def test_a_pass_is_shown_beside_what_it_was_given(browser: Any, tmp_path: Path) -> None:
    page = explore(lambda x: wg.exp(x) * 2.0 + wg.exp(x), np.ones(2), path=tmp_path / "g.html")
    session = Session(browser, page.path)
    names = session("__graph.stages.map((stage) => stage.name)")
    number = next(k for k, name in enumerate(names) if "ShareSubexpressions: −1 exp" in name)
    session.page.select_option("#stage", str(number))
    groups, columns = session(
        "(() => { const s = __graph.state.data; return [s.groups.name.map(s.text), s.nodes]; })()"
    )
    assert groups == ["", "before", "after"]
    changed = [k for k, change in enumerate(columns["change"]) if change]
    assert [columns["change"][k] for k in changed] == [1]
    assert session(f"__graph.state.data.text(__graph.state.data.nodes.op[{changed[0]}])") == "exp"
    frames = session("__graph.state.view.frames")
    assert frames[0]["x"] + frames[0]["width"] < frames[1]["x"] or frames[1]["x"] + frames[1]["width"] < frames[0]["x"]
    assert "taken away" in session.page.locator("#legend").inner_text()
    assert names[-1] == "compiled: 1 kernel"
    session.page.select_option("#stage", str(len(names) - 1))
    assert "1. fused loop over 2" in session("__graph.state.data.groups.name.map(__graph.state.data.text)")
    assert session.problems == []


@needs_browser
def test_a_checkpoint_shows_what_is_replayed(browser: Any, tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
    page = explore(lambda x: (wg.checkpoint(net)(x) ** 2).sum(), np.ones((2, 4)), path=tmp_path / "g.html")
    session = Session(browser, page.path)
    place = session("__graph.search('checkpoint')[0]")
    lines = session(f"__graph.state.view.items[__graph.state.view.itemOf[{place}]].lines.map((line) => line[0])")
    assert "↻ replays 2 operations" in lines
    session(f"__graph.goTo({place})")
    panel = session.page.locator("#panel")
    assert "runs its function again" in panel.inner_text()
    panel.locator("button", has_text="enter").first.click()
    assert session("__graph.search('tanh').length") == 1
    expected = net(wg.tensor(np.ones((2, 4)))).detach().numpy()
    shown = session("__graph.state.data.nodes.value[__graph.search('tanh')[0]].v")
    np.testing.assert_allclose(shown, np.ravel(expected), rtol=1e-6)
    assert session.problems == []


@needs_browser
def test_both_layouts_give_the_same(browser: Any, tmp_path: Path) -> None:
    session = Session(browser, explore(lambda x: x * x, 1.0, path=tmp_path / "g.html").path)
    for seed in range(12):
        rng = random.Random(seed)
        count = rng.randrange(2, 60)
        boxes = [Box(float(rng.randrange(40, 160)), float(rng.randrange(20, 60))) for _ in range(count)]
        pairs = sorted({(rng.randrange(max(0, j - 30), j), j) for j in range(1, count) for _ in range(2)})
        for i in {i for i, _ in pairs} - {j for _, j in pairs}:
            boxes[i].source = rng.random() < 0.5
        ours = place(boxes, [Line(i, j) for i, j in pairs])
        theirs = session(
            "([boxes, lines]) => __graph.Layout.place(boxes, lines)",
            [
                [{"width": box.width, "height": box.height, "isSource": box.source} for box in boxes],
                [{"source": i, "target": j} for i, j in pairs],
            ],
        )
        np.testing.assert_allclose(theirs["x"], ours.x, atol=1e-6)
        np.testing.assert_allclose(theirs["y"], ours.y, atol=1e-6)
        for a, b in zip(theirs["routes"], ours.routes, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    model = model_of(Net(4), np.ones((2, 4)))
    paths: dict[tuple[str, ...], int] = {}
    for node in model.nodes:
        for depth in range(1, len(node.group) + 1):
            paths.setdefault(node.group[:depth], len(paths) + 1)
    found = arrange(model, [(80.0, 40.0)] * len(model.nodes), lambda path: 30.0)
    items = [
        {
            "width": 80,
            "height": 40,
            "isSource": node.is_source,
            "path": [paths[node.group[:depth]] for depth in range(1, len(node.group) + 1)],
        }
        for node in model.nodes
    ]
    edges = [[edge.source, edge.target] for edge in model.edges]
    theirs = session("([items, edges]) => __graph.Layout.arrange(items, edges, () => 30)", [items, edges])
    np.testing.assert_allclose(theirs["x"], found.x, atol=1e-6)
    np.testing.assert_allclose(theirs["y"], found.y, atol=1e-6)
    assert json.dumps(len(theirs["frames"])) == json.dumps(len(found.frames))


def pan(session: Session, frames: int) -> float:
    """The median time between frames, in milliseconds, while the graph is dragged about."""
    times: list[float] = session(
        """(frames) => new Promise((done) => {
            const times = []; let last = 0, k = 0;
            const turn = (now) => {
                if (last) times.push(now - last);
                last = now;
                __graph.state.camera.x += 7 * (k % 40 < 20 ? 1 : -1);
                __graph.state.camera.y += 5 * (k % 30 < 15 ? 1 : -1);
                __graph.state.dirty = true;
                if (k++ < frames) requestAnimationFrame(turn); else done(times);
            };
            requestAnimationFrame(turn);
        })""",
        frames,
    )
    return sorted(times)[len(times) // 2]


@needs_browser
def test_ten_thousand_nodes_are_fluid(browser: Any, tmp_path: Path) -> None:
    weights = [np.eye(2) * 0.5] * 2_000

    def f(weights: Any, x: Any) -> Any:
        for w in weights:
            h = x @ w
            x = h.tanh() + x * 0.5
        return x.sum()

    page = explore(f, weights, np.ones(2), path=tmp_path / "g.html")
    assert page.nodes > 10_000 - 2
    assert page.bytes < 3_000_000
    session = Session(browser, page.path)
    timing = session("__graph.state.timing")
    assert timing["ready"] < 2_000  # a fifth of a second on a quiet machine
    assert session("__graph.state.view.items.length") < 1_000
    assert pan(session, 60) < 33
    session("__graph.openAll()")
    assert session("__graph.state.view.items.length") == page.nodes
    assert session("__graph.state.timing.layout") < 10_000
    session.frame()
    assert pan(session, 30) < 100
    assert session.problems == []


@needs_browser
def test_the_graph_of_a_loop_can_be_entered(browser: Any, tmp_path: Path) -> None:
    def f(c: Any) -> Any:
        return wg.scan(lambda carry, x: (carry * x, carry + x), c, wg.tensor(np.ones(7)))[0]

    session = Session(browser, explore(f, 2.0, path=tmp_path / "g.html").path)
    session("__graph.goTo(__graph.search('scan')[0])")
    session.page.locator("#panel button", has_text="enter").first.click()
    assert session("__graph.stages[__graph.state.stage].name") == "inside scan"
    assert session("__graph.search('multiply').length") == 1
    session.page.select_option("#stage", "0")
    assert session("__graph.search('scan').length") > 0
    assert session.problems == []

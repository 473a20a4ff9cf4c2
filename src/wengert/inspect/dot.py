"""A model in the DOT language, for Graphviz and what reads its files."""

from __future__ import annotations

from wengert.inspect.model import LEAF, Model, common_length, shape_text
from wengert.inspect.scene import BLUE, COLORS, GREY, RED, lines_of, tooltip


def quote(text: str) -> str:
    """A DOT string that means exactly this text: no escape sequence of a label, no HTML, no end of the string."""
    clean = "".join(c for c in text if c >= " " or c == "\n")
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def dot_of(
    model: Model, gradients: bool = True, values: bool = True, saved: bool = False, edge_labels: bool = False
) -> str:
    """The source text. Groups are clusters. A red edge is declared in the direction of its blue one and drawn
    backwards (``dir=back``), so that Graphviz lays both out side by side."""
    gradients = gradients and model.differentiated
    lines = [
        "digraph computational_graph {",
        "  graph [rankdir=TB, bgcolor=white, fontname=Helvetica, nodesep=0.25, ranksep=0.4];",
        '  node [shape=box, style="rounded,filled", fontname=Helvetica, fontsize=11, margin="0.1,0.05"];',
        "  edge [fontname=Helvetica, fontsize=9, arrowsize=0.6];",
    ]
    if model.title:
        lines.insert(2, f"  label={quote(model.title)};")
    open_groups: tuple[str, ...] = ()
    clusters = 0
    for node in sorted(model.nodes, key=lambda node: (node.group, node.index)):
        same = common_length(open_groups, node.group)
        lines += ["  }"] * (len(open_groups) - same)
        for name in node.group[same:]:
            lines.append(f'  subgraph cluster_{clusters} {{ label={quote(name)}; style=rounded; color="#cbd5e1";')
            clusters += 1
        open_groups = node.group
        kind = "group" if node.op == "group" else "output" if node.output and not node.is_source else node.kind
        fill, stroke = COLORS[kind]
        shape = ", shape=ellipse, style=filled" if node.kind == LEAF else ""
        label = "\n".join(text for text, _, _, _ in lines_of(node, gradients, values))
        if saved:
            label += "".join(f"\nsaves {one.role}: {shape_text(one.shape)}" for one in node.kept)
        lines.append(
            f'  n{node.index} [label={quote(label)}, fillcolor="{fill}", color="{stroke}"{shape}, '
            f"tooltip={quote(tooltip(node))}];"
        )
    lines += ["  }"] * len(open_groups)
    for edge in model.edges:
        spec = f"{edge.spec.dtype} {shape_text(edge.spec.shape)}"
        blocked = gradients and not edge.gradient
        style = f'color="{GREY}", style=dashed' if blocked else f'color="{BLUE}"'
        label = f", label={quote(spec)}" if edge_labels else ""
        lines.append(f"  n{edge.source} -> n{edge.target} [{style}, tooltip={quote(spec)}{label}];")
        if gradients and edge.gradient:
            lines.append(
                f'  n{edge.source} -> n{edge.target} [color="{RED}", dir=back, tooltip={quote(f"gradient {spec}")}];'
            )
    return "\n".join([*lines, "}", ""])

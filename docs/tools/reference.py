"""The reference is made of docstrings: the ``{names}`` directive documents what a module offers."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from docs.tools.names import module_of, names_of


class Names(SphinxDirective):
    """``{names} module [home]``: the names in the body; or all of the module's, or those that come from ``home``."""

    required_arguments = 1
    optional_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The descriptions, as nodes."""
        module = self.arguments[0]
        names = " ".join(self.content).split() or names_of(*self.arguments)
        lines = ["```{eval-rst}", *(line for name in names for line in _description(module, name)), "```"]
        container = nodes.container()
        self.state.nested_parse(StringList(lines, self.get_source_info()[0]), self.content_offset, container)
        return list(container.children)


def _description(module: str, name: str) -> list[str]:
    found, full = getattr(module_of(module), name), f"{module}.{name}"
    if not inspect.isclass(found):
        return [f".. auto{'function' if inspect.isroutine(found) else 'data'}:: {full}", ""]
    if issubclass(found, BaseException):
        return [f".. autoexception:: {full}", ""]
    return [f".. autoclass:: {full}", "   :members:", ""]


def escape(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Keep ``|x|``, ``a * b`` and ``*args`` in prose from being read as markup; emphasis stays."""
    for position, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            pieces = re.split(r"(``.*?``|:\w+:`.*?`)", line)
            pieces[::2] = [_escaped(piece) for piece in pieces[::2]]
            lines[position] = "".join(pieces)


def _escaped(text: str) -> str:
    text = re.sub(r"\|", r"\\|", text)
    bullet_or_emphasis = r"^(\s*\* )|(?<![\w*])(\*[A-Za-z][^*]*[A-Za-z]\*)(?![\w*])"
    return re.sub(bullet_or_emphasis + r"|(?<!\\)\*", lambda m: m[1] or m[2] or r"\*", text)


_PARTS = "nn|optim|autograd|linalg|fft|random"
_NAME = re.compile(rf"^(?:(?:wg|wengert)\.([\w.]+)|((?:{_PARTS})\.[\w.]+))(?:\(.*\))?$")


def link_names(app: Any, doctree: nodes.document, page: str) -> None:
    """Names like ``wg.grad`` in the text lead to where they are described."""
    described = app.env.domains["py"].objects
    for literal in list(doctree.findall(nodes.literal)):
        match = _NAME.match(literal.astext())
        found = described.get(f"wengert.{match[1] or match[2]}") if match else None
        if found is None or isinstance(literal.parent, nodes.reference) or found.docname == page:
            continue
        target = f"{app.builder.get_relative_uri(page, found.docname)}#{found.node_id}"
        link = nodes.reference("", "", refuri=target, internal=True)
        literal.replace_self(link)
        link += literal

"""The command line: ``wengert`` and ``python -m wengert``. See ``docs/command-line.md``."""

from __future__ import annotations

from wengert.cli.main import main as main

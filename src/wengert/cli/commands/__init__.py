"""The subcommands, in the order of the help."""

from __future__ import annotations

from wengert.cli.command import Command
from wengert.cli.commands import bench, cache, check, demo, draw, explore, info, optimize, report, run, trace, why

COMMANDS: tuple[Command, ...] = (
    demo.COMMAND,
    report.COMMAND,
    draw.COMMAND,
    explore.COMMAND,
    why.COMMAND,
    check.COMMAND,
    bench.COMMAND,
    trace.COMMAND,
    optimize.COMMAND,
    run.COMMAND,
    info.COMMAND,
    cache.COMMAND,
)

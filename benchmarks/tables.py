"""Measurements side by side, as tables."""

from __future__ import annotations

from typing import Any

from benchmarks.side_by_side import best_peer

#: The contestants that have a column of their own; the others appear where they are the fastest.
COLUMNS = ("jax", "torch", "byhand", "numba", "autograd")


def table(results: dict[str, Any]) -> str:
    """One row a workload: our time, the fastest of the others, their ratio, and what was asked of it."""
    names = [peer for peer in COLUMNS if any(peer in found["peers"] for found in results["workloads"].values())]
    head = ["value and gradient", "ours, us", "best other, us", "ours / best", "asked"]
    head += [f"{name}, us" for name in names] + ["gradient / value", "first call, ms", "JAX's, ms"]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for found in results["workloads"].values():
        rows.append("| " + " | ".join([found["title"], *_ours(found), *_others(found, names), *_calls(found)]) + " |")
    return "\n".join(rows)


def _ours(found: dict[str, Any]) -> list[str]:
    ours, best = found["peers"].get("wengert", {}), best_peer(found)
    if "both" not in ours:
        return [ours.get("failed") or ours.get("not_here") or "-", "-", "-", f"{found['target']:g}"]
    mine = ours["both"]["median"]
    if best is None:
        return [_us(mine), "-", "-", f"{found['target']:g}"]
    ratio = mine / best[1]
    shown = f"{ratio:.2f}" if ratio <= found["target"] else f"**{ratio:.2f}**"
    return [_us(mine), f"{_us(best[1])} ({best[0]})", shown, f"{found['target']:g}"]


def _others(found: dict[str, Any], names: list[str]) -> list[str]:
    cells = []
    for name in names:
        other = found["peers"].get(name, {})
        cells.append(_us(other["both"]["median"]) if "both" in other else "-")
    return cells


def _calls(found: dict[str, Any]) -> list[str]:
    ours = found["peers"].get("wengert", {})
    slope = ours["both"]["median"] / ours["value"]["median"] if "both" in ours and "value" in ours else None
    firsts = [found["peers"].get(peer, {}).get("first") for peer in ("wengert", "jax")]
    return ["-" if slope is None else f"{slope:.2f}", *("-" if one is None else f"{one * 1e3:.0f}" for one in firsts)]


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}"


def merged(first: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    """Results of several runs with the same number of threads; of a contestant in more than one, the first counts."""
    for other in more:
        for name, found in other["workloads"].items():
            known = first["workloads"].setdefault(name, found)
            for peer, times in found["peers"].items():
                known["peers"].setdefault(peer, times)
    return first

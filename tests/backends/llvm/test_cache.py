"""The folder of machine code stays within its bounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wengert.backends.llvm import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    return tmp_path


def test_an_entry_comes_back_whole_or_not_at_all(folder: Path) -> None:
    cache.save("name", b"code")
    assert cache.load("name") == b"code"
    assert cache.load("other") is None
    for damaged in (b"", b"x", (folder / "name").read_bytes()[:-1], (folder / "name").read_bytes() + b"x"):
        (folder / "name").write_bytes(damaged)
        assert cache.load("name") is None
    assert [one.name for one in folder.iterdir()] == ["name"], "no temporary file is left"


def test_the_entries_used_longest_ago_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "LIMIT", 5_000)
    monkeypatch.setattr(cache, "TRIMMED", 1)
    for k in range(8):
        cache.save(f"{k}", bytes(1_000))
        os.utime(folder / f"{k}", (k, k))
    cache.save("new", bytes(1_000))
    assert sum(one.stat().st_size for one in folder.iterdir()) <= 5_000
    assert cache.load("new") is not None
    assert cache.load("0") is None

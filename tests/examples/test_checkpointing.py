"""The table of ``examples/checkpointing.py``: what is predicted is what is measured."""

from __future__ import annotations

import pytest

from tests.examples.test_examples import load


def test_predicted_bytes_and_replays_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    found = load("checkpointing").main()
    for row in found:
        assert row["kept"] == row["predicted"]
        assert row["replayed"] == row["predicted replays"] <= 100
        # The tracer also sees nodes and tensors: well under 2 KB a layer.
        assert 0 <= row["alive"] - row["kept"] < 200_000
    assert found[0]["kept"] == 12_800_000
    printed = capsys.readouterr().out
    for words in ("400,000", "12,800,000", "100 forward + 100 replayed + 100 backward = 300", "1,200"):
        assert words in printed

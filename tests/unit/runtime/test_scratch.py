"""What a killed process put down is swept by its next start, and by `down`."""

from __future__ import annotations

from pathlib import Path

from headrace.runtime import scratch
from headrace.settings import Settings


def test_the_next_start_finds_an_empty_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    (scratch.fresh(settings, "kafka") / "left").write_text("by a kill")
    other = scratch.fresh(settings, "trino") / "held"
    other.write_text("in use")
    assert list(scratch.fresh(settings, "kafka").iterdir()) == []
    assert other.exists()
    scratch.sweep(settings)
    assert not other.parent.parent.exists()

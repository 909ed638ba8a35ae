"""A counting that begins anew always has a larger number than the one before."""

from __future__ import annotations

from pathlib import Path

from headrace.streams.generation import current, fingerprint


def _begun(checkpoint: Path) -> None:
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "metadata").write_text("{}")


def test_the_same_checkpoint_keeps_its_number(tmp_path: Path) -> None:
    checkpoint = tmp_path / "live" / "spec"
    first = current(checkpoint, "a", now=100)
    _begun(checkpoint)
    assert (first, current(checkpoint, "a", now=200)) == (100, 100)


def test_a_lost_checkpoint_or_another_query_begins_anew(tmp_path: Path) -> None:
    checkpoint = tmp_path / "spec"
    current(checkpoint, "a", now=100)
    assert current(checkpoint, "a", now=100) == 101
    _begun(checkpoint)
    assert current(checkpoint, "b", now=50) == 102
    assert not checkpoint.exists()


def test_a_broken_note_begins_anew_with_the_clock(tmp_path: Path) -> None:
    checkpoint = tmp_path / "spec"
    current(checkpoint, "a", now=100)
    _begun(checkpoint)
    (tmp_path / "spec.generation.json").write_text("{")
    assert current(checkpoint, "a", now=300) == 300


def test_fingerprints_depend_on_content_only() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 2, "b": 2})

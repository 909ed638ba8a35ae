"""A counting that begins anew always has a larger number than the one before."""

from __future__ import annotations

import json
from pathlib import Path

from headrace.streams.generation import counted, current, decide, fingerprint

A, B = {"specs": 1, "late": 5}, {"specs": 2, "late": 5}


def _begun(checkpoint: Path) -> None:
    checkpoint.mkdir(parents=True, exist_ok=True)
    (checkpoint / "metadata").write_text("{}")


def test_the_same_checkpoint_keeps_its_number(tmp_path: Path) -> None:
    checkpoint = tmp_path / "live" / "spec"
    assert decide(checkpoint, A).state == "first"
    first = current(checkpoint, A, now=100)
    _begun(checkpoint)
    assert (first, current(checkpoint, A, now=200)) == (100, 100)
    assert counted(tmp_path / "live") == ["spec"]


def test_a_lost_checkpoint_or_another_query_begins_anew(tmp_path: Path) -> None:
    checkpoint = tmp_path / "spec"
    current(checkpoint, A, now=100)
    assert decide(checkpoint, A).state == "lost"
    assert current(checkpoint, A, now=100) == 101
    _begun(checkpoint)
    decision = decide(checkpoint, B)
    assert (decision.state, decision.known, decision.changed) == ("changed", 101, ("specs",))
    assert checkpoint.exists(), "asking changes nothing"
    assert current(checkpoint, B, now=50) == 102
    assert not checkpoint.exists()


def test_a_note_of_before_keeps_its_state_and_learns_its_parts(tmp_path: Path) -> None:
    checkpoint = tmp_path / "spec"
    _begun(checkpoint)
    note = tmp_path / "spec.generation.json"
    note.write_text(json.dumps({"generation": 7, "fingerprint": fingerprint(A)}))
    assert decide(checkpoint, B).changed == (), "it does not know what changed"
    assert current(checkpoint, A) == 7
    assert decide(checkpoint, B).changed == ("specs",)


def test_a_broken_note_begins_anew_with_the_clock(tmp_path: Path) -> None:
    checkpoint = tmp_path / "spec"
    current(checkpoint, A, now=100)
    _begun(checkpoint)
    (tmp_path / "spec.generation.json").write_text("{")
    assert current(checkpoint, A, now=300) == 300


def test_fingerprints_depend_on_content_only() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 2, "b": 2})

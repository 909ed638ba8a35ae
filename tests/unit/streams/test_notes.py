"""Of accepted records only those have a note that contradict an earlier one or name what nobody knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headrace.contracts.model import load_contracts
from headrace.settings import REPO
from headrace.streams.refining.firsts import Firsts
from headrace.streams.refining.known import Known
from headrace.streams.refining.notes import ASKED, Notes

AT = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    contracts = load_contracts(REPO / "include" / "contracts")
    known = Known(tmp_path / "known.sqlite", lambda entity, since: ["c1"] if entity == "customers" else [])
    return Notes(contracts, Firsts(tmp_path / "firsts.sqlite", 100), known)


def _event(offset: int, identity: str, says: str, *, seconds: int = 0, customer: str = "c1") -> dict[str, Any]:
    values = (
        AT + timedelta(seconds=seconds),
        "t",
        0,
        offset,
        "transactions",
        "m",
        identity,
        says,
        None,
        [customer, None, None],
    )
    return dict(zip(ASKED, values, strict=True))


def _merchant(offset: int, key: str) -> dict[str, Any]:
    return dict(zip(ASKED, (AT, "merchants", 0, offset, "merchants", None, key, "", key, []), strict=True))


def test_a_repeat_has_no_note_and_another_version_names_the_one_that_arrived_first(notes: Notes) -> None:
    told = notes.of(
        [_event(1, "a", "amount 2", seconds=1), _event(2, "a", "amount 1"), _event(3, "a", "amount 1", seconds=2)]
    )
    assert [(note.offset, note.unresolved) for note in told] == [(1, [])]
    assert told[0].conflict is not None
    assert "amount 1 (t, partition 0, offset 2); this one has amount 2" in told[0].conflict


def test_an_entity_of_the_same_batch_is_known_and_others_are_named(notes: Notes) -> None:
    named = [_event(n, f"e{n}", "", customer=name) for n, name in enumerate(("c1", "c2"))]
    named[0]["named"] = ["c1", "m1", None]
    told = notes.of([*named, _merchant(9, "m1")])
    assert [(note.offset, note.conflict, note.unresolved) for note in told] == [(1, None, ["user_id"])]

"""Which version of an event is the first, what contradicts it, and how much is remembered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.contracts.model import load_contracts
from headrace.settings import REPO
from headrace.streams.refining.firsts import Firsts, Version


def version(identity: str, says: str, offset: int = 0, stream: str = "s") -> Version:
    return Version(stream, identity, says, "topic", 0, offset)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "firsts.sqlite"


def test_another_version_is_a_conflict_and_a_repeat_is_none(path: Path) -> None:
    firsts = Firsts(path, 100)
    first, repeat, other = version("a", "amount 1", 1), version("a", "amount 1", 2), version("a", "amount 2", 3)
    (found,) = firsts.conflicts([first, repeat, other, version("b", "amount 2", 4), version("a", "amount 2", 5, "t")])
    assert (found.first, found.other) == (first, other)
    assert found.reason == (
        "The first event of this identity has amount 1 (topic, partition 0, offset 1); this one has amount 2."
    )


def test_a_batch_that_is_run_again_after_a_kill_comes_to_the_same_verdict(path: Path) -> None:
    batch = [version("a", "1", 1), version("a", "2", 2), version("a", "1", 3), version("b", "1", 4)]
    verdict = Firsts(path, 100).conflicts(batch)
    assert [found.other.offset for found in verdict] == [2]
    assert Firsts(path, 100).conflicts(batch) == verdict
    assert [found.other.offset for found in Firsts(path, 100).conflicts([version("b", "9", 5)])] == [5]


def test_the_oldest_ids_are_forgotten(path: Path) -> None:
    firsts = Firsts(path, 3)
    firsts.conflicts([version(name, "1") for name in "abcd"])
    assert [found.other.identity for found in firsts.conflicts([version(name, "2") for name in "abcd"])] == [
        "b",
        "c",
        "d",
    ]


def test_a_file_that_was_lost_begins_anew(path: Path) -> None:
    Firsts(path, 3).conflicts([version("a", "1")])
    path.unlink()
    assert Firsts(path, 3).conflicts([version("a", "2")]) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("12")), max_size=12), st.integers(0, 12))
def test_batches_of_any_size_find_the_same(sent: list[tuple[str, str]], cut: int) -> None:
    versions = [version(identity, says, at) for at, (identity, says) in enumerate(sent)]
    firsts = Firsts(Path(":memory:"), 100)
    found = [*firsts.conflicts(versions[:cut]), *firsts.conflicts(versions[cut:])]
    first: dict[str, str] = {}
    expected = [v.offset for v in versions if first.setdefault(v.identity, v.says) != v.says]
    assert [conflict.other.offset for conflict in found] == expected


def test_events_are_compared_by_time_and_amount_and_entities_not_at_all() -> None:
    contracts = load_contracts(REPO / "include" / "contracts")
    assert contracts["transactions"].version_fields == ("event_time", "amount")
    assert contracts["app_events"].version_fields == ("event_time",)
    assert contracts["merchants"].version_fields == ()

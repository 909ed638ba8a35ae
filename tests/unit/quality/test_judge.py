"""Planted defects are found by what was usual, a quiet stretch stays quiet, and each is told once."""

from __future__ import annotations

import pytest

from benchmarks.defects import DEFECTS, Defect, Marketplace
from benchmarks.quality import Day, run
from headrace.quality.incidents import Open, follow
from headrace.quality.judge import Limits, judge
from headrace.quality.profile import Profile, Record, merged, of_topic

RATE, SECONDS = 5.0, 300


@pytest.fixture(scope="module")
def place() -> Marketplace:
    return Marketplace(7, RATE)


@pytest.fixture(scope="module")
def usual(place: Marketplace) -> list[Profile]:
    """An hour and a half of transactions."""
    return [_profile(place, int(place.begin) + number * SECONDS, []) for number in range(18)]


def _profile(place: Marketplace, start: int, planted: list[Defect]) -> Profile:
    found = {contract.name: (contract, records) for contract, records in place.stretch(start, SECONDS, planted)}
    contract, records = found["transactions"]
    return of_topic(contract, records, start, SECONDS, 5)


FIELDS = {"null_spike": ("merchant_id", ""), "drift": ("region", "renamed"), "unit_change": ("", "times 100")}


@pytest.mark.parametrize("kind", DEFECTS)
def test_a_defect_of_half_the_events_shows_at_once(place: Marketplace, usual: list[Profile], kind: str) -> None:
    start = usual[-1].start + SECONDS
    field, form = FIELDS.get(kind, ("", ""))
    topic = place.contracts["transactions"].topic
    share = 0.9 if kind == "volume_drop" else 0.5
    defect = Defect(kind, "transactions", topic, start, start + SECONDS, share, field, form)
    findings = judge(_profile(place, start, [defect]), usual)
    open_: Open = {}
    told = follow(open_, findings, {topic: SECONDS}, start + SECONDS, "topic")
    assert any(defect.shown_by(incident) for incident in told), [finding.sentence for finding in findings]


def test_a_usual_stretch_is_not_told_of(place: Marketplace, usual: list[Profile]) -> None:
    assert judge(_profile(place, usual[-1].start + SECONDS, []), usual) == []


def test_nothing_is_said_before_enough_was_seen(usual: list[Profile]) -> None:
    silent = Profile(usual[0].subject, usual[-1].start + SECONDS, SECONDS, 0)
    assert judge(silent, usual[:5]) == []
    assert judge(silent, usual)[0].pillar == "freshness"


def test_an_incident_is_opened_once_and_closed_after_calm(usual: list[Profile]) -> None:
    start, topic = usual[-1].start + SECONDS, usual[0].subject
    silent = judge(Profile(topic, start, SECONDS, 0), usual)
    open_: Open = {}
    at = float(start + SECONDS)
    first = follow(open_, silent, {topic: SECONDS}, at, "topic")
    again = follow(open_, silent, {topic: SECONDS}, at + SECONDS, "topic")
    assert {one.id for one in again} == {one.id for one in first}
    assert follow(open_, [], {topic: SECONDS}, at + 2 * SECONDS, "topic") == []
    closed = follow(open_, [], {topic: SECONDS}, at + 3 * SECONDS, "topic")
    assert [one.state for one in closed] == ["closed"] * len(first) and not open_


def test_records_that_are_no_events_are_counted(place: Marketplace) -> None:
    values = [b"{not json", b"[1]", None, b'{"event_id": "a"}', b'{"event_id": "a"}']
    profile = of_topic(place.contracts["transactions"], [Record(value, 1000.0) for value in values], 900, 300, 5)
    assert profile.count == 5
    assert profile.shares["unreadable"] == (3, 5)
    assert profile.shares["repeated"] == (1, 2)
    assert profile.shares["null:amount"] == (2, 2)


def test_a_deletion_of_an_entity_is_no_unreadable_record(place: Marketplace) -> None:
    records = [Record(value, 1000.0) for value in (None, b"{not json", b'{"customer_id": "a"}')]
    profile = of_topic(place.contracts["customers"], records, 900, 300, 5)
    assert profile.count == 3
    assert profile.shares["unreadable"] == (1, 3)
    assert profile.shares["null:customer_id"] == (0, 1)


def test_stretches_add_up(usual: list[Profile]) -> None:
    together = merged(usual[:3])
    assert together.count == sum(profile.count for profile in usual[:3])
    assert together.seconds == 3 * SECONDS
    assert together.shares["null:amount"] == (0, together.count)


def test_the_small_version_of_the_benchmark() -> None:
    """Its whole way, for two hours of one kind: all of them are found, and nothing else is told."""
    day: Day = run(71, RATE, 2, ("unit_change",), 1, Limits())
    assert len(day.planted) == len(day.found()) == 1
    assert day.false() == []

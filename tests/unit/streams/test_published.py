"""What runs acts on published contracts: whole, compatible with what ran before, and taken up by who looks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.settings import Settings
from headrace.streams import published
from headrace.streams.landing.resume import held_topics
from headrace.streams.spec import Accumulator, LiveSpec, save_live_specs

COUNT = (Accumulator("count", "count", "1", "bigint"),)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def contracts(settings: Settings) -> dict[str, Contract]:
    found = load_contracts(settings.contracts)
    return {name: found[name] for name in ("transactions", "orders")}


def with_note(contract: Contract) -> Contract:
    return replace(contract, fields=(*contract.fields, Field("note", "string", max_length=9)))


def test_contracts_come_back_as_they_were_published(settings: Settings, contracts: dict[str, Contract]) -> None:
    assert set(published.read(settings)) > set(contracts), "before the first time: those of the repository"
    assert published.publish(settings, contracts)
    assert published.read(settings) == contracts
    assert not published.publish(settings, contracts)


def test_a_job_begins_anew_for_what_changes_events_and_not_for_words(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    published.publish(settings, contracts)
    watch = published.Watch(settings, published.contracts_print)
    worded = replace(contracts["orders"], owner="others", description="One row per order step.")
    published.publish(settings, contracts | {"orders": worded})
    assert not watch.changed()
    published.publish(settings, contracts | {"orders": with_note(worded)})
    assert watch.changed()
    published.path(settings).write_text("{half")
    assert not watch.changed()


def test_the_live_job_begins_anew_for_the_streams_that_it_counts(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    specs = tuple(LiveSpec(f"{name}_1m", name, 60, (), COUNT) for name in ("transactions", "clicks"))
    save_live_specs(published.live_specs_path(settings), specs[:1])
    published.publish(settings, contracts)
    watch = published.Watch(settings, published.live_print)
    published.publish(settings, contracts | {"orders": with_note(contracts["orders"])})
    assert not watch.changed(), "orders are not counted live"
    save_live_specs(published.live_specs_path(settings), specs)
    assert not watch.changed(), "clicks are not published yet"
    published.publish(settings, published.read(settings) | {"clicks": replace(contracts["orders"], name="clicks")})
    assert watch.changed()
    counted = [(contract.name, [spec.name for spec in found]) for contract, found in published.live_streams(settings)]
    assert counted == [("clicks", ["clicks_1m"]), ("transactions", ["transactions_1m"])]


def test_in_which_order_windows_are_told_begins_nothing_anew(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    published.publish(settings, contracts)
    specs = tuple(LiveSpec(name, "transactions", 60, (), COUNT) for name in ("by_user", "by_region"))
    save_live_specs(published.live_specs_path(settings), specs)
    watch, before = published.Watch(settings, published.live_print), published.live_streams(settings)
    save_live_specs(published.live_specs_path(settings), specs[::-1])
    assert not watch.changed()
    assert published.live_streams(settings) == before


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"fields": ()}, "event_id was removed"),
        ({"key": "merchant_id"}, "key changed from user_id to merchant_id"),
        ({"operation": "upsert"}, "topic changed"),
    ],
)
def test_what_breaks_readers_is_not_published(
    settings: Settings, contracts: dict[str, Contract], changed: dict[str, object], words: str
) -> None:
    published.publish(settings, contracts)
    broken = contracts | {"transactions": replace(contracts["transactions"], **changed)}  # type: ignore[arg-type]
    with pytest.raises(published.BreaksReaders, match=words):
        published.publish(settings, broken)
    assert published.read(settings) == contracts


def test_a_service_takes_contracts_up_when_they_change(
    settings: Settings, contracts: dict[str, Contract], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "LOOK_SECONDS", 0.0)
    published.publish(settings, contracts)
    newest = published.Newest(settings)
    assert newest.refreshed() == contracts
    assert newest.refreshed() is None
    more = contracts | {"clicks": replace(contracts["orders"], name="clicks")}
    published.publish(settings, more)
    assert newest.refreshed() == more
    published.path(settings).write_text("{half")
    assert newest.refreshed() is None


def test_a_checkpoint_tells_its_topics(tmp_path: Path) -> None:
    assert held_topics(tmp_path) == set()
    (tmp_path / "offsets").mkdir()
    for batch, topics in ((9, {"a": {"0": 1}}), (10, {"a": {"0": 2}, "b": {"0": 0}})):
        (tmp_path / "offsets" / str(batch)).write_text(f"v1\n{{}}\n{json.dumps(topics)}")
    assert held_topics(tmp_path) == {"a", "b"}
    (tmp_path / "commits").mkdir()
    (tmp_path / "commits" / "9").write_text("v1\n{}")
    assert held_topics(tmp_path, "commits") == {"a"}, "a batch that was cut begins its topics once more"

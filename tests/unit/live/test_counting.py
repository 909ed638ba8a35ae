"""Before the live job starts, it can be said which streams keep their state and which are counted anew, and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.live import counting
from headrace.settings import Settings
from headrace.streams import generation, published
from headrace.streams.spec import Accumulator, LiveSpec

COUNT = (Accumulator("count", "count", "1", "bigint"),)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def contracts(settings: Settings) -> dict[str, Contract]:
    found = load_contracts(settings.contracts)
    return {name: found[name] for name in ("transactions", "orders")}


def _specs(*streams: str) -> list[LiveSpec]:
    return [LiveSpec(f"{name}_1m", name, 60, ("user_id",), COUNT) for name in streams]


def _started(settings: Settings, streams: list[published.Counted]) -> None:
    """As the job does it."""
    for contract, specs in streams:
        checkpoint = counting.folder(settings) / contract.name
        generation.current(checkpoint, counting.made_of(specs, contract, settings))
        checkpoint.mkdir(exist_ok=True)
        (checkpoint / "metadata").write_text("{}")


def _told(settings: Settings, streams: list[published.Counted]) -> dict[str, tuple[bool, str]]:
    return {one.stream: (one.keeps, one.sentence) for one in counting.foretold(settings, streams)}


def test_what_is_counted_for_the_first_time_and_what_goes_on(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    streams = published.counted(contracts, _specs("transactions", "orders"))
    assert all("for the first time" in sentence for _, sentence in _told(settings, streams).values())
    _started(settings, streams)
    assert _told(settings, streams) == dict.fromkeys(contracts, (True, "keeps its state and goes on."))


def test_a_changed_declaration_a_changed_contract_and_changed_settings_are_told_apart(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    _started(settings, published.counted(contracts, _specs("transactions", "orders")))
    more = [*_specs("transactions", "orders"), LiveSpec("orders_by_status", "orders", 60, ("status",), COUNT)]
    told = _told(settings, published.counted(contracts, more))
    assert told["transactions"] == (True, "keeps its state and goes on.")
    assert told["orders"][0] is False
    assert "because its windows add up something else; the old figures stay" in told["orders"][1]

    grown = replace(contracts["orders"], fields=(*contracts["orders"].fields, Field("note", "string", max_length=9)))
    told = _told(settings, published.counted(contracts | {"orders": grown}, _specs("transactions", "orders")))
    assert "because its contract says otherwise what an event is" in told["orders"][1]

    worded = replace(contracts["orders"], description="Other words.")
    told = _told(settings, published.counted(contracts | {"orders": worded}, _specs("transactions", "orders")))
    assert told["orders"][0], "words change no state"

    later = settings.model_copy(update={"lateness_minutes": 7})
    assert "lateness_minutes changed" in _told(later, published.counted(contracts, _specs("orders")))["orders"][1]


def test_a_stream_that_is_counted_no_more_is_named(settings: Settings, contracts: dict[str, Contract]) -> None:
    _started(settings, published.counted(contracts, _specs("transactions", "orders")))
    told = _told(settings, published.counted(contracts, _specs("transactions")))
    assert told["orders"] == (False, "is counted no more: its figures stay as long as their windows are kept.")

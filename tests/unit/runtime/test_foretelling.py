"""Before a job starts, the command line says what becomes of its state: by the job's own decision, without a part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from headrace.contracts.model import Contract, Field, load_contracts
from headrace.contracts.sessions import Sessions
from headrace.live import counting
from headrace.runtime import foretelling
from headrace.semantics.live_specs import Declared
from headrace.settings import Settings
from headrace.streams import generation, published
from headrace.streams.spec import Accumulator, LiveSpec, save_live_specs

RULE = Sessions("user_id", 30, "event_type")
SPECS = tuple(
    LiveSpec(f"{name}_1m", name, 60, ("user_id",), (Accumulator("count", "count", "1", "bigint"),))
    for name in ("transactions", "orders")
)


@pytest.fixture
def contracts() -> dict[str, Contract]:
    found = load_contracts(Settings().contracts)
    return {name: found[name] for name in ("transactions", "orders")}


@pytest.fixture
def with_sessions(contracts: dict[str, Contract]) -> dict[str, Contract]:
    return contracts | {"app_events": load_contracts(Settings().contracts)["app_events"]}


@pytest.fixture
def settings(tmp_path: Path, contracts: dict[str, Contract]) -> Settings:
    """As after a first run of both jobs."""
    settings = Settings(home=tmp_path)
    published.publish(settings, contracts)
    save_live_specs(published.live_specs_path(settings), SPECS)
    for contract, specs in published.live_streams(settings):
        checkpoint = counting.folder(settings) / contract.name
        generation.current(checkpoint, counting.made_of(specs, contract, settings))
        checkpoint.mkdir()
        (checkpoint / "metadata").write_text("{}")
    offsets = settings.checkpoints / "lake" / "land" / "offsets"
    offsets.mkdir(parents=True)
    topics = ", ".join(f'"{contract.topic}": {{"0": 5}}' for contract in contracts.values())
    (offsets / "7").write_text(f"v1\n{{}}\n{{{topics}}}")
    return settings


def test_a_restart_keeps_all_that_did_not_change(settings: Settings) -> None:
    assert [str(one) for one in foretelling.restarted(settings, "live")] == [
        "live · orders, transactions: keeps its state and goes on."
    ]
    assert [str(one) for one in foretelling.restarted(settings, "lake")] == [
        "lake · transactions, orders: goes on where it was."
    ]


def test_what_never_ran_has_nothing_to_lose(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert foretelling.restarted(settings, "live") == foretelling.restarted(settings, "lake") == []
    assert foretelling.brought_up(settings) == []


def test_what_would_be_applied_is_told_before_it_is_published(
    settings: Settings, contracts: dict[str, Contract]
) -> None:
    grown = replace(contracts["orders"], fields=(*contracts["orders"].fields, Field("note", "string", max_length=9)))
    new = replace(contracts["orders"], name="clicks")
    specs = (*SPECS, replace(SPECS[0], name="clicks_1m", stream="clicks"))
    asked = {**contracts, "orders": grown, "clicks": new}
    told = [(one.job, one.streams, one.keeps) for one in foretelling.applied(settings, asked, Declared("", specs, {}))]
    assert told == [
        ("live", ("clicks",), False),
        ("live", ("orders",), False),
        ("live", ("transactions",), True),
        ("lake", ("transactions", "orders"), True),
        ("lake", ("clicks",), True),
    ]
    assert published.read(settings) == contracts


@pytest.mark.parametrize(
    ("before", "now", "keeps", "sentence"),
    [
        (RULE, RULE, True, "open ones go on."),
        (
            RULE, replace(RULE, gap_seconds=600), False,
            "open ones are found anew in its topic, because their rule changed; closed ones stay as they were told.",
        ),
        (None, RULE, False, "they are found from the earliest record of its topic."),
        (RULE, None, False, "none are found any more; open ones are never closed."),
    ],
)  # fmt: skip
def test_what_becomes_of_sessions_is_told(
    settings: Settings,
    with_sessions: dict[str, Contract],
    before: Sessions | None,
    now: Sessions | None,
    keeps: bool,
    sentence: str,
) -> None:
    def asked(rule: Sessions | None) -> dict[str, Contract]:
        return with_sessions | {"app_events": replace(with_sessions["app_events"], sessions=rule)}

    published.publish(settings, asked(before))
    told = [one for one in foretelling.applied(settings, asked(now), Declared("", SPECS, {})) if one.job == "sessions"]
    assert [(one.keeps, str(one)) for one in told] == [(keeps, f"sessions \u00b7 app_events: {sentence}")]

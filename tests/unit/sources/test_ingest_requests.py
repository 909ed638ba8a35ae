from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.ingest.limits import BATCH_EVENTS
from app.ingest.requests import Refusal, read, stream_codec
from app.ingest.service import Service
from headrace.contracts.explain import example
from headrace.contracts.model import load_contracts
from headrace.contracts.structs import EventCodec
from headrace.settings import REPO, Settings
from headrace.streams import published

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTRACTS = load_contracts(REPO / "include" / "contracts")
CODECS = {name: EventCodec(contract, future=timedelta(minutes=1)) for name, contract in CONTRACTS.items()}
CODEC = CODECS["transactions"]
EVENT = example(CODEC, NOW)


def body(*events: dict[str, Any], **beside: Any) -> bytes:
    return json.dumps({**beside, "events": list(events)}).encode()


def refusal(raw: bytes) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(CODEC, raw, NOW)
    return caught.value


def test_one_event_becomes_one_record_with_its_key() -> None:
    ((key, value),) = read(CODEC, json.dumps(EVENT, indent=2).encode(), NOW)
    assert key == EVENT["user_id"]
    assert json.loads(value) == EVENT
    assert b" " not in value


def test_a_batch_keeps_its_order() -> None:
    events = [{**EVENT, "event_id": f"event-{n:04d}"} for n in range(50)]
    records = read(CODEC, body(*events), NOW)
    assert [json.loads(value)["event_id"] for _, value in records] == [event["event_id"] for event in events]


def test_the_place_of_the_word_events_does_not_matter() -> None:
    assert len(read(CODEC, body(EVENT, note="x" * 100), NOW)) == 1
    assert len(read(CODEC, json.dumps({**EVENT, "event_id": '"events"'}).encode(), NOW)) == 1


def test_one_bad_event_refuses_the_batch_and_is_named() -> None:
    found = refusal(body(EVENT, {**EVENT, "currency": "CHF"}, {**EVENT, "amount": 0.001}))
    assert found.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [(error["index"], error["field"]) for error in found.detail["errors"]] == [(1, "currency"), (2, "amount")]
    assert found.message.startswith("Nothing was accepted: 2 of 3 events")


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b'{"events": 3}', b'{"events": []}', b"\xff"])
def test_what_is_no_request_is_a_bad_request(raw: bytes) -> None:
    assert refusal(raw).status == HTTPStatus.BAD_REQUEST


def test_too_many_events_and_too_large_ones_are_refused() -> None:
    assert refusal(body(*[EVENT] * (BATCH_EVENTS + 1))).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert refusal(body(*[{}] * (BATCH_EVENTS + 1))).status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_an_unknown_stream_is_told_the_known_ones() -> None:
    with pytest.raises(Refusal, match="No stream 'nope'; there are: accounts"):
        stream_codec(CODECS, "nope")


def test_a_stream_that_is_published_is_accepted_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "LOOK_SECONDS", 0.0)
    settings = Settings(home=tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "ingest_api_key").write_text("key")
    published.publish(settings, CONTRACTS)
    service = Service()
    service.start(settings, lambda _: SimpleNamespace(queued=lambda: 0))
    assert "clicks" not in service.codecs
    published.publish(settings, CONTRACTS | {"clicks": replace(CONTRACTS["orders"], name="clicks")})
    service._refresh()
    assert service.codecs["clicks"].contract.topic == "rest.marketplace.clicks.insert"

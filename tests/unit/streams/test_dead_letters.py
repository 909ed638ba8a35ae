"""Which letters a person means, what a correction makes of one, and who may do so: without any part."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from headrace.cli.__main__ import app
from headrace.contracts.model import Contract, load_contracts
from headrace.policy import Identity
from headrace.policy.audit import Entry
from headrace.policy.permit import NotAllowed
from headrace.settings import Settings, get_settings
from headrace.streams.deadletters import inspecting, mending, ordered, settling
from headrace.streams.deadletters.letter import REPLAY_OF, DeadLetter, parse
from headrace.streams.deadletters.mending import CannotMend, Correction, changes, corrected
from headrace.streams.deadletters.permit import sees_persons
from headrace.streams.deadletters.selection import Selection, SelectionError, moment
from headrace.streams.deadletters.sending import Again
from headrace.streams.topics import DEAD_LETTERS

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
EVENT = {"event_id": "evt-00000001", "amount": -1, "user_id": "u1", "note": "é"}
LETTER = DeadLetter(
    "rest.marketplace.transactions.insert", 1, 7, "transactions", "range:amount", "amount is below 0.",
    json.dumps(EVENT).encode(), NOW - timedelta(hours=1), NOW, b"u1", (("correlation_id", b"c"), (REPLAY_OF, b"t:0:1")),
)  # fmt: skip


class Kept:
    """An audit that can be looked at."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)


class Record:
    """As Kafka's client hands one over."""

    def __init__(self, value: bytes | None, headers: list[Any] | None = None, key: bytes | None = b"t:1:2") -> None:
        self._value, self._headers, self._key = value, headers, key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[Any] | None:
        return self._headers

    def key(self) -> bytes | None:
        return self._key

    def timestamp(self) -> tuple[int, int]:
        return 1, int(NOW.timestamp() * 1000)

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 9


@pytest.fixture
def contract() -> Contract:
    return load_contracts(get_settings().contracts)["transactions"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2h", NOW - timedelta(hours=2)),
        ("30m", NOW - timedelta(minutes=30)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_a_time_is_said_as_people_say_it(text: str, wanted: datetime) -> None:
    assert moment(text, NOW) == wanted


def test_what_cannot_be_meant_is_refused_with_an_example() -> None:
    with pytest.raises(SelectionError, match="2h"):
        moment("yesterday")
    with pytest.raises(SelectionError, match="topic:partition:offset"):
        Selection.of(["transactions-1-7"])


@pytest.mark.parametrize(
    ("how", "taken"),
    [
        ({}, True),
        ({"letters": (LETTER.name,)}, True),
        ({"letters": ("a:1:7",)}, False),
        ({"stream": "transactions", "rule": "range:amount"}, True),
        ({"rule": "range"}, True),
        ({"rule": "rang"}, False),
        ({"stream": "orders"}, False),
        ({"since": LETTER.arrived_at, "until": NOW}, True),
        ({"since": NOW}, False),
        ({"until": LETTER.arrived_at}, False),
    ],
)
def test_a_selection_takes_what_all_its_filters_take(how: dict[str, Any], taken: bool) -> None:
    assert Selection(**how).takes(LETTER) is taken


def test_a_letter_keeps_bytes_that_are_no_text() -> None:
    body = {
        "topic": "t", "partition": 1, "offset": 2, "rule": "json", "value": base64.b64encode(b"\xff{").decode(),
        "key": "?", "key_bytes": base64.b64encode(b"\xfe").decode(), "arrived_at": "2026-05-04T09:00:00.123000Z",
    }  # fmt: skip
    letter = parse(Record(json.dumps(body).encode(), [("a", b"\xff"), ("a", None)]))
    assert (letter.name, letter.value, letter.key) == ("t:1:2", b"\xff{", b"\xfe")
    assert letter.headers == (("a", b"\xff"), ("a", None))
    assert letter.arrived_at == datetime(2026, 5, 4, 9, 0, 0, 123000, tzinfo=UTC)
    empty = parse(Record(json.dumps(body | {"value": None, "key": None, "key_bytes": None}).encode()))
    assert (empty.value, empty.key, empty.text) == (None, None, "")


@pytest.mark.parametrize("value", [b"what is this", b'{"topic": "t"}', b"[1]", b'{"topic":"t","partition":"x"}'])
def test_a_letter_that_cannot_be_read_is_shown_as_it_is(value: bytes) -> None:
    letter = parse(Record(value))
    assert (letter.name, letter.rule, letter.value) == (f"{DEAD_LETTERS}:3:9", "unreadable", value)


def test_a_replay_keeps_every_header_and_names_its_letter_alone() -> None:
    again = Again.as_it_was(LETTER)
    assert again.headers == [("correlation_id", b"c"), (REPLAY_OF, LETTER.name.encode())]
    assert (again.key, again.value) == (LETTER.key, LETTER.value)
    assert LETTER.replay_of == "t:0:1"
    assert LETTER.home == LETTER.topic
    line = replace(LETTER, topic="file:transactions/a.jsonl", partition=0, change_topic=LETTER.topic)
    assert (line.name, line.home) == ("file:transactions/a.jsonl:0:7", LETTER.topic)
    assert Selection.of([line.name]).takes(line)


def test_a_correction_changes_what_it_names_and_spells_it_by_type(contract: Contract) -> None:
    wanted = Correction(fields={"amount": "12.50", "user_id": "5", "order_id": "null"}, without=("note",))
    found = corrected(LETTER, contract, wanted)
    assert found == b'{"event_id":"evt-00000001","amount":12.50,"user_id":"5","order_id":"null"}'
    assert corrected(LETTER, contract, Correction(b"{}")) == b"{}"
    assert corrected(LETTER, contract, Correction(fields={"amount": "a lot"})).count(b'"a lot"') == 1


def test_fields_of_what_is_no_document_cannot_be_set(contract: Contract) -> None:
    broken = replace(LETTER, value=b'{"amount": ')
    with pytest.raises(CannotMend, match="--file"):
        corrected(broken, contract, Correction(fields={"amount": "1"}))
    assert corrected(broken, contract, Correction(b'{"a": 1}', {"amount": "2"})) == b'{"a":1,"amount":2}'


def test_the_record_of_a_change_names_no_person(contract: Contract) -> None:
    new = json.dumps(EVENT | {"amount": 3, "user_id": "u2"}).encode()
    found = changes(contract, LETTER.value, new)
    assert found["amount"] == {"old": "-1", "new": "3"}
    assert "u2" not in json.dumps(found)
    assert set(found) == {"amount", "user_id"}
    assert "user_id" in changes(contract, b"broken", new)


@pytest.mark.parametrize("role", ["viewer", "analyst", "producer", "unheard_of"])
def test_nobody_else_settles_and_the_try_is_recorded(role: str) -> None:
    person, audit, settings = Identity("p", (role,)), Kept(), Settings()
    how: dict[str, Any] = {"correlation_id": "c", "limit": 1}
    with pytest.raises(NotAllowed):
        settling.replay(settings, person, Selection(), audit, rate=1, **how)
    with pytest.raises(NotAllowed):
        settling.drop(settings, person, Selection(), audit, because="x", **how)
    with pytest.raises(NotAllowed):
        mending.fix(settings, person, LETTER.name, Correction(), audit, correlation_id="c")
    assert [(e.action, e.allowed) for e in audit.entries] == [
        ("replay_letters", False), ("drop_letters", False), ("fix_letter", False)
    ]  # fmt: skip


def test_bytes_are_for_those_who_may_see_persons() -> None:
    assert sees_persons(Identity("a", ("admin",))) and sees_persons(Identity("o", ("operator",)))
    assert not sees_persons(Identity("a", ("analyst",)))
    with pytest.raises(NotAllowed):
        inspecting.inspect(Settings(), Identity("v", ("viewer",)), LETTER.name, Kept())


@pytest.mark.parametrize("user", [None, "a stranger"])
def test_an_order_of_nobody_known_is_refused(user: str | None) -> None:
    with pytest.raises(NotAllowed, match="may settle letters"):
        ordered.replay(Settings(), user, {}, "run")


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (["replay"], "--since 30d"),
        (["drop", "--because", "x"], "Say which letters"),
        (["fix", LETTER.name], "--set amount=12.50"),
        (["fix", LETTER.name, "--set", "amount"], "FIELD=VALUE"),
        (["fix", LETTER.name, "--file", "/nowhere"], "no file"),
        (["list", "--state", "lost"], "States:"),
    ],
)
def test_a_command_that_cannot_be_meant_says_what_can(command: list[str], word: str) -> None:
    result = CliRunner().invoke(app, ["dlq", *command])
    assert result.exit_code == 1
    assert word in result.output

"""Dead letters of the real gate, on real Kafka, Spark, Iceberg and Trino: mended or replayed they count once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import structlog
from confluent_kafka import Message, Producer
from typer.testing import CliRunner

from headrace.cli.__main__ import app
from headrace.contracts.model import load_contracts
from headrace.lake import dbt
from headrace.lake.trino import connect
from headrace.log import configure
from headrace.policy.users import save_user
from headrace.runtime import jobs
from headrace.settings import REPO, Settings
from headrace.streams import heartbeat
from headrace.streams.deadletters.letter import REPLAY_OF
from headrace.streams.deadletters.reading import records
from headrace.streams.topics import producer_config

SECONDS = 180
EARLY, NEGATIVE = 240, 6
PREFIX = uuid.uuid4().hex[:8]
TOPIC = "rest.marketplace.transactions.insert"
_KILLED_AT = """
import os, signal, sys
from headrace.streams.deadletters import sending, states
kept, left = {place}, [{calls}]
def deadly(*arguments, **named):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return kept(*arguments, **named)
{place} = deadly
sys.argv[1:] = {arguments!r}
from headrace.cli.__main__ import main
main()
"""
REPLAY = ["dlq", "replay", "--reason", "future", "--stream", "transactions", "--yes", "--rate", "40", "--json"]


def _event(kind: str, number: int, **changed: Any) -> dict[str, Any]:
    made = {
        "event_id": f"{PREFIX}-{kind}-{number:04d}", "event_time": datetime.now(UTC).isoformat(), "user_id": f"u{number % 7}",
        "merchant_id": f"m-{PREFIX}", "transaction_type": "purchase", "amount": 2.5, "currency": "EUR", "region": "europe",
    }  # fmt: skip
    return made | changed


def _send(settings: Settings, events: list[dict[str, Any]]) -> None:
    producer = Producer(producer_config(settings))
    for made in events:
        headers = [("correlation_id", f"c-{made['event_id']}".encode()), ("odd", b"\xff\x00"), ("odd", None)]
        producer.produce(TOPIC, json.dumps(made), b"\xfe" + made["user_id"].encode(), headers=headers)
    assert producer.flush(30) == 0


@pytest.fixture(scope="module")
def settings(start_parts: Callable[..., Settings]) -> Iterator[Settings]:
    """Letters of two kinds: amounts that nobody meant, and events that came ahead of their time, which passes."""
    settings = start_parts("kafka", "postgres", "trino")
    configure("cli", level="WARNING")  # as the command does before it begins
    jobs.start("lake", settings)
    ahead = (datetime.now(UTC) + timedelta(seconds=75)).isoformat()
    _send(settings, [_event("early", n, event_time=ahead) for n in range(EARLY)])
    _send(settings, [_event("negative", n, amount=-1) for n in range(NEGATIVE)])
    _until(lambda: _dlq("list")["total"], EARLY + NEGATIVE)
    yield settings
    structlog.reset_defaults()
    jobs.stop("lake", settings=settings)


def _until(seen: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + SECONDS
    while (found := seen()) != wanted:
        assert time.monotonic() < deadline, f"after {SECONDS} s: {found}, wanted: {wanted}"
        time.sleep(1)


def _start(*code: str) -> subprocess.Popen[bytes]:
    pipe, path = subprocess.PIPE, {"PYTHONPATH": str(REPO / "include")}
    return subprocess.Popen([sys.executable, *code], env=os.environ | path, stdout=pipe, stderr=pipe)


def _dlq(*arguments: str, status: int = 0, **environment: str) -> Any:
    """The document that the command prints, or what it says instead."""
    result = CliRunner().invoke(app, ["dlq", *arguments, "--json"], env=environment)
    said = f"{result.stderr}{result.exception or ''}"
    assert result.exit_code == status, said
    return json.loads(result.stdout) if result.stdout else said


def _rows(settings: Settings, sql: str, *values: Any) -> list[Any]:
    with psycopg.connect(settings.postgres_dsn("headrace")) as connection:
        return connection.execute(sql, values).fetchall()


def _header(message: Message, name: str) -> str | None:
    return next((value.decode() for key, value in message.headers() or () if key == name), None)


def _replays(settings: Settings) -> list[Message]:
    return [message for message in records(settings, TOPIC) if _header(message, REPLAY_OF)]


def _letters(rule: str) -> list[str]:
    return [letter["letter"] for letter in _dlq("list", "--reason", rule, "--limit", "1000")["letters"]]


def test_list_counts_and_show_has_all_of_the_original(settings: Settings) -> None:
    counts = {(c["stream"], c["rule"]): c["letters"] for c in _dlq("list", "--since", "1h")["counts"]}
    assert counts == {("transactions", "future:event_time"): EARLY, ("transactions", "range:amount"): NEGATIVE}
    assert _dlq("list", "--until", "1h")["total"] == 0
    found = _dlq("show", _letters("range")[0])
    event = json.loads(bytes.fromhex(found["hex"]))
    assert found["text"] == json.dumps(event)
    assert found["key"] == "\\xfe" + event["user_id"]
    assert found["headers"] == [["correlation_id", f"c-{event['event_id']}"], ["odd", "\\xff\x00"], ["odd", None]]
    assert (found["correlation_id"], found["state"]) == (f"c-{event['event_id']}", "open")
    assert [fault["field"] for fault in found["now"]] == ["amount"]
    assert "dlq list" in _dlq("show", f"{TOPIC}:0:999999", status=1)


def test_a_letter_is_fixed_once_and_only_when_the_contract_is_kept(settings: Settings) -> None:
    letter = _letters("range")[0]
    refused = _dlq("fix", letter, "--set", "amount=0.001", "--unset", "region", status=1)
    assert sorted(fault["field"] for fault in refused["faults"]) == ["amount", "region"]
    assert _replays(settings) == []
    done = _dlq("fix", letter, "--set", "amount=12.50", "--set", "user_id=u-mended")
    assert done["replayed"]
    (sent,) = _replays(settings)
    event = json.loads(sent.value())
    assert (event["amount"], event["user_id"], sent.key()) == (12.5, "u-mended", b"u-mended")
    assert sent.headers()[:3] == [
        ("correlation_id", f"c-{event['event_id']}".encode()),
        ("odd", b"\xff\x00"),
        ("odd", None),
    ]
    assert _header(sent, REPLAY_OF) == letter
    assert "was replayed by admin" in _dlq("fix", letter, "--set", "amount=3", status=1)
    assert len(_replays(settings)) == 1
    command = "select detail, old, new from audit_logs where action = 'fix_letter' and subject = %s"
    ((detail, old, new),) = _rows(settings, command, letter)
    assert detail["changed"]["amount"] == {"old": "-1", "new": "12.50"}
    assert (old["amount"], new["amount"]) == ("-1", "12.50")
    assert "u-mended" not in json.dumps([detail, old, new])


def test_what_is_refused_again_is_a_new_letter_that_names_the_first(settings: Settings) -> None:
    first = _letters("range")[0]
    assert _dlq("replay", first)["replayed"] == 1
    assert first in _dlq("replay", first, status=1)["passed_over"]
    _until(lambda: len(_letters("range")), NEGATIVE - 1)
    again = [one for one in _dlq("list", "--reason", "range")["letters"] if one["replay_of"]]
    assert [(one["replay_of"], one["state"]) for one in again] == [(first, "open")]
    assert _dlq("show", first)["settled"]["sent_to"] == again[0]["letter"]


def test_the_policy_decides_and_everything_is_recorded(settings: Settings) -> None:
    people = {"vic": "viewer", "ann": "analyst", "olga": "operator"}
    for name, role in people.items():
        save_user(settings, name, "secret-word", (role,))
    letter = _letters("range")[0]
    vic, ann, olga = ({"HEADRACE_USER": name, "HEADRACE_PASSWORD": "secret-word"} for name in people)
    assert "vic may not read_letters" in _dlq("list", status=1, **vic)
    assert "ann may not settle_letters" in _dlq("drop", letter, "--because", "no", status=1, **ann)
    assert "ann may not settle_letters" in _dlq("fix", letter, "--set", "amount=1", status=1, **ann)
    assert "Name or password" in _dlq("replay", letter, status=1, **(ann | {"HEADRACE_PASSWORD": "guess"}))
    seen = _dlq("show", letter, **ann)
    assert (seen["in_full"], seen["text"], seen["hex"], seen["key"]) == (False, None, None, None)
    assert _dlq("drop", letter, "--because", "a test of the sender", **olga)["dropped"] == 1
    assert "dropped by olga" in _dlq("replay", letter, status=1, **olga)["passed_over"][letter]
    row = _rows(settings, "select state, actor, note from dead_letters where letter = %s", letter)
    assert row == [("dropped", "olga", "a test of the sender")]
    found = Counter(
        _rows(settings, "select actor, action, allowed from audit_logs where actor in ('ann', 'vic', 'olga')")
    )
    assert found["vic", "list_letters", False] == found["ann", "drop_letters", False] == 1
    assert found["olga", "drop_letters", True] == found["olga", "replay_letters", True] == 2


def test_many_are_replayed_only_with_a_yes(settings: Settings) -> None:
    assert f"{EARLY} letters" in _dlq("replay", "--reason", "future", status=1)
    assert "Say which letters" in _dlq("replay", "--yes", status=1)


def _kill_in_the_middle(settings: Settings) -> None:
    replayed = "select count(*) from dead_letters where state = 'replayed'"
    before = _rows(settings, replayed)[0][0]
    process = _start("-m", "headrace.cli", *REPLAY)
    _until(lambda: _rows(settings, replayed)[0][0] > before, True)
    process.kill()
    process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("place", "calls"),
    [("sending.Sender.send", 2), ("states.States.sent", 4)],
    ids=["before sending", "before settling"],
)
def test_a_replay_is_killed_at_its_worst_moments(settings: Settings, place: str, calls: int) -> None:
    code = _KILLED_AT.format(place=place, calls=calls, arguments=REPLAY)
    process = _start("-c", code)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, err.decode()


def test_the_next_replay_loses_and_doubles_nothing(settings: Settings) -> None:
    _kill_in_the_middle(settings)
    early = set(_letters("future"))
    assert 0 < len(early) < EARLY
    done = _dlq(*REPLAY[1:-1])
    assert done["replayed"] + done["found_sent"] == len(early)
    assert _letters("future") == []
    sent = Counter(
        _header(message, "correlation_id") for message in _replays(settings) if b"-early-" in (message.value() or b"")
    )
    assert sent == Counter({f"c-{PREFIX}-early-{n:04d}": 1 for n in range(EARLY)})
    assert _dlq(*REPLAY[1:-1])["replayed"] == 0


def test_a_line_of_a_dropped_file_is_mended_as_any_other(settings: Settings) -> None:
    folder = settings.landing / "transactions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".hand.jsonl").write_text(json.dumps(_event("filed", 0, currency="euros")) + "\n")
    (folder / ".hand.jsonl").rename(folder / "hand.jsonl")
    letter = "file:transactions/hand.jsonl:0:1"
    _until(lambda: _letters("enum"), [letter])
    assert _dlq("fix", letter, "--set", "currency=EUR")["replayed"]
    (sent,) = (message for message in _replays(settings) if _header(message, REPLAY_OF) == letter)
    assert json.loads(sent.value())["event_id"] == f"{PREFIX}-filed-0000"
    assert _dlq("list", "--reason", "enum")["total"] == 0


def test_in_the_lake_each_event_counts_once(settings: Settings) -> None:
    now = datetime.now(UTC)
    _until(
        lambda: bool((beat := heartbeat.read(settings, "lake")) and beat.landed_through and beat.landed_through > now),
        True,
    )
    dbt.run(settings, ["run", "--select", "valid_transactions", "transactions"], timeout=300)
    with connect(settings, service="dbt", timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(f"select event_id, amount from lake.processed.transactions where event_id like '{PREFIX}%'")
        found = cursor.fetchall()
    mended = [amount for name, amount in found if "negative" in name]
    assert Counter(name for name, _ in found if "early" in name) == Counter(
        f"{PREFIX}-early-{n:04d}" for n in range(EARLY)
    )
    assert [str(amount) for amount in mended] == ["12.50"]
    assert len([name for name, _ in found if "filed" in name]) == 1
    processed = load_contracts(settings.contracts)["transactions"].processed_topic
    ids = {json.loads(message.value())["event_id"] for message in records(settings, processed)}
    assert {name for name in ids if name.startswith(PREFIX)} == {name for name, _ in found}

"""The latency benchmark times each event by the first look that counts it, and no event can get lost unseen."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import latency
from benchmarks.latency import Load, Look, Sent
from headrace.settings import Settings

ROW, OTHER = (600, "m1"), (660, "m1")


def _sent(*due: float, row: latency.Row = ROW) -> list[Sent]:
    return [Sent(row, at, at + 0.01) for at in due]


def _look(n: int, readable: float, row: latency.Row = ROW) -> Look:
    return Look(row, n, readable, readable - 0.02, readable - 0.01)


def test_an_event_is_readable_with_the_first_row_that_counts_it() -> None:
    looks = [_look(1, 5.0), _look(1, 5.5), _look(3, 6.0), _look(1, 9.0, OTHER)]
    found = list(latency.matched(_sent(1, 2, 3, 4) + _sent(8, row=OTHER), looks))
    assert [look and look.readable for _, look in found] == [5.0, 6.0, 6.0, None, 9.0]


def test_events_of_the_warm_up_count_but_are_not_timed() -> None:
    load = Load(0.0, 5, _sent(1, 11, 12))
    found = latency.summary(load, [_look(1, 1.5), _look(2, 11.3)], warm=10)
    counts = {name: found[name] for name in ("planned", "sent", "events", "failed", "missing")}
    assert counts == {"planned": 5, "sent": 3, "events": 1, "failed": 2, "missing": 1}
    assert found["max_ms"] == 300.0


class Ingest:
    """Each connection answers once, and fails by the second call."""

    failure: Exception | int = 0
    bodies: list[bytes]

    def __init__(self, _: Settings) -> None:
        self._calls = 0

    def post(self, body: bytes) -> int:
        self._calls += 1
        if self._calls == 1:
            Ingest.bodies.append(body)
            return 202
        if isinstance(Ingest.failure, Exception):
            raise Ingest.failure
        return Ingest.failure

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "failure", [TimeoutError("timed out"), ConnectionError("closed"), ValueError("no status"), 503]
)
def test_what_a_failed_call_carried_has_failed_and_the_next_one_is_sent(
    failure: Exception | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "Connection", Ingest)
    monkeypatch.setattr(latency, "WORKERS", 1)
    Ingest.failure, Ingest.bodies = failure, []
    load = latency.send(Settings(), ["m1", "m2"], rate=400, seconds=0.01)
    assert (load.planned, len(load.sent)) == (4, 1 if failure == 503 else 2)
    assert [one.row[1] for one in load.sent] == ["m1"] * len(load.sent)
    assert len(Ingest.bodies) == len(load.sent) == sum(len(msgspec.json.decode(b)["events"]) for b in Ingest.bodies)
    assert latency.summary(load, [], warm=0)["failed"] == 4 - len(load.sent)
    (reason,) = load.reasons
    assert str(failure) in reason


def test_an_answer_that_never_comes_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "JOIN_SECONDS", 0.1)
    monkeypatch.setattr(latency.Worker, "_send", lambda self, count, due: self.due.get())
    load = latency.send(Settings(), ["m1"] * 16, rate=400, seconds=0.01)
    assert load.planned == 4 and load.sent == []


@pytest.mark.parametrize(("failed", "missing", "code"), [(0, 0, 0), (3, 0, 1), (0, 2, 1)])
def test_a_loss_is_the_exit_code_and_a_sentence(
    failed: int,
    missing: int,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def measured(*_: Any) -> dict[str, Any]:
        return {"rate": 500, "planned": 9, "failed": failed, "missing": missing, "reasons": ("timed out",)}

    monkeypatch.setattr(latency, "measure", measured)
    monkeypatch.setattr(latency, "get_settings", lambda: Settings(home=tmp_path))
    monkeypatch.setattr(sys, "argv", ["latency", "--json"])
    assert latency.main() == code
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["planned"] == 9
    assert ("of 9 events" in told.err) == bool(code)


def test_a_rate_lasts_for_enough_events_and_the_end_of_a_batch() -> None:
    settings = Settings(live_batch_seconds=300)
    assert latency.lasting(settings, 500) == 320
    assert latency.lasting(settings, 100) == 1000

"""A job is alone on its checkpoints and ends with its queries."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.streams import job

SAME: Any = {"changed": lambda: False, "renew": lambda: None}
"""Nothing was published since."""


def test_a_second_one_is_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_LOCK_SECONDS", 0.3)
    with job.alone(tmp_path), pytest.raises(job.AlreadyRunning, match="stop it first"), job.alone(tmp_path):
        pass
    with job.alone(tmp_path):
        pass


def test_an_ended_query_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BEAT_SECONDS", 0.01)
    states: list[str] = []
    query = SimpleNamespace(name="q", isActive=False, exception=lambda: "broken")
    assert job.run([query], threading.Event(), states.append, stop_seconds=0, close=lambda: None, **SAME) == 1
    assert states == ["starting", "failed"]


def test_a_stop_waits_for_the_batch_but_not_for_ever() -> None:
    stopped: list[str] = []
    states: list[str] = []
    busy: Any = SimpleNamespace(
        name="busy", isActive=True, status={"isTriggerActive": True}, stop=lambda: stopped.append("busy")
    )
    stop = threading.Event()
    stop.set()
    assert job.run([busy], stop, states.append, stop_seconds=0.1, close=lambda: stopped.append("session"), **SAME) == 0
    assert (stopped, states) == (["busy", "session"], ["starting", "stopped"])


def test_a_job_ends_well_for_what_was_published_since_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BEAT_SECONDS", 0.01)
    looks, done = iter([False, False, True]), []
    query: Any = SimpleNamespace(
        name="q", isActive=True, status={"isTriggerActive": False}, stop=lambda: done.append("q")
    )
    ended = job.run(
        [query], threading.Event(), lambda _: None, stop_seconds=0.1, close=lambda: done.append("session"),
        changed=lambda: next(looks), renew=lambda: done.append("renewal"),
    )  # fmt: skip
    assert (ended, done) == (0, ["q", "session", "renewal"])

"""A job is alone on its checkpoints and ends with its queries."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.streams import job


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
    with pytest.raises(job.QueryEnded, match="q ended: broken"):
        job.supervise([query], threading.Event(), states.append, lambda: False)
    assert states == ["failed"]


def test_a_job_ends_well_for_what_was_published_since(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BEAT_SECONDS", 0.01)
    looks = iter([False, False, True])
    query = SimpleNamespace(name="q", isActive=True)
    assert job.supervise([query], threading.Event(), lambda _: None, lambda: next(looks))
    stop = threading.Event()
    stop.set()
    assert not job.supervise([query], stop, lambda _: None, lambda: True)


def test_finish_waits_for_the_batch_but_not_for_ever() -> None:
    stopped: list[str] = []
    busy: Any = SimpleNamespace(
        name="busy", isActive=True, status={"isTriggerActive": True}, stop=lambda: stopped.append("busy")
    )
    job.finish([busy], seconds=0.1)
    assert stopped == ["busy"]

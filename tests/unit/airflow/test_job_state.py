"""A job is judged by its process and by its progress; what cannot be known is never held against it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from headrace.runtime.backoff import FREE_STARTS, LIVED_WELL_SECONDS, LONGEST_SECONDS, LOOP, WINDOW_SECONDS, History
from headrace.runtime.handle import Handle
from headrace.runtime.job_state import Unreadable, judge
from headrace.streams.heartbeat import Beat

ME = Handle.of(psutil.Process())
BEGAN = datetime.fromtimestamp(ME.created, UTC)


def _judge(beat: Beat | Unreadable | None, after: float) -> str:
    return judge("dummy", ME, beat, start_seconds=240, silence_seconds=90, now=BEGAN + timedelta(seconds=after)).state


def _beat(after: float) -> Beat:
    return Beat("dummy", None, "running", BEGAN, BEGAN + timedelta(seconds=after), 7, 0, None, 0, None, {})


@pytest.mark.parametrize(
    ("beat", "after", "state"),
    [
        (Unreadable("no answer"), 10_000, "unknown"),
        (None, 10, "starting"),
        (None, 241, "stalled"),
        (_beat(-5), 10, "starting"),
        (_beat(-5), 241, "stalled"),
        (_beat(100), 110, "running"),
        (_beat(100), 191, "stalled"),
    ],
)
def test_judgement(beat: Beat | Unreadable | None, after: float, state: str) -> None:
    assert _judge(beat, after) == state


def test_a_job_that_says_it_stands_still_is_stalled() -> None:
    beat = dataclasses.replace(_beat(100), state="stalled")
    assert _judge(beat, 101) == "stalled"


def test_a_process_that_is_gone_is_dead_whatever_it_said() -> None:
    assert judge("dummy", Handle(2**22 + 1, 0.0), _beat(0), start_seconds=240, silence_seconds=90).state == "dead"


def test_first_failures_are_repaired_at_once_then_the_wait_grows_to_a_limit() -> None:
    history, waits = History(), []
    for _ in range(12):
        history.failed("gone", began=990.0, now=1000.0)
        waits.append(history.wait(now=1000.0))
    assert waits[:FREE_STARTS] == [0.0] * FREE_STARTS
    assert waits[FREE_STARTS:] == sorted(waits[FREE_STARTS:])
    assert max(waits) == LONGEST_SECONDS


def test_old_failures_are_forgotten() -> None:
    history = History()
    for _ in range(LOOP):
        history.failed("gone", began=990.0, now=1000.0)
    assert history.recent(now=1000.0 + WINDOW_SECONDS + 1) == 0
    assert history.wait(now=1000.0 + WINDOW_SECONDS + 1) == 0.0


def test_a_long_life_clears_what_was_before() -> None:
    history = History()
    for _ in range(LOOP):
        history.failed("gone", began=990.0, now=1000.0)
    assert history.looping(now=1000.0)
    history.failed("gone", began=1000.0, now=1000.0 + LIVED_WELL_SECONDS + 1)
    assert history.recent(now=1130.0) == 1

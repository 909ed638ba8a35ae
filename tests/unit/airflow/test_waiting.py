"""A build that waited asks once more whether it is still needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from headrace_airflow.waiting import LandedThroughSensor

from headrace.runtime import curation

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _resume(run_type: str = "scheduled") -> str:
    sensor = LandedThroughSensor(task_id="landed", moment=NOON.isoformat())
    return sensor.resume({"dag_run": SimpleNamespace(run_type=run_type)}, {})  # type: ignore[typeddict-item]


@pytest.fixture(autouse=True)
def _landed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation, "watermark", lambda _: NOON + timedelta(minutes=3))


def test_a_moment_that_was_covered_meanwhile_is_not_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation, "covered_through", lambda _: NOON + timedelta(minutes=1))
    with pytest.raises(AirflowSkipException):
        _resume()
    assert _resume("manual") == (NOON + timedelta(minutes=3)).isoformat(), "a person gets what they ask for"


def test_otherwise_the_build_may_claim_what_has_landed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curation, "covered_through", lambda _: NOON - timedelta(hours=1))
    assert _resume() == (NOON + timedelta(minutes=3)).isoformat()

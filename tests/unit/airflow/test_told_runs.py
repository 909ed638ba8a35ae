"""Airflow's provider finds the transport that the settings name, is silent about supervisors, and never fails a task."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.lineage import store, transport
from headrace.runtime import airflow
from headrace.settings import Settings


@pytest.fixture
def told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The provider in this process reads what Airflow's processes are given."""
    for name, value in airflow.environment(settings).items():
        if name.startswith("AIRFLOW__OPENLINEAGE__"):
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(transport, "get_settings", lambda: settings)
    return settings


@pytest.fixture
def adapter(told: Settings) -> Any:
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter

    return OpenLineageAdapter()


def _tell(adapter: Any) -> None:
    from airflow.providers.openlineage.extractors import OperatorLineage

    adapter.complete_task(
        run_id="01941f29-7c00-7087-8940-40e5428eb2ff", job_name="curate.landed", end_time="2026-03-03T12:00:00+00:00",
        task=OperatorLineage(), nominal_start_time=None, nominal_end_time=None, owners=["data"], tags=["lake"],
        job_description="A long runbook", job_description_type="text/markdown",
    )  # fmt: skip


def test_an_event_of_airflow_is_kept_without_its_runbook(adapter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[dict[str, Any]] = []
    monkeypatch.setattr(store, "keep", lambda _, events: kept.extend(events))
    _tell(adapter)
    [event] = kept
    assert (event["job"]["namespace"], event["job"]["name"]) == ("headrace.airflow", "curate.landed")
    assert event["eventType"] == "COMPLETE" and event["run"]["runId"].startswith("01941f29")
    assert "runbook" not in json.dumps(event)
    assert "ownership" in event["job"]["facets"], "what is short stays"
    assert store._row(event)[-1] is True, "it makes no edge"


def test_a_store_that_is_away_fails_no_task(adapter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(adapter.log, "warning", lambda text, *words: said.append(text % words))
    _tell(adapter)
    [line] = said
    assert line.startswith("Failed to emit OpenLineage `COMPLETE`")
    assert "connection" in line


@pytest.mark.parametrize(
    ("dag", "emits"), [("curate", True), ("watch", True), ("stream_live", False), ("stream_x", False)]
)
def test_supervisors_are_silent_and_others_tell_runs_only(told: Settings, dag: str, emits: bool) -> None:
    from airflow.providers.openlineage.utils.emission_policy import (
        resolve_dag_emission_policy,
        resolve_task_emission_policy,
    )
    from airflow.providers.standard.operators.empty import EmptyOperator

    assert resolve_dag_emission_policy(dag).emit is emits
    of_task = resolve_task_emission_policy(operator=EmptyOperator(task_id="t"), dag_id=dag, task_id="t")
    assert of_task.emit is emits
    assert not of_task.extract_operator_metadata, "Cosmos would tell each model's tables a second time"


def test_a_task_is_held_up_for_seconds_at_most_and_never_forked(told: Settings) -> None:
    from airflow.providers.openlineage import conf

    assert not conf.is_disabled()
    assert conf.execute_in_thread()
    assert conf.execution_timeout() == 5

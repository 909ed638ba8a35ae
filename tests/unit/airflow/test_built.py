"""A model's first try is what the build of all said of it and of its tests; each later one builds it alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.execution_time.xcom import XCom
from airflow.triggers.base import TaskFailedEvent, TaskSuccessEvent, TriggerEvent
from headrace_airflow.built import BuiltTrigger

MODEL, TEST, OTHER = "model.headrace.fct", "test.headrace.grain", "model.headrace.other"


def _ended(monkeypatch: pytest.MonkeyPatch, said: dict[str, str] | None, attempt: int = 1) -> TriggerEvent:
    """The one event of a trigger; `said` is what the task `models.build` of its run returned."""

    def get_one(**asked: Any) -> dict[str, str] | None:
        assert asked == {"key": "return_value", "dag_id": "curate", "task_id": "models.build", "run_id": "now"}
        return said

    monkeypatch.setattr(XCom, "get_one", get_one)
    path, arguments = BuiltTrigger([MODEL, TEST], "models.build").serialize()
    assert path == f"{BuiltTrigger.__module__}.{BuiltTrigger.__name__}"
    trigger = BuiltTrigger(**arguments)
    trigger.task_instance = SimpleNamespace(  # type: ignore[assignment]
        task_id="models.fct_model_build", dag_id="curate", run_id="now", try_number=attempt
    )

    async def events() -> list[TriggerEvent]:
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(events())
    return event


def test_what_was_built_and_tested_ends_without_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(_ended(monkeypatch, {MODEL: "success", TEST: "warn", OTHER: "error"}), TaskSuccessEvent)


@pytest.mark.parametrize("said", [{MODEL: "error"}, {MODEL: "success", TEST: "fail"}])
def test_a_failed_model_or_test_is_red_without_a_worker(monkeypatch: pytest.MonkeyPatch, said: dict[str, str]) -> None:
    assert isinstance(_ended(monkeypatch, said), TaskFailedEvent)


@pytest.mark.parametrize("said", [None, {}, {OTHER: "success"}, {MODEL: "success"}, {MODEL: "skipped", TEST: "pass"}])
def test_what_the_build_said_nothing_of_is_built_alone(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str] | None
) -> None:
    assert type(_ended(monkeypatch, said)) is TriggerEvent


@pytest.mark.parametrize("status", ["error", "success"])
def test_a_later_try_builds_the_model_alone(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """A person who clears what was built wants it built."""
    assert type(_ended(monkeypatch, {MODEL: status, TEST: "pass"}, attempt=2)) is TriggerEvent

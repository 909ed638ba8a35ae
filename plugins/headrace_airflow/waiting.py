"""Waits in the triggerer for a condition of ours, and says in the log what it is that it waits for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from airflow.triggers.base import BaseTrigger, TriggerEvent

if TYPE_CHECKING:
    from airflow.sdk import Context

_REPEAT_SECONDS = 300.0


def awaited(condition: str, arguments: dict[str, Any]) -> str | None:
    """What a function of `headrace.runtime.curation` waits for, or None when nothing is in the way."""
    import psycopg
    import trino.exceptions

    from headrace.runtime import curation
    from headrace.settings import get_settings

    try:
        said: str | None = getattr(curation, condition)(get_settings(), **arguments)
    except (OSError, psycopg.Error, trino.exceptions.Error) as error:
        # A store that restarts must not end a wait of hours; the task's own limit does.
        return f"a store to answer: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
    return said


class ConditionTrigger(BaseTrigger):
    def __init__(self, condition: str, arguments: dict[str, Any], poll_seconds: float) -> None:
        super().__init__()
        self.condition = condition
        self.arguments = arguments
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        kwargs = {"condition": self.condition, "arguments": self.arguments, "poll_seconds": self.poll_seconds}
        return "headrace_airflow.waiting.ConditionTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        said, at = "", 0.0
        while (missing := await asyncio.to_thread(awaited, self.condition, self.arguments)) is not None:
            if missing != said or time.monotonic() - at > _REPEAT_SECONDS:
                self.log.info("Waiting for %s", missing)
                said, at = missing, time.monotonic()
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent({"condition": self.condition})


class ConditionSensor(BaseOperator):
    """Succeeds when a condition holds; fails after `patience`."""

    template_fields = ("arguments",)

    def __init__(
        self,
        *,
        condition: str,
        arguments: dict[str, Any] | None = None,
        poll_seconds: float = 5.0,
        patience: timedelta = timedelta(hours=3),
        **kwargs: Any,
    ) -> None:
        # Its own limit is the patience; the one of other tasks would end a long wait.
        super().__init__(execution_timeout=None, **kwargs)
        self.condition = condition
        self.arguments = arguments or {}
        self.poll_seconds = poll_seconds
        self.patience = patience

    def execute(self, context: Context) -> Any:
        trigger = ConditionTrigger(self.condition, self.arguments, self.poll_seconds)
        self.defer(trigger=trigger, method_name="resume", timeout=self.patience)

    def resume(self, context: Context, event: dict[str, Any]) -> Any:
        return None


class LandedThroughSensor(ConditionSensor):
    """Waits until events before a moment have landed; its value is the moment that a build from now on may claim."""

    def __init__(self, *, moment: str, **kwargs: Any) -> None:
        super().__init__(condition="awaited_landing", arguments={"moment": moment}, **kwargs)

    def execute(self, context: Context) -> Any:
        self._skip_what_is_curated(context)
        super().execute(context)

    def resume(self, context: Context, event: dict[str, Any]) -> str:
        from headrace.runtime import curation
        from headrace.settings import get_settings

        # The first build may have covered the moment while this one waited for it.
        self._skip_what_is_curated(context)
        reached = curation.watermark(get_settings())
        if reached is None:
            raise RuntimeError("The lake job's watermark is gone from the table streams: look at DAG stream_lake.")
        return reached.isoformat()

    def _skip_what_is_curated(self, context: Context) -> None:
        from headrace.runtime import curation
        from headrace.settings import get_settings

        covered = curation.covered_through(get_settings())
        asked_by_a_person = context["dag_run"].run_type == "manual"
        if covered and covered >= datetime.fromisoformat(self.arguments["moment"]) and not asked_by_a_person:
            raise AirflowSkipException(f"Everything before {covered:%Y-%m-%d %H:%M} UTC is curated already.")

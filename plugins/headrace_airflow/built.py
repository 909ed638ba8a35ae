"""One build before the tasks of the models, which then end in the triggerer as that build left their models (decision 0030)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from airflow.sdk import task
from airflow.triggers.base import BaseTrigger, StartTriggerArgs, TaskFailedEvent, TaskSuccessEvent, TriggerEvent


def at_once(group: Any, pool: str) -> Any:
    """Puts one build of everything before the tasks of a group that Cosmos made."""
    with group:
        built = build.override(pool=pool)()
    for model, one in group.tasks_map.items():
        one.start_from_trigger = True
        one.start_trigger_args = StartTriggerArgs(
            trigger_cls="headrace_airflow.built.BuiltTrigger",
            trigger_kwargs={
                "nodes": [model, *sorted(group.dbt_graph.tests_per_model.get(model, []))],
                "build": built.operator.task_id,
            },
            # What Cosmos does for a model: called in a worker, and only where the trigger does not end the task.
            next_method="execute",
        )
        if not one.upstream_task_ids:
            built >> one
    return group


@task
def build() -> dict[str, str]:
    """Green when dbt came to its end: each model then says itself how it ended."""
    from headrace.runtime import curation
    from headrace.settings import get_settings

    return curation.build_all(get_settings())


class BuiltTrigger(BaseTrigger):
    """The first try of a task is what the build said of its model and tests; each later one builds them alone."""

    def __init__(self, nodes: list[str], build: str) -> None:
        super().__init__()
        self.nodes = nodes
        """dbt's unique ids: the model, then its tests."""
        self.build = build

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "headrace_airflow.built.BuiltTrigger", {"nodes": self.nodes, "build": self.build}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield await self._ended()

    async def _ended(self) -> TriggerEvent:
        from headrace.lake import results

        attempt = self.task_instance.try_number if self.task_instance else 1
        if attempt > 1:
            return self._alone(f"this is try {attempt}")
        said = results.said_of(self.nodes, await self._outcomes())
        if said.failed:
            self.log.error("In the build of all models failed: %s. Log of %s.", ", ".join(said.failed), self.build)
            return TaskFailedEvent()
        if said.unknown:
            return self._alone(f"{self.build} said nothing of {', '.join(said.unknown)}")
        self.log.info("%s was built and tested by %s.", self.nodes[0], self.build)
        return TaskSuccessEvent()

    def _alone(self, why: str) -> TriggerEvent:
        self.log.info("%s is built alone: %s.", self.nodes[0], why)
        return TriggerEvent({"alone": why})

    async def _outcomes(self) -> dict[str, str]:
        """What the task `build` of this run returned; nothing if a person marked it as done."""
        from airflow.sdk.execution_time.xcom import XCom
        from asgiref.sync import sync_to_async

        run = self.task_instance
        assert run is not None, "a trigger that belongs to no task"
        where = {"dag_id": run.dag_id, "task_id": self.build, "run_id": run.run_id}
        return await sync_to_async(XCom.get_one)(key="return_value", **where) or {}

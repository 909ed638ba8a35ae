"""The dbt project as a group of tasks, one a model: built in one run of dbt, and alone where that failed.

Cosmos makes the tasks from the manifest that `up` writes, each of them able to build and test its model by itself. Before
them one task builds everything; then each of them begins in the triggerer, which ends it as that build left its model.
So 40 tasks cost no process where all is well, and only what failed is built again. See decision 0030.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import task

from headrace.lake import dbt
from headrace.settings import get_settings

# The password is in Airflow's own environment: here it would be stored with the DAG.
_NOT_FOR_TASKS = ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DBT_TARGET_PATH", "DBT_ENV_SECRET_TRINO_PASSWORD")


def model_by_model(group_id: str, pool: str) -> Any:
    """A task for each processed and curated model, and before them the one that builds all; views over raw need none."""
    manifest = dbt.target(get_settings()) / "manifest.json"
    if not manifest.is_file():
        return _no_manifest(str(manifest))
    return at_once(each_alone(group_id, pool), pool)


def each_alone(group_id: str, pool: str, *, execution: Any = None, tests: str = "build", **arguments: Any) -> Any:
    """The group as Cosmos makes it: every task starts dbt for its own model."""
    from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
    from cosmos.constants import InvocationMode, LoadMode, TestBehavior

    settings = get_settings()
    project, manifest = dbt.project(settings), dbt.target(settings) / "manifest.json"
    environment = {k: v for k, v in dbt.environment(settings).items() if k not in _NOT_FOR_TASKS}
    return DbtTaskGroup(
        group_id=group_id,
        project_config=ProjectConfig(dbt_project_path=project, manifest_path=manifest, project_name="headrace"),
        profile_config=ProfileConfig(
            profile_name="headrace", target_name="lake", profiles_yml_filepath=project / "profiles.yml"
        ),
        execution_config=execution or ExecutionConfig(invocation_mode=InvocationMode.DBT_RUNNER),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            test_behavior=TestBehavior(tests),
            exclude=["tag:raw"],
            emit_datasets=False,
        ),
        operator_args={
            "env": environment,
            "append_env": True,
            "pool": pool,
            "install_deps": False,
            "retries": 2,
            # A name, so that the DAG can be stored: what dbt said is kept before its folder goes.
            "callback": "headrace.lake.results.keep_folder",
        }
        | arguments,
    )


def at_once(group: Any, pool: str) -> Any:
    """Puts one build of everything before the tasks of the group, which then end as it left their models."""
    from airflow.triggers.base import StartTriggerArgs

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

    return curation.build_all(get_settings())


@task(task_id="models")
def _no_manifest(path: str) -> None:
    raise FileNotFoundError(f"{path} is missing: `./headrace up` writes it; the models appear here a minute later.")

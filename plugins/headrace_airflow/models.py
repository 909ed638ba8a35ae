"""The dbt project as a group of tasks: one build, then one task a model, by Cosmos and the manifest that `up` writes."""

from __future__ import annotations

from typing import Any

from airflow.sdk import task

from headrace.lake import dbt
from headrace.settings import get_settings
from headrace_airflow.built import at_once

# The password is in Airflow's own environment: here it would be stored with the DAG.
_NOT_FOR_TASKS = ("DBT_PROJECT_DIR", "DBT_PROFILES_DIR", "DBT_TARGET_PATH", "DBT_ENV_SECRET_TRINO_PASSWORD")


def model_by_model(group_id: str, pool: str) -> Any:
    """One build of all processed and curated models with their tests; then a task for each, which is as the build left it.

    A task that is tried again or cleared builds its model alone. Views over raw need no rebuild.
    """
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


@task(task_id="models")
def _no_manifest(path: str) -> None:
    raise FileNotFoundError(f"{path} is missing: `./headrace up` writes it; the models appear here a minute later.")

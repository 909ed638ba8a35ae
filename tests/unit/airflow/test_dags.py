"""The DAG files load without error, say who owns them and what to do when they fail, and import nothing heavy."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dag_ids import DAG_IDS

REPO = Path(__file__).resolve().parents[3]
DAGS = sorted((REPO / "dags").glob("*.py"))
MODELS = ("models.fct_model_build", "models.by_day_model_build")
TAGS = {"stream", "platform", "lake", "dbt", "maintenance", "quality"}
HEAVY = {"pyspark", "pandas", "trino", "dbt", "cosmos", "psycopg", "langchain", "streamlit", "metricflow", "numpy"}


def _model(name: str, parents: list[str]) -> dict[str, Any]:
    return {
        "unique_id": f"model.headrace.{name}",
        "name": name,
        "resource_type": "model",
        "package_name": "headrace",
        "original_file_path": f"models/curated/{name}.sql",
        "path": f"curated/{name}.sql",
        "tags": ["curated"],
        "config": {"materialized": "table", "tags": ["curated"]},
        "depends_on": {"nodes": [f"model.headrace.{p}" for p in parents]},
        "fqn": ["headrace", "curated", name],
    }


def _test_of(model: str) -> dict[str, Any]:
    same = {"resource_type": "test", "unique_id": f"test.headrace.{model}_is_right", "name": f"{model}_is_right"}
    return _model(model, [model]) | same | {"original_file_path": f"tests/{model}_is_right.sql"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A state folder with dbt's manifest, which Airflow reads as its own process would."""
    from headrace.settings import get_settings

    folder = tmp_path_factory.mktemp("home")
    target = folder / "dbt" / "target"
    target.mkdir(parents=True)
    nodes = [_model("fct", []), _model("by_day", ["fct"]), _test_of("by_day")]
    manifest = {"nodes": {n["unique_id"]: n for n in nodes}, "sources": {}, "exposures": {}, "metadata": {}}
    (target / "manifest.json").write_text(json.dumps(manifest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_HOME", str(folder))
        patch.setenv("AIRFLOW_HOME", str(folder / "airflow"))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(REPO / "plugins"))
        patch.setenv("AIRFLOW__COSMOS__ENABLE_TELEMETRY", "False")
        get_settings.cache_clear()
        yield folder
    get_settings.cache_clear()


def _bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(REPO / "dags", bundle_path=REPO / "dags", bundle_name="dags-folder")


@pytest.fixture(scope="module")
def bag(home: Path) -> Any:
    return _bag()


def test_all_dags_load(bag: Any) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == DAG_IDS


def test_each_dag_says_what_it_does_whose_it_is_and_what_to_do(bag: Any) -> None:
    for dag in bag.dags.values():
        assert dag.doc_md, dag.dag_id
        assert "Who cares" in dag.doc_md, dag.dag_id
        assert "Red?" in dag.doc_md, dag.dag_id
        assert dag.description, dag.dag_id
        assert dag.tags and set(dag.tags) <= TAGS, dag.dag_id
        assert {task.owner for task in dag.tasks} <= {"platform", "data"}, dag.dag_id
        assert dag.max_active_runs == 1, dag.dag_id


def test_curate_has_a_task_a_model_in_the_pool_of_one(bag: Any) -> None:
    dag = bag.dags["curate"]
    models = [task for task in dag.tasks if task.task_id.startswith("models.")]
    # The order of a task list is no promise; dependencies are, and they are asserted below.
    assert {task.task_id for task in models} == {"models.build", *MODELS}
    assert {task.pool for task in models} == {"dbt"}
    assert {"landed", "views", "found"} <= dag.get_task("models.build").get_flat_relative_ids(upstream=True)
    assert "landed" in dag.get_task("advance_coverage").get_flat_relative_ids(upstream=True)
    assert {task.task_id for task in models} <= dag.get_task("advance_coverage").get_flat_relative_ids(upstream=True)


def test_docs_follow_the_builds(bag: Any) -> None:
    assert {"models.build", *MODELS} <= bag.dags["curate"].get_task("docs").get_flat_relative_ids(upstream=True)


def test_the_first_build_makes_every_model_then_compares_and_documents(
    bag: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headrace.lake import dbt, found
    from headrace.runtime import curation, reconciling

    dag, did = bag.dags["first_build"], []
    monkeypatch.setattr(curation, "first_claim", lambda _: "a moment")
    monkeypatch.setattr(curation, "claim", lambda _, through: did.append(f"claim {through}"))
    monkeypatch.setattr(curation, "refresh_docs", lambda _: did.append("docs"))
    monkeypatch.setattr(found, "bring_found", lambda _: did.append("bring found"))
    monkeypatch.setattr(reconciling, "run", lambda _: did.append("reconcile"))
    monkeypatch.setattr(dbt, "run", lambda _, arguments: did.append(" ".join(arguments)))
    for name in ("rates", "build", "aggregates", "docs", "reconcile"):
        task = dag.get_task(name)
        task.python_callable(*task.op_args, **task.op_kwargs)
    assert did == [
        "run --select +exchange_rates", "bring found", "build --exclude tag:aggregates", "claim a moment",
        "build --select tag:aggregates", "docs", "reconcile",
    ]  # fmt: skip
    before = {task.task_id: task.upstream_task_ids for task in dag.tasks}
    assert before == {
        "rates_landed": set(), "rates": {"rates_landed"},
        "history_landed": set(), "build": {"history_landed"},
        "aggregates": {"build"}, "docs": {"aggregates"}, "reconcile": {"build"},
    }  # fmt: skip


def test_what_is_built_at_once_is_told_of_by_the_triggerer(bag: Any) -> None:
    """As the scheduler reads it back, which asks there whether a task needs a worker, and as the triggerer does."""
    from airflow.models.trigger import Trigger
    from airflow.sdk.module_loading import import_string
    from airflow.serialization.serialized_objects import DagSerialization

    declared = bag.dags["curate"]
    dag = DagSerialization.from_dict(DagSerialization.to_dict(declared))
    fct, by_day = (dag.get_task(name) for name in MODELS)
    assert fct.upstream_task_ids == {"models.build"} and by_day.upstream_task_ids == {fct.task_id}
    assert not dag.get_task("models.build").start_from_trigger
    asked = []
    for task in (fct, by_day):
        assert task.start_from_trigger
        assert callable(getattr(declared.get_task(task.task_id), task.start_trigger_args.next_method))
        stored = Trigger.encrypt_kwargs(task.start_trigger_args.trigger_kwargs)
        trigger = import_string(task.start_trigger_args.trigger_cls)(**Trigger._decrypt_kwargs(stored))
        asked.append((trigger.nodes, trigger.build))
    of_by_day = ["model.headrace.by_day", "test.headrace.by_day_is_right"]
    assert asked == [(["model.headrace.fct"], "models.build"), (of_by_day, "models.build")]


def test_what_commits_to_built_tables_takes_the_pool(bag: Any) -> None:
    pooled = {(d.dag_id, t.task_id) for d in bag.dags.values() for t in d.tasks if t.pool == "dbt"}
    assert {
        ("first_build", "build"),
        ("first_build", "docs"),
        ("curate", "docs"),
        ("backfill", "rebuild"),
        ("tidy", "compact"),
    } <= pooled
    assert {dag for dag, _ in pooled} == {"first_build", "curate", "backfill", "tidy", "analytics"}


def test_each_batch_dag_tries_again_ever_later_and_has_a_deadline(bag: Any) -> None:
    for dag in bag.dags.values():
        if dag.dag_id.startswith("stream_"):
            continue  # They run for ever, and repair inside of their task.
        assert dag.deadline, dag.dag_id
        for task in dag.tasks:
            assert task.retries >= 2, (dag.dag_id, task.task_id)
            assert task.retry_exponential_backoff, (dag.dag_id, task.task_id)
            assert task.max_retry_delay, (dag.dag_id, task.task_id)


def test_what_is_due_is_told_in_the_triggerer(bag: Any) -> None:
    import inspect

    from airflow.sdk.module_loading import import_string

    path = bag.dags["curate"].deadline[0].callback.path
    assert inspect.iscoroutinefunction(import_string(path))


def test_airflow_s_own_backfill_of_the_build_is_refused(bag: Any) -> None:
    """Its runs would wait for hours that are built already, and skip: a range is the work of another DAG."""
    assert bag.dags["curate"].allowed_run_types == {"scheduled", "manual"}


def test_no_secret_is_stored_with_a_dag(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    (home / "secrets").mkdir(exist_ok=True)
    (home / "secrets" / "trino_password_dbt").write_text("very-hidden-word")
    stored = json.dumps(DagSerialization.to_dict(_bag().dags["curate"]), default=str)
    assert "REQUESTS_CA_BUNDLE" in stored
    assert "very-hidden-word" not in stored


def test_curate_loads_before_there_is_a_manifest(home: Path) -> None:
    manifest = home / "dbt" / "target" / "manifest.json"
    kept = manifest.read_text()
    manifest.unlink()
    try:
        bag = _bag()
    finally:
        manifest.write_text(kept)
    assert bag.import_errors == {}
    assert bag.dags["curate"].has_task("models")


@pytest.mark.parametrize("path", DAGS, ids=lambda path: path.stem)
def test_a_dag_file_is_a_short_declaration(path: Path) -> None:
    assert not path.stem.startswith("dbt_"), "dbt takes such a file for its own plugin"
    assert len(path.read_text().splitlines()) <= 60
    tree = ast.parse(path.read_text())
    imported = {name.split(".")[0] for node in tree.body for name in _imports(node)}
    assert not imported & HEAVY
    assert ast.get_docstring(tree)


def _imports(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_there_are_dag_files() -> None:
    assert DAGS
    assert not (REPO / "airflow").exists(), "a folder of that name would hide the library"

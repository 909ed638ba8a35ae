"""Steps that several DAGs have."""

from __future__ import annotations

from airflow.sdk import task

WHOLE_TABLES = ["--vars", "whole_tables: true"]
"""Arguments of dbt under which tests look at every day, as builds do not."""


@task(pool="dbt")
def dbt_command(arguments: list[str]) -> None:
    from headrace.lake import dbt
    from headrace.settings import get_settings

    dbt.run(get_settings(), arguments)


@task(pool="dbt")
def views() -> None:
    """The gate of the lake, as the contracts are now."""
    from headrace.runtime import curation
    from headrace.settings import get_settings

    curation.refresh_views(get_settings())


@task(pool="dbt")
def docs() -> None:
    """The documentation, where the project is another than it tells of."""
    from headrace.runtime import curation
    from headrace.settings import get_settings

    curation.refresh_docs(get_settings())


@task
def found() -> None:
    """Brings anomalies and quality into the lake, for the models that are made of them."""
    from headrace.lake.found import bring_found
    from headrace.settings import get_settings

    bring_found(get_settings())


@task
def reconcile() -> None:
    """Compares live and curated figures of every closed window."""
    from headrace.runtime import reconciling
    from headrace.settings import get_settings

    reconciling.run(get_settings())


@task.short_circuit
def worth_it(dag_run: object = None) -> bool:
    """A platform that was made today is busy enough with its first build; a person may ask all the same."""
    from headrace.runtime import upkeep
    from headrace.settings import get_settings

    return getattr(dag_run, "run_type", "") == "manual" or upkeep.worth_it(get_settings())

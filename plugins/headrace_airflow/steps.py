"""Steps that several builds of the lake have."""

from __future__ import annotations

from airflow.sdk import task


@task(pool="dbt")
def dbt_command(arguments: list[str]) -> None:
    from headrace.lake import dbt
    from headrace.settings import get_settings

    dbt.run(get_settings(), arguments)


@task
def reconcile() -> None:
    """Compares live and curated figures of every closed window."""
    from headrace.semantics import reconcile
    from headrace.settings import get_settings

    reconcile.run(get_settings())

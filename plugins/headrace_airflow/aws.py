"""Curated days to Amazon's services by the hooks of Airflow's amazon provider; which services is a matter of settings.

Only tasks import this: the provider is heavy.
"""

from __future__ import annotations

import time
from urllib.parse import urlparse

from airflow.providers.amazon.aws.hooks.athena import AthenaHook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.dynamodb import DynamoDBHook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.redshift_data import (  # noqa: TID253
    RedshiftDataHook,
    RedshiftDataQueryAbortedError,
    RedshiftDataQueryFailedError,
)
from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.sns import SnsHook  # noqa: TID253

from headrace.lake import redshift
from headrace.lake.exporting import Day
from headrace.settings import Settings

_POLL_SECONDS, _POLLS = 2, 60
_COPY_SECONDS = 300.0


def export(settings: Settings, day: Day) -> str:
    """Each effect may be repeated but the message, which says what is there now. The address of the file."""
    warehouse = redshift.target(settings)
    place = urlparse(f"{settings.export_to}/{day.path}")
    address = place.geturl()
    S3Hook().load_string(day.lines, place.path.lstrip("/"), place.netloc, replace=True)
    if settings.export_dynamodb:
        _items(settings, day)
    if settings.export_athena:
        _partition(settings, day, address)
        _seen(settings, day)
    if warehouse:
        _copy(warehouse, day, address)
    if settings.export_topic:
        message = f"{len(day.rows)} rows of {day.table}, {day.day}: {address}"
        SnsHook().publish_to_target(settings.export_topic, message, subject=f"headrace {day.table}"[:100])
    return address


def _items(settings: Settings, day: Day) -> None:
    name = f"{settings.dynamodb_prefix}{day.table}"
    hook = DynamoDBHook(table_name=name, table_keys=["id"])
    client = hook.get_conn().meta.client
    if name not in client.list_tables()["TableNames"]:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.get_waiter("table_exists").wait(TableName=name)
    hook.write_batch_data(day.items)


def _partition(settings: Settings, day: Day, address: str) -> None:
    folder = address.rsplit("/", 1)[0]
    _athena(
        settings,
        f"alter table {settings.export_athena}.{day.table} add if not exists"
        f" partition (date_day = '{day.day}') location '{folder}/'",
    )


def _seen(settings: Settings, day: Day) -> None:
    """Read back: a table that was declared with another format or place has the partition and none of its rows."""
    # As text, whichever type the partition was declared with.
    sql = f"select count(*) from {settings.export_athena}.{day.table} where cast(date_day as varchar) = '{day.day}'"  # noqa: S608
    rows = _athena(settings, sql)
    seen = rows[-1][0] if rows else None
    if seen != str(len(day.rows)):
        raise RuntimeError(
            f"Athena sees {seen} rows of {day.table}, {day.day}, and {len(day.rows)} were given.\n"
            f"Next: compare the table's declaration (JSON lines, partitioned by date_day) with what lies there. {sql}"
        )


def _athena(settings: Settings, sql: str) -> list[list[str | None]]:
    """The rows of the answer, of a select the names of its columns first."""
    hook = AthenaHook()
    run = hook.run_query(
        sql, {"Database": str(settings.export_athena)}, {"OutputLocation": f"{settings.export_to}/athena/"}
    )
    state = hook.poll_query_status(run, max_polling_attempts=_POLLS, sleep_time=_POLL_SECONDS)
    if state != "SUCCEEDED":
        raise RuntimeError(f"Athena did not carry it out ({state}): {hook.get_state_change_reason(run)}\n{sql}")
    found = hook.get_query_results(run) or {}
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in found.get("ResultSet", {}).get("Rows", ())]


def _copy(warehouse: redshift.Target, day: Day, address: str) -> None:
    hook = RedshiftDataHook()
    batch = redshift.statements(warehouse, day, address)
    run = hook.execute_query(
        batch,
        database=warehouse.database,
        workgroup_name=warehouse.workgroup,
        cluster_identifier=warehouse.cluster,
        statement_name=f"headrace {day.table} {day.day}",
        wait_for_completion=False,  # The hook would wait for ever.
    ).statement_id
    try:
        _finished(hook, run)
    except (RedshiftDataQueryFailedError, RedshiftDataQueryAbortedError) as error:
        reason = hook.conn.describe_statement(Id=run).get("Error")
        told = ";\n".join(batch)
        raise RuntimeError(f"Redshift did not take {day.table}, {day.day}: {reason}\n{told}") from error


def _finished(hook: RedshiftDataHook, run: str) -> None:
    until = time.monotonic() + _COPY_SECONDS
    while not hook.check_query_is_finished(run):
        if time.monotonic() > until:
            hook.conn.cancel_statement(Id=run)
            raise TimeoutError(f"Redshift was not done within {_COPY_SECONDS:.0f} s; statement {run} was cancelled.")
        time.sleep(_POLL_SECONDS)

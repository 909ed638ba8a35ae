"""Curated days to Amazon's services by the hooks of Airflow's amazon provider; which services is a matter of settings.

Only tasks import this: the provider is heavy.
"""

from __future__ import annotations

from urllib.parse import urlparse

from airflow.providers.amazon.aws.hooks.athena import AthenaHook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.dynamodb import DynamoDBHook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: TID253
from airflow.providers.amazon.aws.hooks.sns import SnsHook  # noqa: TID253

from headrace.lake.exporting import Day
from headrace.settings import Settings

_POLL_SECONDS, _POLLS = 2, 60


def export(settings: Settings, day: Day) -> str:
    """Each effect may be repeated but the message, which says what is there now. The address of the file."""
    place = urlparse(f"{settings.export_to}/{day.path}")
    address = place.geturl()
    S3Hook().load_string(day.lines, place.path.lstrip("/"), place.netloc, replace=True)
    if settings.export_dynamodb:
        _items(settings, day)
    if settings.export_athena:
        _partition(settings, day, address)
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
    sql = (
        f"alter table {settings.export_athena}.{day.table} add if not exists"
        f" partition (date_day = '{day.day}') location '{folder}/'"
    )
    hook = AthenaHook()
    run = hook.run_query(
        sql, {"Database": str(settings.export_athena)}, {"OutputLocation": f"{settings.export_to}/athena/"}
    )
    state = hook.poll_query_status(run, max_polling_attempts=_POLLS, sleep_time=_POLL_SECONDS)
    if state != "SUCCEEDED":
        raise RuntimeError(f"Athena did not add the partition ({state}): {hook.get_state_change_reason(run)}\n{sql}")

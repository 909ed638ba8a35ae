"""What Redshift is told: a table made of the columns, the day deleted and copied anew, and nothing where settings lack."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from headrace.lake import redshift
from headrace.lake.exporting import Day
from headrace.lake.redshift import IncompleteTarget
from headrace.settings import Settings

ROLE = "arn:aws:iam::123456789012:role/reads-the-bucket"
WHOLE = {"export_redshift": "dev", "export_redshift_workgroup": "figures", "export_redshift_role": ROLE}
TYPES = {
    "date_day": "date",
    "merchant_id": "varchar",
    "transactions": "bigint",
    "sales_usd": "decimal(38, 10)",
    "share": "double",
    "landed_at": "timestamp(6) with time zone",
    "seen_at": "timestamp(3)",
    "keys": "array(varchar)",
}


def _target(home: Path, **changes: Any) -> redshift.Target | None:
    return redshift.target(Settings(home=home, **(WHOLE | changes)))


def test_a_day_is_made_room_for_and_copied_in_one_batch(tmp_path: Path) -> None:
    target = _target(tmp_path)
    assert target
    day = Day("merchant_day", date(2026, 1, 5), ({"merchant_id": "a"},), TYPES)
    address = "s3://bucket/o'hara/merchant_day/date_day=2026-01-05/rows.jsonl"
    make, clear, copy = redshift.statements(target, day, address)
    assert make == (
        'create table if not exists "public"."merchant_day" ("date_day" date, "merchant_id" varchar(65535),'
        ' "transactions" bigint, "sales_usd" decimal(38, 10), "share" double precision, "landed_at" timestamptz,'
        ' "seen_at" timestamp, "keys" varchar(65535))'
    )
    assert clear == 'delete from "public"."merchant_day" where date_day = \'2026-01-05\''
    assert copy == (
        "copy \"public\".\"merchant_day\" from 's3://bucket/o''hara/merchant_day/date_day=2026-01-05/rows.jsonl'"
        f" iam_role '{ROLE}' region 'us-east-1' format as json 'auto' dateformat 'auto' timeformat 'auto'"
    )


def test_a_day_without_rows_is_emptied(tmp_path: Path) -> None:
    target = _target(tmp_path, export_redshift_role="default")
    assert target
    empty = Day("merchant_day", date(2026, 1, 5), (), TYPES)
    assert [sql.split()[0] for sql in redshift.statements(target, empty, "s3://a/b")] == ["create", "delete"]


@pytest.mark.parametrize(
    "changes",
    [
        {"export_redshift_workgroup": None},
        {"export_redshift_cluster": "a-cluster"},
        {"export_redshift_role": None},
    ],
    ids=["neither", "both", "no role"],
)
def test_incomplete_settings_are_said_with_what_is_missing(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(IncompleteTarget, match=r"HEADRACE_EXPORT_REDSHIFT_ROLE(.|\n)*Next: set them"):
        _target(tmp_path, **changes)


def test_without_the_setting_nothing_is_asked_of_redshift(tmp_path: Path) -> None:
    assert redshift.target(Settings(home=tmp_path)) is None
    with pytest.raises(ValueError, match="export_redshift_role"):
        _target(tmp_path, export_redshift_role="a-name")

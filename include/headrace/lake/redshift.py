"""What Redshift is told to take a curated day from the bucket: one batch, which it runs as one transaction.

The day is deleted and copied anew, so a repeat replaces it and a failure leaves what was there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.lake.exporting import Day
from headrace.lake.literals import text
from headrace.settings import Settings

_TYPES = {
    "boolean": "boolean",
    "smallint": "smallint",
    "integer": "integer",
    "bigint": "bigint",
    "real": "real",
    "double": "double precision",
    "date": "date",
}
_LONGEST = "varchar(65535)"


class IncompleteTarget(ValueError):
    """Settings say that Redshift gets the days, and not all that it takes to send them."""


@dataclass(frozen=True)
class Target:
    database: str
    schema: str
    role: str
    region: str
    workgroup: str | None
    cluster: str | None


def target(settings: Settings) -> Target | None:
    """None where settings do not ask for Redshift."""
    if settings.export_redshift is None:
        return None
    workgroup, cluster = settings.export_redshift_workgroup, settings.export_redshift_cluster
    if (workgroup is None) == (cluster is None) or settings.export_redshift_role is None:
        raise IncompleteTarget(
            "HEADRACE_EXPORT_REDSHIFT needs one of HEADRACE_EXPORT_REDSHIFT_WORKGROUP and HEADRACE_EXPORT_REDSHIFT_CLUSTER, "
            "and HEADRACE_EXPORT_REDSHIFT_ROLE (an ARN, or default).\n"
            f"Next: set them. Now: workgroup {workgroup}, cluster {cluster}, role {settings.export_redshift_role}."
        )
    return Target(
        settings.export_redshift,
        settings.export_redshift_schema,
        settings.export_redshift_role,
        settings.s3_region,
        workgroup,
        cluster,
    )


def statements(target: Target, day: Day, address: str) -> list[str]:
    table = f"{_name(target.schema)}.{_name(day.table)}"
    columns = ", ".join(f"{_name(name)} {_type(told)}" for name, told in day.types.items())
    role = "default" if target.role == "default" else text(target.role)
    make = f"create table if not exists {table} ({columns})"
    clear = f"delete from {table} where date_day = {text(str(day.day))}"  # noqa: S608
    copy = (
        f"copy {table} from {text(address)} iam_role {role} region {text(target.region)}"
        " format as json 'auto' dateformat 'auto' timeformat 'auto'"
    )
    return [make, clear, copy] if day.rows else [make, clear]


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type(told: str) -> str:
    """What Redshift has no type for is text there, as it is in the file."""
    if told.startswith("timestamp"):
        return "timestamptz" if told.endswith("with time zone") else "timestamp"
    return told if re.fullmatch(r"decimal\(\d+, ?\d+\)", told) else _TYPES.get(told, _LONGEST)

"""moto's server, which also takes a batch of Redshift's Data API and runs it: on PostgreSQL, in one transaction.

Redshift is PostgreSQL's dialect but for COPY, which is done here by its meaning: the object's JSON lines become rows by the
names of the columns. So effects, repeats and rollbacks are real, and Redshift's own COPY is not.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

import boto3
import psycopg
from moto.redshiftdata.models import Statement
from moto.redshiftdata.responses import RedshiftDataAPIServiceResponse
from moto.server import main

_COPY = re.compile(
    r"copy (?P<table>\S+) from 's3://(?P<bucket>[^/]+)/(?P<key>[^']+)' iam_role (?:default|'arn:[^']+') region '[^']+'"
    r" format as json 'auto' dateformat 'auto' timeformat 'auto'"
)


class Batch(Statement):
    error = ""

    def __iter__(self) -> Any:
        yield from super().__iter__()
        yield "Error", self.error


def batch_execute_statement(self: RedshiftDataAPIServiceResponse) -> tuple[int, dict[str, str], str]:
    statements = self._get_param("Sqls")
    batch = Batch("", self._get_param("Database"), "", [], ";\n".join(statements), "")
    self.redshiftdata_backend.statements[batch.id] = batch
    try:
        with psycopg.connect(os.environ["REDSHIFT_DSN"]) as connection:
            for statement in statements:
                _run(connection, statement)
        batch.status = "FINISHED"
    except (psycopg.Error, ValueError) as error:
        batch.status, batch.error = "FAILED", str(error)
    return 200, {}, json.dumps({"Id": batch.id, "WorkgroupName": self._get_param("WorkgroupName")})


def _run(connection: psycopg.Connection, statement: str) -> None:
    if not statement.startswith("copy"):
        connection.execute(statement)
        return
    copy = _COPY.fullmatch(statement)
    if not copy:
        raise ValueError(f"not a COPY of JSON lines: {statement}")
    keys = {"aws_access_key_id": os.environ["BUCKET_KEY"], "aws_secret_access_key": os.environ["BUCKET_SECRET"]}
    store = boto3.client("s3", endpoint_url=os.environ["BUCKET_URL"], region_name="us-east-1", **keys)
    lines = store.get_object(Bucket=copy["bucket"], Key=copy["key"])["Body"].read().decode().splitlines()
    table = copy["table"]
    sql = f"insert into {table} select * from json_populate_recordset(null::{table}, %s)"
    connection.execute(sql, [f"[{','.join(lines)}]"])  # type: ignore[arg-type]


RedshiftDataAPIServiceResponse.batch_execute_statement = batch_execute_statement  # type: ignore[attr-defined]

if __name__ == "__main__":
    main(sys.argv[1:])

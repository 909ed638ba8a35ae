"""Amazon's services but S3 as an emulator of its own process: moto, and Redshift's batches beside it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import httpx

from headrace.runtime import bootstrap
from headrace.settings import REPO

ACCOUNT, REGION = "123456789012", "us-east-1"


@contextmanager
def emulator(**variables: str) -> Iterator[str]:
    """Its address. `variables` say where Redshift's tables and the bucket are (see `amazon_server`)."""
    folder = bootstrap.ensure_environment("aws", target=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.pathsep.join([str(folder), str(REPO)])
    argv = [sys.executable, "-m", "tests.parts.amazon_server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(argv, env=os.environ | {"PYTHONPATH": path} | variables, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None and time.monotonic() < until, "the emulator did not start"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def client(service: str, url: str) -> Any:
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)


def athena_answers(url: str, counts: list[int]) -> None:
    """What Athena will say: for each count nothing for the partition, then that count."""
    nothing: dict[str, Any] = {"rows": []}
    told = [nothing | {"rows": [_row("_col0"), _row(str(count))]} for count in counts]
    results = [one for answer in told for one in (nothing, answer)]
    body = {"account_id": ACCOUNT, "region": REGION, "results": results}
    httpx.post(f"{url}/moto-api/static/athena/query-results", json=body, timeout=10).raise_for_status()


def _row(value: str) -> dict[str, Any]:
    return {"Data": [{"VarCharValue": value}]}

"""Amazon's own local DynamoDB, from its jars: in memory, to be stopped and started."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3

from headrace.runtime import artifacts, tools
from headrace.settings import Settings

GROUP = "dynamodb-local"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
_SECONDS = 60


class DynamoLocal:
    def __init__(self, settings: Settings, folder: Path) -> None:
        artifacts.fetch(settings, [GROUP], lambda *_: None)
        tools.ensure_java(21)
        self._jars, self._data = artifacts.folder_of(settings, GROUP), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        os.environ.update(CREDENTIALS)
        self.client: Any = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=self.url)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [
            str(tools.java_home(21) / "bin" / "java"), "-Xmx256m", f"-Dsqlite4java.library.path={self._jars}", "-cp", f"{self._jars}/*",
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-port", str(self._port), "-disableTelemetry",
            "-sharedDb", "-dbPath", str(self._data),
        ]  # fmt: skip
        self._process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "DynamoDB Local did not start"
            assert self._process.poll() is None, "DynamoDB Local ended"
            time.sleep(0.3)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def items(self, table: str) -> list[dict[str, Any]]:
        from boto3.dynamodb.types import TypeDeserializer

        pages = self.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        read = TypeDeserializer().deserialize
        return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

"""An S3 server on a folder, from its jars, which refuses wrong keys and wrong signatures."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3

from headrace.runtime import artifacts, tools
from headrace.settings import Settings

GROUP = "s3proxy"
ACCESS_KEY, SECRET_KEY, BUCKET = "lake-key", "lake-secret", "lake"
_SECONDS = 60
_QUIET = """<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%d %level %msg%n</pattern></encoder></appender><root level="warn"><appender-ref ref="out"/></root></configuration>"""


class S3Server:
    def __init__(self, settings: Settings, folder: Path) -> None:
        artifacts.fetch(settings, [GROUP], lambda *_: None)
        tools.ensure_java(21)
        self._jars, self._folder = artifacts.folder_of(settings, GROUP), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def __enter__(self) -> S3Server:
        data = self._folder / "data"
        data.mkdir(parents=True)
        told = {
            "s3proxy.endpoint": self.url, "s3proxy.authorization": "aws-v2-or-v4", "s3proxy.identity": ACCESS_KEY,
            "s3proxy.credential": SECRET_KEY, "jclouds.provider": "filesystem-nio2", "jclouds.filesystem.basedir": data,
            "jclouds.identity": "none", "jclouds.credential": "none",
            # Trino asks in a header whether an object is archived, which this server has never heard of.
            "s3proxy.ignore-unknown-headers": "true",
        }  # fmt: skip
        properties, logback = self._folder / "s3.properties", self._folder / "logback.xml"
        properties.write_text("".join(f"{key}={value}\n" for key, value in told.items()))
        logback.write_text(_QUIET)
        java = tools.java_home(21) / "bin" / "java"
        argv = [java, "-Xmx256m", f"-Dlogback.configurationFile={logback}", "-cp", f"{self._jars}/*"]
        self._process = subprocess.Popen([*argv, "org.gaul.s3proxy.Main", "--properties", properties])
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "the S3 server did not start"
            assert self._process.poll() is None, "the S3 server ended"
            time.sleep(0.2)
        self.client.create_bucket(Bucket=BUCKET)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)

    def keys(self, prefix: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", ())]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

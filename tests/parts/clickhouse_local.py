"""ClickHouse's engine as a process that can be stopped and started."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from headrace.runtime import bootstrap

_SECONDS = 90


class ClickHouseLocal:
    def __init__(self, folder: Path) -> None:
        self._environment, self._folder = bootstrap.ensure_environment("clickhouse", target=True), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        script = Path(__file__).with_name("clickhouse_engine.py")
        environment = os.environ | {"PYTHONPATH": str(self._environment)}
        argv = [sys.executable, str(script), str(self._port), str(self._folder)]
        self._process = subprocess.Popen(argv, env=environment, cwd=self._folder)
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "the engine did not start"
            assert self._process.poll() is None, "the engine ended"
            time.sleep(0.3)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def rows(self, statement: str) -> list[dict[str, Any]]:
        answer = httpx.post(self.url, params={"query": statement}, timeout=60)
        assert answer.is_success, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

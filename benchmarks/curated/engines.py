"""The engines that answer the same questions, each timed where its user waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from headrace.assistant.remembered import Remembered
from headrace.lake import states
from headrace.lake.trino import connect, fetch
from headrace.policy import Identity
from headrace.runtime import bootstrap
from headrace.settings import Settings

ENVIRONMENTS = {"duckdb": "duckdb", "chdb": "clickhouse"}
"""Of the engines that run in a process: the locked environment that holds each."""
_ASKING = Identity("bench", ())
_SCRIPT = Path(__file__).with_name("in_process.py")


class Answer(NamedTuple):
    seconds: float
    rows: list[list[Any]]


class EngineFailed(RuntimeError):
    """An engine could not answer; the message ends with its own words."""


def live_files(cursor: Any, table: str) -> list[str]:
    """The data files of a table's newest snapshot. Rows deleted beside them would be counted by who reads files alone."""
    found = fetch(cursor, f'select content, file_path from lake.curated."{table}$files"')
    if any(content for content, _ in found):
        raise EngineFailed(f"{table} has files of deleted rows: it has to be compacted first.")
    return [unquote(urlsplit(path).path) for _, path in found]


class Trino:
    """Over one connection of the service account that the app and the API ask as."""

    name = "trino"

    def __init__(self, settings: Settings) -> None:
        self._connection = connect(settings, timeout=600)

    def ask(self, sql: str) -> Answer:
        with closing(self._connection.cursor()) as cursor:
            began = time.perf_counter()
            rows = fetch(cursor, sql)
            return Answer(time.perf_counter() - began, rows)

    def close(self) -> None:
        self._connection.close()


class Kept(Trino):
    """As the API asks: of Trino once, then of what it keeps while the tables stay as they are."""

    name = "kept"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._remembered = Remembered(partial(states.present, settings), lambda: None)

    def ask(self, sql: str) -> Answer:
        began = time.perf_counter()
        rows, _ = self._remembered(_ASKING, sql, lambda: (super(Kept, self).ask(sql).rows, []))
        return Answer(time.perf_counter() - began, rows)


class InProcess:
    """An engine as a library, in a process of its own that lives as long as the questions do."""

    def __init__(self, name: str, files: dict[str, list[str]]) -> None:
        self.name = name
        environment = bootstrap.ensure_environment(ENVIRONMENTS[name], target=True)
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_SCRIPT), name],
            env=os.environ | {"PYTHONPATH": str(environment)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell({"views": files})

    def ask(self, sql: str) -> Answer:
        said = self._tell({"sql": sql})
        return Answer(said["seconds"], said["rows"])

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)

    def _tell(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise EngineFailed(f"{self.name} ended with {self._process.wait(30)}.")
        said: dict[str, Any] = json.loads(line)
        if "failed" in said:
            raise EngineFailed(f"{self.name}: {said['failed']}\n{asked.get('sql', '')}")
        return said


Engine = Trino | InProcess


class Engines:
    """All of them, and their end."""

    def __init__(self, settings: Settings, files: dict[str, list[str]]) -> None:
        self.all: list[Engine] = [Trino(settings), Kept(settings), *(InProcess(name, files) for name in ENVIRONMENTS)]

    def __enter__(self) -> list[Engine]:
        return self.all

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for engine in self.all:
            engine.close()

"""Rows of freed windows stay out, as last known when nobody can say."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import psycopg
import pytest

from headrace.live import freed
from headrace.live.freed import Freed
from headrace.live.rows import Row
from headrace.settings import Settings

ROWS = [Row(spec, start, "0", (1, 1), False, b"") for spec in ("a", "b") for start in (0, 60, 120)]


class Connection:
    """Answers with what was freed, while anybody answers."""

    def __init__(self, through: int | None) -> None:
        self._through = through

    def __enter__(self) -> Self:
        if self._through is None:
            raise psycopg.OperationalError("gone")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        pass

    def execute(self, _: str) -> Self:
        return self

    def fetchall(self) -> list[Any]:
        return [("a", datetime.fromtimestamp(self._through or 0, UTC))]


def test_rows_before_the_moment_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Freed(Settings())
    answers = [None, 120, None, 60]
    monkeypatch.setattr(freed, "_connect", lambda _: Connection(answers.pop(0)))

    def kept() -> list[tuple[str, int]]:
        known.look(now=True)
        return [(row.spec, row.start) for row in known.kept(ROWS)]

    every = [("b", 0), ("b", 60), ("b", 120)]
    assert kept() == [("a", 0), ("a", 60), ("a", 120), *every]
    assert kept() == [("a", 120), *every]
    assert kept() == [("a", 120), *every], "as last known"
    known.look()
    assert kept() == [("a", 60), ("a", 120), *every], "a claim that was taken back"

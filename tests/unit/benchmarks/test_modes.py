"""The benchmark of modes compares what tables hold, goes back to states that are still there, and counts ended children."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.build_modes.cost import since, spent
from benchmarks.build_modes.moment import Moment, changed
from benchmarks.modes import MODES, equal
from headrace.runtime.handle import MARK
from headrace.settings import Settings

BEFORE = {"curated.fct": [3, "AA"], "curated.dim": [2, "BB"]}


def test_a_table_changed_that_holds_other_rows_or_more() -> None:
    assert changed(BEFORE, dict(BEFORE)) == []
    assert changed(BEFORE, BEFORE | {"curated.fct": [3, "AB"]}) == ["curated.fct"]
    assert changed(BEFORE, BEFORE | {"curated.dim": [4, "BB"]}) == ["curated.dim"]


def test_runs_are_equal_only_if_every_table_holds_the_same_rows() -> None:
    one = {"changed": ["curated.fct"], "contents": BEFORE}
    assert equal([one, dict(one)])
    assert equal([one, one | {"changed": []}]), "what is replaced whole changes only in the first run"
    assert not equal([one, one | {"contents": BEFORE | {"curated.dim": [2, "BC"]}}])


def test_only_states_that_are_still_there_are_returned_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    class Catalogue:
        def __enter__(self) -> Catalogue:
            return self

        def __exit__(self, *_: object) -> None: ...

        def cursor(self) -> Catalogue:
            return self

        def executemany(self, _: str, rows: list[tuple[str, str]]) -> None:
            told.extend(rows)

    monkeypatch.setattr(psycopg, "connect", lambda *_: Catalogue())
    monkeypatch.setattr(Settings, "postgres_dsn", lambda *_: "")
    there, gone = tmp_path / "1.json", tmp_path / "replaced.json"
    there.touch()
    Moment(Settings(home=tmp_path), {"processed.a": f"file://{there}", "curated.b": f"file://{gone}"}).return_to()
    assert told == [(f"file://{there}", "processed.a")]


_PARENT = """
import subprocess, sys
burn = "sum(range(30_000_000))"
subprocess.run([sys.executable, "-c", burn], check=True)
print("done", flush=True)
sys.stdin.read()
"""


def test_what_an_ended_child_took_is_counted(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    marked = os.environ | {"HEADRACE_HOME": str(tmp_path), MARK: "airflow-scheduler"}
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], env=marked, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout and parent.stdout.readline() == b"done\n"
        took = spent(settings)
    itself = Counter({"airflow-scheduler": 0.05})
    assert took > itself, "starting an interpreter alone takes less"
    assert since(itself, took) == {"airflow-scheduler": round(took["airflow-scheduler"] - 0.05, 1)}


def test_each_mode_has_a_dag_file() -> None:
    folder = Path(__file__).parents[3] / "benchmarks" / "build_modes" / "dags"
    assert {path.stem for path in folder.glob("*.py")} == set(MODES)

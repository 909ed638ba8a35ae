"""One gate, three engines: both Sparks and Trino judge the same bytes alike, and read the same values from them.

How Sparks keep files is looked at in the same processes, since a start takes longer than either.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.contracts.model import load_contracts
from headrace.lake.trino import connect
from headrace.runtime import tools
from headrace.settings import Settings, get_settings
from headrace.streams.gate_model import trino_model
from tests.parts.gate_cases import CASES, GOOD, Case

Verdicts = dict[str, dict[str, Any]]
STARTED = ("chmod", "readlink", "ls", "stat")
_RUN = re.compile(rb"([^']{1,6}?)\1{199,}")
_MARKS = ("\ue000", "\ue001", "\ue002")


def _spark(environment: str, java: int, folder: Path, *also: str) -> dict[str, Any]:
    """Where a program that Hadoop might start for a file leaves its name instead."""
    settings = get_settings()
    folder, programs = folder / environment, folder / f"{environment}-programs"
    folder.mkdir()
    programs.mkdir()
    for name in STARTED:
        (programs / name).write_text(f"#!/bin/sh\necho $0 $@ >> '{programs}.log'\n")
        (programs / name).chmod(0o755)
    job = "live" if environment == "live" else "lake"
    python, script = tools.python_of(environment), Path(__file__).with_name("gate_on_spark.py")
    variables = os.environ | tools.spark_variables(job, java, [f"spark-{job}"], "512m")
    variables |= {"PYTHONPATH": f"{settings.repo / 'include'}:{settings.repo}", "PYSPARK_PYTHON": str(python)}
    variables["PATH"] = f"{programs}:{variables['PATH']}"
    done = subprocess.run(
        [str(python), str(script), str(folder), *also],
        env=variables,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    log = programs.with_suffix(".log")
    return json.loads(done.stdout) | {"started": log.read_text() if log.exists() else ""}


def _literal(value: bytes | None) -> str:
    """What repeats is spelt short: a statement may not be as long as the largest values are."""
    if value is None:
        return "CAST(NULL AS varbinary)"
    runs = list(zip(_RUN.finditer(value), _MARKS, strict=False))
    for run, mark in runs:
        value = value.replace(run[0], mark.encode(), 1)
    if not runs:
        return f"X'{value.hex()}'"
    text = f"from_utf8(X'{value.hex()}')"
    for run, mark in runs:
        text = f"replace({text}, '{mark}', rpad('', {len(run[0])}, '{run[1].decode()}'))"
    return f"to_utf8({text})"


def _trino(settings: Settings) -> Verdicts:
    arrived = "TIMESTAMP '2026-05-04 10:00:00 UTC'"
    rows = ", ".join(f"('{case.name}', 0, {at}, {arrived}, {_literal(case.value)})" for at, case in enumerate(CASES))
    relation = (
        'SELECT topic, "partition", "offset", arrived_at, arrived_at AS landed_at, \'\' AS correlation_id, '
        # Not a constant: what the gate never parses, Trino would parse while it plans.
        "'1' AS contract_version, 'stream' AS origin, CASE WHEN random() < 1 THEN value END AS value "
        f"FROM (VALUES {rows}) "
        'AS t(topic, "partition", "offset", arrived_at, value)'
    )
    judged = trino_model(load_contracts(settings.contracts)["transactions"], f"({relation})")
    shown = ", ".join(
        f"replace(CAST({name} AS varchar), ' UTC', '')" if name == "event_time" else f"CAST({name} AS varchar)"
        for name in GOOD
    )
    with connect(settings, service="dbt", timeout=60) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT topic, refusal, reason, corrected, {shown} FROM ({judged})")
        names = ("refusal", "reason", "corrected", *GOOD)
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in cursor.fetchall()}


@pytest.fixture(scope="module")
def sparks(tmp_path_factory: pytest.TempPathFactory, start_parts: Callable[..., Settings]) -> dict[str, dict[str, Any]]:
    start_parts("trino", "postgres")
    folder = tmp_path_factory.mktemp("spark")
    return {"lake": _spark("main", 21, folder, "refine"), "live": _spark("live", 25, folder)}


@pytest.fixture(scope="module")
def verdicts(sparks: dict[str, dict[str, Any]]) -> dict[str, Verdicts]:
    return {"trino": _trino(get_settings())} | {name: told["verdicts"] for name, told in sparks.items()}


@pytest.mark.parametrize("name", ["lake", "live"])
def test_spark_keeps_a_file_without_a_process_for_it_nor_a_file_beside_it(
    sparks: dict[str, dict[str, Any]], name: str
) -> None:
    assert sparks[name]["started"] == ""
    assert sparks[name]["files"] == {"state": "second"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_engine_judges_alike(verdicts: dict[str, Verdicts], case: Case) -> None:
    found = {engine: judged[case.name] for engine, judged in verdicts.items()}
    assert {engine: row["refusal"] for engine, row in found.items()} == dict.fromkeys(found, case.refusal)
    if case.refusal is None:
        assert found["trino"] == found["lake"] == found["live"]
        assert found["lake"]["corrected"] == list(case.corrected)
        if case.typed:
            assert found["lake"][case.typed[0]] == case.typed[1]
    else:
        assert len({row["reason"] for row in found.values()}) == 1
        assert found["lake"]["reason"]
        assert case.reason in (None, found["lake"]["reason"])


def test_what_is_plainly_right_is_told_as_the_gate_tells_it(sparks: dict[str, dict[str, Any]]) -> None:
    refined = sparks["lake"]["refined"]
    plain = [one for one in refined if one["plain"]]
    assert [one["plain"] for one in plain] == [one["gate"] for one in plain]
    streams = load_contracts(get_settings().contracts)
    assert {one["plain"]["stream"] for one in plain} == set(streams)
    assert {one["gate"]["stream"] for one in refined if not one["plain"]} == set(streams)


def test_a_deletion_of_an_entity_is_no_dead_letter(sparks: dict[str, dict[str, Any]]) -> None:
    """A record with a key and without a value, of every stream."""
    refused = {one["gate"]["stream"] for one in sparks["lake"]["refined"] if one["gate"]["refusal"] == "empty"}
    assert refused == {name for name, one in load_contracts(get_settings().contracts).items() if not one.history}

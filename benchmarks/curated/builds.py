"""What a build of the lake costs: seconds by dbt's own record, rows and bytes by Trino's."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from headrace.lake import dbt, trino_config
from headrace.settings import Settings

SELECTED = (
    "transactions_by_day",
    "merchant_day",
    "region_day",
    "customer_day",
    "running_totals",
    "customer_lifetime",
    "dim_merchants",
)
"""The last tables of what is made of transactions; everything before them is built too."""
_NODE = re.compile(r'"node_id": "(?:model|test)\.headrace\.([^".]+)')
_LOOK_SECONDS = 2.0
_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}


class Statements:
    """What Trino says of dbt's statements; it forgets them after a while, so it is asked again and again."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"https://{settings.hosts.trino}:{settings.ports.trino}/v1/query"
        self._who = "dbt", settings.secret("trino_password_dbt")
        self._authority = str(trino_config.authority(settings))
        self._seen: dict[str, dict[str, Any]] = {}
        self._over = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The statements of the block, by id, complete after its end."""
        self._look()
        before, self._seen = set(self._seen), {}
        thread = threading.Thread(target=self._keep_looking, daemon=True)
        found: dict[str, dict[str, Any]] = {}
        thread.start()
        try:
            yield found
        finally:
            self._over.set()
            thread.join()
            self._look()
            found.update({name: said for name, said in self._seen.items() if name not in before})

    def _keep_looking(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            # The next look finds what this one missed.
            with suppress(requests.RequestException):
                self._look()

    def _look(self) -> None:
        answer = requests.get(self._url, auth=self._who, verify=self._authority, timeout=30)
        answer.raise_for_status()
        self._seen.update({said["queryId"]: said for said in answer.json()})


def size(text: str) -> float:
    """Bytes of `12.5MB`, as Trino writes them."""
    number, unit = re.fullmatch(r"([0-9.]+)([a-zA-Z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def read_by_model(statements: dict[str, dict[str, Any]]) -> tuple[dict[str, int], float]:
    """Rows read by each model or test, by the comment that dbt puts before its statements; and bytes read by all."""
    rows: Counter[str] = Counter()
    total = 0.0
    for said in statements.values():
        # Not every statement of dbt has the comment; nobody else asks this lake meanwhile.
        node = _NODE.search(said["query"])
        rows[node[1] if node else "unnamed"] += said["queryStats"]["rawInputPositions"]
        total += size(said["queryStats"]["physicalInputDataSize"])
    return dict(rows), total


def seconds_by_model(run_results: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Of each model, and of all tests together."""
    models, tests = {}, 0.0
    for result in run_results["results"]:
        kind, _, name = result["unique_id"].split(".")[:3]
        if kind == "model":
            models[name] = round(result["execution_time"], 2)
        else:
            tests += result["execution_time"]
    return models, round(tests, 1)


def unseen(run_results: dict[str, Any], statements: dict[str, dict[str, Any]]) -> list[str]:
    """Models whose statement Trino had forgotten before it was asked: their rows are missing from the sum."""
    ran = (
        (result["unique_id"], (result.get("adapter_response") or {}).get("query_id"))
        for result in run_results["results"]
    )
    return [
        name.split(".")[2] for name, known in ran if name.startswith("model.") and known and known not in statements
    ]


def build(settings: Settings, what: str, events: int, *more: str) -> dict[str, Any]:
    """One `dbt build`, tests of the selected tables included."""
    # Tests that also look at tables outside of this benchmark are left out.
    command = ["build", *more, "--indirect-selection", "buildable", "--select", *(f"+{name}" for name in SELECTED)]
    with Statements(settings).watched() as statements:
        began = time.perf_counter()
        dbt.run(settings, command)
        seconds = time.perf_counter() - began
    results = json.loads((dbt.target(settings) / "run_results.json").read_text())
    models, tests = seconds_by_model(results)
    rows, total = read_by_model(statements)
    return {
        "build": what, "events": events, "seconds": round(seconds, 1), "models_seconds": round(sum(models.values()), 1),
        "tests_seconds": tests, "rows_read": sum(rows.values()), "unnamed_rows_read": rows.get("unnamed", 0), "megabytes_read": round(total / 1e6, 1), "unseen": unseen(results, statements),
        "models": {name: {"seconds": took, "rows_read": rows.get(name, 0)} for name, took in models.items()},
    }  # fmt: skip

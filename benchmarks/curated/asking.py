"""Every engine asked every question in turns, its answers compared, its times as p50 and p95."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from benchmarks.curated.engines import Engine, EngineFailed, Trino
from benchmarks.curated.questions import Question

_PLACES = Decimal("0.0001")
LIMIT_MS = 200


def ask(engines: list[Engine], questions: list[Question], repeats: int) -> list[dict[str, Any]]:
    """A round that is compared and not timed, then the timed ones: each question goes to all engines beside one another."""
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    different: dict[str, list[str]] = {}
    rows: dict[str, int] = {}
    for turn in range(repeats + 1):
        for question in questions:
            answers = {
                engine.name: engine.ask(question.on("lake.curated." if isinstance(engine, Trino) else ""))
                for engine in engines
            }
            if turn == 0:
                right = normal(answers["trino"].rows)
                rows[question.name] = len(right)
                different[question.name] = [name for name, answer in answers.items() if normal(answer.rows) != right]
                if not right:
                    raise EngineFailed(f"{question.name}: an answer without rows compares nothing.")
                continue
            for name, answer in answers.items():
                took[question.name, name].append(answer.seconds * 1000)
    return [
        {
            "question": question.name, "rows": rows[question.name], "different": different[question.name],
            "milliseconds": {engine.name: spread(took[question.name, engine.name]) for engine in engines},
        }
        for question in questions
    ]  # fmt: skip


def spread(milliseconds: list[float]) -> dict[str, float]:
    """p50 and p95 by nearest rank: of few repeats, p95 is the slowest."""
    ordered = sorted(milliseconds)
    return {f"p{share}": round(ordered[-(-len(ordered) * share // 100) - 1], 1) for share in (50, 95)}


def normal(rows: list[list[Any]]) -> list[list[Any]]:
    """Cells as every engine would write them: numbers with four decimals, the rest as text."""
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: Any) -> Any:
    if value is None:
        return None
    try:
        return Decimal(str(value)).quantize(_PLACES, ROUND_HALF_EVEN)
    except InvalidOperation:
        return str(value)


def by_metric(engines: list[Engine], compiled: dict[str, str], repeats: int) -> list[dict[str, Any]]:
    """The statements that the semantic layer made, on Trino: warm, in turns."""
    asked = [engine for engine in engines if isinstance(engine, Trino)]
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in range(repeats + 1):
        for name, sql in compiled.items():
            for engine in asked:
                answer = engine.ask(sql)
                if turn:
                    took[name, engine.name].append(answer.seconds * 1000)
    return [
        {"question": name, "milliseconds": {engine.name: spread(took[name, engine.name]) for engine in asked}}
        for name in compiled
    ]

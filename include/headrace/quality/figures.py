"""The five figures of a table's day, each two whole numbers: what is right, of what was counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, Literal

Name = Literal["completeness", "consistency", "timeliness", "uniqueness", "accuracy"]
NAMES: tuple[Name, ...] = ("completeness", "consistency", "timeliness", "uniqueness", "accuracy")
State = Literal["passed", "failed", "empty"]
_PLACES = Decimal("0.0001")
MEANING: dict[Name, str] = {
    "completeness": "what arrived that day and is in the table, of all that arrived",
    "consistency": "rows that agree with their contract, with dbt's tests and with the table they are made of",
    "timeliness": "rows of streams that arrived in time, of all that streams brought",
    "uniqueness": "rows whose identity no other row has",
    "accuracy": "rows whose references name entities that are known",
}


@dataclass(frozen=True)
class Figure:
    table: str
    """schema.table"""
    day: date
    """Of arrival, in UTC."""
    name: Name
    good: int
    counted: int
    threshold: Decimal
    """Percent."""
    unit: str = "rows"
    detail: dict[str, Any] = field(default_factory=dict)
    measured_at: datetime | None = None

    @property
    def percent(self) -> Decimal | None:
        """Rounded down: 99.99996 % is not all. None where there was nothing to count."""
        if self.counted == 0:
            return None
        return (Decimal(100) * self.good / self.counted).quantize(_PLACES, ROUND_DOWN)

    @property
    def state(self) -> State:
        """Judged by the counts, not by what rounding leaves of them."""
        if self.counted == 0:
            return "empty"
        return "passed" if Decimal(100) * self.good >= self.threshold * self.counted else "failed"

    @property
    def sentence(self) -> str:
        if self.percent is None:
            return f"{self.name}: nothing to measure"
        missed = (
            f", {self.counted - self.good:,} of {self.counted:,} {self.unit} are not"
            if self.good < self.counted
            else ""
        )
        return f"{self.name} {shown(self.percent)} % (asked for {shown(self.threshold)} %){missed}"

    def document(self) -> dict[str, Any]:
        return {
            "table": self.table, "day": self.day.isoformat(), "figure": self.name, "state": self.state,
            "percent": None if self.percent is None else str(self.percent), "threshold": str(self.threshold),
            "good": self.good, "counted": self.counted, "unit": self.unit, "detail": self.detail,
            "measured_at": self.measured_at and self.measured_at.isoformat(), "meaning": MEANING[self.name],
        }  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """What an answer quotes about a table it was made from."""

    table: str
    day: date
    figures: tuple[Figure, ...]

    @property
    def state(self) -> State:
        states = {figure.state for figure in self.figures}
        return "failed" if "failed" in states else "passed" if "passed" in states else "empty"

    @property
    def sentence(self) -> str:
        failed = [figure for figure in self.figures if figure.state == "failed"]
        where = f"{self.table} on {self.day}"
        if failed:
            return f"{where}: {'; '.join(figure.sentence for figure in failed)}"
        measured = [figure for figure in self.figures if figure.state == "passed"]
        if not measured:
            return f"{where}: nothing arrived that could be measured"
        return f"{where}: {len(measured)} figures of quality measured, all as asked for"


def verdicts(figures: list[Figure]) -> list[Verdict]:
    """One for each table and day, in the order in which they come."""
    grouped: dict[tuple[str, date], list[Figure]] = {}
    for figure in figures:
        grouped.setdefault((figure.table, figure.day), []).append(figure)
    return [Verdict(table, day, tuple(found)) for (table, day), found in grouped.items()]


def shown(percent: Decimal) -> str:
    """Without zeros that say nothing: 100, 99.97."""
    return f"{percent.normalize():f}"

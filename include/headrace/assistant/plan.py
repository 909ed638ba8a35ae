"""The Plan: what a question was understood to ask, typed and checked, before anything is read.

A rule or a chat model may only fill in this form; everything that runs is built from it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from headrace.assistant.periods import Grain

Source = Literal["live", "historical", "both"]
ChartKind = Literal["line", "bar", "area", "pie", "table", "number"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeRange(_Frozen):
    """start belongs to the range, end does not; both in UTC."""

    start: AwareDatetime
    end: AwareDatetime
    label: str

    @model_validator(mode="after")
    def _forward(self) -> TimeRange:
        if self.end <= self.start:
            raise ValueError(f"{self.label}: the period ends before it starts")
        return self

    def words(self) -> str:
        return f"{self.label} ({self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC)"


class Filter(_Frozen):
    dimension: str
    values: tuple[str, ...] = Field(min_length=1)
    negated: bool = False

    def words(self) -> str:
        return f"{self.dimension} {'not ' if self.negated else ''}{' or '.join(self.values)}"


class Order(_Frozen):
    by: str
    descending: bool = True


class Plan(_Frozen):
    metrics: tuple[str, ...] = Field(min_length=1, max_length=8)
    group_by: tuple[str, ...] = Field((), max_length=4)
    filters: tuple[Filter, ...] = ()
    time: TimeRange
    compare: TimeRange | None = None
    grain: Grain | None = None
    order: Order | None = None
    limit: int | None = Field(None, ge=1, le=10_000)
    source: Source = "both"
    chart: ChartKind | None = None

    def words(self) -> str:
        """The plan as a person reads it, in one line."""
        parts = [" and ".join(self.metrics)]
        keys = [*self.group_by, *([self.grain] if self.grain else [])]
        if keys:
            parts.append("by " + " and ".join(keys))
        if self.filters:
            parts.append("where " + " and ".join(f.words() for f in self.filters))
        parts.append(self.time.words())
        if self.compare:
            parts.append("compared with " + self.compare.words())
        if self.order and self.limit:
            parts.append(f"{'highest' if self.order.descending else 'lowest'} {self.limit} by {self.order.by}")
        return ", ".join(parts)

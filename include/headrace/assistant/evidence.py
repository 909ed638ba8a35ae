"""What came out of running a plan, with the evidence for it: figures by key, SQL, freshness, late events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from headrace.assistant.figures import Part
from headrace.assistant.periods import Grain
from headrace.assistant.plan import Filter, Source
from headrace.assistant.route import Stretch
from headrace.assistant.vocabulary import Dimension, Metric
from headrace.policy import Identity


class Sql(BaseModel):
    model_config = ConfigDict(frozen=True)

    engine: str
    sql: str


class Freshness(BaseModel):
    """as_of: the newest data that this part holds; through: the end of what was read from it."""

    model_config = ConfigDict(frozen=True)

    part: str
    source: str
    as_of: datetime | None
    through: datetime


@dataclass(frozen=True)
class HistoryRequest:
    metrics: tuple[Metric, ...]
    group_by: tuple[Dimension, ...]
    """`qualified` is the name that these metrics know it by."""
    filters: tuple[tuple[Dimension, Filter], ...]
    stretch: Stretch
    grain: Grain | None


@dataclass(frozen=True)
class HistoryResult:
    part: Part
    sql: str


class History(Protocol):
    """Curated figures, read as the person who asks, within a time limit."""

    def read(self, identity: Identity, request: HistoryRequest) -> HistoryResult: ...


@dataclass
class Result:
    part: Part
    source: Source
    sql: list[Sql] = field(default_factory=list)
    freshness: list[Freshness] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    late_events: int = 0

"""The joined figures as rows and columns: computed, ordered and cut only here, after the join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from headrace.assistant.figures import Part, Value, evaluate
from headrace.assistant.plan import Plan
from headrace.assistant.vocabulary import Vocabulary
from headrace.assistant.wording import number


class Column(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    label: str
    unit: str = ""
    type: str


class Data(BaseModel):
    columns: list[Column] = Field(default_factory=list)
    rows: list[list[Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class Row:
    bucket: datetime | None
    keys: tuple[str | None, ...]
    values: Mapping[str, Value]


def rows_of(plan: Plan, part: Part, vocabulary: Vocabulary) -> list[Row]:
    """Every row, in the plan's order: ranked, or by time and then by the first figure."""
    if not plan.group_by and not plan.grain and not part:
        part = {(None, ()): {}}
    made = [
        Row(bucket, keys, {m: evaluate(m, cells, vocabulary) for m in plan.metrics})
        for (bucket, keys), cells in part.items()
    ]
    if plan.order:
        by, sign = plan.order.by, -1 if plan.order.descending else 1
        return sorted(made, key=lambda r: (r.values[by] is None, sign * (r.values[by] or Decimal(0)), _text(r.keys)))
    first = plan.metrics[0]
    return sorted(
        made, key=lambda r: (r.bucket or datetime.min, r.values[first] is None, -(r.values[first] or 0), _text(r.keys))
    )


def _text(keys: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(key or "" for key in keys)


def as_data(plan: Plan, rows: list[Row], vocabulary: Vocabulary) -> Data:
    columns = [Column(name=plan.grain, label=plan.grain.capitalize(), type="timestamp")] if plan.grain else []
    columns += [Column(name=n, label=vocabulary.dimensions[n].label, type="string") for n in plan.group_by]
    for name in plan.metrics:
        metric = vocabulary.metrics[name]
        columns.append(
            Column(name=name, label=metric.label, unit=metric.unit, type="decimal" if metric.money else "number")
        )
    body = [
        [
            *([row.bucket.isoformat() if row.bucket else None] if plan.grain else []),
            *row.keys,
            *(number(row.values[m], vocabulary.metrics[m]) for m in plan.metrics),
        ]
        for row in rows
    ]
    return Data(columns=columns, rows=body)

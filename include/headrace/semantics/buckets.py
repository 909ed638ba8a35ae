"""Buckets of growing width: what percentiles are made of, exactly alike in live windows and in the lake.

A dimension with `meta: {buckets: {of: EXPRESSION, base: B}}` is the number of a bucket: i holds what lies above B^(i-1) and
not above B^i, and nothing but zero has no bucket. Counts by bucket add up over any windows, tables and days. Whatever is
read from a bucket is within (B-1)/(B+1) of the true value, 1 % for a base of 1.02; so is every percentile.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlglot
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel

from headrace.semantics.manifest import meta


@dataclass(frozen=True)
class Buckets:
    dimension: str
    of: str
    """The expression that is kept in buckets, as Trino spells it."""
    base: float


def buckets_of(model: PydanticSemanticModel) -> tuple[Buckets, ...]:
    found = []
    for dimension in model.dimensions:
        if raw := meta(dimension).get("buckets"):
            wanted = expression(raw["of"], float(raw["base"]))
            if dimension.expr != wanted:
                raise ValueError(
                    f"{model.name}: dimension {dimension.name} says it is buckets; its expr must be: {wanted}"
                )
            found.append(Buckets(dimension.name, spelled(raw["of"]), float(raw["base"])))
    return tuple(found)


def expression(of: str, base: float) -> str:
    """The only way to write such a dimension: words that Spark and Trino both know, and compute alike."""
    value = of if of.isidentifier() else f"({of})"
    return f"CASE WHEN {value} > 0 THEN CAST(CEIL(LN({value}) / LN({base})) AS INT) END"


def spelled(sql: str) -> str:
    return str(sqlglot.parse_one(sql, dialect="trino").sql(dialect="trino"))

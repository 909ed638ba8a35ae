"""The metrics of the repository as a manifest, without dbt, which takes seconds to parse them."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from typing import Any

from headrace.contracts import plain
from headrace.semantics.minute_model import declared_models
from headrace.settings import REPO

MODELS = REPO / "dbt" / "models"


def raw_manifest() -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(_read())


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads(declared_models(MODELS).json())
    raw["metrics"] = [
        _metric(m) for path in sorted(MODELS.rglob("*.yml")) for m in plain.values(path).get("metrics", ())
    ]
    relation = {"alias": "dim_date", "schema_name": "curated", "relation_name": "lake.curated.dim_date"}
    day = {"name": "date_day", "time_granularity": "day"}
    spine = {"node_relation": relation, "primary_column": day, "custom_granularities": []}
    raw["project_configuration"]["time_spines"] = [spine]
    return raw


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    """dbt allows names where the manifest has objects, and texts for filters and windows."""
    given = dict(metric["type_params"])
    for key in ("numerator", "denominator"):
        if isinstance(given.get(key), str):
            given[key] = {"name": given[key]}
    given["metrics"] = [_part(part) for part in given.get("metrics", ())]
    if conversion := given.get("conversion_type_params"):
        measures = {key: _part(conversion[key]) for key in ("base_measure", "conversion_measure")}
        given["conversion_type_params"] = conversion | measures | {"window": _window(conversion["window"])}
    return {**metric, "type_params": given, "filter": _filter(metric)}


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"name": part}
    return {**part, "filter": _filter(part), "offset_window": _window(part.get("offset_window"))}


def _filter(given: dict[str, Any]) -> dict[str, Any] | None:
    return {"where_filters": [{"where_sql_template": given["filter"]}]} if "filter" in given else None


def _window(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    count, granularity = text.split()
    return {"count": int(count), "granularity": granularity}

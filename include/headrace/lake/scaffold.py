"""The first curated table and the first live metric of a new stream: ordinary dbt, written once and then a person's.

What follows from a contract alone is in `headrace.lake.models`; this is what people will want to change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from headrace.contracts import plain
from headrace.contracts.model import Contract, Field
from headrace.contracts.template import singular
from headrace.contracts.templating import filled
from headrace.lake.models import column, keys

NOTE = "First written by `./headrace stream apply`; yours to edit: it is not written again."
COLUMNS = ("is_late", "origin", "arrived_at", "landed_at")
"""What every row of an event brings beside its properties."""
_CLOSED = ("confidential", "restricted")
_MOST_KEYS = 3
_TYPES = {"string": "varchar", "timestamp": "timestamp(6) with time zone"}
_OWN = {"is_late": "boolean", "origin": "varchar"}

_SQL = """-- << note >>
{{
    config(
        materialized="incremental",
        incremental_strategy="news",
        unique_key=<< keys >>,
        on_schema_change="append_new_columns",
        properties={"format_version": "2", "partitioning": "ARRAY['day(<< time >>)']"},
    )
}}

select
<% for name in columns %>
    << name >><< "," if not loop.last >>
<% endfor %>
from {{ ref("<< name >>") }}
{%- if is_incremental() %}
where landed_at >= {{ landed_since() }}
{%- endif %}
"""

_YAML = """# << note >>
version: 2

models:
  - name: fct_<< name >>
    description: >-
      One row per << grain >>, as it first arrived. Late ones are in it, marked is_late.
      Properties classed confidential or restricted are left out: they stay in processed.<< name >>.
    meta: {owner: << owner >>}
    columns:
<% for column, type in types.items() %>
      - {name: << column >>, data_type: "<< type >>"}
<% endfor %>
    data_tests:
      - one_row_per:
          arguments: {keys: [<< keys | join(", ") >>]}

semantic_models:
  - name: << name >>
    label: << words | capitalize >>
    description: << description | quoted >>
    model: ref('fct_<< name >>')
    defaults: {agg_time_dimension: << time >>}
    config:
      meta:
        contract: << name >>
        # What the live job adds up: the measures below, over each of these lists of keys, in windows of this length. It
        # costs the live job a query: take it out, with the table that is kept of the minutes, when nobody looks.
        live:
          window_seconds: 60
          windows:
            - spec: << name >>_1m
              keys: [<< live_keys | join(", ") >>]
              table: << name >>_by_minute
    entities:
      - {name: << one >>, type: primary, expr: << primary >>}
    dimensions:
      - name: << time >>
        label: Time
        type: time
        type_params: {time_granularity: minute}
<% for key in live_keys %>
      - name: << key >>
        label: << key.replace("_", " ") | capitalize >>
        type: categorical
<% endfor %>
    measures:
      - {name: << name >>_rows, agg: count, expr: "1"}

metrics:
  - name: << name >>_count
    label: Number of << words >>
    description: How many << words >> there were.
    type: simple
    type_params: {measure: {name: << name >>_rows, fill_nulls_with: 0}}
    config: {meta: {owner: << owner >>, unit: count, synonyms: [<< synonyms | join(", ") >>]}}
"""


def sql_type(field: Field) -> str:
    return _TYPES.get(field.type, field.type)


def live_keys(contract: Contract) -> list[str]:
    """Properties with few values, which everybody may see."""
    found = [f.name for f in contract.fields if f.values and f.required and f.classification not in _CLOSED]
    return found[:_MOST_KEYS]


def files(contract: Contract, models: Path, taken: Iterable[str] = ()) -> dict[Path, str]:
    """Path and content of what a new stream of events begins with; `taken` are words that name other metrics."""
    if contract.kind != "events":
        return {}
    words, one = contract.name.replace("_", " "), singular(contract.name)
    open_ = [f for f in contract.fields if f.classification not in _CLOSED or f.name in contract.identity]
    types = {column(contract, f.name): sql_type(f) for f in open_}
    synonyms = [
        word for word in (words, f"{one.replace('_', ' ')} count", f"how many {words}") if word not in set(taken)
    ]
    values = {
        "note": NOTE, "name": contract.name, "keys": keys(contract), "time": contract.event_time, "owner": contract.owner,
        "columns": [*types, *COLUMNS], "types": types | {name: _OWN.get(name, _TYPES["timestamp"]) for name in COLUMNS},
        "grain": f"event ({' and '.join(keys(contract))})", "words": words, "description": contract.description,
        "one": one, "primary": contract.identity[0], "live_keys": live_keys(contract), "synonyms": synonyms,
    }  # fmt: skip
    folder = models / "curated"
    return {
        folder / f"fct_{contract.name}.sql": filled(_SQL, **{**values, "keys": _listed(keys(contract))}),
        folder / f"_fct_{contract.name}.yml": filled(_YAML, **values),
    }


def words_taken(models: Path, stream: str) -> set[str]:
    """Every word that people use for a metric of something else already."""
    found: set[str] = set()
    for path in sorted({*models.rglob("*.yml")} - {models / "curated" / f"_fct_{stream}.yml"}):
        for metric in _document(path, path.stat().st_mtime_ns).get("metrics", ()):
            meta = (metric.get("config") or {}).get("meta") or {}
            found |= {metric["name"].replace("_", " "), str(metric.get("label", "")).lower(), *meta.get("synonyms", ())}
    return found


def used(contract: Contract, models: Path) -> bool:
    """Whether a curated model reads the stream already, so that nothing has to be written for it."""
    return any(_reads(path, contract.name) for path in (models / "curated").glob("*.sql"))


def _reads(path: Path, stream: str) -> bool:
    return re.search(rf"ref\(['\"]{stream}['\"]\)", path.read_text()) is not None


def drift(contracts: Mapping[str, Contract], models: Path) -> list[str]:
    """Where curated models say something else of a property than its contract does, as sentences."""
    return [said for contract in contracts.values() for said in _drift(contract, models)]


def _drift(contract: Contract, models: Path) -> Iterable[str]:
    types = {column(contract, f.name): sql_type(f) for f in contract.fields}
    for path in sorted((models / "curated").glob("*.sql")):
        if not _reads(path, contract.name):
            continue
        if NOTE in path.read_text():
            for name in _selected(path.read_text()):
                if name not in types and name not in COLUMNS:
                    yield f"{path.name} selects {name}, which {contract.name} does not have: take it out, or put it back"
        for name, kind in _declared(models, path.stem).items():
            if name in types and kind != types[name]:
                yield f"{path.stem}.{name} is declared as {kind}, the contract makes it {types[name]}: change one of them"
    for model in _semantic(models, contract.name):
        live = model["config"]["meta"].get("live") or {}
        known = {*types, *(d["name"] for d in model["dimensions"] if d.get("expr"))}
        for windows in live.get("windows", ()):
            for key in windows["keys"]:
                if key not in known:
                    yield f"the live windows {windows['spec']} are keyed by {key}, which {contract.name} does not have"


def _selected(sql: str) -> list[str]:
    """The bare names of the last select list."""
    found = re.search(r"^select\n(.*?)^from ", sql, re.MULTILINE | re.DOTALL)
    lines = found[1].splitlines() if found else []
    return [match[1] for line in lines if (match := re.fullmatch(r"\s*(\w+),?", line))]


def _documents(models: Path) -> Iterable[dict[str, Any]]:
    return (_document(path, path.stat().st_mtime_ns) for path in sorted((models / "curated").glob("*.yml")))


@lru_cache(maxsize=256)
def _document(path: Path, _: int) -> dict[str, Any]:
    """Read once for each state of the file: every contract is compared with every model."""
    found: dict[str, Any] = plain.values(path)
    return found


def _declared(models: Path, model: str) -> dict[str, str]:
    found = (m for document in _documents(models) for m in document.get("models", ()) if m["name"] == model)
    return {c["name"]: c["data_type"] for m in found for c in m.get("columns", ()) if "data_type" in c}


def _semantic(models: Path, stream: str) -> list[dict[str, Any]]:
    declared = (m for document in _documents(models) for m in document.get("semantic_models", ()))
    return [m for m in declared if ((m.get("config") or {}).get("meta") or {}).get("contract") == stream]


def _listed(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"

"""Writes the lake's twin of the live windows from the same measures, so that there is no second definition to drift.

`python -m headrace.semantics.minute_model` writes dbt/models/curated/transactions_by_minute.{sql,yml}; a test fails when
the measures say something else than the committed files do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest

from headrace.contracts import plain
from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.templating import filled
from headrace.lake.files import write_generated
from headrace.semantics.measures import specs
from headrace.settings import REPO, get_settings

_NOTE = "Made from the measures of the semantic model by `python -m headrace.semantics.minute_model`; change those."
_SQL = """-- << note >>
{{
    config(
        materialized="incremental",
        incremental_strategy="replaced",
        unique_key="window_start",
        on_schema_change="append_new_columns",
        meta={"sliced_by": ["window_start"]},
        properties={"format_version": "2", "partitioning": "ARRAY['day(window_start)']"},
    )
}}
{% set since = landed_since() %}
{% set days = changed_days([(ref("<< spec.fact >>"), "cast(<< spec.time >> as date)")], since) %}

with
events as (
    select *, from_unixtime(floor(to_unixtime(<< spec.time >>) / << spec.window_seconds >>) * << spec.window_seconds >>, 'UTC') as window_start
    from {{ ref("<< spec.fact >>") }}
    where {{ in_days("<< spec.time >>", days) }}
),

changed as (
    select *
    from events
    {%- if since %}
    -- Windows that something landed in are made anew, whole.
    where window_start in (select window_start from events where landed_at >= {{ since }})
    {%- endif %}
),

final as (
    select
        cast(window_start as timestamp(6) with time zone) as window_start,
<% for key in spec.keys %>
        << key >>,
<% endfor %>
        origin,
        is_late,
        count(*) as n,
<% for a in spec.accumulators %>
        cast(<< a.agg >>(<< a.expr >>) as << a.type >>) as "<< a.name >>",
<% endfor %>
        max(landed_at) as landed_at
    from changed
    group by << grouped | join(", ") >>
)

select * from final
"""
_YAML = """# << note >>
version: 2

models:
  - name: << spec.table >>
    description: >-
      One row per << ([spec.window_seconds ~ "-second window"] + spec.keys|list) | join(", ") >>, origin and lateness: the same sums that live
      windows hold, over the lake. Live windows equal the rows of origin stream that are not late.
    meta: {owner: analytics}
    columns:
      - {name: window_start, data_type: "timestamp(6) with time zone"}
<% for key in spec.keys %>
      - {name: << key >>, data_type: varchar}
<% endfor %>
      - {name: origin, data_type: varchar}
      - {name: is_late, data_type: boolean}
      - {name: n, data_type: bigint, description: "Distinct events."}
<% for a in spec.accumulators %>
      - {name: << a.name >>, data_type: "<< a.type >>", quote: true}
<% endfor %>
      - {name: landed_at, data_type: "timestamp(6) with time zone"}
    data_tests:
      - one_row_per:
          arguments: {keys: [<< grouped | join(", ") >>]}
      - counts_every_event:
          arguments: {events: << spec.fact >>, moment: << spec.time >>}
"""


def files(
    models: Path, contracts: dict[str, Contract], declared: PydanticSemanticManifest | None = None
) -> dict[Path, str]:
    """The generated files of every live specification that has a table, with their content; as the files declare it, or
    as is given.
    """
    found: dict[Path, str] = {}
    for spec in specs(declared or declared_models(models), contracts):
        if spec.table:
            values = {"spec": spec, "note": _NOTE, "grouped": ["window_start", *spec.keys, "origin", "is_late"]}
            found[models / "curated" / f"{spec.table}.sql"] = filled(_SQL, **values)
            found[models / "curated" / f"_{spec.table}.yml"] = filled(_YAML, **values)
    return found


def declared_models(models: Path) -> PydanticSemanticManifest:
    """Semantic models straight from their files: this runs before dbt could parse the model that it writes."""
    found: list[dict[str, Any]] = []
    for path in sorted(models.rglob("*.yml")):
        found += plain.values(path).get("semantic_models", ())
    for model in found:
        alias = model.pop("model").removeprefix("ref('").removesuffix("')")
        model["node_relation"] = _relation(alias)
    configuration: dict[str, Any] = {"time_spine_table_configurations": [], "time_spines": []}
    return PydanticSemanticManifest.parse_obj(
        {"semantic_models": found, "metrics": [], "project_configuration": configuration}
    )


def _relation(alias: str) -> dict[str, str]:
    name = f"lake.curated.{alias}"
    return {"alias": alias, "schema_name": "curated", "database": "lake", "relation_name": name}


def main() -> int:
    wanted = files(REPO / "dbt" / "models", load_contracts(get_settings().contracts))
    return write_generated(wanted, check="--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())

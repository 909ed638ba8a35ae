"""Features as they were known at a moment, as one Trino statement made from the metric definitions.

An event counts for a moment when it had arrived by then, and lies in the minutes before the end of the minute that the
moment is in: what the live windows held. Of a file an event is taken as known at its own time, since a file tells what its
source knew. A rate of exchange is the one that had arrived by then, too. So nothing of the future is in a figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlglot
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from sqlglot import exp

from headrace.contracts.templating import filled
from headrace.lake import literals
from headrace.semantics.catalogue import SemanticCatalogue
from headrace.semantics.features import FeatureSet, NotAFeature, components, entity_column, name_of, source_of
from headrace.semantics.measures import FACTORS, filters_of

_RATE = FACTORS[0]
_DIMENSION = re.compile(r"\{\{\s*Dimension\(\s*'(?:(\w+)__)?(\w+)'\s*\)\s*\}\}")
_AGGREGATES = {"sum": "sum", "sum_boolean": "sum", "count": "count", "min": "min", "max": "max"}
_SQL = """with asked (asked_n, asked_id, asked_at) as (
    values
<% for id, at in asked %>
        (<< loop.index >>, << id >>, << at >>)<< "," if not loop.last >>
<% endfor %>
),
moments as (
    select asked.*, date_trunc('minute', asked_at) + interval '1' minute as asked_through from asked
)<% for fact in facts %>,
events_<< fact.name >> as (
    select moments.*, fact.<< fact.time >> as happened_at, << fact.columns | join(", ") >>
    from moments
    inner join lake.curated.<< fact.name >> as fact
        on fact.<< fact.entity >> = moments.asked_id
        and fact.<< fact.time >> >= moments.asked_through - interval '<< longest >>' minute
        and fact.<< fact.time >> < moments.asked_through
        and if(fact.origin = 'stream', fact.arrived_at, fact.<< fact.time >>) <= moments.asked_at
    where fact.<< fact.time >> >= << earliest >> and fact.<< fact.time >> < << latest >>
)<% if fact.rated %>,
rates_<< fact.name >> as (
    select
        days.asked_n, days.currency, days.rate_day,
        coalesce(
            max_by(known.usd_rate, row(known.rate_date, known.updated_at)) filter (where known.rate_date <= days.rate_day),
            min_by(known.usd_rate, row(known.rate_date, known.updated_at))
        ) as usd_rate
    from (select distinct asked_n, asked_at, currency, cast(happened_at as date) as rate_day from events_<< fact.name >>) as days
    inner join lake.raw.valid_exchange_rates as known
        on known.currency = days.currency
        and if(known.origin = 'stream', known.arrived_at, known.updated_at) <= days.asked_at
    group by 1, 2, 3
)<% endif %>,
figures_<< fact.name >> as (
    select
        events.asked_n,
<% for figure in fact.figures %>
        << figure.sql >> as << figure.name >><< "," if not loop.last >>
<% endfor %>
    from <% if fact.rated %>(
        select e.*, coalesce(r.usd_rate, if(e.currency = 'USD', cast(1 as decimal(18, 8)))) as usd_rate
        from events_<< fact.name >> as e
        left join rates_<< fact.name >> as r
            on r.asked_n = e.asked_n and r.currency = e.currency and r.rate_day = cast(e.happened_at as date)
    ) as events<% else %>events_<< fact.name >> as events<% endif %>

    group by events.asked_n
)<% endfor %>

select
    moments.asked_n<% for name in outputs %>,
    << name >><% endfor %>

from moments<% for fact in facts %>

left join figures_<< fact.name >> on figures_<< fact.name >>.asked_n = moments.asked_n<% endfor %>

order by moments.asked_n"""


@dataclass(frozen=True)
class Figure:
    name: str
    sql: str


@dataclass(frozen=True)
class Fact:
    name: str
    time: str
    entity: str
    rated: bool
    columns: tuple[str, ...]
    figures: tuple[Figure, ...]


def asof_sql(
    features: FeatureSet,
    asked: Sequence[tuple[str, datetime]],
    manifest: PydanticSemanticManifest,
    known: SemanticCatalogue,
) -> str:
    """A row for each (id, moment), in that order: its number, then the simple metrics over each length (see `columns`)."""
    moments = [at for _, at in asked]
    longest = max(features.minutes)
    return filled(
        _SQL,
        asked=[(literals.text(id_), literals.moment(at)) for id_, at in asked],
        facts=_facts(features, manifest, known),
        longest=longest,
        earliest=literals.moment(min(moments) - timedelta(minutes=longest)),
        latest=literals.moment(max(moments) + timedelta(minutes=1)),
        outputs=[name_of(*place) for place in columns(features, known)],
    )


def columns(features: FeatureSet, known: SemanticCatalogue) -> list[tuple[str, int]]:
    """What the statement gives behind the number of the row: simple metrics, with the minutes."""
    return [(name, minutes) for name in components(features.metrics, known) for minutes in features.minutes]


def streams(features: FeatureSet, manifest: PydanticSemanticManifest, known: SemanticCatalogue) -> set[str]:
    """The contracts of the events that these features are made of."""
    models = (source_of(name, manifest)[1] for name in components(features.metrics, known))
    return {str(dict(model.config.meta)["contract"]) for model in models}


def _facts(features: FeatureSet, manifest: PydanticSemanticManifest, known: SemanticCatalogue) -> list[Fact]:
    by_model: dict[str, list[str]] = {}
    for name in components(features.metrics, known):
        by_model.setdefault(source_of(name, manifest)[1].name, []).append(name)
    return [_fact(names, features, manifest) for names in by_model.values()]


def _fact(names: list[str], features: FeatureSet, manifest: PydanticSemanticManifest) -> Fact:
    _, model, _ = source_of(names[0], manifest)
    figures: list[Figure] = []
    used: dict[str, None] = {}
    for name in names:
        metric, _, measure = source_of(name, manifest)
        value = measure.expr or measure.name
        filters = [_filter(text, model) for text in filters_of(metric)]
        for text in (value, *filters):
            used |= dict.fromkeys(c.name for c in sqlglot.parse_one(text, dialect="trino").find_all(exp.Column))
        figures += [Figure(name_of(name, m), _figure(measure.agg.value, value, filters, m)) for m in features.minutes]
    rated = _RATE in used
    kept = dict.fromkeys(name for name in (*used, *(("currency",) if rated else ())) if name != _RATE)
    time = (model.defaults.agg_time_dimension if model.defaults else None) or ""
    found = tuple(f"fact.{name}" for name in kept if name != time) or ("1 as one",)
    return Fact(model.node_relation.alias, time, entity_column(model, features.entity), rated, found, tuple(figures))


def _figure(agg: str, value: str, filters: list[str], minutes: int) -> str:
    limits = [f"events.happened_at >= events.asked_through - interval '{minutes}' minute", *(f"({f})" for f in filters)]
    return f"{_AGGREGATES[agg]}({value}) filter (where {' and '.join(limits)})"


def _filter(text: str, model: Any) -> str:
    """The condition over the fact's own columns; what lies behind a join may have changed since."""
    primary = next(e.name for e in model.entities if e.type.value == "primary")
    own = {d.name: d.expr or d.name for d in model.dimensions}

    def column(found: re.Match[str]) -> str:
        entity, name = found.groups()
        if entity not in (None, primary) or name not in own:
            raise NotAFeature(
                f"{model.name}: a feature's filter looks at {found.group(0)}, which is not of the event itself"
            )
        return str(own[name])

    return _DIMENSION.sub(column, text)

"""What can be asked: every metric and dimension with the words people use for it, straight from the definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel

from headrace.contracts.model import Contract, load_contracts
from headrace.semantics import manifest as manifests
from headrace.semantics.buckets import buckets_of, spelled
from headrace.semantics.manifest import meta
from headrace.semantics.measures import filters_of, live_measure, live_model, measure_of, share_of
from headrace.semantics.percentile import Percentile
from headrace.settings import Settings
from headrace.streams.spec import LiveMeasure

_PARTS_ADD_UP = {"sum": "sum", "sum_boolean": "sum", "count": "sum", "min": "min", "max": "max"}


@dataclass(frozen=True)
class MetricInfo:
    name: str
    label: str
    description: str
    type: str
    """simple, ratio or derived."""
    synonyms: tuple[str, ...]
    unit: str
    money: bool
    owner: str
    agg: str | None
    """How two parts of a period are put together: sum, min or max; None for what cannot be (a distinct count)."""
    live: LiveMeasure | None
    inputs: tuple[tuple[str, str], ...]
    """For ratios and derived metrics: the name in `expr`, and the metric it stands for."""
    expr: str
    dimensions: tuple[str, ...]
    """Qualified names of what it can be split by."""
    tables: tuple[str, ...]
    """Where its measures are read from, as schema.table."""
    percentile: Percentile | None = None
    finest: Literal["minute", "day"] = "minute"
    """Parts of days cannot be told where a table has a row a day, or where a period is compared with another."""
    by: Literal["day", "week", "month"] | None = None
    """What it goes by where nobody says so: compared with a period before, there is no figure without."""

    @property
    def live_capable(self) -> bool:
        return self.live is not None


@dataclass(frozen=True)
class DimensionInfo:
    name: str
    """Short, and unique in the catalogue: `region`, `merchant_category`."""
    label: str
    qualified: str
    """As MetricFlow knows it; the column of a result has this name."""
    synonyms: tuple[str, ...]
    values: tuple[str, ...]
    """Every value it can have, where the contract lists them."""
    live_key: str | None
    table: str
    also: tuple[str, ...] = ()
    """The same dimension of other facts: `order__region` beside `transaction__region`."""


@dataclass(frozen=True)
class SemanticCatalogue:
    metrics: Mapping[str, MetricInfo]
    dimensions: Mapping[str, DimensionInfo]

    def qualified(self, dimension: str, metric: str) -> str | None:
        """The name to compile with for this metric; None when it cannot be split by that."""
        info, reachable = self.dimensions[dimension], self.metrics[metric].dimensions
        return next((name for name in (info.qualified, *info.also) if name in reachable), None)


def catalogue(settings: Settings) -> SemanticCatalogue:
    """As published; made once for each publication."""
    manifest = manifests.written(settings)
    if not _KEPT or _KEPT[0][0] is not manifest:
        _KEPT[:] = [(manifest, build(manifest, load_contracts(settings.contracts)))]
    return _KEPT[0][1]


_KEPT: list[tuple[PydanticSemanticManifest, SemanticCatalogue]] = []


def build(manifest: PydanticSemanticManifest, contracts: dict[str, Contract]) -> SemanticCatalogue:
    """From a manifest as written, before MetricFlow rewrites it."""
    dimensions = _dimensions(manifest, contracts)
    metrics: dict[str, MetricInfo] = {}
    # Ratios and derived metrics take what their inputs have in common, so these come first.
    for metric in sorted(manifest.metrics, key=lambda m: m.type_params.measure is None):
        metrics[metric.name] = _metric(metric, manifest, contracts, metrics)
    return SemanticCatalogue({m.name: metrics[m.name] for m in manifest.metrics}, {d.name: d for d in dimensions})


def _metric(
    metric: PydanticMetric,
    manifest: PydanticSemanticManifest,
    contracts: dict[str, Contract],
    known: dict[str, MetricInfo],
) -> MetricInfo:
    described, inputs = meta(metric), _inputs(metric)
    parts = [known[name] for _, name in inputs]
    model, measure = _source(metric, manifest)
    whole = _whole(metric)
    return MetricInfo(
        name=metric.name,
        label=metric.label or metric.name.replace("_", " ").capitalize(),
        description=metric.description or "",
        type=metric.type.value,
        synonyms=tuple(described.get("synonyms", ())),
        unit=described.get("unit", ""),
        money=bool(described.get("money", False)),
        owner=described.get("owner", ""),
        agg=_PARTS_ADD_UP.get(measure.agg.value) if measure else None,
        live=live_measure(metric, manifest, contracts),
        inputs=() if whole else inputs,
        expr="" if whole else _expression(metric),
        dimensions=_reachable(model, manifest) if model else _common([p.dimensions for p in parts]),
        tables=(_table(model),) if model else tuple(dict.fromkeys(t for p in parts for t in p.tables)),
        percentile=_percentile(metric, model, measure, manifest) if model and measure else None,
        finest="day" if (model and _by_day(model)) or _shifted(metric) else "minute",
        by=described.get("by"),
    )


def _whole(metric: PydanticMetric) -> bool:
    """What only the lake can work out, as one: it looks at another period, or follows people from event to event."""
    return metric.type.value == "conversion" or _shifted(metric)


def _shifted(metric: PydanticMetric) -> bool:
    return any(part.offset_window or part.offset_to_grain for part in metric.type_params.metrics or ())


def _by_day(model: PydanticSemanticModel) -> bool:
    named = model.defaults.agg_time_dimension if model.defaults else None
    times = (d for d in model.dimensions if d.name == named and d.type_params)
    return any(d.type_params.time_granularity.value == "day" for d in times if d.type_params)


def _percentile(
    metric: PydanticMetric, model: PydanticSemanticModel, measure: Any, manifest: PydanticSemanticManifest
) -> Percentile | None:
    """Needs buckets of the same value, and a metric that counts behind the same filter."""
    if measure.agg.value not in ("percentile", "median"):
        return None
    counts = {m.name for m in model.measures if m.agg.value == "count"}
    same = [
        other.name
        for other in manifest.metrics
        if other.type_params.measure
        and other.type_params.measure.name in counts
        and filters_of(other) == filters_of(metric)
    ]
    for buckets in buckets_of(model):
        if same and buckets.of == spelled(measure.expr or measure.name):
            return Percentile(same[0], f"{_primary(model)}__{buckets.dimension}", buckets.base, share_of(measure))
    return None


def _inputs(metric: PydanticMetric) -> tuple[tuple[str, str], ...]:
    given = metric.type_params
    if given.numerator and given.denominator:
        return ((given.numerator.name, given.numerator.name), (given.denominator.name, given.denominator.name))
    return tuple((part.alias or part.name, part.name) for part in given.metrics or ())


def _expression(metric: PydanticMetric) -> str:
    given = metric.type_params
    if given.numerator and given.denominator:
        return f"{given.numerator.name} / {given.denominator.name}"
    return (given.expr or "") if given.metrics else ""


def _source(metric: PydanticMetric, manifest: PydanticSemanticManifest) -> tuple[PydanticSemanticModel | None, Any]:
    """Where a metric is read from, and the measure that it adds up; a conversion has none of its own."""
    given = metric.type_params
    if given.conversion_type_params and given.conversion_type_params.base_measure:
        return measure_of(manifest, given.conversion_type_params.base_measure.name)[0], None
    return measure_of(manifest, given.measure.name) if given.measure else (None, None)


def _dimensions(manifest: PydanticSemanticManifest, contracts: dict[str, Contract]) -> list[DimensionInfo]:
    """Facts come before the tables they refer to, so that `region` is the fact's and `merchant_country` says whose.

    The fact that measures most comes first: a dimension that several facts have is known by its words, so that a new
    stream does not rename it.
    """
    found: dict[str, DimensionInfo] = {}
    for model in sorted(manifest.semantic_models, key=lambda m: (-len(m.measures), m.name)):
        entity = _primary(model)
        for dimension in model.dimensions:
            if dimension.type.value != "categorical" or "buckets" in meta(dimension):
                continue
            if model.measures and (first := found.get(dimension.name)):
                found[first.name] = replace(first, also=(*first.also, f"{entity}__{dimension.name}"))
                continue
            own = model.measures or dimension.name.startswith(f"{entity}_")
            info = _dimension(dimension, model, contracts, dimension.name if own else f"{entity}_{dimension.name}")
            found[info.name] = info
    return list(found.values())


def _dimension(
    dimension: Any, model: PydanticSemanticModel, contracts: dict[str, Contract], name: str
) -> DimensionInfo:
    live = live_model(model, contracts)
    contract = contracts.get(meta(model).get("contract", ""))
    values = {f.name: f.values for f in contract.fields} if contract else {}
    return DimensionInfo(
        name=name,
        label=dimension.label or name.replace("_", " ").capitalize(),
        qualified=f"{_primary(model)}__{dimension.name}",
        synonyms=tuple(meta(dimension).get("synonyms", ())),
        values=tuple(values.get(dimension.name, ())),
        live_key=dimension.name if live and dimension.name in live.keys else None,
        table=_table(model),
    )


def _reachable(model: PydanticSemanticModel, manifest: PydanticSemanticManifest) -> tuple[str, ...]:
    """Its own dimensions, and those of the tables that its foreign keys lead to."""
    own = [f"{_primary(model)}__{d.name}" for d in model.dimensions if d.type.value == "categorical"]
    foreign = {e.name for e in model.entities if e.type.value == "foreign"}
    joined = [
        f"{_primary(other)}__{d.name}"
        for other in manifest.semantic_models
        if _primary(other) in foreign
        for d in other.dimensions
        if d.type.value == "categorical"
    ]
    return (*own, *joined)


def _common(lists: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for name in lists[0] if all(name in other for other in lists[1:])) if lists else ()


def _primary(model: PydanticSemanticModel) -> str:
    return str(next(e.name for e in model.entities if e.type.value == "primary"))


def _table(model: PydanticSemanticModel) -> str:
    return f"{model.node_relation.schema_name}.{model.node_relation.alias}"

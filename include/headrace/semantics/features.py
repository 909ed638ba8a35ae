"""Features for models: which metrics, of which entity, over how many minutes, as the entity's semantic model declares it.

`config.meta.features: {metrics: […], minutes: […]}` in the semantic model of an entity. Live and historical values are made
of these metrics' definitions, so that what a model learned from is what it is asked with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel

from headrace.semantics.catalogue import SemanticCatalogue
from headrace.semantics.manifest import meta
from headrace.semantics.measures import measure_of

LONGEST_MINUTES = 60
"""Windows by person are kept for a little longer than this after curated has them."""
_ADDITIVE = ("sum", "sum_boolean", "count", "min", "max")


class NotAFeature(ValueError):
    """What is declared cannot be known both live and as of any moment; the message says why."""


@dataclass(frozen=True)
class FeatureSet:
    entity: str
    """As metrics call it: customer, merchant."""
    contract: str
    metrics: tuple[str, ...]
    minutes: tuple[int, ...]

    @property
    def names(self) -> list[tuple[str, int]]:
        """Metric and minutes of each feature."""
        return list(product(self.metrics, self.minutes))


def name_of(metric: str, minutes: int) -> str:
    return f"{metric}_{minutes}m"


def feature_sets(manifest: PydanticSemanticManifest, known: SemanticCatalogue) -> dict[str, FeatureSet]:
    found: dict[str, FeatureSet] = {}
    for model in manifest.semantic_models:
        described = meta(model)
        if declared := described.get("features"):
            entity = next(e.name for e in model.entities if e.type.value == "primary")
            made = FeatureSet(entity, described["contract"], tuple(declared["metrics"]), tuple(declared["minutes"]))
            _check(made, manifest, known)
            found[entity] = made
    return found


def components(metrics: Iterable[str], known: SemanticCatalogue) -> list[str]:
    """The simple metrics that these are made of, each once."""
    found: dict[str, None] = {}
    for name in metrics:
        inputs = known.metrics[name].inputs
        found |= dict.fromkeys(components((inner for _, inner in inputs), known) if inputs else [name])
    return list(found)


def source_of(name: str, manifest: PydanticSemanticManifest) -> tuple[PydanticMetric, PydanticSemanticModel, Any]:
    """A simple metric with the semantic model and the measure behind it."""
    metric = next(m for m in manifest.metrics if m.name == name)
    reference = metric.type_params.measure
    if reference is None:
        raise NotAFeature(f"{name} is not a simple metric")
    return metric, *measure_of(manifest, reference.name)


def entity_column(model: PydanticSemanticModel, entity: str) -> str:
    """The column of the fact that names the entity."""
    for one in model.entities:
        if one.name == entity:
            return str(one.expr or one.name)
    raise NotAFeature(f"{model.name} names no {entity}")


def _check(made: FeatureSet, manifest: PydanticSemanticManifest, known: SemanticCatalogue) -> None:
    for minutes in made.minutes:
        if not 1 <= minutes <= LONGEST_MINUTES:
            raise NotAFeature(
                f"features of {made.entity}: {minutes} minutes; live windows reach {LONGEST_MINUTES} back"
            )
    for name in made.metrics:
        if name not in known.metrics:
            raise NotAFeature(f"features of {made.entity}: there is no metric {name}")
    for name in components(made.metrics, known):
        _, model, measure = source_of(name, manifest)
        entity_column(model, made.entity)
        if measure.agg.value not in _ADDITIVE or not known.metrics[name].live_capable:
            raise NotAFeature(f"features of {made.entity}: {name} is not added up live")

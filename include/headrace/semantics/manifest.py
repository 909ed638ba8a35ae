"""The published semantic manifest: what `dbt parse` made of the metrics, kept where every part can read it."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.transformations.semantic_manifest_transformer import (
    PydanticSemanticManifestTransformer,
)

from headrace.settings import Settings


class NotPublished(LookupError):
    """Metrics were asked for before they were published."""


def path(settings: Settings) -> Path:
    return settings.etc / "semantic_manifest.json"


def manifest(settings: Settings) -> PydanticSemanticManifest:
    """The metrics as MetricFlow wants them; the same object until they are published anew."""
    return _transformed(*_version(settings))


def written(settings: Settings) -> PydanticSemanticManifest:
    """The metrics as they were written: a count is still a count."""
    return _as_written(*_version(settings))


def _version(settings: Settings) -> tuple[Path, int]:
    file = path(settings)
    try:
        return file, file.stat().st_mtime_ns
    except FileNotFoundError:
        raise NotPublished(f"{file} is missing: `./headrace up` publishes the metrics.") from None


@lru_cache(maxsize=2)
def _transformed(file: Path, _: int) -> PydanticSemanticManifest:
    return parse(json.loads(file.read_text()))


@lru_cache(maxsize=2)
def _as_written(file: Path, _: int) -> PydanticSemanticManifest:
    return as_written(json.loads(file.read_text()))


def parse(raw: dict[str, Any]) -> PydanticSemanticManifest:
    return PydanticSemanticManifestTransformer.transform(as_written(raw))


def as_written(raw: dict[str, Any]) -> PydanticSemanticManifest:
    """Before MetricFlow rewrites it: a count is still a count."""
    return PydanticSemanticManifest.parse_obj(raw)


def meta(element: Any) -> dict[str, Any]:
    """The `config.meta` of a semantic model, dimension or metric."""
    config = element.config
    return dict(config.meta or {}) if config else {}

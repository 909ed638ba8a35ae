"""Metrics, defined once in the dbt project: what can be asked, the SQL for it, and what live windows add up."""

from __future__ import annotations

from headrace.semantics.catalogue import DimensionInfo, MetricInfo, SemanticCatalogue, catalogue
from headrace.semantics.compile import CannotCompile, Condition, Request, compile_sql

__all__ = [
    "CannotCompile",
    "Condition",
    "DimensionInfo",
    "MetricInfo",
    "Request",
    "SemanticCatalogue",
    "catalogue",
    "compile_sql",
]

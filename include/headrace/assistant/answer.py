"""The answer as it leaves the house: figures with their plan, SQL, freshness and confidence; never a figure alone."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from headrace.assistant.evidence import Freshness, Sql
from headrace.assistant.outcome import Level
from headrace.assistant.table import Data


class Confidence(BaseModel):
    level: Level
    reasons: list[str] = Field(default_factory=list)


class Problem(BaseModel):
    message: str
    next_step: str


class Quality(BaseModel):
    """How good a table was that the figures were read from: the newest day that was measured."""

    table: str
    day: date
    state: Literal["passed", "failed", "empty"]
    sentence: str


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    status: Literal["answered", "asked", "declined"]
    text: str
    data: Data = Field(default_factory=Data)
    charts: list[dict[str, Any]] = Field(default_factory=list)
    insights: list[str] = Field(default_factory=list)
    plan: dict[str, Any] = Field(default_factory=dict)
    metrics: list[dict[str, str]] = Field(default_factory=list)
    """The definitions of the metrics that were used."""
    sql: list[Sql] = Field(default_factory=list)
    freshness: list[Freshness] = Field(default_factory=list)
    quality: list[Quality] = Field(default_factory=list)
    confidence: Confidence | None = None
    suggestions: list[str] = Field(default_factory=list)
    conversation_id: str = ""
    correlation_id: str = ""
    elapsed_ms: float = 0.0
    error: Problem | None = None

"""What the API says, typed: lenient about what it leaves out, so that an older app survives a newer API."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Reply(BaseModel):
    """An API that sends null means: nothing; the app then shows the default."""

    model_config = ConfigDict(extra="ignore")

    @field_validator("*", mode="wrap")
    @classmethod
    def _null_is_the_default(cls, value: Any, handler: Any, info: Any) -> Any:
        field = cls.model_fields[info.field_name]
        if value is None and not field.is_required():
            return field.get_default(call_default_factory=True)
        return handler(value)


class Token(Reply):
    access_token: str
    expires_at: datetime
    user: str
    roles: list[str] = []


class Column(Reply):
    name: str
    label: str = ""
    unit: str = ""
    type: str = "string"


class Data(Reply):
    columns: list[Column] = []
    rows: list[Any] = []


class Sql(Reply):
    engine: str = ""
    sql: str = ""


class Freshness(Reply):
    part: str = ""
    source: str = ""
    as_of: datetime | None = None
    through: datetime | None = None


class Confidence(Reply):
    level: str = ""
    reasons: list[str] = []


class Quality(Reply):
    table: str = ""
    day: str = ""
    state: str = ""
    sentence: str = ""


class Figure(Reply):
    figure: str
    state: str = ""
    percent: str | None = None
    threshold: str = ""
    good: int = 0
    counted: int = 0
    unit: str = "rows"
    detail: dict[str, Any] = {}


class TableDay(Quality):
    figures: list[Figure] = []


class BothSides(Reply):
    metric: str
    through: datetime | None = None
    live: str | None = None
    lake: str | None = None
    late: str | None = None
    difference: str | None = None
    relative: float | None = None
    state: str = ""


class QualityDays(Reply):
    as_of: datetime | None = None
    meaning: dict[str, str] = {}
    days: list[TableDay] = []
    live_and_lake: list[BothSides] = []


class Place(Reply):
    name: str
    kind: str = "other"


class Step(Reply):
    source: str
    target: str
    job: str = ""


class Lineage(Reply):
    about: list[str] = []
    nodes: list[Place] = []
    edges: list[Step] = []


class Metric(Reply):
    name: str = ""
    label: str = ""
    description: str = ""
    owner: str = ""


class Catalogue(Reply):
    metrics: list[Metric] = []
    questions: list[str] = []


class Answer(Reply):
    status: Literal["answered", "asked", "declined"] = "declined"
    text: str = ""
    data: Data = Field(default_factory=Data)
    charts: list[dict[str, Any]] = []
    insights: list[str] = []
    plan: dict[str, Any] = {}
    metrics: list[Metric] = []
    sql: list[Sql] = []
    freshness: list[Freshness] = []
    quality: list[Quality] = []
    confidence: Confidence = Field(default_factory=Confidence)
    suggestions: list[str] = []
    conversation_id: str | None = None
    correlation_id: str | None = None
    elapsed_ms: float | None = None
    error: Any = None


class LiveSummary(Reply):
    as_of: datetime | None = None
    currency: str = ""
    totals: dict[str, Any] = {}
    series: list[dict[str, Any]] = []
    by_region: list[dict[str, Any]] = []
    by_type: list[dict[str, Any]] = []
    top_merchants: list[dict[str, Any]] = []
    notes: list[str] = []
    late_events: int = 0
    coverage_through: datetime | None = None
    newest_window: datetime | None = None

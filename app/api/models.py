"""The requests and replies of the API, as /docs shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.api.problems import Refused
from headrace.assistant.pipeline import Question
from headrace.assistant.plan import Source, TimeRange
from headrace.assistant.time_phrases import find_periods

SourceName = Literal["live", "redis", "valkey", "kafka", "historical", "trino", "lake", "iceberg"]
_LIVE = {"live", "redis", "valkey", "kafka"}


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Request):
    username: str = Field(max_length=128)
    password: str = Field(max_length=1024)


class SignedIn(BaseModel):
    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name, not a secret
    expires_at: datetime
    user: str
    roles: list[str]


class Period(_Request):
    start: AwareDatetime
    end: AwareDatetime


class Query(_Request):
    query: str = Field(min_length=1, max_length=2000, examples=["sales today including the last minute"])
    conversation_id: str | None = Field(None, max_length=64, pattern=r"^[\w-]+$")
    time_range: Period | str | None = Field(None, description='A period as {start, end} or in words: "last 7 days".')
    limit: int | None = Field(None, ge=1, le=1000)
    data_sources: list[SourceName] | None = Field(None, description="Leave out for both, joined.")

    def question(self) -> Question:
        return Question(self.query, self.conversation_id, self._time(), self.limit, self._source())

    def _time(self) -> TimeRange | None:
        if self.time_range is None:
            return None
        if isinstance(self.time_range, Period):
            start, end = self.time_range.start.astimezone(UTC), self.time_range.end.astimezone(UTC)
            if end <= start:
                raise Refused(422, "time_range ends before it starts.", "Swap start and end.")
            return TimeRange(start=start, end=end, label=f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}")
        found = find_periods(self.time_range.lower(), datetime.now(UTC))
        if not found or found[0].future:
            raise Refused(422, f"time_range {self.time_range!r} is not a known period.", 'Say it as "last 7 days".')
        return found[0].time

    def _source(self) -> Source | None:
        if not self.data_sources:
            return None
        live = {name in _LIVE for name in self.data_sources}
        return "both" if len(live) > 1 else "live" if live == {True} else "historical"


class MetricCard(BaseModel):
    name: str
    label: str
    description: str
    type: str
    unit: str
    synonyms: list[str]
    owner: str
    live: bool


class DimensionCard(BaseModel):
    name: str
    label: str
    synonyms: list[str]
    values: list[str]
    live: bool


class CatalogueCard(BaseModel):
    metrics: list[MetricCard]
    dimensions: list[DimensionCard]
    questions: list[str]


class LiveSummary(BaseModel):
    as_of: datetime
    currency: str
    minutes: int
    totals: dict[str, Any]
    series: list[dict[str, Any]]
    by_region: list[dict[str, Any]]
    by_type: list[dict[str, Any]]
    top_merchants: list[dict[str, Any]]
    late_events: int
    coverage_through: datetime | None
    newest_window: datetime | None
    notes: list[str] = Field(default_factory=list)
    source: str = Field("live", description="live, or clickhouse where that answers for a live store that cannot.")


class Contributor(BaseModel):
    keys: dict[str, Any]
    seen: int
    usual: float


class Anomaly(BaseModel):
    """One incident: what was seen, what would be usual, and one sentence that says so."""

    id: str
    scope: Literal["platform", "merchant", "user", "topic", "table", "live"]
    subject: str
    measure: str
    state: Literal["open", "closed"]
    opened_at: datetime
    closed_at: datetime | None
    window_start: datetime
    window_minutes: int
    seen: float
    expected: float
    low: float
    high: float
    score: float
    sentence: str
    contributors: list[Contributor]


class Anomalies(BaseModel):
    as_of: datetime
    anomalies: list[Anomaly]
    hidden: int
    """How many there are that this person may not see."""


class LiveSession(BaseModel):
    """A session. open: the person was there within the pause; ended: only an event on its way could
    change it; closed: nothing that comes in time can."""

    session_id: str
    stream: str
    user_id: str | None
    state: Literal["open", "ended", "closed"]
    started_at: datetime
    ended_at: datetime
    """The last event so far."""
    quiet_at: datetime
    """When it ends, or ended, if nothing more comes."""
    closed_at: datetime | None
    events: int
    by_type: dict[str, int]
    source: str = "live"
    """live; clickhouse where the live store could not tell; curated, processed or raw where it is closed."""


class Activity(BaseModel):
    """What a person did in the last hour, oldest session first."""

    user_id: str
    sessions: list[LiveSession]


Status = Literal["up", "degraded", "down"]


class PartState(BaseModel):
    state: Literal["up", "down"]
    detail: str = ""
    elapsed_ms: float


class Health(BaseModel):
    """`status` is up, degraded (answers live figures only) or down (answers nothing); the code is 200 or 503."""

    status: Status
    parts: dict[str, PartState]
    checked_at: datetime

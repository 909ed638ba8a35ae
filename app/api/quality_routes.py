"""GET /quality: how good each table's day is, with the counts behind every figure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.api.problems import Refused
from app.api.security import Person, parts_of, require
from app.api.threads import in_thread
from headrace.assistant.permit import row_filters, vocabulary_of
from headrace.quality.figures import MEANING, Verdict, verdicts

_SECONDS = 10.0
router = APIRouter()


class TableDay(BaseModel):
    table: str
    day: date
    state: str
    sentence: str
    figures: list[dict[str, Any]]


class QualityDays(BaseModel):
    as_of: datetime
    meaning: dict[str, str]
    days: list[TableDay]
    """Newest first."""
    live_and_lake: list[dict[str, Any]]
    """Each metric as both sides had it when they were compared last; `late` of the difference is what came late."""


@router.get("/quality")
async def quality(
    request: Request,
    person: Person,
    table: Annotated[str | None, Query(max_length=130)] = None,
    days: Annotated[int, Query(ge=1, le=90)] = 7,
) -> QualityDays:
    """Completeness, consistency, timeliness, uniqueness and accuracy of each table by day of arrival: counts, never rows."""
    parts = parts_of(request)
    require(parts, person, "catalogue")
    if row_filters(person):
        raise Refused(
            403, "These figures count every row, and you may see some.", "Ask an administrator for a role that may."
        )

    def work() -> QualityDays:
        today = datetime.now(UTC).date()
        figures = parts.quality(today - timedelta(days=days - 1), today)
        mine = [figure for figure in figures if table in (None, figure.table)]
        seen = vocabulary_of(person, parts.vocabulary()).metrics
        compared = [one.document() for one in parts.reconciled() if one.metric in seen]
        return QualityDays(
            as_of=datetime.now(UTC),
            meaning=dict(MEANING),
            days=[_day(v) for v in verdicts(mine)],
            live_and_lake=compared,
        )

    return await in_thread(_SECONDS, work)


def _day(verdict: Verdict) -> TableDay:
    figures = [figure.document() for figure in verdict.figures]
    return TableDay(
        table=verdict.table, day=verdict.day, state=verdict.state, sentence=verdict.sentence, figures=figures
    )

"""Routes that read by key: an event, an entity, a session, the latest value of a metric, features for models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.api import features, records, sessions
from app.api.features import FeaturesAsOf, FeaturesNow, Moments
from app.api.latest import LatestMetric, latest
from app.api.models import LiveSession
from app.api.records import OneRecord
from app.api.security import Person, parts_of, require
from app.api.threads import in_thread

_SECONDS = 40.0
_LONG_SECONDS = 180.0
router = APIRouter()
Id = Annotated[str, Path(min_length=1, max_length=128)]
Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_]*$", max_length=64)]


@router.get("/events/{event_id}")
async def one_event(
    request: Request, person: Person, event_id: Id, stream: Annotated[str | None, Query(max_length=64)] = None
) -> OneRecord:
    """One event by its id, from whatever stream this person may read; kept for a while once it was read."""
    parts = parts_of(request)
    require(parts, person, "ask")

    return await in_thread(_SECONDS, lambda: records.event(parts, person, event_id, stream))


@router.get("/reference/{entity}/{entity_id}")
async def one_entity(request: Request, person: Person, entity: Name, entity_id: Id) -> OneRecord:
    """A customer, merchant, product or account by its id, in its newest state."""
    parts = parts_of(request)
    require(parts, person, "ask")

    return await in_thread(_SECONDS, lambda: records.entity(parts, person, entity, entity_id))


@router.get("/sessions/{session_id}")
async def session(
    request: Request, person: Person, session_id: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
) -> LiveSession:
    """One session: since when, how many events of which kind, and whether it is still open; once closed, from the lake."""
    parts = parts_of(request)
    require(parts, person, "live")

    return await in_thread(_SECONDS, lambda: sessions.one(parts, person, session_id))


@router.get("/metrics/{name}/latest")
async def latest_metric(
    request: Request,
    person: Person,
    name: Name,
    minutes: Annotated[int, Query(ge=1, le=180)] = 5,
    by: Annotated[str | None, Query(pattern="^[a-z][a-z0-9_]*$", max_length=64)] = None,
) -> LatestMetric:
    """A metric over the last minutes; 5, 15 and 60 minutes, also by region, are kept and cost nothing to read."""
    parts = parts_of(request)
    require(parts, person, "ask")

    return await in_thread(_SECONDS, lambda: latest(parts, person, name, minutes, by))


@router.get("/features/{entity}/{entity_id}")
async def features_now(request: Request, person: Person, entity: Name, entity_id: Id) -> FeaturesNow:
    """What a model is asked with: the features of one customer or merchant, as of now."""
    parts = parts_of(request)
    require(parts, person, "ask")

    return await in_thread(_SECONDS, lambda: features.now(parts, person, entity, entity_id))


@router.post("/features/{entity}/as-of")
async def features_as_of(request: Request, person: Person, entity: Name, asked: Moments) -> FeaturesAsOf:
    """What a model learns from: the same features as they were known at each moment, nothing of the future in them."""
    parts = parts_of(request)
    require(parts, person, "ask")

    return await in_thread(_LONG_SECONDS, lambda: features.as_of(parts, person, entity, asked))

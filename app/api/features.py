"""Features of one customer or merchant: as they are now, and as they were known at given moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from redis.exceptions import RedisError

from app.api.parts import Parts
from app.api.problems import Refused
from app.api.security import require
from headrace.keys.features import Values
from headrace.live.either import LiveNotFilled
from headrace.log import get_logger
from headrace.policy import Identity, Resource, column_masks, row_limits
from headrace.policy.audit import Entry
from headrace.semantics.features import FeatureSet

_LOG = get_logger(__name__)
_MOST = 1000


class FeaturesNow(BaseModel):
    entity: str
    id: str
    as_of: datetime
    source: str = Field(
        description="live; clickhouse or lake where the live store could not tell, the lake through `as_of`."
    )
    features: Values


class Moment(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str = Field(min_length=1, max_length=128)
    at: AwareDatetime


class Moments(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rows: list[Moment] = Field(min_length=1, max_length=_MOST)


class Known(BaseModel):
    id: str
    at: datetime
    complete: bool = Field(description="False where the lake may still get events that had arrived by then.")
    features: Values


class FeaturesAsOf(BaseModel):
    entity: str
    covered: datetime | None
    rows: list[Known]


def now(parts: Parts, person: Identity, entity: str, entity_id: str) -> FeaturesNow:
    features = _permitted(parts, person, entity, f"features of {entity} {entity_id}")
    moment = datetime.now(UTC)
    try:
        values, source = parts.features.live(features, entity_id, moment)
    except (LiveNotFilled, RedisError, LookupError) as error:
        _LOG.info("features_from_lake", entity=entity, because=str(error))
        (known,) = parts.features.asof(features, [(entity_id, moment)])
        values, source, moment = known.values, "lake", parts.features.covered(features) or moment
    return FeaturesNow(entity=entity, id=entity_id, as_of=moment, source=source, features=values)


def as_of(parts: Parts, person: Identity, entity: str, asked: Moments) -> FeaturesAsOf:
    features = _permitted(parts, person, entity, f"features of {len(asked.rows)} {entity}")
    if max(row.at for row in asked.rows) > datetime.now(UTC) + timedelta(minutes=1):
        raise Refused(422, "A moment lies in the future: nothing is known of it.", "Ask for moments up to now.")
    found = parts.features.asof(features, [(row.id, row.at) for row in asked.rows])
    rows = [Known(id=one.id, at=one.at, complete=one.complete, features=one.values) for one in found]
    return FeaturesAsOf(entity=entity, covered=parts.features.covered(features), rows=rows)


def _permitted(parts: Parts, person: Identity, entity: str, subject: str) -> FeatureSet:
    """For those who see every metric and, unmasked, what the entity is called by; each reading is recorded."""
    sets = parts.features.sets()
    if entity not in sets:
        raise Refused(404, f"No features of {entity!r} are declared.", f"There are those of: {', '.join(sets)}.")
    columns = parts.features.columns(sets[entity])
    for resource in (
        *(Resource("metric", name) for name in sets[entity].metrics),
        *(Resource("dimension", name) for name in sorted(columns)),
    ):
        require(parts, person, "ask", resource)
    if columns & column_masks(person).keys() or row_limits(person):
        parts.audit.write(Entry(person.user, "read", subject, False, {"reason": "masks or row limits"}))
        raise Refused(403, f"{person.user} sees {entity}s masked or some rows only.", "Ask an administrator.")
    parts.audit.write(Entry(person.user, "read", subject, True))
    return sets[entity]

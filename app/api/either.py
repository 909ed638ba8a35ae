"""The live store, and what stands behind it by setting: the answer says which of them it came from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis.exceptions import RedisError

from app.api.parts import Parts
from headrace.assistant.filled import LiveNotFilled
from headrace.assistant.livepart import Windows
from headrace.assistant.run import SECOND
from headrace.keys.clickhouse_sessions import ClickHouseSessions
from headrace.log import get_logger
from headrace.sessions.reading import SessionsNotFilled

_LOG = get_logger(__name__)
T = TypeVar("T")


def windows_of(parts: Parts, read: Callable[[Windows], T]) -> tuple[T, str]:
    try:
        return read(parts.windows), "live"
    except (LiveNotFilled, RedisError) as error:
        if parts.second is None:
            raise
        _LOG.info("live_miss", answered_by=SECOND, because=str(error))
        return read(parts.second), SECOND


def activity(
    live: Callable[[str], list[dict[str, Any]]], second: ClickHouseSessions | None
) -> Callable[[str], list[dict[str, Any]]]:
    """A person's sessions, each with where it was read."""

    def read(user_id: str) -> list[dict[str, Any]]:
        try:
            return [one | {"source": "live"} for one in live(user_id)]
        except (SessionsNotFilled, RedisError) as error:
            if second is None:
                raise
            _LOG.info("live_miss", answered_by=SECOND, because=str(error))
            return [one | {"source": SECOND} for one in second.of(user_id, datetime.now(UTC))]

    return read

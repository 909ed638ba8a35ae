"""The live store, or what stands behind it by setting where it cannot answer: whoever asked is told which it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError

from headrace.log import get_logger

LIVE, SECOND = "live", "clickhouse"
_LOG = get_logger(__name__)
S = TypeVar("S")
T = TypeVar("T")


class LiveNotFilled(RuntimeError):
    """A figure read now could be too small without anybody noticing."""


def from_either(live: Callable[[], T], second: Callable[[], T] | None) -> tuple[T, str]:
    try:
        return live(), LIVE
    except (LiveNotFilled, RedisError) as error:
        if second is None:
            raise
        _LOG.info("live_miss", answered_by=SECOND, because=str(error))
        return second(), SECOND


def of_either(live: S, second: S | None, read: Callable[[S], T]) -> tuple[T, str]:
    """Where both are read in the same way."""
    return from_either(lambda: read(live), None if second is None else lambda: read(second))

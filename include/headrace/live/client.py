"""The one way to Valkey."""

from __future__ import annotations

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from headrace.settings import Settings


def valkey(settings: Settings, *, seconds: float = 5) -> redis.Redis:
    """A client whose every attempt ends within `seconds`; answers are text. Nothing is sent before the first call."""
    return redis.Redis(
        host=settings.hosts.valkey,
        port=settings.ports.valkey,
        password=settings.secret("valkey_password"),
        socket_timeout=seconds,
        socket_connect_timeout=min(seconds, 2),
        decode_responses=True,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), 2),
    )

"""Structured logs with a correlation id that an event keeps from REST call to answer, and no secret in them."""

from __future__ import annotations

import logging
import sys
import uuid
from typing import Any

import structlog

from headrace.settings import get_settings

CORRELATION_HEADER = "x-correlation-id"
_SECRET_WORDS = ("password", "secret", "token", "api_key", "authorization")


def _hide_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "***"
    return event


def configure(service: str, *, level: str | None = None) -> None:
    """One JSON document a line on standard error, stamped with the service's name."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_secrets,  # type: ignore[list-item]
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level or get_settings().log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def get_logger(name: str) -> Any:
    return structlog.get_logger(logger_name=name)


def new_correlation_id() -> str:
    return uuid.uuid4().hex


def bind_correlation(correlation_id: str | None) -> str:
    """Every log line of this task carries the id from here on."""
    value = correlation_id or new_correlation_id()
    structlog.contextvars.bind_contextvars(correlation_id=value)
    return value

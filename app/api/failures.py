"""What a store that fails means to who asked: for each kind of failure one status, one sentence and the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

from app.api.problems import respond
from headrace.assistant.history import HistoryRefused, HistoryUnavailable
from headrace.assistant.rates import RatesUnknown
from headrace.assistant.run import TooSlow
from headrace.keys.lake import LakeDown
from headrace.live.either import LiveNotFilled
from headrace.log import get_logger
from headrace.policy.audit import AuditUnavailable

_LOG = get_logger(__name__)


@dataclass(frozen=True)
class _Told:
    code: int
    next_step: str
    retry_seconds: int | None = None
    message: str | None = None
    """None: the failure's own words, which were written for people."""


_TOLD: dict[type[Exception], _Told] = {
    LiveNotFilled: _Told(503, "Try again in some seconds.", 5),
    RedisError: _Told(503, "See `./headrace status`.", 5, "The live store does not answer."),
    psycopg.Error: _Told(503, "See `./headrace status postgres`.", 5, "PostgreSQL does not answer."),
    AuditUnavailable: _Told(
        503, "Try again; `./headrace status` shows PostgreSQL.", 5,
        "The answer is withheld, because it could not be recorded.",
    ),
    LakeDown: _Told(503, "See `./headrace status trino`, then try again.", 10),
    RatesUnknown: _Told(503, "Try again in some minutes.", 60),
    HistoryUnavailable: _Told(503, 'Try again shortly, or ask about live figures: "in the last 5 minutes".', 10),
    HistoryRefused: _Told(403, "Ask an administrator for a role that may."),
    TooSlow: _Told(504, "Ask for a shorter period or fewer groups."),
}  # fmt: skip


def install(app: FastAPI) -> None:
    for kind, told in _TOLD.items():
        app.add_exception_handler(kind, _handler(told))


def _handler(told: _Told) -> Callable[[Request, Exception], JSONResponse]:
    def respond_to(_: Request, error: Exception) -> JSONResponse:
        if told.message:
            _LOG.error("store_failed", kind=type(error).__name__, reason=str(error))
        headers = {"Retry-After": str(told.retry_seconds)} if told.retry_seconds else None
        return respond(told.code, told.message or str(error), told.next_step, headers)

    return respond_to

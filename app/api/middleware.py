"""What every request passes: a correlation id in, on every log line and out; a bound on its size; one log line."""

from __future__ import annotations

import re
import time
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import respond
from headrace.log import CORRELATION_HEADER, bind_correlation, get_logger

_LOG = get_logger(__name__)
_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
BODY_BYTES = 64 * 1024


class TooLarge(HTTPException):
    """The body grew over the bound while it was read. FastAPI lets this kind through as it is."""

    def __init__(self) -> None:
        super().__init__(413, f"A request may hold {BODY_BYTES:,} bytes.")


class Envelope:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        sent = headers.get(CORRELATION_HEADER, "")
        with structlog.contextvars.bound_contextvars():
            correlation = bind_correlation(sent if _ID.fullmatch(sent) else None)
            scope.setdefault("state", {})["correlation_id"] = correlation
            await self._measured(scope, receive, _Reply(send, correlation), headers)

    async def _measured(self, scope: Scope, receive: Receive, reply: _Reply, headers: dict[str, str]) -> None:
        began = time.perf_counter()
        try:
            if _declared(headers) > BODY_BYTES:
                raise TooLarge
            await self._app(scope, _Bounded(receive), reply)
        except TooLarge as error:
            response = respond(error.status_code, error.detail, "Send a shorter question.")
            await response(scope, receive, reply)
        finally:
            elapsed = round((time.perf_counter() - began) * 1000, 1)
            if scope["path"] != "/health":
                _LOG.info("request", method=scope["method"], path=scope["path"], code=reply.code, elapsed_ms=elapsed)


def _declared(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdigit() else BODY_BYTES + 1


class _Bounded:
    """A body without a declared length is counted as it comes."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._seen = receive, 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._seen += len(message.get("body", b""))
        if self._seen > BODY_BYTES:
            raise TooLarge
        return message


class _Reply:
    def __init__(self, send: Send, correlation: str) -> None:
        self._send, self._correlation, self.code = send, correlation, 0

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.code = message["status"]
            extra = [
                (CORRELATION_HEADER.encode(), self._correlation.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"cache-control", b"no-store"),
            ]
            message = {**message, "headers": [*message["headers"], *extra]}
        await self._send(message)

"""Every error leaves in one form, {status, error: {message, next_step}}, and never with a stack trace or a secret."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from headrace.log import get_logger
from headrace.settings import MissingSecret

_LOG = get_logger(__name__)
_NEXT = {
    404: "See /docs for what this API offers.",
    405: "See /docs for what this API offers.",
    413: "Send less in one request.",
}


class Refused(Exception):
    """An expected no, with its status code and what to do next."""

    def __init__(self, code: int, message: str, next_step: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.next_step, self.headers = code, message, next_step, headers


def document(message: str, next_step: str) -> dict[str, object]:
    return {"status": "error", "error": {"message": message, "next_step": next_step}}


def respond(code: int, message: str, next_step: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(document(message, next_step), code, headers=headers)


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return respond(error.code, error.message, error.next_step, error.headers)


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return respond(error.status_code, str(error.detail), _NEXT.get(error.status_code, "See /docs."))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return respond(422, f"{place}: {first['msg']}", "Correct the request; /docs describes it.")


def _not_ready(_: Request, error: Exception) -> JSONResponse:
    _LOG.warning("not_ready", reason=str(error))
    return respond(503, "The platform has not been started yet.", "Run `./headrace up`.", {"Retry-After": "10"})


def _unexpected(_: Request, error: Exception) -> JSONResponse:
    _LOG.error("unexpected", kind=type(error).__name__, exc_info=error)
    return respond(500, "The API failed on this request.", "Try again; `./headrace logs api` tells why, by the id.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(MissingSecret, _not_ready)
    app.add_exception_handler(Exception, _unexpected)

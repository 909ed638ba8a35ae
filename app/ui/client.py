"""The app's only way to data: the HTTP API, with a limit on every wait and an error that tells the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from headrace.log import CORRELATION_HEADER, new_correlation_id
from pydantic import ValidationError

from app.ui.models import Answer, LiveSummary, Reply, Token

R = TypeVar("R", bound=Reply)


class ApiError(Exception):
    """The API could not do it; `str()` says what happened, `next_step` what to do about it."""

    def __init__(self, message: str, next_step: str, correlation_id: str | None = None) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.correlation_id = correlation_id


class Unreachable(ApiError):
    """No answer at all, or none in time."""


class SignedOut(ApiError):
    """The token is missing, wrong or over."""


@dataclass(frozen=True)
class ApiClient:
    url: str
    token: str | None = None
    answer_seconds: float = 40

    def sign_in(self, username: str, password: str) -> Token:
        return self._call(Token, "POST", "/token", json={"username": username, "password": password})

    def ask(self, question: str, conversation_id: str | None = None) -> Answer:
        body = {"query": question, "conversation_id": conversation_id}
        return self._call(Answer, "POST", "/query", seconds=self.answer_seconds, json=body)

    def live_summary(self, minutes: int) -> LiveSummary:
        return self._call(LiveSummary, "GET", "/live/summary", params={"minutes": minutes})

    def _call(self, reply: type[R], method: str, path: str, *, seconds: float = 10, **request: Any) -> R:
        correlation_id = new_correlation_id()
        headers = {CORRELATION_HEADER: correlation_id}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            timeout = httpx.Timeout(seconds, connect=3)
            response = httpx.request(
                method, f"{self.url}{path}", headers=headers, timeout=timeout, trust_env=False, **request
            )
        except httpx.TimeoutException as error:
            raise Unreachable(
                f"No answer within {seconds:.0f} seconds.", "Try again, or ask for a shorter period.", correlation_id
            ) from error
        except httpx.HTTPError as error:
            raise Unreachable(
                "The API cannot be reached.", "See `./headrace status`, then `./headrace restart api`.", correlation_id
            ) from error
        return _read(reply, response, correlation_id)


def _read(reply: type[R], response: httpx.Response, correlation_id: str) -> R:
    correlation_id = response.headers.get(CORRELATION_HEADER, correlation_id)
    if response.is_error:
        raise _refusal(response, correlation_id)
    try:
        return reply.model_validate_json(response.content)
    except ValidationError as error:
        raise ApiError(
            "The API sent something this app does not understand.",
            "App and API may be of different versions: `./headrace restart app api`.",
            correlation_id,
        ) from error


def _refusal(response: httpx.Response, correlation_id: str) -> ApiError:
    said = _said(response)
    match response.status_code:
        case 401:
            return SignedOut(said or "You are not signed in.", "Sign in again.", correlation_id)
        case 403:
            return ApiError(said or "You may not see this.", "Ask an administrator for the role.", correlation_id)
        case 429:
            wait = response.headers.get("Retry-After", "a few")
            return ApiError(said or "Too many questions at once.", f"Try again in {wait} seconds.", correlation_id)
        case code if code < 500:
            return ApiError(said or f"The API refused this ({code}).", "Say it in other words.", correlation_id)
    return ApiError(
        said or f"The API failed ({response.status_code}).",
        "Try again; if it stays, `./headrace logs api` tells why, by the id below.",
        correlation_id,
    )


def _said(response: httpx.Response) -> str:
    """The API's own sentence, wherever it put it."""
    try:
        body = response.json()
    except ValueError:
        return ""
    while isinstance(body, dict):
        body = next((body[key] for key in ("error", "message", "detail", "text") if body.get(key)), "")
    return body if isinstance(body, str) else ""

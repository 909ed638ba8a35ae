"""The app's only way to data: the HTTP API, with a limit on every wait and an error that tells the next step."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from app.ui.models import Answer, Catalogue, Lineage, LiveSummary, QualityDays, Reply, Token
from headrace.log import CORRELATION_HEADER, new_correlation_id

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

    def catalogue(self) -> Catalogue:
        return self._call(Catalogue, "GET", "/catalogue/metrics", seconds=4)

    def live_summary(self, minutes: int) -> LiveSummary:
        return self._call(LiveSummary, "GET", "/live/summary", params={"minutes": minutes})

    def quality(self, days: int) -> QualityDays:
        return self._call(QualityDays, "GET", "/quality", params={"days": days})

    def lineage(self, name: str | None = None) -> Lineage:
        return self._call(Lineage, "GET", "/lineage", params={"name": name} if name else {})

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
    """In the API's own words; where it has none (a proxy in between, perhaps), in ours."""
    message, next_step = _ours(response)
    said = _theirs(response)
    kind = SignedOut if response.status_code == HTTPStatus.UNAUTHORIZED else ApiError
    return kind(said.get("message") or message, said.get("next_step") or next_step, correlation_id)


def _ours(response: httpx.Response) -> tuple[str, str]:
    match response.status_code:
        case HTTPStatus.UNAUTHORIZED:
            return "You are not signed in.", "Sign in again."
        case HTTPStatus.FORBIDDEN:
            return "You may not see this.", "Ask an administrator for the role."
        case HTTPStatus.TOO_MANY_REQUESTS:
            wait = response.headers.get("Retry-After", "a few")
            return "Too many questions at once.", f"Try again in {wait} seconds."
        case code if code < HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"The API refused this ({code}).", "Say it in other words."
        case code:
            return (
                f"The API failed ({code}).",
                "Try again; if it stays, `./headrace logs api` tells why, by the id below.",
            )


def _theirs(response: httpx.Response) -> dict[str, str]:
    try:
        body = response.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return {str(name): str(said) for name, said in error.items() if said} if isinstance(error, dict) else {}

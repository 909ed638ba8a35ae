"""Asks through the API, as the command line does: signs in, posts the question, hands back the answer as a document."""

from __future__ import annotations

from typing import Any

import httpx

from headrace.log import CORRELATION_HEADER, new_correlation_id
from headrace.policy.users import ADMIN
from headrace.settings import Settings

_CONNECT_SECONDS = 5.0
_EXTRA_SECONDS = 10.0


class AskError(RuntimeError):
    """The API could not be asked; the message tells the next step."""


def ask(
    settings: Settings,
    text: str,
    *,
    user: str = ADMIN,
    password: str | None = None,
    conversation_id: str | None = None,
) -> dict[str, Any]:
    """The answer of `POST /query`; errors of the API come back as {"status": "error", …} documents too."""
    body = {"query": text, "conversation_id": conversation_id}
    return post(settings, "/query", body, user=user, password=password)


def post(
    settings: Settings,
    path: str,
    body: dict[str, Any],
    *,
    user: str = ADMIN,
    password: str | None = None,
    seconds: float | None = None,
) -> dict[str, Any]:
    """Signs in, sends a document, hands back another."""
    secret = password if password is not None else settings.secret("admin_password")
    timeout = httpx.Timeout(seconds or settings.query_seconds + _EXTRA_SECONDS, connect=_CONNECT_SECONDS)
    headers = {CORRELATION_HEADER: new_correlation_id()}
    with httpx.Client(base_url=settings.api_url, timeout=timeout, headers=headers, trust_env=False) as client:
        try:
            signed = client.post("/token", json={"username": user, "password": secret})
            if signed.status_code != httpx.codes.OK:
                return _document(signed)
            bearer = {"authorization": f"Bearer {signed.json()['access_token']}"}
            return _document(client.post(path, json=body, headers=bearer))
        except httpx.TimeoutException as error:
            raise AskError(f"No answer within {timeout.read} s. Next: `./headrace status`, then ask again.") from error
        except httpx.HTTPError as error:
            raise AskError(f"{settings.api_url} cannot be reached. Next: `./headrace up`.") from error


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if isinstance(body, dict):
        return body
    raise AskError(f"The API said {response.status_code} and nothing readable. Next: `./headrace logs api`.")

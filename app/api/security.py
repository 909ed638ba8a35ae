"""Who asks: the bearer token becomes an Identity, or the request ends here; guessing passwords is slowed down."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.api.parts import Parts
from app.api.problems import Refused
from headrace.policy import Identity, Resource, allowed
from headrace.policy.audit import Entry, write_or_log
from headrace.policy.tokens import InvalidToken, verify

_BEARER = HTTPBearer(auto_error=False)
_TRIES = RateLimitItemPerMinute(10)


class SignInLimit:
    """Ten wrong passwords a minute for one name, then a pause; a right one costs nothing."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, user: str) -> None:
        if not self._limiter.test(_TRIES, user):
            raise Refused(429, "Too many wrong passwords for this name.", "Wait a minute.", {"Retry-After": "60"})

    def wrong(self, user: str) -> None:
        self._limiter.hit(_TRIES, user)


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def identity(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
) -> Identity:
    ask_for = {"WWW-Authenticate": "Bearer"}
    if credentials is None:
        raise Refused(401, "This needs a signed-in person.", "POST /token, then send Authorization: Bearer.", ask_for)
    try:
        return verify(parts_of(request).settings, credentials.credentials)
    except InvalidToken as error:
        raise Refused(401, str(error), "Sign in again: POST /token.", ask_for) from error


def require(parts: Parts, person: Identity, action: str, resource: Resource | None = None) -> None:
    decision = allowed(person, action, resource)
    if not decision.allowed:
        write_or_log(parts.audit, Entry(person.user, action, str(resource or ""), False, {"reason": decision.reason}))
        raise Refused(403, decision.reason, "Ask an administrator for a role that may.")


Person = Annotated[Identity, Depends(identity)]

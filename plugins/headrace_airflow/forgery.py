"""Keeps another site from pressing our buttons with the cookie of a person who is signed in here.

A form carries a token that only this server could have made for that person. A request that names its credential itself
(`Authorization`) needs none: no other site can make a browser send that.
"""

from __future__ import annotations

import hashlib
import hmac
import time

_SECONDS = 12 * 3600


def token(secret: str, user: str, now: float | None = None) -> str:
    until = int((time.time() if now is None else now) + _SECONDS)
    return f"{until}.{_sign(secret, user, until)}"


def genuine(secret: str, user: str, given: str, now: float | None = None) -> bool:
    until, _, signature = given.partition(".")
    if not until.isdecimal() or int(until) < (time.time() if now is None else now):
        return False
    return hmac.compare_digest(signature.encode(), _sign(secret, user, int(until)).encode())


def _sign(secret: str, user: str, until: int) -> str:
    return hmac.new(secret.encode(), f"streams {until} {user}".encode(), hashlib.sha256).hexdigest()

"""Signed, expiring tokens: they name the person; what the person may do is read anew from the files each time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from headrace.policy.identity import Identity
from headrace.policy.users import identity_of
from headrace.settings import Settings

ISSUER = "headrace"
_ALGORITHM = "HS256"
_CLAIMS = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER}, sub={"essential": True}, exp={"essential": True}, leeway=5
)


class InvalidToken(ValueError):
    """The token is not ours, was changed, has expired, or names a person who is gone."""


@dataclass(frozen=True)
class Token:
    access_token: str
    expires_at: datetime


def _key(settings: Settings) -> OctKey:
    return OctKey.import_key(settings.secret("token_signing_key"))


def issue(settings: Settings, identity: Identity, *, now: datetime | None = None) -> Token:
    now = now or datetime.now(UTC)
    expires = (now + timedelta(minutes=settings.token_minutes)).replace(microsecond=0)
    claims = {"iss": ISSUER, "sub": identity.user, "iat": int(now.timestamp()), "exp": int(expires.timestamp())}
    return Token(jwt.encode({"alg": _ALGORITHM}, claims, _key(settings)), expires)


def verify(settings: Settings, token: str) -> Identity:
    try:
        claims = jwt.decode(token, _key(settings), algorithms=[_ALGORITHM]).claims
        _CLAIMS.validate(claims)
    except (JoseError, ValueError) as error:
        raise InvalidToken("The token is not valid or has expired. Sign in again: POST /token.") from error
    identity = identity_of(settings, str(claims["sub"]))
    if identity is None:
        raise InvalidToken("The person this token names is no longer a user.")
    return identity

"""The one way to Trino: encrypted, with a password, in UTC, and as the person who asks."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any, Literal

import requests
import trino
from trino.auth import BasicAuthentication

from headrace.lake import access, trino_config
from headrace.log import get_logger
from headrace.policy import Identity, load_policy
from headrace.policy.users import users_file
from headrace.settings import Settings

_LOG = get_logger(__name__)
_REFRESH_SECONDS = 1.2
Service = Literal["bi_svc", "dbt", "admin"]


def connect(
    settings: Settings,
    *,
    as_user: str | None = None,
    service: Service = "bi_svc",
    timeout: float = 30,
    attempts: int = 3,
    client_tags: tuple[str, ...] = (),
) -> trino.dbapi.Connection:
    """A connection of a service account, or of a person through it. Nothing is sent before the first statement."""
    if as_user:
        _renew_access(settings)
    return trino.dbapi.connect(
        host=settings.hosts.trino,
        port=settings.ports.trino,
        user=as_user or service,
        auth=BasicAuthentication(service, settings.secret(f"trino_password_{service}")),
        http_scheme="https",
        http_session=_session(settings),
        catalog=access.CATALOG,
        schema="curated",
        source="headrace",
        client_tags=list(client_tags),
        timezone="UTC",
        request_timeout=timeout,
        max_attempts=attempts,
    )


def connect_for(settings: Settings, identity: Identity) -> trino.dbapi.Connection:
    """As that person; an administrator may not be impersonated and asks as the service account, which only reads."""
    if access.administers(load_policy(), identity):
        return connect(settings, client_tags=(f"for:{identity.user}",))
    return connect(settings, as_user=identity.user)


def read(settings: Settings, sql: str, *, seconds: float = 20) -> list[list[Any]]:
    """All rows of a statement, as the service account, which only reads."""
    with closing(connect(settings, timeout=seconds)) as connection, closing(connection.cursor()) as cursor:
        return fetch(cursor, sql)


def fetch(cursor: trino.dbapi.Cursor, sql: str) -> list[list[Any]]:
    cursor.execute(sql)
    return cursor.fetchall()  # type: ignore[no-any-return]


def healthy(settings: Settings) -> bool:
    """True when Trino answers a select that needs its catalogue."""
    if not trino_config.authority(settings).is_file():
        return False
    try:
        with connect(settings, timeout=5, attempts=1) as connection:
            cursor = connection.cursor()
            cursor.execute("select count(*) from lake.information_schema.schemata")
            return bool(cursor.fetchall())
    except (trino.exceptions.Error, trino.exceptions.HttpError, requests.RequestException, OSError) as error:
        _LOG.debug("trino_not_ready", reason=str(error)[:300])
        return False


def _session(settings: Settings) -> requests.Session:
    """Without the environment: a certificate bundle set there for other hosts would override ours."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(trino_config.authority(settings))
    return session


def _renew_access(settings: Settings) -> None:
    """A person added since Trino's rules were written is let in without a restart, where the rules are on this machine.

    Trino looks at its rules once a second: nobody is sent to it before it can know them.
    """
    rules, users = trino_config.folder(settings) / "rules.json", users_file(settings)
    if rules.is_file() and users.is_file() and users.stat().st_mtime > rules.stat().st_mtime:
        trino_config.prepare_access(settings)
        rules.touch()
    if rules.is_file():
        time.sleep(min(_REFRESH_SECONDS, max(0.0, rules.stat().st_mtime + _REFRESH_SECONDS - time.time())))

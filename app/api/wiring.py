"""Joins the house to the real stores. Nothing here waits for a server: each is reached when it is first needed."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import redis
from cachetools import TTLCache, cached

from app.api.health import Checks
from app.api.parts import Parts
from headrace.anomalies.layout import LIVE_KEY
from headrace.assistant import chart, model
from headrace.assistant.catalogue import Catalogue
from headrace.assistant.filled import FilledStore
from headrace.assistant.history import TrinoHistory, compiled
from headrace.assistant.lookups import NamedWindows
from headrace.assistant.pipeline import Assistant
from headrace.assistant.run import Runner
from headrace.lake import coverage, trino
from headrace.lineage.store import Kept
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.log import get_logger
from headrace.policy.audit import PostgresAudit
from headrace.quality import ledger
from headrace.quality.figures import Verdict
from headrace.semantics import compile as metricflow
from headrace.sessions.reading import activity, open_session
from headrace.settings import Settings

_LOG = get_logger(__name__)
_STREAM = "transactions"
_LIVE_SECONDS = 2.0
_COVERAGE_SECONDS = 2.0
_REFERENCE_SECONDS = 20.0
_QUALITY_SECONDS = 60.0


def wire(settings: Settings) -> Parts:
    client = valkey(settings, seconds=_LIVE_SECONDS)
    catalogue = Catalogue(settings, partial(_read, settings))
    windows = NamedWindows(FilledStore(LiveStore(client), client), catalogue.lookups)
    covered = _coverage(settings)
    connect = partial(trino.connect_for, settings)
    history = TrinoHistory(connect, partial(compiled, settings), seconds=settings.query_seconds)
    runner = Runner(windows, history, catalogue.rates, covered, seconds=settings.query_seconds)
    audit = PostgresAudit(settings)
    checks = Checks(
        {
            "valkey": partial(_valkey, client),
            "postgres": partial(_postgres, settings),
            "trino": partial(_trino, settings),
        }
    )
    threading.Thread(target=_warm, args=(settings, catalogue), name="warm", daemon=True).start()
    return Parts(
        settings=settings,
        assistant=Assistant(catalogue.vocabulary, runner, audit, model=_model(settings), quality=_verdicts(settings)),
        vocabulary=catalogue.vocabulary,
        windows=windows,
        rates=partial(catalogue.rates, wait=0.0),
        coverage=covered,
        audit=audit,
        checks=checks,
        anomalies=partial(_anomalies, client),
        session=partial(open_session, client),
        activity=partial(activity, client),
        quality=partial(ledger.read, settings),
        lineage=Kept(settings),
        closing=(runner, checks, client),
    )


def _read(settings: Settings, sql: str) -> list[list[Any]]:
    """Reference data for everybody, as the service account, which only reads."""
    with (
        closing(trino.connect(settings, timeout=_REFERENCE_SECONDS)) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute(sql)
        rows: list[list[Any]] = cursor.fetchall()
        return rows


def _coverage(settings: Settings) -> Any:
    """Read at most every two seconds; an older point is as right as a newer one while its live windows are kept."""

    @cached(TTLCache(1, _COVERAGE_SECONDS), lock=threading.Lock())
    def read() -> datetime | None:
        return coverage.through(settings, _STREAM)

    return read


def _verdicts(settings: Settings) -> Any:
    """Read once a minute: figures are measured once an hour. An answer does not wait for them and does not need them."""

    @cached(TTLCache(64, _QUALITY_SECONDS), lock=threading.Lock())
    def read(tables: tuple[str, ...]) -> list[Verdict]:
        try:
            return ledger.newest(settings, tables, datetime.now(UTC).date())
        except psycopg.Error as error:
            _LOG.warning("quality_not_read", reason=str(error))
            return []

    return read


def _anomalies(client: redis.Redis) -> list[dict[str, Any]]:
    texts: Any = client.hvals(LIVE_KEY)
    return [json.loads(text) for text in texts]


def _valkey(client: redis.Redis) -> None:
    client.ping()


def _postgres(settings: Settings) -> None:
    with psycopg.connect(settings.postgres_dsn("headrace"), connect_timeout=2) as connection:
        connection.execute("select 1 from audit_logs limit 1")


def _trino(settings: Settings) -> None:
    if not trino.healthy(settings):
        raise ConnectionError("Trino does not answer; its log says why: `./headrace logs trino`")


def _model(settings: Settings) -> model.ModelUnderstanding | None:
    """A model that cannot be loaded is said once; questions are then understood by rules."""
    if not settings.chat_model:
        return None
    try:
        return model.ModelUnderstanding(model.load(settings.chat_model), settings.chat_model)
    except Exception as error:  # noqa: BLE001 - each provider raises its own kinds
        _LOG.error("chat_model_not_loaded", model=settings.chat_model, reason=str(error)[:300])
        return None


def _warm(settings: Settings, catalogue: Catalogue) -> None:
    """Pays beforehand for what the first person would wait for."""
    try:
        catalogue.warm()
        catalogue.vocabulary()
        metricflow.warm(settings)
        chart.warm()
    except Exception as error:  # noqa: BLE001 - only a head start: the request itself says what is wrong
        _LOG.info("not_warm_yet", reason=str(error)[:300])

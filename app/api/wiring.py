"""Joins the house to the real stores. Nothing here waits for a server: each is reached when it is first needed."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import redis
from cachetools import TTLCache, cached

from app.api.health import Checks
from app.api.parts import Parts
from headrace.anomalies.layout import LIVE_KEY
from headrace.assistant import chart, model, reconciled
from headrace.assistant.catalogue import Catalogue
from headrace.assistant.filled import FilledStore
from headrace.assistant.history import TrinoHistory, compiled
from headrace.assistant.lookups import NamedWindows
from headrace.assistant.pipeline import Assistant
from headrace.assistant.remembered import Remembered
from headrace.assistant.run import Runner
from headrace.contracts.model import Contract
from headrace.keys.clickhouse import ClickHouseWindows
from headrace.keys.clickhouse_sessions import ClickHouseSessions
from headrace.keys.features import Features
from headrace.keys.lake import LakeRecords
from headrace.keys.lake_sessions import LakeSessions
from headrace.keys.one_entity import EntityWindows
from headrace.keys.records import Records
from headrace.lake import access, coverage, states, trino, trino_config
from headrace.lineage.store import Kept
from headrace.live.client import valkey
from headrace.live.either import from_either
from headrace.live.kept import metric_key
from headrace.live.store import LiveStore
from headrace.log import get_logger
from headrace.policy.audit import PostgresAudit
from headrace.quality import ledger
from headrace.quality.figures import Verdict
from headrace.semantics import compile as metricflow
from headrace.sessions.reading import activity, open_session
from headrace.settings import Settings
from headrace.sinks.clickhouse import ClickHouse
from headrace.streams import published
from headrace.streams.published import live_specs_path
from headrace.streams.spec import load_live_specs

_LOG = get_logger(__name__)
_STREAM = "transactions"
_LIVE_SECONDS = 2.0
_COVERAGE_SECONDS = 2.0
_RECORD_SECONDS = 15.0
_SECOND_SECONDS = 10.0
_REFERENCE_SECONDS = 20.0
_QUALITY_SECONDS = 60.0


def wire(settings: Settings) -> Parts:
    client = valkey(settings, seconds=_LIVE_SECONDS)
    catalogue = Catalogue(settings, partial(trino.read, settings))
    store = LiveStore(client)
    guarded = FilledStore(store, client)
    windows = NamedWindows(guarded, catalogue.lookups)
    covered = _coverage(settings)
    connect = partial(trino.connect_for, settings)
    remembered = Remembered(partial(states.present, settings), partial(trino_config.access_stamp, settings))
    history = TrinoHistory(connect, partial(compiled, settings), seconds=settings.query_seconds, remembered=remembered)
    contracts = _contracts(settings)
    second, sessions = _second(settings, contracts)
    named = NamedWindows(second, catalogue.lookups) if second else None
    runner = Runner(windows, history, catalogue.rates, covered, seconds=settings.query_seconds, second=named)
    audit = PostgresAudit(settings)
    checks = Checks(
        {
            "valkey": partial(_valkey, client),
            "postgres": partial(_postgres, settings),
            "trino": partial(_trino, settings),
        }
    )
    lake = LakeRecords(
        partial(trino.connect, settings, timeout=_RECORD_SECONDS),
        partial(coverage.through, settings),
        settings.future_minutes,
    )
    records = Records(client, lake, event_seconds=settings.cache_event_seconds)
    features = Features(
        settings,
        EntityWindows(store, guarded),
        catalogue.vocabulary,
        catalogue.rates,
        contracts,
        partial(coverage.through, settings),
        lake.rows,
        second=second,
    )
    threading.Thread(target=_warm, args=(settings, catalogue), name="warm", daemon=True).start()
    remembered.keep_renewed()
    return Parts(
        settings=settings,
        assistant=Assistant(catalogue.vocabulary, runner, audit, model=_model(settings), quality=_verdicts(settings)),
        vocabulary=catalogue.vocabulary,
        windows=windows,
        rates=partial(catalogue.rates, wait=0.0),
        coverage=covered,
        audit=audit,
        checks=checks,
        runner=runner,
        records=records,
        features=features,
        contracts=contracts,
        pseudonym_key=partial(_pseudonym_key, settings),
        second=named,
        kept_metric=partial(_kept_metric, client),
        anomalies=partial(_anomalies, client),
        session=partial(open_session, client),
        closed_session=LakeSessions(lake, contracts, settings.lateness_minutes).find,
        activity=_activity(client, sessions),
        quality=partial(ledger.read, settings),
        reconciled=partial(reconciled.newest, settings),
        lineage=Kept(settings),
        closing=(remembered, runner, checks, client),
    )


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


def _second(
    settings: Settings, contracts: Callable[[], dict[str, Contract]]
) -> tuple[ClickHouseWindows | None, ClickHouseSessions | None]:
    """ClickHouse, where it is one of the sinks: it holds every accepted event."""
    if "clickhouse" not in settings.sinks:
        return None, None
    server, database = ClickHouse(settings, seconds=_SECOND_SECONDS), settings.clickhouse_database
    windows = ClickHouseWindows(server, database, lambda: load_live_specs(live_specs_path(settings)), contracts)
    return windows, ClickHouseSessions(server, database, contracts, settings.lateness_minutes)


def _contracts(settings: Settings) -> Callable[[], dict[str, Contract]]:
    """As published, looked at once a second."""
    newest, lock, known = published.Newest(settings), threading.Lock(), {}

    def read() -> dict[str, Contract]:
        with lock:
            if (found := newest.refreshed()) is not None:
                known.clear()
                known.update(found)
            return dict(known)

    return read


def _pseudonym_key(settings: Settings) -> str:
    return access.pseudonym_key(settings.secret("token_signing_key"))


def _kept_metric(client: redis.Redis, name: str, minutes: int, by: str | None) -> dict[str, Any] | None:
    text: Any = client.get(metric_key(name, minutes, by))
    return json.loads(text) if text else None


def _activity(client: redis.Redis, second: ClickHouseSessions | None) -> Callable[[str], list[dict[str, Any]]]:
    """A person's sessions, each with where it was read."""

    def read(user_id: str) -> list[dict[str, Any]]:
        behind = None if second is None else lambda: second.of(user_id, datetime.now(UTC))
        found, source = from_either(lambda: activity(client, user_id), behind)
        return [one | {"source": source} for one in found]

    return read


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

"""The HTTP side: routes, sign-in by key, correlation, answers.

Written against RSGI, Granian's own interface, which costs less for each request than ASGI; there are five routes.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec
from confluent_kafka import KafkaException

from app.ingest import metrics
from app.ingest.limits import BODY_BYTES, RETRY_AFTER_SECONDS
from app.ingest.publish import Publisher, Unavailable
from app.ingest.requests import Refusal, read, stream_codec
from headrace.contracts.explain import allowed as allowed_values
from headrace.contracts.explain import example
from headrace.contracts.model import Contract
from headrace.contracts.structs import EventCodec
from headrace.log import CORRELATION_HEADER, get_logger, new_correlation_id
from headrace.policy.decide import allowed
from headrace.policy.identity import Identity
from headrace.settings import Settings, get_settings
from headrace.streams.published import Newest

log = get_logger(__name__)
PRODUCER = Identity("ingest-key", ("producer",))
_CORRELATION = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_HEALTH_SECONDS = 3.0
_json = msgspec.json.encode
_JSON = ("content-type", "application/json")


def _now() -> datetime:
    return datetime.now(UTC)


class Service:
    """Loads nothing at import; the server's start gives it settings, contracts and the producer."""

    settings: Settings
    publisher: Publisher
    codecs: dict[str, EventCodec]

    def __rsgi_init__(self, _: asyncio.AbstractEventLoop) -> None:
        self.start(get_settings(), Publisher)

    def __rsgi_del__(self, _: asyncio.AbstractEventLoop) -> None:
        self.publisher.close()

    def start(self, settings: Settings, publisher: Callable[[Settings], Any]) -> None:
        self.settings = settings
        self._key = settings.secret("ingest_api_key").encode()
        self._newest = Newest(settings)
        self._take_up(self._newest.refreshed() or {})
        self.publisher = publisher(settings)
        metrics.watch_queue(self.publisher.queued)
        log.info("ingest started", streams=sorted(self.codecs), kafka=settings.kafka)

    def _take_up(self, contracts: dict[str, Contract]) -> None:
        future = timedelta(minutes=self.settings.future_minutes)
        self.codecs = {
            name: EventCodec(contract, future=future) for name, contract in contracts.items() if not contract.own
        }

    def _refresh(self) -> None:
        """A stream that was published since is accepted from the next request on."""
        if (contracts := self._newest.refreshed()) is not None:
            self._take_up(contracts)
            log.info("contracts taken up", streams=sorted(self.codecs))

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        given = scope.headers.get(CORRELATION_HEADER)
        correlation = given if given and _CORRELATION.fullmatch(given) else new_correlation_id()
        began, stream = time.perf_counter(), "-"
        headers = [_JSON, (CORRELATION_HEADER, correlation)]
        self._refresh()
        try:
            if scope.path.startswith("/events/"):
                stream = scope.path[len("/events/") :]
                status, body = await self._events(scope, protocol, stream, correlation)
            else:
                status, body, headers[0] = await self._page(scope)
        except Refusal as refusal:
            status = refusal.status
            body = _json({"error": refusal.message, "correlation_id": correlation, **refusal.detail})
            log.info(
                "refused",
                stream=stream[:60],
                status=int(status),
                correlation_id=correlation,
                faults=_fields(refusal, self.codecs),
            )
        except Unavailable as error:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            headers.append(("retry-after", str(RETRY_AFTER_SECONDS)))
            body = _json({"error": f"{error}. Send the same request again.", "correlation_id": correlation})
            log.warning("unavailable", stream=stream, reason=str(error), correlation_id=correlation)
        except Exception:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            body = _json({"error": "The service failed; the log has the details.", "correlation_id": correlation})
            log.exception("request failed", stream=stream[:60], correlation_id=correlation)
        if stream != "-":
            known = stream if stream in self.codecs else "unknown"
            metrics.REQUESTS.labels(known, str(int(status))).inc()
            metrics.SECONDS.labels(known).observe(time.perf_counter() - began)
        protocol.response_bytes(int(status), headers, body)

    async def _events(self, scope: Any, protocol: Any, stream: str, correlation: str) -> tuple[HTTPStatus, bytes]:
        identity = self._identify(scope.headers)
        if scope.method != "POST":
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "Send events with POST.")
        codec = stream_codec(self.codecs, stream)
        body = await _body(scope, protocol)
        now = _now()
        records = read(codec, body, now)
        await self.publisher.publish(codec.contract.topic, records, record_headers(codec, identity, correlation, now))
        count = len(records)
        metrics.EVENTS.labels(stream).inc(count)
        log.debug("accepted", stream=stream, events=count, correlation_id=correlation, by=identity.user)
        return HTTPStatus.ACCEPTED, _json({"accepted": count, "correlation_id": correlation})

    def _identify(self, headers: Any) -> Identity:
        """Who sends: the key stands for one identity, and the policy says whether it may."""
        given = headers.get("x-api-key") or ""
        if not hmac.compare_digest(given.encode(), self._key):
            raise Refusal(
                HTTPStatus.UNAUTHORIZED,
                "Send the key in the header X-API-Key; `up` wrote it to secrets/ingest_api_key.",
            )
        if not (decision := allowed(PRODUCER, "ingest")).allowed:
            raise Refusal(HTTPStatus.FORBIDDEN, decision.reason)
        return PRODUCER

    async def _page(self, scope: Any) -> tuple[HTTPStatus, bytes, tuple[str, str]]:
        if scope.method not in ("GET", "HEAD"):
            raise Refusal(HTTPStatus.NOT_FOUND, "Send events with POST to /events/STREAM.")
        match scope.path:
            case "/health":
                return *await self._health(), _JSON
            case "/metrics":
                return HTTPStatus.OK, metrics.text(), ("content-type", "text/plain; version=0.0.4; charset=utf-8")
            case "/":
                return HTTPStatus.OK, _json(self.describe()), _JSON
        raise Refusal(HTTPStatus.NOT_FOUND, "There are: POST /events/STREAM, GET /, GET /health, GET /metrics.")

    async def _health(self) -> tuple[HTTPStatus, bytes]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(None, self.publisher.topics_seen, _HEALTH_SECONDS)
        except KafkaException as error:
            reason = f"Kafka at {self.settings.kafka}: {error.args[0].str()}"
            return HTTPStatus.SERVICE_UNAVAILABLE, _json({"status": "down", "reason": reason})
        missing = sorted({codec.contract.topic for codec in self.codecs.values()} - found)
        if missing:
            return HTTPStatus.SERVICE_UNAVAILABLE, _json(
                {"status": "down", "reason": f"missing topics: {', '.join(missing)}"}
            )
        return HTTPStatus.OK, _json({"status": "ok", "queued": self.publisher.queued()})

    def describe(self) -> dict[str, Any]:
        """The streams with an example each, for someone with nothing but a browser."""
        now = _now()
        return {
            "service": "Headrace ingest",
            "send": 'POST /events/STREAM with X-API-Key: one event, or {"events": [...]}; all of a batch or nothing',
            "streams": [_described(codec, now) for codec in self.codecs.values()],
        }


def _described(codec: EventCodec, now: datetime) -> dict[str, Any]:
    contract = codec.contract
    return {
        "name": contract.name,
        "version": contract.version,
        "description": contract.description,
        "topic": contract.topic,
        "fields": {f.name: allowed_values(f) + ("" if f.required else " (optional)") for f in contract.fields},
        "example": example(codec, now),
    }


def record_headers(codec: EventCodec, identity: Identity, correlation: str, now: datetime) -> list[tuple[str, bytes]]:
    """What goes with every record, so that any reader can tell who sent it, when and under which contract."""
    return [
        ("correlation_id", correlation.encode()),
        ("contract_version", codec.contract.version.encode()),
        ("producer", identity.user.encode()),
        ("received_at", now.isoformat().encode()),
    ]


async def _body(scope: Any, protocol: Any) -> bytes:
    declared = scope.headers.get("content-length") or "0"
    if declared.isdigit() and int(declared) > BODY_BYTES:
        raise _too_long()
    if declared != "0":
        return bytes(await protocol())
    parts, size = [], 0
    async for part in protocol:
        parts.append(bytes(part))
        size += len(part)
        if size > BODY_BYTES:
            raise _too_long()
    return b"".join(parts)


def _too_long() -> Refusal:
    return Refusal(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request may have at most {BODY_BYTES} bytes; send smaller batches."
    )


def _fields(refusal: Refusal, codecs: dict[str, EventCodec]) -> list[str]:
    """Names that contracts know, for the log: what else was sent may be anything, also personal."""
    known = {field.name for codec in codecs.values() for field in codec.contract.fields}
    return sorted(
        {name if (name := error["field"]) in known else "(unknown)" for error in refusal.detail.get("errors", ())}
    )

"""Sends events to the REST service as any producer should: again and again with the same ids until acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Any

import httpx
import msgspec
import stamina

from headrace.log import CORRELATION_HEADER, new_correlation_id
from headrace.settings import Settings

BATCH = 500
RETRY_SECONDS = 600.0
_SECONDS = 15.0
_encode = msgspec.json.Encoder(decimal_format="number").encode


class NotAcknowledged(ConnectionError):
    """The service cannot be reached, or asks to be asked again."""


class Refused(ValueError):
    """The service refused an event; sending it again cannot help."""


class Sender:
    """One connection to the service; `alive` is called before every attempt, as waiting for a restart is work too."""

    def __init__(
        self,
        settings: Settings,
        *,
        alive: Callable[[], None] = lambda: None,
        retry_seconds: float = RETRY_SECONDS,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"X-API-Key": settings.secret("ingest_api_key"), "Content-Type": "application/json"}
        self._client = httpx.Client(
            base_url=settings.ingest_url, headers=headers, timeout=_SECONDS, trust_env=False, transport=transport
        )
        self._alive = alive
        self._retry_seconds = retry_seconds
        self.retries = 0

    def __enter__(self) -> Sender:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, stream: str, events: Sequence[dict[str, Any]]) -> int:
        """Returns when every event is acknowledged; the number of them."""
        for batch in _batches(events):
            self._post(stream, _encode(batch[0]) if len(batch) == 1 else _encode({"events": batch}))
        return len(events)

    def _post(self, stream: str, body: bytes) -> None:
        correlation = {CORRELATION_HEADER: new_correlation_id()}
        attempts = stamina.retry_context(
            on=NotAcknowledged,
            attempts=None,
            timeout=self._retry_seconds,
            wait_initial=0.1,
            wait_max=5.0,
            wait_jitter=0.2,
        )
        for attempt in attempts:
            with attempt:
                self._alive()
                self.retries += attempt.num > 1
                self._once(f"/events/{stream}", body, correlation)

    def _once(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        try:
            response = self._client.post(path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise NotAcknowledged(
                f"No answer from {self._client.base_url} ({error}): see `./headrace status`."
            ) from error
        if response.status_code >= 500 or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise NotAcknowledged(f"{path} answered {response.status_code}: {response.text[:200]}")
        if response.status_code != httpx.codes.ACCEPTED:
            raise Refused(f"{path} answered {response.status_code}: {response.text[:500]}")


def _batches(events: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(events)
    while batch := list(islice(rest, BATCH)):
        yield batch

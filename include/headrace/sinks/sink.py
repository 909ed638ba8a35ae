"""What a sink is: topics that it takes, and one effect that may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from confluent_kafka import Message


class SinkDown(RuntimeError):
    """The store cannot be written now; the same messages are given again later."""


class Sink(Protocol):
    @property
    def topics(self) -> tuple[str, ...]: ...

    def write(self, messages: Sequence[Message]) -> None:
        """Makes the store hold all of them; given again, or in an older version, nothing changes. Raises SinkDown."""

    def tidy(self) -> None:
        """Now and then: makes what is missing, removes what is too old. Raises SinkDown."""

    def close(self) -> None: ...

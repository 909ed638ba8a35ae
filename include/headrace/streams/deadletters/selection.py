"""Which dead letters a person means: by name, stream, rule and time of arrival."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headrace.streams.deadletters.letter import DeadLetter

_AGO = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NAME = re.compile(r".+:\d+:\d+")


class SelectionError(ValueError):
    """A filter cannot be understood; the message shows one that can."""


def moment(text: str, now: datetime | None = None) -> datetime:
    """A time such as 2026-01-31T12:00:00Z or 2026-01-31 (UTC where no zone is given), or how long ago: 2h, 30m, 7d."""
    if ago := _AGO.fullmatch(text.strip()):
        return (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SelectionError(f"{text!r} is no time: write 2h, 30m or 7d for ago, or 2026-01-31T12:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Selection:
    letters: tuple[str, ...] = ()
    stream: str | None = None
    rule: str | None = None
    """A rule, such as range:amount, or its kind: range."""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(
        cls,
        letters: list[str] | None = None,
        stream: str | None = None,
        rule: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Selection:
        """As a person typed it."""
        for name in letters or ():
            if not _NAME.fullmatch(name):
                raise SelectionError(
                    f"{name!r} names no letter: topic:partition:offset, as `./headrace dlq list` shows."
                )
        times = (moment(text) if text else None for text in (since, until))
        return cls(tuple(letters or ()), stream or None, rule or None, *times)

    def takes(self, letter: DeadLetter) -> bool:
        return (
            (not self.letters or letter.name in self.letters)
            and (self.stream is None or letter.stream == self.stream)
            and (self.rule is None or self.rule in (letter.rule, letter.rule.partition(":")[0]))
            and (self.since is None or letter.arrived_at >= self.since)
            and (self.until is None or letter.arrived_at < self.until)
        )

    def __str__(self) -> str:
        named = {"stream": self.stream, "rule": self.rule, "since": self.since, "until": self.until}
        words = [*self.letters, *(f"{name}={value}" for name, value in named.items() if value)]
        return " ".join(words) or "all"

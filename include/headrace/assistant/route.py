"""Decides where each stretch of a period is read: history up to the coverage point, live windows from it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from headrace.assistant.livepart import LiveRequest
from headrace.assistant.plan import Source, TimeRange


class NotKnown(LookupError):
    """The figures that were asked for are not there (yet); the message says what is."""


@dataclass(frozen=True)
class Stretch:
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Route:
    historical: Stretch | None
    live: Stretch | None
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> Source:
        if self.historical and self.live:
            return "both"
        return "live" if self.live else "historical"


def route(time: TimeRange, wanted: Source, coverage: datetime | None, live: LiveRequest | None) -> Route:
    """Raises NotKnown rather than leave a person with a figure of another period than they asked for."""
    if coverage is None:
        return _without_history(time, wanted, live)
    past = Stretch(time.start, min(time.end, coverage)) if time.start < coverage else None
    present = Stretch(max(time.start, coverage), time.end) if time.end > coverage else None
    if wanted == "historical":
        return _only_past(past, present, coverage, "as asked, live windows are left out")
    if wanted == "live":
        if not present or live is None:
            why = "this figure is not kept live" if present else "the period is in history already"
            raise NotKnown(f"There is no live part: {why}. Ask without limiting it to live data.")
        left_out = ("as asked, history is left out",) if past else ()
        return Route(None, present, left_out)
    if present and live is None:
        return _only_past(past, present, coverage, "this figure, split or filter is known from history only")
    return Route(past, present)


def _only_past(past: Stretch | None, present: Stretch | None, coverage: datetime, why: str) -> Route:
    if past is None:
        raise NotKnown(
            f"{why.capitalize()}, and history is complete through {coverage:%Y-%m-%d %H:%M} UTC. "
            "Ask for a period before that."
        )
    return Route(past, None, (f"{why}: complete through {coverage:%Y-%m-%d %H:%M} UTC",) if present else ())


def _without_history(time: TimeRange, wanted: Source, live: LiveRequest | None) -> Route:
    if live is None or wanted == "historical":
        raise NotKnown("History is still being built, and this is not known live. Try again in a few minutes.")
    note = "history is still being built: only what the live windows hold"
    return Route(None, Stretch(time.start, time.end), (note,))

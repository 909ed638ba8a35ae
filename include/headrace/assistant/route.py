"""Decides where each stretch of a period is read: history up to the coverage point, live windows from it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True)
class Live:
    """What the live store can do for a question."""

    joins: bool = True
    """Whether its part can be put together with history's."""
    since: datetime | None = None
    """Where its windows begin; only looked up where history cannot be joined."""


def route(time: TimeRange, wanted: Source, coverage: datetime | None, live: Live | None) -> Route:
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
    if past and present and live and not live.joins:
        return _one_side(time, past, present, coverage, live)
    return Route(past, present)


def _one_side(time: TimeRange, past: Stretch, present: Stretch, coverage: datetime, live: Live) -> Route:
    """Live windows stay for a while after history has them: then they hold the whole period."""
    if live.since and live.since <= time.start:
        return Route(None, Stretch(time.start, time.end))
    why = "this figure cannot be added up from history and live windows, and the windows do not reach back so far"
    return _only_past(past, present, coverage, why)


def _only_past(past: Stretch | None, present: Stretch | None, coverage: datetime, why: str) -> Route:
    if past is None:
        raise NotKnown(
            f"{why.capitalize()}, and history is complete through {coverage:%Y-%m-%d %H:%M} UTC. "
            "Ask for a period before that."
        )
    return Route(past, None, (f"{why}: complete through {coverage:%Y-%m-%d %H:%M} UTC",) if present else ())


def _without_history(time: TimeRange, wanted: Source, live: Live | None) -> Route:
    if live is None or wanted == "historical":
        raise NotKnown("History is still being built, and this is not known live. Try again in a few minutes.")
    note = "history is still being built: only what the live windows hold"
    return Route(None, Stretch(time.start, time.end), (note,))

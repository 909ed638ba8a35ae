"""Sample traffic through the front door: what `./headrace simulate` and the part `simulator` run.

Late events and duplicates go through the REST service like all others. Bad events cannot pass it, so they are written
straight to Kafka.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal

from headrace.contracts.model import Contract, load_contracts
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.sources.entities import current
from headrace.sources.history import history_end, world_of
from headrace.sources.pace import Pace, Shape, due
from headrace.sources.rates import rates
from headrace.sources.sender import Sender
from headrace.sources.spoilt import DirectSender, spoil
from headrace.sources.traffic import MIX, Happening, Traffic
from headrace.sources.trickle import Trickle
from headrace.sources.world import World, utc_now

log = get_logger("headrace.sources.simulate")
Entities = Literal["once", "always", "never"]
STREAMS = {"transactions": 60, "app_events": 25, "orders": 15, "application_logs": 4, "payouts": 2}
"""How often each is sent, compared with the others."""
_REPEAT_SECONDS = (1.0, 20.0)


@dataclass(frozen=True)
class Options:
    """What to send; the help of `./headrace simulate` explains each."""

    pace: Pace
    seconds: float | None = None
    bad_share: float = 0.0
    late_share: float = 0.0
    duplicate_share: float = 0.0
    streams: dict[str, int] = field(default_factory=lambda: dict(STREAMS))
    mix: dict[str, int] = field(default_factory=lambda: dict(MIX))
    entities: Entities = "once"
    seed: int | None = None
    ledger: Path | None = None


class Simulation:
    """One run: makes events when they are due and sends each until it is acknowledged."""

    def __init__(
        self, settings: Settings, options: Options, sender: Sender, direct: Callable[[Settings], DirectSender]
    ) -> None:
        self.settings, self.options, self.sender = settings, options, sender
        self.rng = random.Random(options.seed)
        self.world: World = world_of(
            settings, history_end(settings) or utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        )
        self.traffic = Traffic(self.world, self.rng, lambda prefix: f"{prefix}-{uuid.uuid4().hex}", options.mix)
        self.trickle = Trickle(self.traffic)
        self.contracts: dict[str, Contract] = load_contracts(settings.contracts)
        self.counts: Counter[str] = Counter()
        self._make_direct = direct
        self._direct: DirectSender | None = None
        self._repeats: list[tuple[float, Happening]] = []
        self._rates_day: date | None = None
        self._ledger: IO[str] | None = options.ledger.open("a") if options.ledger else None

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        self._send_entities()
        for number in due(self.options.pace, self.options.seconds):
            touch(self.settings)
            self._send_rates()
            self._send(self._make(number) + self._repeats_due(time.monotonic()))
        self._send(self._repeats_due(float("inf")))
        self.close()
        return self.report(time.monotonic() - began)

    def close(self) -> None:
        if self._direct is not None:
            self._direct.close()
        if self._ledger is not None:
            self._ledger.close()

    def report(self, seconds: float) -> dict[str, Any]:
        names = ("acknowledged", "late", "duplicates", "bad", "entities")
        by_stream = {stream: self.counts[stream] for stream in self.options.streams}
        report = {name: self.counts[name] for name in names} | {"by_stream": by_stream}
        return report | {"retries": self.sender.retries, "seconds": round(seconds, 3)}

    def _make(self, number: int) -> list[Happening]:
        """That many new events, with the faults that were asked for."""
        found: list[Happening] = []
        kinds, weights = tuple(self.options.streams), tuple(self.options.streams.values())
        while len(found) < number:
            kind, now = self.rng.choices(kinds, weights=weights)[0], utc_now()
            found += [self._aged(happening, now) for happening in self._maker(kind)(now)]
        return [happening for happening in found if not self._spoilt(happening)]

    def _maker(self, stream: str) -> Callable[[datetime], Any]:
        makers = {
            "transactions": self.traffic.transaction,
            "orders": self._order,
            "app_events": self.traffic.app_event,
            "application_logs": self.trickle.log_line,
            "payouts": self.trickle.payout,
        }
        return makers[stream]

    def _order(self, at: datetime) -> list[Happening]:
        """The next step of an order, or a purchase where nothing is on its way."""
        return list(self.traffic.order(at)) or list(self.traffic.transaction(at))

    def _aged(self, happening: Happening, now: datetime) -> Happening:
        """Some events took longer on their way than the platform waits for."""
        if self.rng.random() >= self.options.late_share:
            return happening
        self.counts["late"] += 1
        minutes = self.settings.lateness_minutes + self.rng.uniform(1, 20)
        return Happening(happening.stream, {**happening.event, "event_time": now - timedelta(minutes=minutes)})

    def _spoilt(self, happening: Happening) -> bool:
        if self.rng.random() >= self.options.bad_share:
            return False
        contract = self.contracts[happening.stream]
        kind, value = spoil(self.rng, happening.event, contract)
        self._direct = self._direct or self._make_direct(self.settings)
        self._direct.send(contract, str(happening.event[contract.key]), value)
        self.counts["bad"] += 1
        log.debug("bad event sent", stream=happening.stream, kind=kind)
        return True

    def _repeats_due(self, now: float) -> list[Happening]:
        ready = [happening for at, happening in self._repeats if at <= now]
        self._repeats = [(at, happening) for at, happening in self._repeats if at > now]
        self.counts["duplicates"] += len(ready)
        return ready

    def _send(self, happenings: list[Happening]) -> None:
        by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for happening in happenings:
            by_stream[happening.stream].append(happening.event)
        for stream, events in by_stream.items():
            self.counts["acknowledged"] += self.sender.send(stream, events)
            self.counts[stream] += len(events)
            self._note(stream, events)
            for event in events:
                if self.rng.random() < self.options.duplicate_share:
                    at = time.monotonic() + self.rng.uniform(*_REPEAT_SECONDS)
                    self._repeats.append((at, Happening(stream, event)))

    def _note(self, stream: str, events: list[dict[str, Any]]) -> None:
        """One line per acknowledged event, a repeat included, to prove later that none was lost or counted twice."""
        if self._ledger is not None:
            lines = (json.dumps({"stream": stream, "event_id": event["event_id"]}) for event in events)
            self._ledger.writelines(line + "\n" for line in lines)
            self._ledger.flush()

    def _send_entities(self) -> None:
        """Dimensions first, so that no event refers to what nobody knows yet."""
        marker = self.settings.run / "entities.sent"
        anchor = self.world.born.isoformat()
        sent = marker.is_file() and marker.read_text() == anchor
        if self.options.entities == "never" or (self.options.entities == "once" and sent):
            return
        by_stream: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for version in current(self.world, utc_now()):
            by_stream[version.stream].append(version.event)
        for stream, events in by_stream.items():
            self.counts["entities"] += self.sender.send(stream, events)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(anchor)
        log.info("entities sent", entities=self.counts["entities"])

    def _send_rates(self) -> None:
        """A new day's exchange rates, as soon as the day begins."""
        today = utc_now().date()
        if self.options.entities != "never" and today != self._rates_day:
            events = [rate.event() for rate in rates(self.settings, today, today)]
            self.counts["entities"] += self.sender.send("exchange_rates", events)
            self._rates_day = today


def touch(settings: Settings) -> None:
    """The sign of life that the health check looks at."""
    settings.run.mkdir(parents=True, exist_ok=True)
    (settings.run / "simulator.alive").touch()


def run(
    settings: Settings,
    *,
    rate: float | None = None,
    seconds: float | None = None,
    bad_share: float = 0.0,
    late_share: float = 0.0,
    duplicate_share: float = 0.0,
    shape: Shape = "steady",
    burst_factor: float = 10.0,
    streams: dict[str, int] | None = None,
    mix: dict[str, int] | None = None,
    entities: Entities = "once",
    seed: int | None = None,
    ledger: Path | None = None,
) -> dict[str, Any]:
    """Sends sample traffic and reports what was sent; without `seconds` it goes on until stopped."""
    for name, share in (("bad", bad_share), ("late", late_share), ("duplicate", duplicate_share)):
        if not 0 <= share <= 1:
            raise ValueError(f"The {name} share is {share}; it must be between 0 and 1.")
    _known("stream", streams, STREAMS)
    _known("transaction type", mix, MIX)
    pace = Pace(settings.simulate_rate if rate is None else rate, shape, burst_factor)
    options = Options(
        pace,
        seconds,
        bad_share,
        late_share,
        duplicate_share,
        streams or dict(STREAMS),
        mix or dict(MIX),
        entities,
        seed,
        ledger,
    )
    with Sender(settings, alive=lambda: touch(settings)) as sender:
        return Simulation(settings, options, sender, DirectSender).run()


def _known(what: str, given: dict[str, int] | None, known: dict[str, int]) -> None:
    if given is None:
        return
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"No {what} {unknown[0]!r}; there are: {', '.join(known)}.")
    if min(given.values()) < 0 or not sum(given.values()):
        raise ValueError(f"Shares of {what}s must not be negative, and one must be above 0.")


def main() -> None:
    """The part: steady traffic at the rate of the settings, until told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    configure("simulator")
    settings = get_settings()
    touch(settings)
    log.info("simulator started", rate=settings.simulate_rate)
    if settings.simulate_rate > 0:
        run(settings)
    for _ in due(Pace(0), None):
        touch(settings)


if __name__ == "__main__":
    from headrace.sources.simulate_cli import app

    main() if len(sys.argv) == 1 else app()

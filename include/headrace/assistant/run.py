"""Runs a plan: history and live windows side by side, each within the time limit, joined exactly."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import TypeVar

from headrace.assistant.evidence import Freshness, History, HistoryRequest, HistoryResult, Result, Sql
from headrace.assistant.figures import Part, join
from headrace.assistant.livepart import NO_RATES, LiveRequest, Rates, Windows, as_live, events, total
from headrace.assistant.pastpart import PastRead, reads
from headrace.assistant.plan import Filter, Plan, TimeRange
from headrace.assistant.route import Live, NotKnown, Route, Stretch, route
from headrace.assistant.vocabulary import Dimension, Vocabulary
from headrace.live.either import LIVE, of_either
from headrace.policy import Identity

T = TypeVar("T")
_Figures = tuple[Part, int, dict[str, datetime | None]]
"""Figures, how many late events are in them, and the newest window of each specification."""
_QUIET = timedelta(minutes=5)


class TooSlow(TimeoutError):
    """A part did not answer within the time limit."""


class Runner:
    def __init__(
        self,
        live: Windows,
        history: History,
        rates: Callable[[], Rates],
        coverage: Callable[[], datetime | None],
        *,
        seconds: float,
        second: Windows | None = None,
    ) -> None:
        """`second` answers for live windows when the live store cannot."""
        self._live, self._history, self._rates, self._coverage = live, history, rates, coverage
        self._second = second
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(max_workers=8, thread_name_prefix="figures")

    def run(
        self, identity: Identity, plan: Plan, vocabulary: Vocabulary, limits: tuple[Filter, ...] = ()
    ) -> tuple[Result, Result | None]:
        """The figures of the period and, where the plan compares, of the other one. `limits` are the person's rows."""
        deadline = monotonic() + self._seconds
        coverage = self._coverage()
        runs = [
            _Run(self, identity, plan, time, vocabulary, limits, coverage)
            for time in (plan.time, *([plan.compare] if plan.compare else []))
        ]
        for run in runs:
            run.start()
        results = [run.finish(deadline) for run in runs]
        return results[0], results[1] if len(results) > 1 else None

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Run:
    """One period: routed at once, then read by threads."""

    def __init__(
        self,
        runner: Runner,
        identity: Identity,
        plan: Plan,
        time: TimeRange,
        vocabulary: Vocabulary,
        limits: tuple[Filter, ...],
        coverage: datetime | None,
    ) -> None:
        self._runner, self._identity, self._plan, self._vocabulary = runner, identity, plan, vocabulary
        self._filters = (*plan.filters, *limits)
        self._components = vocabulary.components(plan.metrics)
        self._requests = as_live(self._components, plan.group_by, self._filters, plan.grain, vocabulary)
        self._route: Route = route(time, plan.source, coverage, self._live())
        self._coverage = coverage
        self._past: list[tuple[PastRead, Future[HistoryResult]]] = []
        self._present: Future[tuple[_Figures, str]] | None = None

    def _live(self) -> Live | None:
        if self._requests is None:
            return None
        if all(component.joins for component in self._components):
            return Live()
        (begins, _) = self._from_either(lambda store: [store.since(request.spec) for request in self._requests or ()])
        known = [moment for moment in begins if moment]
        return Live(joins=False, since=max(known) if len(known) == len(begins) else None)

    def start(self) -> None:
        pool = self._runner._pool
        if self._route.historical:
            for read in reads(self._components, self._asked(self._route.historical), self._vocabulary):
                done = pool.submit(self._runner._history.read, self._identity, read.request)
                self._past.append((read, done))
        if self._route.live and self._requests:
            figures = partial(self._read_live, self._route.live, self._requests)
            self._present = pool.submit(lambda: self._from_either(figures))

    def _from_either(self, read: Callable[[Windows], T]) -> tuple[T, str]:
        return of_either(self._runner._live, self._runner._second, read)

    def _asked(self, stretch: Stretch) -> HistoryRequest:
        return HistoryRequest(
            self._components,
            tuple(self._axis(name) for name in self._plan.group_by),
            tuple((self._axis(f.dimension), f) for f in self._filters),
            stretch,
            self._plan.grain,
        )

    def _axis(self, name: str) -> Dimension:
        qualified = self._vocabulary.qualified(name, self._plan.metrics)
        if qualified is None:
            raise NotKnown(f"These figures cannot be split or limited by {name.replace('_', ' ')}.")
        return replace(self._vocabulary.dimensions[name], qualified=qualified)

    def _read_live(self, stretch: Stretch, requests: tuple[LiveRequest, ...], store: Windows) -> _Figures:
        """Late events are windows of their own: they belong to the period and are added, and counted for the person."""
        rates = self._runner._rates() if any(c.live and c.live.factor for c in self._components) else NO_RATES
        parts: list[Part] = []
        late, newest = 0, {}
        for asked in requests:
            punctual = store.windows(asked.spec, stretch.start, stretch.end)
            belated = list(store.windows(asked.spec, stretch.start, stretch.end, late=True))
            late = max(late, events(belated, asked))
            parts += [total(punctual, asked, rates), total(belated, asked, rates)]
            newest[asked.spec] = store.newest(asked.spec)
        return join(parts, self._components), late, newest

    def finish(self, deadline: float) -> Result:
        result = Result({}, self._route.source, notes=list(self._route.notes))
        parts: list[Part] = []
        if self._past and self._route.historical:
            for read, done in self._past:
                history = _wait(done, deadline, "Trino")
                parts.append(read.folded(history.part))
                result.sql.append(Sql(engine="trino", sql=history.sql))
            end = self._route.historical.end
            result.freshness.append(
                Freshness(part="historical", source="lake.curated", as_of=self._coverage, through=end)
            )
        if self._present and self._route.live:
            (part, result.late_events, newest), called = _wait(self._present, deadline, "the live store")
            store = "window" if called == LIVE else called
            parts.append(part)
            end = self._route.live.end
            for request in self._requests or ():
                spec = request.spec
                result.sql.append(Sql(engine="live", sql=_live_words(request, self._route.live, store)))
                result.freshness.append(
                    Freshness(part="live", source=f"{store}:{spec}", as_of=newest[spec], through=end)
                )
                result.notes += [note for note in _stale(newest[spec], end) if note not in result.notes]
        result.part = join(parts, self._components)
        return result


def _live_words(request: LiveRequest, stretch: Stretch, store: str) -> str:
    """What was read from the live store, in a form that a person can repeat by hand."""
    keys = f" by {' and '.join(request.keys)}" if request.keys else ""
    return (
        f"{store}:{request.spec} from {stretch.start:%Y-%m-%dT%H:%MZ} to {stretch.end:%Y-%m-%dT%H:%MZ}, added up{keys}"
    )


def _stale(newest: datetime | None, end: datetime) -> list[str]:
    """Nothing new may mean that nothing happened, or that the live job stands still: the person should know."""
    if newest is None:
        return ["the live store holds no events"]
    if end - newest <= _QUIET:
        return []
    return [f"no live event is newer than {newest:%Y-%m-%d %H:%M} UTC"]


def _wait(future: Future[T], deadline: float, name: str) -> T:
    try:
        return future.result(timeout=max(0.0, deadline - monotonic()))
    except FutureTimeout:
        future.cancel()
        raise TooSlow(f"{name} took too long; ask for a shorter period or fewer groups.") from None

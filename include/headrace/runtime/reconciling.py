"""The hourly comparison of live figures and lake: looks, tells, writes and frees, in this order, and is red when they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from headrace.anomalies.ledger import Ledger
from headrace.assistant import reconciled
from headrace.assistant.catalogue import Catalogue, vocabulary
from headrace.assistant.livepart import Rates
from headrace.assistant.lookups import Lookups
from headrace.lake import trino
from headrace.quality import agreement
from headrace.semantics import catalogue, reconcile
from headrace.semantics.reconcile import Summary
from headrace.settings import Settings
from headrace.streams.published import live_specs_path
from headrace.streams.spec import LiveSpec, by_stream, load_live_specs


class Differs(AssertionError):
    """Live and lake disagree about closed windows; the rows of this run in `reconciliation` say where."""


class NotCompared(RuntimeError):
    """The live store cannot be read or is being filled: that is neither agreement nor difference."""


def run(settings: Settings) -> list[Summary]:
    """Compares every specification and publishes what was found; raises when they differ, or when nobody can say so."""
    now = datetime.now(UTC)
    specs = load_live_specs(live_specs_path(settings))
    figures = reconciled.Metrics(vocabulary(catalogue(settings), Lookups(), specs), _rates(settings))
    summaries = {spec.name: _compared(settings, spec, figures, now) for spec in specs}
    with closing(Ledger(settings)) as ledger:
        # Told before windows are freed, so that no end in between can leave a difference untold.
        for stream, group in by_stream(specs).items():
            agreement.tell(ledger, stream, [summaries[spec.name] for spec in group], now.timestamp())
    for spec in specs:
        reconcile.settle(settings, spec, summaries[spec.name], now=now)
    reconciled.write(settings, now, figures.rows())
    _raise(list(summaries.values()))
    return list(summaries.values())


def _compared(settings: Settings, spec: LiveSpec, figures: reconciled.Metrics, now: datetime) -> Summary:
    summary = reconcile.compare(settings, spec, now=now)
    figures.add(spec, summary)
    # Many: they need not stay until the last one is compared.
    summary.sides = None
    return summary


def _rates(settings: Settings) -> Callable[[], Rates]:
    return Catalogue(settings, partial(trino.read, settings), wait=30).rates


def _raise(summaries: Sequence[Summary]) -> None:
    if wrong := [s for s in summaries if not s.agrees]:
        told = "; ".join(f"{s.spec}: {dict(s.states)} of {s.windows} windows before {s.through}" for s in wrong)
        raise Differs(f"{told}. Look at table reconciliation, newest run_at, state <> 'equal'.")
    if unknown := [s for s in summaries if s.unknown]:
        told = "; ".join(f"{s.spec}: {s.standing}" for s in unknown)
        raise NotCompared(
            f"{told}. The live store is down or being filled: see `./headrace status`, then clear this task."
        )

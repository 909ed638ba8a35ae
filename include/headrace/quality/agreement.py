"""That live figures and the lake differ, told once for each stream: open until everything that can be compared agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headrace.anomalies.incidents import Incident
from headrace.anomalies.ledger import Ledger
from headrace.anomalies.measures import Scope
from headrace.semantics.reconcile import Summary

_SCOPE: Scope = "live"
_MEASURE = "reconciliation"


def tell(ledger: Ledger, stream: str, found: Sequence[Summary], at: float) -> Incident | None:
    """Writes what became of the stream's incident; the part `anomalies` sends what is new of it to `alerts`."""
    known = next((i for i in ledger.recent() if (i.scope, i.subject, i.state) == (_SCOPE, stream, "open")), None)
    incident = judged(stream, found, at, known)
    if incident:
        ledger.put([incident])
    return incident


def judged(stream: str, found: Sequence[Summary], at: float, known: Incident | None) -> Incident | None:
    wrong = sorted({window for summary in found for window in summary.wrong})
    if wrong:
        return replace(known or _opened(stream, wrong[0].timestamp(), at), **_now(stream, found, len(wrong), at))  # type: ignore[arg-type]
    if known is None or any(summary.unknown for summary in found):
        return None
    return replace(known, state="closed", closed_at=at)


def _opened(stream: str, window: float, at: float) -> Incident:
    return Incident(
        id=f"{stream}|{_MEASURE}|{int(window)}", scope=_SCOPE, subject=stream, measure=_MEASURE, state="open",
        opened_at=at, window_start=int(window), window_minutes=1, seen=0, expected=0, low=0, high=0, score=0,
        unit="windows", sentence="",
    )  # fmt: skip


def _now(stream: str, found: Sequence[Summary], wrong: int, at: float) -> dict[str, object]:
    first = min(window for summary in found for window in summary.wrong)
    compared = max(summary.windows for summary in found)
    where = ", ".join(f"{s.spec} ({_states(s)})" for s in found if s.wrong)
    sentence = (
        f"Live figures of {stream} and the lake differ in {wrong} of {compared} closed windows, "
        f"the first at {first:%Y-%m-%d %H:%M} UTC: {where}. Both figures are in table reconciliation."
    )
    return {"seen": float(wrong), "score": float(wrong), "sentence": sentence, "last_at": at}


def _states(summary: Summary) -> str:
    return ", ".join(f"{n} {state}" for state, n in sorted(summary.states.items()) if state != "equal")

"""What was found, told once: opened, followed while it lasts, closed after some calm. It goes the way of other anomalies:
a row of `anomalies`, from which the part `anomalies` sends one message to `alerts` and fills the live store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Literal

from headrace.anomalies.incidents import Incident
from headrace.anomalies.ledger import Ledger
from headrace.quality.figures import NAMES, Figure
from headrace.quality.judge import Finding

Scope = Literal["topic", "table"]
Key = tuple[str, str]
Open = dict[Key, Incident]
CALM_LOOKS = 2
_MOST_SAID = 3


def follow(
    open_: Open, findings: Iterable[Finding], looked: Mapping[str, int], at: float, scope: Scope
) -> list[Incident]:
    """Incidents that these findings opened, raised or closed; `open_` is kept up to date.

    `looked` names the subjects that could be judged, with the length of their stretches in seconds.
    """
    strongest: dict[Key, list[Finding]] = {}
    for finding in findings:
        strongest.setdefault((finding.subject, finding.about), []).append(finding)
    changed = [_opened_or_raised(open_, key, found, at, scope) for key, found in strongest.items()]
    for key, incident in list(open_.items()):
        calm = looked.get(incident.subject)
        if key not in strongest and calm and at - incident.last_at >= CALM_LOOKS * calm:
            del open_[key]
            changed.append(replace(incident, state="closed", closed_at=at))
    return changed


def _opened_or_raised(open_: Open, key: Key, found: list[Finding], at: float, scope: Scope) -> Incident:
    first = max(found, key=lambda finding: abs(finding.score))
    known = open_.get(key)
    if known is None:
        open_[key] = Incident(
            id=f"{key[0]}|{key[1]}|{first.start}", scope=scope, subject=key[0], measure=key[1], state="open",
            opened_at=at, window_start=first.start, window_minutes=first.seconds // 60, seen=first.seen,
            expected=first.expected, low=first.low, high=first.high, score=first.score, unit="",
            sentence=_said(first, found), last_at=at,
        )  # fmt: skip
    else:
        raised = abs(first.score) > abs(known.score) + 0.5
        said = {"score": first.score, "sentence": _said(first, found)} if raised else {}
        open_[key] = replace(known, last_at=at, **said)  # type: ignore[arg-type]
    return open_[key]


def _said(first: Finding, found: list[Finding]) -> str:
    others = [finding.measure.replace(":", " ") for finding in found if finding is not first]
    more = f" and {len(others) - _MOST_SAID} more" if len(others) > _MOST_SAID else ""
    return first.sentence + (f" Also: {', '.join(others[:_MOST_SAID])}{more}." if others else "")


def tell(
    ledger: Ledger, findings: Iterable[Finding], looked: Mapping[str, int], at: float, scope: Scope
) -> list[Incident]:
    """Follows what is open in the table, and writes what changed."""
    open_ = {i.key: i for i in ledger.recent() if i.state == "open" and i.scope == scope and i.subject in looked}
    changed = follow(open_, findings, looked, at, scope)
    ledger.put(changed)
    return changed


def tell_figures(ledger: Ledger, figures: Iterable[Figure], at: float) -> list[Incident]:
    """A figure below what is asked for is open until its day is measured as good, or the day is over and told."""
    open_ = {i.id: i for i in ledger.recent() if i.state == "open" and i.scope == "table"}
    judged = list(figures)
    changed = [_of_figure(figure, open_.get(_id(figure)), at) for figure in judged]
    told = [incident for incident in changed if incident is not None]
    first = min((_begin(figure) for figure in judged), default=0)
    told += [
        replace(i, state="closed", closed_at=at)
        for i in open_.values()
        if i.measure in NAMES and i.window_start < first
    ]
    ledger.put(told)
    return told


def _id(figure: Figure) -> str:
    return f"{figure.table}|{figure.name}|{_begin(figure)}"


def _begin(figure: Figure) -> int:
    return int(datetime.combine(figure.day, time(), UTC).timestamp())


def _of_figure(figure: Figure, known: Incident | None, at: float) -> Incident | None:
    if figure.state != "failed":
        return replace(known, state="closed", closed_at=at) if known else None
    percent, asked = float(figure.percent or 0), float(figure.threshold)
    return Incident(
        id=_id(figure), scope="table", subject=figure.table, measure=figure.name, state="open",
        opened_at=known.opened_at if known else at, window_start=_begin(figure), window_minutes=1440, seen=percent,
        expected=asked, low=asked, high=100.0, score=percent - asked, unit="%",
        sentence=f"{figure.table} on {figure.day}: {figure.sentence}.", last_at=at,
    )  # fmt: skip

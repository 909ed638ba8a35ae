"""Shows dead letters on a terminal, and as documents for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from headrace.contracts.explain import Fault
from headrace.streams.deadletters.inspecting import Inspected
from headrace.streams.deadletters.letter import DeadLetter, readable
from headrace.streams.deadletters.mending import Mended
from headrace.streams.deadletters.settling import Outcome, words
from headrace.streams.deadletters.states import OPEN, State
from headrace.streams.deadletters.survey import Survey

STATES = ("open", "replayed", "dropped", "all")
_HEX_BYTES = 256


def _line(letter: DeadLetter, state: State | None) -> dict[str, Any]:
    return {
        "letter": letter.name,
        "stream": letter.stream,
        "rule": letter.rule,
        "reason": letter.reason,
        "arrived_at": letter.arrived_at.isoformat(),
        "refused_at": letter.refused_at.isoformat(),
        "correlation_id": letter.correlation_id,
        "replay_of": letter.replay_of,
        "state": state.state if state else OPEN,
    }


def survey_document(found: Survey) -> dict[str, Any]:
    counts = [{"stream": s, "rule": r, "letters": n} for (s, r), n in found.counts.most_common()]
    return {"total": found.total, "counts": counts, "letters": [_line(*pair) for pair in found.newest]}


def letter_document(found: Inspected) -> dict[str, Any]:
    letter, shown = found.letter, found.in_full
    return _line(letter, found.state) | {
        "settled": asdict(found.state) if found.state else None,
        "in_full": shown,
        "key": readable(letter.key) if shown else None,
        "text": letter.text if shown and letter.value is not None else None,
        "hex": letter.value.hex() if shown and letter.value is not None else None,
        "headers": [[name, readable(value)] for name, value in letter.headers],
        "now": None if found.faults is None else [asdict(fault) for fault in found.faults],
    }


def mended_document(done: Mended) -> dict[str, Any]:
    return {
        "letter": done.letter.name,
        "faults": [asdict(fault) for fault in done.faults],
        "document": done.document.decode("utf-8", "backslashreplace"),
        "replayed": done.outcome is not None and done.outcome.settled == 1,
        **(asdict(done.outcome) if done.outcome else {}),
    }


def outcome_document(outcome: Outcome, what: str) -> dict[str, Any]:
    return {what: outcome.settled} | asdict(outcome)


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2))
    for heading in headings:
        # A name is there to be copied, so it stays in one line.
        table.add_column(heading, justify="right" if heading == "letters" else "left", no_wrap=heading == "letter")
    return table


def show_survey(page: Console, found: Survey, state: str) -> None:
    if not found.total:
        page.print(
            "No dead letters." if state == "all" else f"No dead letters are {state}: --state all shows the others."
        )
        return
    counts = _table("letters", "stream", "rule")
    for (stream, rule), number in found.counts.most_common():
        counts.add_row(str(number), Text(plain(stream)), Text(plain(rule)))
    page.print(counts)
    letters = _table("letter", "rule", "arrived", "state")
    for letter, became in found.newest:
        arrived = f"{letter.arrived_at:%Y-%m-%d %H:%M:%S}"
        letters.add_row(Text(plain(letter.name)), Text(plain(letter.rule)), arrived, became.state if became else OPEN)
    page.print(f"\nThe newest {len(found.newest)} of {found.total}; `./headrace dlq show LETTER` shows one in full.\n")
    page.print(letters, soft_wrap=True)


def show_letter(page: Console, found: Inspected) -> None:
    letter = found.letter
    table = Table(box=None, padding=(0, 2), show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows = {
        "letter": letter.name,
        "stream": letter.stream or "unknown",
        "refused by": f"{letter.rule}: {letter.reason}",
        "arrived": f"{letter.arrived_at:%Y-%m-%d %H:%M:%S.%f %Z}",
        "refused": f"{letter.refused_at:%Y-%m-%d %H:%M:%S.%f %Z}",
        "state": words(found.state) if found.state else OPEN,
        "replay of": letter.replay_of or "",
        "correlation": letter.correlation_id or "",
        **{f"header {name}": str(readable(value)) for name, value in letter.headers},
        **(_bytes(letter) if found.in_full else {"bytes": "hidden: your role does not see who a person is"}),
    }
    for name, value in rows.items():
        if value:
            table.add_row(plain(name), Text(plain(value)))
    page.print(table)
    if found.faults is not None:
        _show_faults(page, found.faults, "The contract now accepts it: replay sends it again.")


def _bytes(letter: DeadLetter) -> dict[str, str]:
    if letter.value is None:
        return {"key": str(readable(letter.key)), "bytes": "none: the record has no value"}
    more = f" … {len(letter.value)} bytes, all with --json" if len(letter.value) > _HEX_BYTES else ""
    return {
        "key": str(readable(letter.key)),
        "text": letter.text,
        "hex": letter.value[:_HEX_BYTES].hex(" ", 4) + more,
    }


def _show_faults(page: Console, faults: Sequence[Fault], none: str) -> None:
    if not faults:
        page.print(f"[green]✓[/green] {none}")
        return
    page.print("The contract now says:")
    for fault in faults:
        page.print(Text(plain(f"  ✗ {fault.field} {fault.reason}" if fault.field else f"  ✗ {fault.reason}")))


def plain(text: str) -> str:
    """Without the control characters by which a sender could write to the terminal of whoever looks."""
    return "".join(char if char.isprintable() or char in "\n\t" else f"\\x{ord(char):02x}" for char in text)


def show_mended(page: Console, done: Mended) -> None:
    page.print(Text(plain(done.document.decode("utf-8", "backslashreplace"))), soft_wrap=True)
    _show_faults(page, done.faults, "The contract accepts it.")
    if done.outcome is None:
        page.print("Nothing was sent. Correct it further with --set, --unset or --file.")
        return
    show_outcome(page, done.outcome, "replayed")


def show_outcome(page: Console, outcome: Outcome, what: str) -> None:
    page.print(f"{outcome.settled} {what} (correlation id {outcome.correlation_id})", soft_wrap=True)
    if outcome.found_sent:
        page.print(f"{outcome.found_sent} had been sent by a replay that was interrupted, and were not sent again.")
    for letter, place in outcome.sent_to.items():
        page.print(f"  {letter} → {place}", soft_wrap=True, markup=False)
    for letter, why in outcome.passed_over.items():
        page.print(f"  {letter} passed over: {why}", soft_wrap=True, markup=False)

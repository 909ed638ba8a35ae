"""`./headrace dlq`: what the gate refused, found, shown, mended, sent again or put aside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headrace.cli.identity import User, person
from headrace.cli.output import Json, fail, page, print_json
from headrace.log import new_correlation_id
from headrace.settings import Settings, get_settings

if TYPE_CHECKING:
    from headrace.policy.identity import Identity
    from headrace.streams.deadletters.selection import Selection
    from headrace.streams.deadletters.settling import Outcome

ASK_ABOVE = 10
"""More letters than this are settled at once only with --yes."""
MOST = 10_000
"""More than this is work for Airflow, which goes on by itself after a failure."""

Letter = Annotated[str, typer.Argument(metavar="LETTER", help="topic:partition:offset, as `dlq list` shows it.")]
Letters = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LETTER]...", help="topic:partition:offset; none: all that the filters take."),
]
Rule = Annotated[
    str | None,
    typer.Option("--reason", metavar="RULE", help="The rule that refused: range:amount, or its kind: range."),
]
Stream = Annotated[str | None, typer.Option(help="The stream, such as transactions.")]
Since = Annotated[str | None, typer.Option(help="Arrived from then on: 2h, 30m, 7d (ago), or 2026-01-31T12:00:00Z.")]
Until = Annotated[str | None, typer.Option(help="Arrived before then; written like --since.")]
Yes = Annotated[bool, typer.Option("--yes", help=f"Do it, also with more than {ASK_ABOVE} letters.")]
Limit = Annotated[int, typer.Option(min=1, max=MOST, help="At most so many letters; more by the Airflow DAG replay.")]

dlq = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: events that the gate refused, with the rule, their bytes and where they came from.\n\n"
    "Look with list and show; correct one with fix; send the originals again with replay after a contract or the gate "
    "changed; put aside with drop. An event that is sent again counts once, whatever is killed in between.",
)  # fmt: skip


@dlq.command("list")
def list_(
    reason: Rule = None,
    stream: Stream = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="Show so many, the newest first; counts are of all.")
    ] = 20,
    state: Annotated[str, typer.Option(help="open, replayed, dropped or all.")] = "open",
    user: User = None,
    json_: Json = False,
) -> None:
    """Count dead letters by stream and rule, and show the newest."""
    from headrace.cli import letter_pages
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters.selection import Selection
    from headrace.streams.deadletters.survey import survey

    if state not in letter_pages.STATES:
        fail(f"There is no state {state!r}. States: {', '.join(letter_pages.STATES)}.")
    settings = get_settings()
    selection = Selection.of(None, stream, reason, since, until)
    who = person(settings, user)
    found = survey(settings, who, selection, PostgresAudit(settings), state=state, limit=limit)
    print_json(letter_pages.survey_document(found)) if json_ else letter_pages.show_survey(page, found, state)


@dlq.command()
def show(letter: Letter, user: User = None, json_: Json = False) -> None:
    """Show one letter: rule, sentence, bytes, key, headers, where and when from, and what the contract says now."""
    from headrace.cli import letter_pages
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters import inspecting

    settings = get_settings()
    found = inspecting.inspect(settings, person(settings, user), letter, PostgresAudit(settings))
    print_json(letter_pages.letter_document(found)) if json_ else letter_pages.show_letter(page, found)


@dlq.command()
def fix(
    letter: Letter,
    file: Annotated[
        str | None, typer.Option(metavar="PATH", help="The whole corrected document; - reads standard input.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="Set a field; several times.")
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(metavar="FIELD", help="Leave a field out; several times.")] = None,
    user: User = None,
    json_: Json = False,
) -> None:
    """Correct one letter; if the contract accepts it now, it is sent in place of the original, else nothing happens."""
    from headrace.cli import letter_pages
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters import mending

    settings = get_settings()
    if not (file or set_ or unset):
        fail("Say what to correct: --set amount=12.50, --unset FIELD, or --file PATH (- for standard input).")
    pairs = dict(_pair(text) for text in set_ or ())
    correction = mending.Correction(_document(file), pairs, tuple(unset or ()))
    audit = PostgresAudit(settings)
    done = mending.fix(settings, person(settings, user), letter, correction, audit, correlation_id=new_correlation_id())
    print_json(letter_pages.mended_document(done)) if json_ else letter_pages.show_mended(page, done)
    raise typer.Exit(1 if done.faults else 0)


@dlq.command()
def replay(
    letters: Letters = None,
    reason: Rule = None,
    stream: Stream = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 1000,
    rate: Annotated[float, typer.Option(min=0.1, help="At most so many letters a second.")] = 200.0,
    yes: Yes = False,
    user: User = None,
    json_: Json = False,
) -> None:
    """Send the original bytes to their change topics again; what is refused again becomes a new letter.

    Safe to kill and to repeat: a letter that was sent is not sent again.
    """
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters import settling

    settings = get_settings()
    selection = _chosen(letters, stream, reason, since, until)
    who = person(settings, user)
    _ask(settings, who, selection, limit, yes, "replay")
    outcome = settling.replay(
        settings, who, selection, PostgresAudit(settings), correlation_id=new_correlation_id(), limit=limit, rate=rate
    )
    _finish(outcome, "replayed", json_)


@dlq.command()
def drop(
    because: Annotated[str, typer.Option(help="Why they need not be replayed; kept with your name.")],
    letters: Letters = None,
    reason: Rule = None,
    stream: Stream = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 1000,
    yes: Yes = False,
    user: User = None,
    json_: Json = False,
) -> None:
    """Mark letters as settled without sending them; they can still be shown."""
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters import settling

    settings = get_settings()
    selection = _chosen(letters, stream, reason, since, until)
    who = person(settings, user)
    _ask(settings, who, selection, limit, yes, "drop")
    outcome = settling.drop(
        settings, who, selection, PostgresAudit(settings), because=because, correlation_id=new_correlation_id(), limit=limit
    )  # fmt: skip
    _finish(outcome, "dropped", json_)


def _chosen(
    letters: list[str] | None, stream: str | None, rule: str | None, since: str | None, until: str | None
) -> Selection:
    from headrace.streams.deadletters.selection import Selection

    selection = Selection.of(letters, stream, rule, since, until)
    if selection == Selection():
        fail("Say which letters: by name, or with --stream, --reason, --since or --until (--since 30d takes all).")
    return selection


def _ask(settings: Settings, who: Identity, selection: Selection, limit: int, yes: bool, doing: str) -> None:
    from headrace.policy.audit import PostgresAudit
    from headrace.streams.deadletters import settling

    if yes or 0 < len(selection.letters) <= ASK_ABOVE:
        return
    number = min(limit, settling.count_open(settings, who, selection, PostgresAudit(settings)))
    if number > ASK_ABOVE:
        fail(f"This would {doing} {number} letters ({selection}). Look with `./headrace dlq list`, then add --yes.")


def _finish(outcome: Outcome, what: str, json_: bool) -> None:
    from headrace.cli import letter_pages

    print_json(letter_pages.outcome_document(outcome, what)) if json_ else letter_pages.show_outcome(
        page, outcome, what
    )
    nothing = not outcome.settled and not outcome.found_sent
    raise typer.Exit(1 if nothing and outcome.passed_over else 0)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        fail(f"{text!r} sets nothing: write --set FIELD=VALUE.")
    return name, value


def _document(file: str | None) -> bytes | None:
    if file is None:
        return None
    if file == "-":
        return sys.stdin.buffer.read()
    path = Path(file)
    if not path.is_file():
        fail(f"There is no file {file}.")
    return path.read_bytes()


def register(app: typer.Typer) -> None:
    app.add_typer(dlq, name="dlq", rich_help_panel="Use")

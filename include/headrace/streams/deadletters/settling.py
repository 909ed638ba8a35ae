"""Replays and drops dead letters: bounded in number and rate, restartable, recorded.

The order makes it safe to kill at any moment: claim, send, wait for Kafka, settle. Who finds a claim without an end asks
the change topic whether the record arrived, and only sends what did not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice

from headrace.contracts.model import load_contracts
from headrace.log import get_logger
from headrace.policy import Identity
from headrace.policy.audit import Audit, Entry, write_or_log
from headrace.policy.permit import permit
from headrace.settings import Settings
from headrace.streams.deadletters.interrupted import already_sent
from headrace.streams.deadletters.letter import DeadLetter
from headrace.streams.deadletters.permit import SETTLE
from headrace.streams.deadletters.reading import NoSuchLetter, select
from headrace.streams.deadletters.selection import Selection
from headrace.streams.deadletters.sending import Again, Sender
from headrace.streams.deadletters.states import DROPPED, REPLAYING, State, States, states
from headrace.streams.deadletters.survey import is_open, with_states

log = get_logger(__name__)
_BATCH = 100
"""How many letters a kill can leave claimed and unsettled."""
SAMPLE = 20


@dataclass
class Outcome:
    correlation_id: str
    settled: int = 0
    """Replayed or dropped by this run."""
    found_sent: int = 0
    """Sent by a run that was killed before it could say so."""
    sent_to: dict[str, str] = field(default_factory=dict)
    """The first of them: letter -> topic:partition:offset."""
    passed_over: dict[str, str] = field(default_factory=dict)
    """Letters named by the person that were settled before, and the first that cannot be sent, with the reason."""


def replay(
    settings: Settings,
    person: Identity,
    selection: Selection,
    audit: Audit,
    *,
    correlation_id: str,
    limit: int,
    rate: float,
) -> Outcome:
    """Sends the original bytes of at most `limit` open letters to their change topics again.

    Run again with the same correlation id, the limit holds for all runs together.
    """
    permit(person, SETTLE, "replay_letters", str(selection), audit)
    outcome = Outcome(correlation_id)
    with states(settings) as known, known.alone(), _recorded(audit, person, "replay_letters", selection, outcome):
        left = max(0, limit - known.replayed_by(correlation_id))
        sender, began = Sender(settings), time.monotonic()
        waiting = islice(_waiting(settings, known, selection, outcome), left)
        while batch := list(islice(waiting, max(1, min(_BATCH, int(rate))))):
            again = [Again.as_it_was(letter) for letter in batch]
            send_again(settings, known, sender, again, person, outcome)
            time.sleep(max(0.0, began + outcome.settled / rate - time.monotonic()))
    log.info("dead letters replayed", **_short(outcome))
    return outcome


def send_again(
    settings: Settings,
    known: States,
    sender: Sender,
    batch: Sequence[Again],
    person: Identity,
    outcome: Outcome,
    note: str = "",
) -> None:
    """One batch; raises ConnectionError where Kafka may or may not have taken some of it."""
    letters = [again.letter for again in batch]
    claims = [(one, state) for one, state in with_states(known, letters) if state and state.state == REPLAYING]
    found = already_sent(settings, claims)
    known.sent([one for one in letters if one.name in found], found)
    outcome.found_sent += len(found)
    new = [one for one in letters if one.name not in found]
    mine = known.settle(new, REPLAYING, person.user, outcome.correlation_id, note)
    done = sender.send(again for again in batch if again.letter.name in mine)
    known.sent([one for one in letters if one.name in done.sent_to], done.sent_to)
    known.release([one for one in letters if one.name in done.refused])
    outcome.settled += len(done.sent_to)
    _keep_some(outcome.sent_to, found | done.sent_to)
    _keep_some(outcome.passed_over, done.refused)
    if done.unsure:
        raise ConnectionError(f"{done.unsure}. {outcome.settled} were replayed; run it again, nothing is sent twice.")


def drop(
    settings: Settings,
    person: Identity,
    selection: Selection,
    audit: Audit,
    *,
    because: str,
    correlation_id: str,
    limit: int,
) -> Outcome:
    """Marks at most `limit` open letters as settled without sending them."""
    permit(person, SETTLE, "drop_letters", str(selection), audit)
    outcome = Outcome(correlation_id)
    with states(settings) as known, _recorded(audit, person, "drop_letters", selection, outcome, because):
        waiting = islice(_waiting(settings, known, selection, outcome, sendable=False), limit)
        while batch := list(islice(waiting, _BATCH)):
            mine = known.settle(batch, DROPPED, person.user, correlation_id, because)
            outcome.settled += len(mine)
            claimed = {one.name: "is claimed by a replay" for one in batch if one.name not in mine}
            _keep_some(outcome.passed_over, claimed)
    return outcome


@contextmanager
def _recorded(
    audit: Audit, person: Identity, doing: str, selection: Selection, outcome: Outcome, because: str = ""
) -> Iterator[None]:
    """First the record that it begins, or it does not begin; at the end, also a bad one, what came of it."""
    detail = {"correlation_id": outcome.correlation_id} | ({"because": because} if because else {})
    audit.write(Entry(person.user, doing, str(selection), True, detail | {"state": "begins"}))
    state = "interrupted"
    try:
        yield
        state = "done"
    finally:
        write_or_log(
            audit, Entry(person.user, doing, str(selection), True, detail | _short(outcome) | {"state": state})
        )


def count_open(settings: Settings, person: Identity, selection: Selection, audit: Audit) -> int:
    """How many letters a replay or a drop of this selection would settle."""
    permit(person, SETTLE, "count_letters", str(selection), audit)
    with states(settings) as known:
        return sum(1 for _, state in with_states(known, select(settings, selection)) if is_open(state))


def _waiting(
    settings: Settings, known: States, selection: Selection, outcome: Outcome, *, sendable: bool = True
) -> Iterator[DeadLetter]:
    """The open letters of the selection; a name that a person typed is never passed over in silence."""
    topics = {contract.topic for contract in load_contracts(settings.contracts).values()}
    seen = set()
    for letter, state in with_states(known, select(settings, selection)):
        seen.add(letter.name)
        if not is_open(state):
            if selection.letters and state:
                outcome.passed_over[letter.name] = words(state)
        elif sendable and letter.home not in topics:
            _keep_some(outcome.passed_over, {letter.name: f"{letter.home} is the topic of no contract"})
        else:
            yield letter
    if missing := set(selection.letters) - seen:
        raise NoSuchLetter(f"There is no dead letter {', '.join(sorted(missing))}. Next: ./headrace dlq list")


def words(state: State) -> str:
    what = f"{state.state} by {state.actor} at {state.at:%Y-%m-%d %H:%M:%S %Z}"
    return what + (f" as {state.sent_to}" if state.sent_to else "") + (f": {state.note}" if state.note else "")


def _keep_some(kept: dict[str, str], more: dict[str, str]) -> None:
    for name, place in islice(more.items(), max(0, SAMPLE - len(kept))):
        kept[name] = place


def _short(outcome: Outcome) -> dict[str, object]:
    return {k: v for k, v in asdict(outcome).items() if not isinstance(v, dict)}

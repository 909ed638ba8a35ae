"""What was asked before, kept on the server by person and id, bounded in number and in time."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass

from cachetools import TTLCache

from headrace.assistant.outcome import Asked
from headrace.assistant.plan import Plan

_MOST = 10_000
_SECONDS = 3600


@dataclass(frozen=True)
class Turn:
    plan: Plan | None = None
    question: str = ""
    asked: Asked | None = None
    """Set when the last turn ended in a question back: the reply completes `question`."""


class Conversations:
    def __init__(self, *, most: int = _MOST, seconds: float = _SECONDS) -> None:
        self._turns: TTLCache[tuple[str, str], Turn] = TTLCache(most, seconds)
        self._lock = threading.Lock()

    def open(self, user: str, conversation_id: str | None) -> tuple[str, Turn]:
        """A person only ever gets turns of their own, whatever id they send."""
        key = conversation_id or uuid.uuid4().hex
        with self._lock:
            return key, self._turns.get((user, key), Turn())

    def keep(self, user: str, conversation_id: str, turn: Turn) -> None:
        with self._lock:
            self._turns[user, conversation_id] = turn


def completed(turn: Turn, reply: str) -> str | None:
    """The question that was asked back about, with the reply in its place; None when the reply stands on its own."""
    asked = turn.asked
    if asked is None:
        return None
    said = reply.strip().rstrip(".!")
    if said.isdigit() and 1 <= int(said) <= len(asked.options):
        said = asked.options[int(said) - 1]
    chosen = next((o for o in asked.options if o.lower() == said.lower()), None)
    if chosen is None and len(said.split()) > 4:
        return None
    place = turn.question.lower().find(asked.about.lower()) if asked.about else -1
    if place < 0:
        return f"{turn.question.rstrip('?')} {chosen or said}"
    return turn.question[:place] + (chosen or said) + turn.question[place + len(asked.about) :]

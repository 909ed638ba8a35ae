"""What understanding a question can end in: a plan, a question back, or an honest no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headrace.assistant.plan import Plan

Level = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Understood:
    plan: Plan
    level: Level = "high"
    reasons: tuple[str, ...] = ()
    by: str = "rules"


@dataclass(frozen=True)
class Asked:
    """The question back; `about` is the part of the text that the reply will stand for, empty to append the reply."""

    question: str
    options: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Declined:
    reason: str
    suggestions: tuple[str, ...] = ()
    final: bool = False
    """True where no chat model may try again: a command, a forecast, a cause, the future."""


Outcome = Understood | Asked | Declined


class NeedsAnswer(Exception):
    """Raised deep inside the reading of a question, where only the person can say which is meant."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.question)
        self.asked = asked

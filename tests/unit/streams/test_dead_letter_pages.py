"""What a person sees of a letter: nothing that a sender could steer the terminal with, and names that can be copied."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from headrace.cli import letter_pages
from headrace.contracts.explain import Fault
from headrace.streams.deadletters.inspecting import Inspected
from headrace.streams.deadletters.settling import Outcome
from headrace.streams.deadletters.survey import Survey
from tests.unit.streams.test_dead_letters import LETTER


@pytest.fixture
def page() -> Console:
    return Console(file=io.StringIO(), width=60, highlight=False)


def _shown(page: Console) -> str:
    return page.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_hostile_letter_cannot_write_to_the_terminal(page: Console) -> None:
    hostile = replace(LETTER, value=b"\x1b[2J[red]x\xff", key=b"\x07", headers=(("\x1b", b"\x1b]0;owned"),))
    letter_pages.show_letter(page, Inspected(hostile, None, [Fault("\x1b", "[bold]")], True))
    text = _shown(page)
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[2J[red]x\\xff" in text
    assert "[bold]" in text


def test_bytes_are_hidden_from_who_may_not_see_persons(page: Console) -> None:
    letter_pages.show_letter(page, Inspected(LETTER, None, None, False))
    assert "u1" not in _shown(page)
    found = letter_pages.letter_document(Inspected(LETTER, None, None, False))
    assert (found["hex"], found["text"], found["key"], found["now"]) == (None, None, None, None)


def test_names_stay_in_one_line(page: Console) -> None:
    letter_pages.show_survey(page, Survey(Counter({("transactions", "range:amount"): 1}), [(LETTER, None)]), "open")
    assert LETTER.name in _shown(page)
    letter_pages.show_outcome(page, Outcome("c", 1, 1, {LETTER.name: "t:0:1"}, {"t:0:9": "[why]"}), "replayed")
    assert "t:0:9 passed over: [why]" in _shown(page)

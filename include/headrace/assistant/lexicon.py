"""Finds the words of the catalogue in a question: longest phrase first, then near misses within a bound."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from rapidfuzz.distance import OSA

from headrace.assistant.vocabulary import Vocabulary

Kind = Literal["metric", "dimension", "value"]
WORD = re.compile(r"[a-z0-9][\w'&.-]*[a-z0-9]|[a-z0-9]")
_FUZZY_LENGTH = 5
_LONG_WORD = 8
_CODE_LENGTH = 2


@dataclass(frozen=True)
class Meaning:
    kind: Kind
    name: str
    value: str = ""
    rank: int = 0
    """0 for a name or label, 1 for a synonym: the nearer meaning wins where a phrase has several."""


@dataclass(frozen=True)
class Hit:
    meanings: tuple[Meaning, ...]
    text: str
    start: int
    end: int
    fuzzy: bool = False

    def of(self, kind: Kind) -> tuple[Meaning, ...]:
        """The meanings of one kind, only the nearest."""
        found = [m for m in self.meanings if m.kind == kind]
        best = min((m.rank for m in found), default=0)
        return tuple(m for m in found if m.rank == best)


def singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us")) else word


def stem(phrase: str) -> str:
    words = WORD.findall(phrase.lower().replace("_", " "))
    return " ".join(singular(word.removesuffix("'s")) for word in words)


class Lexicon:
    """The phrases of one vocabulary, by their singular form."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._index: dict[str, dict[tuple[str, str, str], Meaning]] = defaultdict(dict)
        self._spellings: dict[str, str] = {}
        for metric in vocabulary.metrics.values():
            self._add_all(metric.phrases, "metric", metric.name)
        for dimension in vocabulary.dimensions.values():
            self._add_all(dimension.phrases, "dimension", dimension.name)
            for value in dimension.values:
                others = (dimension.value_synonyms or {}).get(value, ())
                # Codes such as IN or IT are words of their own: such a value is known by its names only.
                spoken = (value, value) if len(value) > _CODE_LENGTH else ()
                self._add_all((*spoken, *others), "value", dimension.name, value)
        self._longest = max((len(phrase.split()) for phrase in self._index), default=1)
        self._spellings = {p: p for p in self._index if len(p) >= _FUZZY_LENGTH} | self._spellings

    def _add_all(self, phrases: tuple[str, ...], kind: Kind, name: str, value: str = "") -> None:
        for position, phrase in enumerate(phrases):
            if key := stem(phrase):
                if len(phrase) >= _FUZZY_LENGTH:
                    self._spellings[phrase.lower()] = key
                self._index[key].setdefault((kind, name, value), Meaning(kind, name, value, 0 if position < 2 else 1))

    def find(self, text: str, *, skip: frozenset[str] = frozenset()) -> list[Hit]:
        """Phrases of the catalogue in lower-case text, in order of appearance and without overlap."""
        words = list(WORD.finditer(text))
        used = [False] * len(words)
        hits = self._exact(text, words, used)
        hits += self._near(words, used, skip)
        return sorted(hits, key=lambda hit: hit.start)

    def _exact(self, text: str, words: list[re.Match[str]], used: list[bool]) -> list[Hit]:
        hits: list[Hit] = []
        for length in range(min(self._longest, len(words)), 0, -1):
            for first in range(len(words) - length + 1):
                run = range(first, first + length)
                start, end = words[first].start(), words[run[-1]].end()
                if any(used[i] for i in run) or "\0" in text[start:end]:
                    continue
                if meanings := self._index.get(stem(text[start:end])):
                    hits.append(Hit(tuple(meanings.values()), text[start:end], start, end))
                    for i in run:
                        used[i] = True
        return hits

    def _near(self, words: list[re.Match[str]], used: list[bool], skip: frozenset[str]) -> list[Hit]:
        hits: list[Hit] = []
        for i, word in enumerate(words):
            if used[i] or len(word[0]) < _FUZZY_LENGTH or word[0] in skip or any(c.isdigit() for c in word[0]):
                continue
            if phrase := self.nearest(word[0]):
                hits.append(Hit(tuple(self._index[phrase].values()), word[0], word.start(), word.end(), fuzzy=True))
                used[i] = True
        return hits

    def nearest(self, word: str) -> str | None:
        """The one phrase this is a misspelling of: one slip in a short word, two in a long one, and no rival."""
        bound = 2 if len(word) >= _LONG_WORD else 1
        found: dict[str, int] = {}
        for spelling, phrase in self._spellings.items():
            slips = OSA.distance(word, spelling, score_cutoff=bound)
            if slips <= bound:
                found[phrase] = min(slips, found.get(phrase, slips))
        best = [phrase for phrase, slips in found.items() if slips == min(found.values())]
        return best[0] if len(best) == 1 else None

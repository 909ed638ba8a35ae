"""A question taken apart: what each word was understood as, before the gaps are filled and the plan is made."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from headrace.assistant.cues import Cues, Rank, read_cues, read_rank
from headrace.assistant.dates import DOUBTFUL_DATE
from headrace.assistant.lexicon import WORD, Hit, Lexicon, Meaning, singular
from headrace.assistant.outcome import Asked, NeedsAnswer
from headrace.assistant.plan import Filter
from headrace.assistant.stopwords import ADDING, GROUPING, NEGATIONS, PREPOSITIONS, STOP
from headrace.assistant.time_phrases import TimeMatch, find_periods
from headrace.assistant.vocabulary import Vocabulary

_ID = re.compile(r"^(?=.*\d)[\w-]{2,64}$|^.*_.*$")
_SKIP = STOP | PREPOSITIONS | NEGATIONS | ADDING


@dataclass
class Draft:
    metrics: list[str] = field(default_factory=list)
    group_by: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    periods: list[TimeMatch] = field(default_factory=list)
    cues: Cues = field(default_factory=lambda: Cues(""))
    rank: Rank | None = None
    unknown: list[str] = field(default_factory=list)
    governed: list[str] = field(default_factory=list)
    """Unknown words after "for", "in", "of"…: they limit the figure, so it must not be given without them."""
    notes: list[str] = field(default_factory=list)
    adding: bool = False
    per_metric: str = ""


def read(question: str, lexicon: Lexicon, vocabulary: Vocabulary, now: datetime) -> Draft:
    """Raises NeedsAnswer where a phrase has several meanings."""
    if doubtful := DOUBTFUL_DATE.search(question):
        raise NeedsAnswer(Asked(f"Which day is {doubtful[0]}? Please write it as YYYY-MM-DD.", (), doubtful[0]))
    cues = read_cues(question)
    draft = Draft(cues=cues, periods=find_periods(cues.text, now))
    for period in draft.periods:
        cues.mask(period.start, period.end)
    hits = _join_ids(lexicon.find(cues.text, skip=_SKIP), question, cues, vocabulary)
    for hit in hits:
        cues.mask(hit.start, hit.end)
    draft.rank = read_rank(cues)
    _Placer(draft, vocabulary, question.lower(), hits).place()
    _read_rest(draft, question)
    return draft


def _join_ids(hits: list[Hit], question: str, cues: Cues, vocabulary: Vocabulary) -> list[Hit]:
    """ "merchant M-17": the id behind a dimension's name is a value of it, in the spelling of the question."""
    joined: list[Hit] = []
    for hit in hits:
        following = WORD.search(cues.text, hit.end)
        dimension = hit.of("dimension")
        gap = cues.text[hit.end : following.start()].strip() if following else ""
        if dimension and following and not gap.strip("=:# ") and _ID.match(following[0]):
            value = question[following.start() : following.end()]
            if known := _known(vocabulary, dimension):
                if any(h.start == following.start() for h in hits):
                    joined.append(hit)
                    continue
                label = vocabulary.dimensions[dimension[0].name].label
                raise NeedsAnswer(Asked(f"I know no {label} “{value}”. Which one?", known[:8], value))
            meanings = tuple(Meaning("value", m.name, value) for m in dimension)
            joined.append(Hit(meanings, question[hit.start : following.end()], hit.start, following.end()))
        else:
            joined.append(hit)
    covered = [(h.start, h.end) for h in joined]
    return [h for h in joined if not any(s <= h.start < e and (s, e) != (h.start, h.end) for s, e in covered)]


def _known(vocabulary: Vocabulary, dimension: tuple[Meaning, ...]) -> tuple[str, ...]:
    return tuple(v for m in dimension for v in vocabulary.dimensions[m.name].values)


@dataclass
class _Placer:
    """Decides what each hit is by the words around it."""

    draft: Draft
    vocabulary: Vocabulary
    text: str
    hits: list[Hit]

    def place(self) -> None:
        named: frozenset[str] = frozenset()
        for i, hit in enumerate(self.hits):
            naming = self._names_next(hit, self.hits[i + 1] if i + 1 < len(self.hits) else None)
            if not naming:
                self._put(hit, named)
            named = naming

    def _put(self, hit: Hit, named: frozenset[str]) -> None:
        before = self._before(hit)
        if hit.fuzzy:
            self.draft.notes.append(f"read “{hit.text}” as {self._name(hit.meanings[0])}")
        if hit.of("value") and (named or not hit.of("metric") or self._limits_another(before)):
            self._filter(hit, named, negated=before in NEGATIONS or self._negated(hit))
        elif hit.of("metric") and not (hit.of("dimension") and self._splits(hit, before)):
            self._metric(hit, before)
        else:
            self._dimension(hit, before)

    def _limits_another(self, before: str) -> bool:
        """In "transactions for refunds" the second word limits the first, though it is a figure of its own."""
        return before in PREPOSITIONS | NEGATIONS and sum(bool(h.of("metric")) for h in self.hits) > 1

    def _splits(self, hit: Hit, before: str) -> bool:
        """In "sales by customer" and "top 5 customers by sales" the customer is no figure, though it can be one."""
        others = [h for h in self.hits if h is not hit and h.of("metric")]
        rank = self.draft.rank
        first = rank is not None and not any(rank.start < h.start < hit.start for h in self.hits)
        return bool(others) and (before in GROUPING or (rank is not None and rank.start < hit.start and first))

    def _names_next(self, hit: Hit, following: Hit | None) -> frozenset[str]:
        """In "region europe" the first word only says what the second is."""
        if following is None or not hit.of("dimension") or self.text[hit.end : following.start].strip(" =:"):
            return frozenset()
        return frozenset({m.name for m in hit.of("dimension")} & {m.name for m in following.of("value")})

    def _name(self, meaning: Meaning) -> str:
        return meaning.value or meaning.name.replace("_", " ")

    def _before(self, hit: Hit) -> str:
        words = WORD.findall(self.text[: hit.start])
        while words and words[-1] in ("the", "only", "type", "all", "any"):
            words.pop()
        return words[-1] if words else ""

    def _negated(self, hit: Hit) -> bool:
        """ "except asia and europe" negates both."""
        head = self.text[: hit.start]
        return bool(re.search(r"\b(?:except|excluding|without|not in|other than)\b[\w\s,]*\b(?:and|or|nor)\s*$", head))

    def _metric(self, hit: Hit, before: str) -> None:
        found = hit.of("metric")
        if len(found) > 1:
            labels = tuple(self.vocabulary.metrics[m.name].label for m in found)
            raise NeedsAnswer(Asked(f"“{hit.text}” can mean several figures. Which one?", labels, hit.text))
        if before == "per" and self.draft.metrics:
            self.draft.per_metric = hit.text
        elif found[0].name not in self.draft.metrics:
            self.draft.metrics.append(found[0].name)

    def _dimension(self, hit: Hit, before: str) -> None:
        found = hit.of("dimension")
        if len(found) > 1:
            labels = tuple(self.vocabulary.dimensions[m.name].label for m in found)
            raise NeedsAnswer(Asked(f"“{hit.text}” can mean several things. Which one?", labels, hit.text))
        name = found[0].name
        rank = self.draft.rank
        ranked = rank is not None and rank.start < hit.start
        clear = before in GROUPING or before in ("which", "what", "and", "or", "instead") or ranked
        if name not in self.draft.group_by:
            self.draft.group_by.append(name)
            if not clear:
                self.draft.notes.append(f"took “{hit.text}” as: by {self.vocabulary.dimensions[name].label}")
        last_word = WORD.findall(hit.text)[-1]
        if rank and rank.limit is None and (ranked or before in ("which", "what")) and singular(last_word) == last_word:
            self.draft.rank = Rank(rank.descending, 1, rank.start)

    def _filter(self, hit: Hit, named: frozenset[str], *, negated: bool) -> None:
        found = tuple(m for m in hit.of("value") if not named or m.name in named)
        if len({m.name for m in found}) > 1:
            labels = tuple(f"{self.vocabulary.dimensions[m.name].label} {hit.text.title()}" for m in found)
            raise NeedsAnswer(Asked(f"“{hit.text}” is a value of several things. Which one?", labels, hit.text))
        name, values = found[0].name, tuple(dict.fromkeys(m.value for m in found))
        for i, known in enumerate(self.draft.filters):
            if known.dimension == name and known.negated == negated:
                merged = tuple(dict.fromkeys((*known.values, *values)))
                self.draft.filters[i] = Filter(dimension=name, values=merged, negated=negated)
                return
        self.draft.filters.append(Filter(dimension=name, values=values, negated=negated))


def _read_rest(draft: Draft, question: str) -> None:
    """Words nobody understood; those behind a preposition limit the figure and are kept apart."""
    words = list(WORD.finditer(draft.cues.text))
    draft.adding = any(w[0] in ADDING for w in words)
    for i, word in enumerate(words):
        if word[0] in _SKIP or singular(word[0]) in _SKIP or (word[0].isdigit() and len(word[0]) < 3):
            continue
        original = question[word.start() : word.end()]
        before = words[i - 1] if i else None
        near = before is not None and "\0" not in draft.cues.text[before.end() : word.start()]
        if before is not None and near and before[0] in PREPOSITIONS | NEGATIONS:
            draft.governed.append(original)
        else:
            draft.unknown.append(original)

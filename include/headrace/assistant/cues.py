"""The words of a question that are not about the data: chart, grain, ranking, comparison, and what cannot be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from headrace.assistant.periods import Grain, as_grain
from headrace.assistant.plan import ChartKind, Source

_CHARTS = r"(bar|line|area|pie|table|number)"
_CHART = re.compile(
    rf"\b(?:as|in|with|on|using|show|make it) (?:an? )?{_CHARTS}(?: ?(?:chart|graph|plot|diagram))?s?\b|\b{_CHARTS} (?:chart|graph|plot)\b"
)
_GRAIN = re.compile(
    r"\b(?:by|per|for each|for every|each|every|over the) (minute|hour|day|week|month|quarter|year)s?\b"
    r"|\b(minute|hour|day|week|month) by \2\b"
)
_GRAIN_WORD = re.compile(r"\b(hourly|daily|weekly|monthly|quarterly|yearly)\b")
_TREND = re.compile(r"\b(?:over time|trend(?:s|ing)?|develop(?:ed|ment)?|evolution|time series)\b")
_NUMBER = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twenty": 20}
_HIGH = "top|best|highest|largest|biggest|most|leading|strongest"
_LOW = "bottom|worst|lowest|smallest|fewest|least|weakest"
_RANK = re.compile(rf"\b(?:the )?({_HIGH}|{_LOW})(?:[ -](\d{{1,4}}|{'|'.join(_NUMBER)}))?\b")
_COMPARE = re.compile(
    r"\b(?:vs\.?|versus|compared? (?:it )?(?:to|with)|in comparison (?:to|with)|against|compare)(?=\s|$)"
    r"|\b(?:change[ds]?|growth|grew|grown|difference)(?: (?:from|since|over|to))?\b"
    r"|\b(?:more|less|higher|lower|better|worse) than\b"
)
_PREVIOUS = re.compile(
    r"\b(?:the )?(?:(?:previous|prior|preceding|last) period|period before|(?:day|week|month) before)\b"
)
_SOURCE = re.compile(r"\b(?:only )?(?:from |in )?(?:the )?(live|historical) (?:data|store|figures|part)(?: only)?\b")
_FORECAST = re.compile(
    r"\b(?:forecast|predict|projection|project(?:ed)?|will (?:we|i|it|the|sales|be)|expect(?:ed)?)\b"
)
_WHY = re.compile(r"\b(?:why|how come|what caused|reason (?:for|why)|root cause)\b")
_WRITE = re.compile(
    r"\b(?:delete|drop|truncate|insert|alter|grant|revoke)\b(?=.*\b(?:table|row|record|data|from|into|all|user|access)\b)"
    r"|\bupdate (?:the|all|set|table)\b|;|--|\bselect\b.+\bfrom\b|\bunion select\b"
)


@dataclass
class Cues:
    text: str
    """The question in lower case, with what was understood blanked out (same length, so that places stay valid)."""
    chart: ChartKind | None = None
    grain: Grain | None = None
    trend: bool = False
    compare_at: int | None = None
    compare_previous: bool = False
    source: Source = "both"
    notes: list[str] = field(default_factory=list)

    def take(self, match: re.Match[str]) -> None:
        self.mask(match.start(), match.end())

    def mask(self, start: int, end: int) -> None:
        self.text = self.text[:start] + "\0" * (end - start) + self.text[end:]


@dataclass(frozen=True)
class Rank:
    descending: bool
    limit: int | None
    start: int


def read_cues(question: str) -> Cues:
    cues = Cues(re.sub(r"[?!,()\"“”]", " ", question.lower()))
    _read_chart(cues)
    _read_grain(cues)
    if match := _SOURCE.search(cues.text):
        cues.source = "live" if match[1] == "live" else "historical"
        cues.take(match)
    if match := _PREVIOUS.search(cues.text):
        cues.compare_previous = True
        cues.take(match)
    if match := _COMPARE.search(cues.text):
        cues.compare_at = match.start()
        cues.take(match)
    return cues


def _read_chart(cues: Cues) -> None:
    if match := _CHART.search(cues.text):
        cues.chart = match[1] or match[2]  # type: ignore[assignment]
        cues.take(match)


def _read_grain(cues: Cues) -> None:
    if match := _GRAIN.search(cues.text):
        cues.grain = as_grain(match[1] or match[2])
        cues.take(match)
    elif match := _GRAIN_WORD.search(cues.text):
        cues.grain = "day" if match[1] == "daily" else as_grain(match[1].removesuffix("ly"))
        cues.take(match)
    if match := _TREND.search(cues.text):
        cues.trend = True
        cues.take(match)


def read_rank(cues: Cues) -> Rank | None:
    """ "top 5", "worst", "the most": read after the catalogue's own phrases, which may hold such words themselves."""
    match = _RANK.search(cues.text)
    if not match:
        return None
    cues.take(match)
    count = match[2]
    limit = _NUMBER.get(count) or int(count) if count else None
    return Rank(re.fullmatch(_HIGH, match[1]) is not None, limit, match.start())


def refusal(question: str) -> str | None:
    """Why a question of this kind has no answer here, or nothing when it may have one."""
    text = question.lower()
    if _WRITE.search(text):
        return "I only read figures; I never run commands or change data."
    if _FORECAST.search(text):
        return "I know what has happened, not what will: no forecast is defined."
    if _WHY.search(text):
        return "The figures say what changed and where, not why."
    return None

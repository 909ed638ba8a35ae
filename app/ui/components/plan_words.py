"""A plan as a person reads it: line by line, without the form's empty fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.ui.words import clock

TITLES = {
    "metrics": "Metrics",
    "group_by": "Split by",
    "filters": "Only",
    "time": "Period",
    "compare": "Compared with",
    "grain": "Per",
    "order": "Order",
    "limit": "At most",
    "source": "Read from",
}
SOURCES = {"both": "live windows and history", "live": "live windows", "historical": "history"}


def in_words(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """Title and words of every field that says something; where the plan brings its own sentence, that is said."""
    if sentence := plan.get("words"):
        return [("Question", str(sentence)), ("Read from", _words("source", plan.get("source")))]
    said = [(title, _words(name, plan.get(name))) for name, title in TITLES.items()]
    return [(title, words) for title, words in said if words]


def _words(name: str, value: Any) -> str:
    if not value:
        return ""
    if name == "source":
        return SOURCES.get(str(value), str(value))
    return _structure(value) if isinstance(value, dict | list) else _name(value)


def _structure(value: dict[str, Any] | list[Any]) -> str:
    match value:
        case {"start": start, "end": end, **rest}:
            return f"{rest.get('label', '')} ({_moment(start)} to {_moment(end)})".strip()
        case {"dimension": dimension, "values": values, **rest}:
            return f"{_name(dimension)} {'not ' if rest.get('negated') else ''}{' or '.join(map(str, values))}"
        case {"by": by, **rest}:
            return f"{'highest' if rest.get('descending', True) else 'lowest'} {_name(by)} first"
        case dict():
            return ", ".join(f"{_name(k)} {w}" for k, v in value.items() if (w := _words("", v)))
    return ", ".join(filter(None, (_words("", item) for item in value)))


def _name(value: Any) -> str:
    return str(value).split("__")[-1].replace("_", " ")


def _moment(value: Any) -> str:
    try:
        return clock(datetime.fromisoformat(str(value)))
    except ValueError:
        return str(value)

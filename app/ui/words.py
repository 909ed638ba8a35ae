"""Figures and moments as a person reads them: with their unit, their currency and their age."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import format_compact_currency, format_currency, format_decimal, get_currency_precision
from babel.numbers import is_currency as _is_currency

LOCALE = "en_US"
NUMBERS = {"number", "decimal", "integer", "int", "bigint", "double", "float", "money", "currency", "percent", "count"}
_CODE = re.compile(r"[a-z]+(_[a-z]+)*")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:])")


def plain(text: Any) -> str:
    """Text of others inside Markdown: shown as it is, never as formatting, formula, link or picture."""
    return _MARKDOWN.sub(r"\\\1", str(text)).replace("\n", "  \n")


def decimal(value: Any) -> Decimal | None:
    """Exact where the API was exact: it sends decimals as strings."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def is_currency(unit: str) -> bool:
    return len(unit) == 3 and unit.isupper() and _is_currency(unit, LOCALE)


def figure(value: Any, unit: str = "") -> str:
    """1234.5 with USD is $1,234.50; with % 12.3%; with a word, the word follows."""
    number = decimal(value)
    if number is None:
        return "–" if value is None else str(value)
    if is_currency(unit):
        return format_currency(number, unit, locale=LOCALE)
    if unit in ("%", "percent"):
        return f"{format_decimal(number, format='#,##0.#', locale=LOCALE)}%"
    if unit == "ratio":
        return f"{format_decimal(number * 100, format='#,##0.0', locale=LOCALE)}%"
    return f"{format_decimal(number, format='#,##0.##', locale=LOCALE)} {unit}".strip()


def short(value: Any, unit: str = "") -> str:
    """For big numbers on a small place: cents are left out from a thousand on, and millions are said as such."""
    number = decimal(value)
    if number is None or not is_currency(unit):
        return figure(value, unit)
    if abs(number) >= 10_000_000:
        return format_compact_currency(number, unit, locale=LOCALE, fraction_digits=2)
    if abs(number) >= 1000:
        return format_currency(number.quantize(Decimal(1)), unit, format="¤#,##0", locale=LOCALE, currency_digits=False)
    return figure(number, unit)


def d3_money(unit: str) -> str:
    """Vega's number format for this currency, without its sign."""
    return ",.0f" if get_currency_precision(unit) == 0 else ",.2f"


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """How long ago, in the largest unit that says enough."""
    if moment is None:
        return "unknown"
    seconds = max(0, int(((now or datetime.now(UTC)) - utc(moment)).total_seconds()))
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name} ago"
    return f"{seconds} s ago"


def clock(moment: datetime | None) -> str:
    if moment is None:
        return "–"
    moment = utc(moment)
    style = "%H:%M:%S" if moment.second else "%H:%M"
    return moment.strftime(style if moment.date() == datetime.now(UTC).date() else f"%Y-%m-%d {style}") + " UTC"


def moment(text: str, grain: str) -> str:
    """The start of a period as far as its grain needs it."""
    try:
        start = utc(datetime.fromisoformat(text))
    except ValueError:
        return text
    return start.strftime("%Y-%m-%d %H:%M" if grain in ("minute", "hour") or start.hour or start.minute else "%Y-%m-%d")


def utc(moment: datetime) -> datetime:
    """A moment without a zone is UTC: the platform has no other."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def readable(name: str) -> str:
    """A code such as south_america is South America; names, ids and upper case stay as they are."""
    return name.replace("_", " ").title() if _CODE.fullmatch(name) else name


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]


def commands(text: Any) -> str:
    """Like plain, but what stands between backquotes stays a command to copy."""
    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(code(part) if place % 2 else plain(part) for place, part in enumerate(parts))


def code(text: Any) -> str:
    """An id in Markdown, as code; nothing in it can end the code."""
    return f"`{str(text).replace('`', '')}`"

"""What may be corrected in a field of an event, and how values may be spelt: one list for the gate and for ingest.

A correction never guesses: each spelling here has one meaning only. What was corrected is marked `field:kind`. A contract
may name its own list with the custom property `corrections` of a field; an empty list switches them off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.contracts.model import Field

SPACES = "spaces"
CASE = "letter case"
SYMBOL = "currency symbol"
NUMBER = "number as text"
BOOLEAN = "boolean as text"
EPOCH = "epoch time"
NO_ZONE = "time without zone"

BLANKS = " \t\r\n"
UPPER, LOWER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
SYMBOLS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "R$": "BRL",
    "US$": "USD",
    "₩": "KRW",
    "₺": "TRY",
    "₴": "UAH",
    "₱": "PHP",
}
"""Signs of one currency only: `$`, `¥` and `kr` stand for several and are refused."""

PLAIN_NUMBER = "-?[0-9]{1,38}([.][0-9]{1,38})?"
WHOLE_NUMBER = "-?[0-9]{1,38}([.]0{1,38})?"
FLOATING = "-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?"
DATE = "[12][0-9]{3}-[0-9]{2}-[0-9]{2}"
ZONE = "(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
UNZONED = f"{DATE}[T ]{CLOCK}"
TIMESTAMP = f"{UNZONED}{ZONE}?"
NUL = r"\u0000"
HALF_PAIR = r"\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
"""As JSON writes the character U+0000, and half of a surrogate pair; both are looked for where no backslash is escaped."""
EPOCH_SECONDS = "[1-8][0-9]{9}([.][0-9]{1,9})?"
"""Ten digits: from 2001 to 2255."""
EPOCH_MILLIS = "[1-8][0-9]{12}([.]0{1,9})?"

_NUMBERS = ("bigint", "double")


def possible(field: Field) -> tuple[str, ...]:
    """Every kind that has a meaning for the field's type, in the order in which they are applied."""
    if field.type == "timestamp":
        return (SPACES, EPOCH, NO_ZONE)
    if field.type in _NUMBERS or field.type.startswith("decimal"):
        return (SPACES, NUMBER)
    if field.type == "boolean":
        return (SPACES, CASE, BOOLEAN)
    return (SPACES, CASE, SYMBOL) if field.values else (SPACES,)


def default(field: Field) -> tuple[str, ...]:
    """All that is possible; signs of money only where the field's name says that it holds a currency."""
    currency = field.name == "currency" or field.name.endswith("_currency")
    return tuple(kind for kind in possible(field) if kind != SYMBOL or currency)


def known_values(field: Field) -> tuple[str, ...]:
    return ("true", "false") if field.type == "boolean" else field.values


def fold(text: str) -> str:
    """Lower case of A to Z only: engines disagree about other alphabets."""
    return text.translate(str.maketrans(UPPER, LOWER))


def respelt(field: Field) -> dict[str, str]:
    """Folded spellings that stand for exactly one of the field's values."""
    found: dict[str, str] = {}
    if CASE in field.corrections:
        folded = [fold(value) for value in known_values(field)]
        found = {low: value for low, value in zip(folded, known_values(field), strict=True) if folded.count(low) == 1}
    if SYMBOL in field.corrections:
        found |= {fold(sign): code for sign, code in SYMBOLS.items() if code in field.values}
    return found

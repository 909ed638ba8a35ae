"""The corrections of `headrace.contracts.corrections` as SQL: the corrected characters, the moments, and the marks.

Expressions read the `given_FIELD` columns; the marks also read the `text_FIELD` columns made by `corrected_text`.
"""

from __future__ import annotations

from collections.abc import Iterator

from headrace.contracts.corrections import (
    BOOLEAN,
    CASE,
    EPOCH,
    EPOCH_MILLIS,
    EPOCH_SECONDS,
    NO_ZONE,
    NUMBER,
    SPACES,
    SYMBOL,
    TIMESTAMP,
    UNZONED,
    ZONE,
    respelt,
)
from headrace.contracts.model import Contract, Field
from headrace.streams.dialect import Dialect, epoch, folded, given_of, matches, text_of, whole


def corrected_text(field: Field, dialect: Dialect) -> str:
    """The field's characters without blanks around them and in the spelling of its values."""
    text = _trimmed(field, dialect)
    known = respelt(field)
    if not known:
        return text
    branches = " ".join(f"WHEN {dialect.literal(low)} THEN {dialect.literal(value)}" for low, value in known.items())
    spelt = ", ".join(dialect.literal(value) for value in dict.fromkeys(known.values()))
    # Almost all are spelt as they should be; folding costs more than all comparisons.
    return f"CASE WHEN {text} IN ({spelt}) THEN {text} ELSE CASE {folded(text)} {branches} ELSE {text} END END"


def _trimmed(field: Field, dialect: Dialect) -> str:
    given = given_of(field.name)
    return dialect.trimmed(given) if SPACES in field.corrections else given


def moment(field: Field, dialect: Dialect) -> str:
    """A timestamp in each of the forms that the field may have."""
    text = text_of(field.name)
    unzoned = NO_ZONE in field.corrections
    known = dialect.timestamp(text, whole(TIMESTAMP if unzoned else UNZONED + ZONE))
    if EPOCH not in field.corrections:
        return known
    return (
        f"coalesce({known}, CASE WHEN {matches(dialect, text, whole(EPOCH_SECONDS))} THEN {epoch(dialect, text, 1_000_000)}"
        f" WHEN {matches(dialect, text, whole(EPOCH_MILLIS))} THEN {epoch(dialect, text, 1_000)} END)"
    )


def marks(contract: Contract, dialect: Dialect) -> str:
    """An array of `field:kind`, one for each correction of an event; it means nothing where the event is refused."""
    found = [
        f"CASE WHEN {sql} THEN {dialect.literal(f'{field.name}:{kind}')} END"
        for field in contract.fields
        for kind, sql in _applied(field, dialect)
    ]
    return dialect.not_null(found)


def _applied(field: Field, dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Each kind with the condition under which it was applied."""
    given, text, trimmed = given_of(field.name), text_of(field.name), _trimmed(field, dialect)
    conditions = {
        SPACES: f"{given} <> {trimmed}",
        CASE: f"{trimmed} <> {text} AND {folded(trimmed)} = {folded(text)}",
        SYMBOL: f"{trimmed} <> {text} AND {folded(trimmed)} <> {folded(text)}",
        NUMBER: dialect.is_string(field.name),
        BOOLEAN: dialect.is_string(field.name),
        EPOCH: f"{matches(dialect, text, whole(EPOCH_SECONDS))} OR {matches(dialect, text, whole(EPOCH_MILLIS))}",
        NO_ZONE: matches(dialect, text, whole(UNZONED)),
    }
    for kind in field.corrections:
        yield kind, conditions[kind]

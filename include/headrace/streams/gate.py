"""The one gate: what a contract asks of an event, as rules that Spark and Trino decide alike for the same bytes.

A rule is an SQL condition under which a record is refused, with a name and a sentence for the person who finds it among
the dead letters. The first rule that applies is the reason: schema, nullability, range, then outlier. Conditions read
the columns of `prepared`, the `text_FIELD` columns of `texts`, the typed columns (named as the contract names them) and
`arrived_at`. What can be corrected is corrected before it is judged.
"""

from __future__ import annotations

from headrace.contracts.corrections import DATE, FLOATING, HALF_PAIR, NUL, PLAIN_NUMBER, WHOLE_NUMBER
from headrace.contracts.model import Contract, Field
from headrace.streams.correcting import corrected_text, moment
from headrace.streams.dialect import (
    MOST_BRACKETS,
    MOST_BYTES,
    MOST_DIGITS,
    OBJECT,
    Dialect,
    excessive,
    given_of,
    matches,
    text_of,
    whole,
)
from headrace.streams.field_rules import Rule, limit_rules, outlier_rules, required_rules, type_rules

FUTURE_MINUTES = 1
_ESCAPE = r"\u"


def typed(field: Field, dialect: Dialect) -> str:
    """The field's value in its own type, or null where its text is not one."""
    text = text_of(field.name)
    if field.type == "string":
        return text
    if field.type == "timestamp":
        return moment(field, dialect)
    if field.type == "boolean":
        return f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false END"
    if field.type == "bigint":
        return _guarded(dialect, text, WHOLE_NUMBER, f"try_cast(try_cast({text} AS decimal(38,0)) AS bigint)")
    pattern = {"double": FLOATING, "date": DATE}.get(field.type, PLAIN_NUMBER)
    return _guarded(dialect, text, pattern, f"try_cast({text} AS {field.type})")


def _guarded(dialect: Dialect, text: str, pattern: str, cast: str) -> str:
    return f"CASE WHEN {matches(dialect, text, whole(pattern))} THEN {cast} END"


def rules(contract: Contract, dialect: Dialect, future_minutes: int = FUTURE_MINUTES) -> tuple[Rule, ...]:
    """Every rule of a contract, in the order in which they are asked."""
    found = _record_rules(dialect)
    for field in contract.fields:
        found += type_rules(field, dialect)
    for field in contract.fields:
        found += required_rules(field)
    for field in contract.fields:
        found += limit_rules(field, dialect)
    latest = dialect.minutes_after("arrived_at", future_minutes)
    sentence = f"{contract.event_time} is more than {future_minutes} minute(s) after the moment the event arrived."
    found.append(Rule(f"future:{contract.event_time}", sentence, f"{contract.event_time} > {latest}"))
    for field in contract.fields:
        found += outlier_rules(field, dialect)
    return tuple(found)


def _record_rules(dialect: Dialect) -> list[Rule]:
    # Where no backslash is escaped, each begins what it seems to begin. It is no literal here: to what dbt splits statements
    # with, a backslash would take the quotation mark behind it along.
    bare = "replace(json_text, chr(92) || chr(92), '#')"
    shape = f"{dialect.not_one_document()} OR NOT {matches(dialect, 'json_text', OBJECT)}"
    return [
        Rule("empty", "The record has no value.", "value IS NULL"),
        Rule(
            "excess",
            f"The value has more than {MOST_BYTES} bytes, {MOST_BRACKETS} brackets or {MOST_DIGITS} digits in a row.",
            excessive(dialect, "json_text"),
        ),
        Rule("encoding", "The value is not valid UTF-8 text.", dialect.bad_encoding()),
        # Asked before the parsers, which differ about it.
        Rule(
            "surrogate",
            "A text has half of a surrogate pair, which is no character.",
            f"position({dialect.literal(_ESCAPE)} IN json_text) > 0 AND {matches(dialect, bare, HALF_PAIR)}",
        ),
        Rule("json", "The value is not one well-formed JSON object whose keys differ.", shape),
        Rule(
            "nul",
            "A text has the character U+0000, which databases cannot keep.",
            f"position({dialect.literal(NUL)} IN {bare}) > 0",
        ),
    ]


def refusal(found: tuple[Rule, ...], dialect: Dialect) -> str:
    """The name of the first rule that refuses, or null."""
    return _first(found, [dialect.literal(rule.name) for rule in found])


def reason(found: tuple[Rule, ...], dialect: Dialect) -> str:
    """Its sentence, or null."""
    return _first(found, [rule.told or dialect.literal(rule.reason) for rule in found])


def _first(found: tuple[Rule, ...], outcomes: list[str]) -> str:
    branches = (f"WHEN {rule.refuses} THEN {outcome}" for rule, outcome in zip(found, outcomes, strict=True))
    return "CASE " + " ".join(branches) + " END"


def given(contract: Contract, dialect: Dialect) -> dict[str, str]:
    """The `given_FIELD` columns, over those of `prepared`."""
    return {given_of(field.name): dialect.text(field.name) for field in contract.fields}


def texts(contract: Contract, dialect: Dialect) -> dict[str, str]:
    """The `text_FIELD` columns, over those of `given`."""
    return {text_of(field.name): corrected_text(field, dialect) for field in contract.fields}


def columns(contract: Contract, dialect: Dialect) -> dict[str, str]:
    """The typed columns, over those of `texts`."""
    return {field.name: typed(field, dialect) for field in contract.fields}

"""The one gate: what a contract asks of an event, as rules that Spark and Trino decide alike for the same bytes.

A rule is an SQL condition under which a record is refused, with a name and a sentence for the person who finds it among
the dead letters. The first rule that applies is the reason. Conditions read the columns of `prepared`, the `text_FIELD`
columns of `texts`, the typed columns of `typed` (named as the contract names them) and `arrived_at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from headrace.contracts.model import Contract, Field
from headrace.streams.dialect import (
    DATE,
    FLOATING,
    NUMBER,
    OBJECT,
    SPARK,
    TRINO,
    WHOLE,
    Dialect,
    matches,
    text_of,
)

FUTURE_MINUTES = 1
_LARGEST_DOUBLE = "1.7976931348623157E308"


@dataclass(frozen=True)
class Rule:
    """Refuse when `refuses` is true; null means it does not apply."""

    name: str
    reason: str
    refuses: str


def is_decimal(field: Field) -> bool:
    return field.type.startswith("decimal")


def scale_of(field: Field) -> int:
    return int(field.type.rstrip(")").split(",")[1])


def typed(field: Field, dialect: Dialect) -> str:
    """The field's value in its own type, or null where its text is not one."""
    text = text_of(field.name)
    if field.type == "string":
        return text
    if field.type == "timestamp":
        return dialect.timestamp(text)
    if field.type == "boolean":
        return f"CASE {text} WHEN 'true' THEN true WHEN 'false' THEN false END"
    if field.type == "bigint":
        return _guarded(dialect, text, WHOLE, f"try_cast(try_cast({text} AS decimal(38,0)) AS bigint)")
    pattern = {"double": FLOATING, "date": DATE}.get(field.type, NUMBER)
    return _guarded(dialect, text, pattern, f"try_cast({text} AS {field.type})")


def _guarded(dialect: Dialect, text: str, pattern: str, cast: str) -> str:
    return f"CASE WHEN {matches(dialect, text, pattern)} THEN {cast} END"


def rules(contract: Contract, dialect: Dialect, future_minutes: int = FUTURE_MINUTES) -> tuple[Rule, ...]:
    """Every rule of a contract, in the order in which they are asked."""
    found = [*_record_rules(dialect)]
    for field in contract.fields:
        found += _field_rules(field, dialect)
    latest = dialect.minutes_after("arrived_at", future_minutes)
    sentence = f"{contract.event_time} is more than {future_minutes} minute(s) after the moment the event arrived."
    found.append(Rule(f"future:{contract.event_time}", sentence, f"{contract.event_time} > {latest}"))
    return tuple(found)


def _record_rules(dialect: Dialect) -> list[Rule]:
    shape = f"{dialect.not_one_document()} OR NOT {matches(dialect, 'json_text', OBJECT)}"
    return [
        Rule("empty", "The record has no value.", "value IS NULL"),
        Rule("encoding", "The value is not valid UTF-8 text.", dialect.bad_encoding()),
        Rule("json", "The value is not one well-formed JSON object whose keys differ.", shape),
    ]


def _field_rules(field: Field, dialect: Dialect) -> list[Rule]:
    found = []
    if field.required:
        sentence = f"{field.name} is required and is missing or null."
        found.append(Rule(f"required:{field.name}", sentence, f"{text_of(field.name)} IS NULL"))
    found.append(_type_rule(field, dialect))
    found += _places_rule(field, dialect)
    found += _length_rules(field)
    found += _enum_rule(field, dialect)
    found += _range_rules(field)
    return found


_SPELLED = {
    "string": "text",
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "timestamp": "a moment such as 2026-01-31T09:30:00Z",
    "date": "a day such as 2026-01-31",
}


def _type_rule(field: Field, dialect: Dialect) -> Rule:
    text, name = text_of(field.name), f"type:{field.name}"
    sentence = f"{field.name} must be {_SPELLED.get(field.type, 'a number in plain digits')}."
    if field.type == "string":
        return Rule(name, sentence, f"{text} IS NOT NULL AND NOT {dialect.is_string(field.name)}")
    if field.type == "bigint" or is_decimal(field):
        pattern = NUMBER if is_decimal(field) else WHOLE
        wrong = f"NOT {matches(dialect, text, pattern)} OR {dialect.has_exponent(field.name)}"
        return Rule(name, sentence, f"{text} IS NOT NULL AND ({wrong})")
    return Rule(name, sentence, f"{text} IS NOT NULL AND {field.name} IS NULL")


def _places_rule(field: Field, dialect: Dialect) -> list[Rule]:
    """Refused rather than rounded: a rounded amount is an invented one."""
    if not is_decimal(field):
        return []
    places = scale_of(field)
    finer = matches(dialect, text_of(field.name), f"[.][0-9]{{{places}}}[0-9]*[1-9]")
    return [Rule(f"places:{field.name}", f"{field.name} has more than {places} decimal places.", finer)]


def _length_rules(field: Field) -> list[Rule]:
    if field.type != "string":
        return []
    length, found = f"length({text_of(field.name)})", []
    if field.min_length is not None:
        sentence = f"{field.name} is shorter than {field.min_length} character(s)."
        found.append(Rule(f"length:{field.name}", sentence, f"{length} < {field.min_length}"))
    if field.max_length is not None:
        sentence = f"{field.name} is longer than {field.max_length} character(s)."
        found.append(Rule(f"length:{field.name}", sentence, f"{length} > {field.max_length}"))
    return found


def _enum_rule(field: Field, dialect: Dialect) -> list[Rule]:
    if not field.values:
        return []
    known = ", ".join(dialect.literal(value) for value in field.values)
    sentence = f"{field.name} must be one of {', '.join(field.values)}."
    return [Rule(f"enum:{field.name}", sentence, f"{text_of(field.name)} NOT IN ({known})")]


def _range_rules(field: Field) -> list[Rule]:
    found, name = [], f"range:{field.name}"
    if field.type == "bigint" or is_decimal(field):
        fits = f"{text_of(field.name)} IS NOT NULL AND {field.name} IS NULL"
        found.append(Rule(name, f"{field.name} is too large for {field.type}.", fits))
    if field.type == "double":
        finite = f"abs({field.name}) > {_LARGEST_DOUBLE}"
        found.append(Rule(name, f"{field.name} is too large for a number.", finite))
    if field.minimum is not None:
        least = _number(field.minimum)
        found.append(Rule(name, f"{field.name} is below {least}.", f"{field.name} < {least}"))
    if field.maximum is not None:
        most = _number(field.maximum)
        found.append(Rule(name, f"{field.name} is above {most}.", f"{field.name} > {most}"))
    return found


def _number(value: float) -> str:
    return f"{Decimal(str(value)).normalize():f}"


def refusal(found: tuple[Rule, ...], dialect: Dialect) -> str:
    """The name of the first rule that refuses, or null."""
    return _first(found, [dialect.literal(rule.name) for rule in found])


def reason(found: tuple[Rule, ...], dialect: Dialect) -> str:
    """Its sentence, or null."""
    return _first(found, [dialect.literal(rule.reason) for rule in found])


def _first(found: tuple[Rule, ...], outcomes: list[str]) -> str:
    branches = (f"WHEN {rule.refuses} THEN {outcome}" for rule, outcome in zip(found, outcomes, strict=True))
    return "CASE " + " ".join(branches) + " END"


def texts(contract: Contract, dialect: Dialect) -> dict[str, str]:
    """The `text_FIELD` columns, over those of `prepared`."""
    return {text_of(field.name): dialect.text(field.name) for field in contract.fields}


def columns(contract: Contract, dialect: Dialect) -> dict[str, str]:
    """The typed columns, over those of `texts`."""
    return {field.name: typed(field, dialect) for field in contract.fields}


def trino_columns(contract: Contract) -> dict[str, str]:
    return columns(contract, TRINO)


def trino_refusal(contract: Contract) -> str:
    return refusal(rules(contract, TRINO), TRINO)


def trino_reason(contract: Contract) -> str:
    return reason(rules(contract, TRINO), TRINO)


def spark_columns(contract: Contract) -> dict[str, str]:
    return columns(contract, SPARK)

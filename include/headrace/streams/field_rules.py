"""What a contract asks of one field, as rules of the gate: its type, that it is there, its range, what is plausible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from headrace.contracts.corrections import BOOLEAN, NUMBER, PLAIN_NUMBER, WHOLE_NUMBER
from headrace.contracts.model import Field
from headrace.contracts.outliers import Bounds
from headrace.streams.dialect import Dialect, matches, text_of, whole

_LARGEST_DOUBLE = "1.7976931348623157E308"


@dataclass(frozen=True)
class Rule:
    """Refuse when `refuses` is true; null means it does not apply."""

    name: str
    reason: str
    refuses: str
    told: str | None = None
    """The sentence as SQL, where it tells the values of the record."""


def is_decimal(field: Field) -> bool:
    return field.type.startswith("decimal")


def scale_of(field: Field) -> int:
    return int(field.type.rstrip(")").split(",")[1])


def required_rules(field: Field) -> list[Rule]:
    if not field.required:
        return []
    sentence = f"{field.name} is required and is missing or null."
    return [Rule(f"required:{field.name}", sentence, f"{text_of(field.name)} IS NULL")]


def limit_rules(field: Field, dialect: Dialect) -> list[Rule]:
    return [
        *_places_rule(field, dialect),
        *_length_rules(field),
        *_enum_rule(field, dialect),
        *_range_rules(field),
    ]


_SPELLED = {
    "string": "text",
    "bigint": "a whole number",
    "double": "a number",
    "boolean": "true or false",
    "timestamp": "a moment such as 2026-01-31T09:30:00Z",
    "date": "a day such as 2026-01-31",
}


def type_rules(field: Field, dialect: Dialect) -> list[Rule]:
    text = text_of(field.name)
    sentence = f"{field.name} must be {_SPELLED.get(field.type, 'a number in plain digits')}."
    return [Rule(f"type:{field.name}", sentence, f"{text} IS NOT NULL AND ({_of_another_type(field, dialect)})")]


def _of_another_type(field: Field, dialect: Dialect) -> str:
    text = text_of(field.name)
    if field.type == "string":
        return f"NOT {dialect.is_string(field.name)}"
    if field.type == "bigint" or is_decimal(field):
        pattern = PLAIN_NUMBER if is_decimal(field) else WHOLE_NUMBER
        wrong = f"NOT {matches(dialect, text, whole(pattern))} OR {dialect.has_exponent(field.name)}"
    else:
        wrong = f"{field.name} IS NULL"
    needs_no_quotes = field.type not in ("timestamp", "date") and not {NUMBER, BOOLEAN} & set(field.corrections)
    return f"{wrong} OR {dialect.is_string(field.name)}" if needs_no_quotes else wrong


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


def outlier_rules(field: Field, dialect: Dialect) -> list[Rule]:
    outlier = field.outlier
    if outlier is None:
        return []
    sides = (("<", "less", outlier.minimum), (">", "more", outlier.maximum))
    return [_outlier_rule(field, outlier.by, sign, word, bounds, dialect) for sign, word, bounds in sides if bounds]


def _outlier_rule(field: Field, by: str | None, sign: str, word: str, bounds: Bounds, dialect: Dialect) -> Rule:
    def bound(shown: Callable[[Decimal], str]) -> str:
        if by is None:
            return shown(bounds[0][1])
        branches = " ".join(f"WHEN {dialect.literal(kind)} THEN {shown(limit)}" for kind, limit in bounds)
        return f"CASE {by} {branches} END"

    beside = f" || {dialect.literal(f' with {by} ')} || {by}" if by else ""
    told = (
        f"{dialect.literal(f'{field.name} is ')} || {dialect.as_text(field.name)}{beside} || "
        f"{dialect.literal(f'; {word} than ')} || {bound(lambda limit: dialect.literal(f'{limit:f}'))} || "
        f"{dialect.literal(' is not plausible.')}"
    )
    sentence = f"{field.name} is {word} than is plausible."
    return Rule(f"outlier:{field.name}", sentence, f"{field.name} {sign} {bound(lambda limit: f'{limit:f}')}", told)


def _number(value: float) -> str:
    return f"{Decimal(str(value)).normalize():f}"

"""A contract as a compiled decoder: parsing and checking an event costs about a microsecond.

The decoder says no as soon as it meets one fault; `headrace.contracts.explain` then finds all of them and words them.
Both apply the rules that the gate of the Spark jobs applies, so an event accepted here never ends as a dead letter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Annotated, Any, Literal, cast

import msgspec

from headrace.contracts.correct import Tokens, corrected
from headrace.contracts.corrections import NUL
from headrace.contracts.model import Contract, Field

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_PLAIN: dict[str, Any] = {"boolean": bool, "date": date, "timestamp": Annotated[datetime, msgspec.Meta(tz=True)]}
_LONG = (-(2**63), 2**63 - 1)
_WIDE = Context(prec=80)
_YEARS = (1000, 2999)
_NUL = NUL.encode()


class RefusedEvent(ValueError):
    """An event breaks its contract in the named field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class DecimalRule:
    """The fit of a number into decimal(precision, scale) and its range; places that are zeros do not count."""

    name: str
    precision: int
    scale: int
    minimum: Decimal | None
    maximum: Decimal | None

    def fault(self, value: Decimal) -> str | None:
        if not value.is_finite():
            return f"{value} is not a number"
        if self.maximum is not None and value > self.maximum:
            return f"{value} is above {self.maximum}"
        if self.minimum is not None and value < self.minimum:
            return f"{value} is below {self.minimum}"
        if value and value.adjusted() >= self.precision - self.scale:
            return f"{value} has more than {self.precision - self.scale} digits before the point"
        exponent = cast("int", value.as_tuple().exponent)
        if -exponent > self.scale and -cast("int", value.normalize(_WIDE).as_tuple().exponent) > self.scale:
            return f"{value} has more than {self.scale} decimal places"
        return None

    def plain(self, value: Decimal) -> Decimal | msgspec.Raw:
        """The same number in plain digits, as the gate wants it: no exponent, no zeros beyond the scale."""
        if -cast("int", value.as_tuple().exponent) > self.scale:
            value = in_places(value, self.scale)
        text = str(value)
        return msgspec.Raw(f"{value:f}".encode()) if "E" in text else value


def in_places(value: Decimal, scale: int) -> Decimal:
    """The number with exactly so many decimal places."""
    return value.quantize(Decimal(1).scaleb(-scale), context=_WIDE)


def decimal_rule(field: Field) -> DecimalRule | None:
    match = _DECIMAL.fullmatch(field.type)
    if match is None:
        return None
    low, high = (None if limit is None else Decimal(str(limit)) for limit in (field.minimum, field.maximum))
    return DecimalRule(field.name, int(match[1]), int(match[2]), low, high)


def python_type(field: Field) -> Any:
    """The annotation that makes msgspec check what it can check itself."""
    if field.type.startswith("decimal"):
        return Decimal
    if field.values:
        return Literal[field.values]
    if field.type == "string":
        return Annotated[str, msgspec.Meta(min_length=field.min_length, max_length=field.max_length)]
    if field.type == "bigint":
        low = _LONG[0] if field.minimum is None else int(field.minimum)
        high = _LONG[1] if field.maximum is None else int(field.maximum)
        return Annotated[int, msgspec.Meta(ge=low, le=high)]
    if field.type == "double":
        return Annotated[float, msgspec.Meta(ge=field.minimum, le=field.maximum)]
    return _PLAIN[field.type]


def struct_of(contract: Contract) -> type[msgspec.Struct]:
    """A class with the contract's fields; an unknown field is refused, an absent optional one is left out again."""
    required = [(f.name, python_type(f)) for f in contract.fields if f.required]
    optional = [(f.name, python_type(f) | None, None) for f in contract.fields if not f.required]
    return msgspec.defstruct(
        contract.name, [*required, *optional], forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False
    )


class EventCodec:
    """Decodes, checks and encodes the events of one contract."""

    def __init__(self, contract: Contract, *, future: timedelta) -> None:
        self.contract = contract
        self.future = future
        self.struct = struct_of(contract)
        self.decimals = tuple(rule for f in contract.fields if (rule := decimal_rule(f)))
        self._numbers = [(f.name, decimal_rule(f), f.outlier) for f in contract.fields if decimal_rule(f) or f.outlier]
        self.days = tuple(f.name for f in contract.fields if f.type in ("timestamp", "date"))
        quoted = "|".join(re.escape(rule.name) for rule in self.decimals)
        self._quoted = re.compile(rf'"(?:{quoted})"\s*:\s*"'.encode()) if quoted else None
        self._one = msgspec.json.Decoder(self.struct)
        batch = msgspec.defstruct("Batch", [("events", list[self.struct])])  # type: ignore[name-defined]
        self._many: Any = msgspec.json.Decoder(batch)
        self._encode: Callable[[Any], bytes] = msgspec.json.Encoder(decimal_format="number").encode

    def decode(self, body: bytes, now: datetime) -> Any:
        """One checked event; msgspec.ValidationError or RefusedEvent says no."""
        event = self._one.decode(body)
        self._check((event,), now, body)
        return event

    def decode_batch(self, body: bytes, now: datetime) -> list[Any]:
        """The checked events of {"events": [...]}."""
        events: list[Any] = self._many.decode(body).events
        self._check(events, now, body)
        return events

    def encode(self, event: Any) -> bytes:
        """Compact JSON of what was checked, and of nothing else."""
        return self._encode(event)

    def untidy(self, body: bytes, values: Iterable[bytes]) -> bool:
        """Whether the gate may correct what was decoded without complaint: a number in quotes, blanks around a text.

        `values` are the events as `encode` writes them: there a blank stands beside a quotation mark only in a text.
        """
        if self._quoted and self._quoted.search(body):
            return True
        return any(b"\\" in value or (b" " in value and (b'" ' in value or b' "' in value)) for value in values)

    def accept(self, body: bytes, now: datetime) -> tuple[Any, bytes]:
        """One checked event and its JSON, in which the fields that the gate corrects are as they came."""
        given = msgspec.json.decode(body, type=Tokens)
        read = corrected(self.contract, given)
        for rule in self.decimals:
            if rule.name in read and quoted(read[rule.name]):
                raise RefusedEvent(rule.name, "is text, not a number")
        event = self.decode(msgspec.json.encode(read), now)
        value = self.encode(event)
        changed = {name: token for name, token in given.items() if bytes(token) != bytes(read[name])}
        if changed:
            value = msgspec.json.encode(msgspec.json.decode(value, type=Tokens) | changed)
        return event, value

    def _check(self, events: Iterable[Any], now: datetime, body: bytes) -> None:
        """What msgspec cannot check; and numbers and moments get the one spelling that is sent on."""
        if fault := nul_fault(body):
            raise RefusedEvent("text", fault)
        limit = now + self.future
        for event in events:
            for name, rule, outlier in self._numbers:
                value = getattr(event, name)
                if value is None:
                    continue
                if rule and (fault := rule.fault(value)):
                    raise RefusedEvent(name, fault)
                if outlier and (fault := outlier.fault(value, getattr(event, outlier.by) if outlier.by else None)):
                    raise RefusedEvent(name, fault)
                if rule:
                    setattr(event, name, rule.plain(value))
            for name in self.days:
                value = getattr(event, name)
                if value is not None:
                    if fault := year_fault(value):
                        raise RefusedEvent(name, fault)
                    if isinstance(value, datetime) and value.tzinfo is not UTC:
                        setattr(event, name, value.astimezone(UTC))
            if getattr(event, self.contract.event_time) > limit:
                raise RefusedEvent(self.contract.event_time, too_early(self.future))


def quoted(token: msgspec.Raw) -> bool:
    return bytes(token).startswith(b'"')


def nul_fault(body: bytes) -> str | None:
    """Databases cannot keep it, and one such text would hold up all that wait behind it."""
    found = _NUL in body and _NUL in body.replace(b"\\\\", b"#")
    return "has the character U+0000, which databases cannot keep" if found else None


def year_fault(value: date) -> str | None:
    """No engine of the platform agrees with another about years that people do not mean."""
    low, high = _YEARS
    return None if low <= value.year <= high else f"{value.year} is not a year from {low} to {high}"


def too_early(future: timedelta) -> str:
    return f"is more than {future.total_seconds() / 60:g} min ahead of now; check the sender's clock and time zone"

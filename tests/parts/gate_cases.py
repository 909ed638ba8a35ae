"""Records that a gate must judge alike on every engine: the bytes, the rule that refuses them (or None), the marks."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

ARRIVED = datetime(2026, 5, 4, 10, 0, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "event_id": "evt-00000001",
    "event_time": "2026-05-04T09:59:30Z",
    "user_id": "u1",
    "merchant_id": "m1",
    "transaction_type": "purchase",
    "amount": 12.5,
    "currency": "EUR",
    "region": "europe",
}


@dataclass(frozen=True)
class Case:
    name: str
    value: bytes | None
    refusal: str | None = None
    typed: tuple[str, str] | None = None
    """A field and the text of its typed value."""
    reason: str | None = None
    """The sentence, where a test insists on it."""
    corrected: tuple[str, ...] = ()
    """Marks of an accepted record; those of a refused one mean nothing."""


def _with(name: str, refusal: str | None = None, typed: tuple[str, str] | None = None, **changes: Any) -> Case:
    return Case(name, json.dumps({**GOOD, **changes}).encode(), refusal, typed)


def _raw(name: str, field: str, token: str, refusal: str | None = None, typed: str | None = None) -> Case:
    """A field written with exactly these characters."""
    rest = json.dumps({k: v for k, v in GOOD.items() if k != field})
    value = f'{rest[:-1]}, "{field}": {token}}}'.encode()
    return Case(name, value, refusal, (field, typed) if typed else None)


def _corrected(name: str, field: str, token: str, value: str, *kinds: str) -> Case:
    """A field that is corrected to `value`, with a mark for each kind."""
    return replace(_raw(name, field, token, None, value), corrected=tuple(f"{field}:{kind}" for kind in kinds))


def _without(field: str, refusal: str | None) -> Case:
    return Case(f"no {field}", json.dumps({k: v for k, v in GOOD.items() if k != field}).encode(), refusal)


TEXT = json.dumps(GOOD)
_DOCUMENTS = [
    Case("good", TEXT.encode()),
    Case("spaces around", f" \n{TEXT} \n".encode()),
    Case("no value", None, "empty"),
    Case("nothing", b"", "json"),
    Case("not utf-8", TEXT.encode().replace(b'"u1"', b'"\xff1"'), "encoding"),
    Case("broken", TEXT[:-1].encode(), "json"),
    Case("cut in a string", TEXT[:60].encode(), "json"),
    Case("followed by words", f"{TEXT} x".encode(), "json"),
    Case("two documents", f"{TEXT}{TEXT}".encode(), "json"),
    Case("two with a comma", f"{TEXT},{TEXT}".encode(), "json"),
    Case("closes the array", f"{TEXT}] x".encode(), "json"),
    Case("closes the array with a number", f"{TEXT},5] x".encode(), "json"),
    Case("followed by a number", f"{TEXT},5".encode(), "json"),
    Case("closes the object", f"{TEXT}}} x".encode(), "json"),
    Case("closes and adds", f'{TEXT},"z":1}} x'.encode(), "json"),
    Case("a list", f"[{TEXT}]".encode(), "json"),
    Case("a number", b"5", "json"),
    Case("null", b"null", "json"),
    Case("byte order mark", b"\xef\xbb\xbf" + TEXT.encode(), "json"),
    Case("single quotes", TEXT.replace('"', "'").encode(), "json"),
    Case("not a number", TEXT.replace("12.5", "NaN").encode(), "json"),
    Case("leading zero", TEXT.replace("12.5", "012.5").encode(), "json"),
    Case("same key twice", f'{TEXT[:-1]}, "amount": 99}}'.encode(), "json"),
    Case("same key twice inside", f'{TEXT[:-1]}, "more": {{"a": 1, "a": 2}}}}'.encode(), "json"),
    Case(
        "same key twice, one with an escaped colon",
        f'{TEXT[:-1]}, "more": {{"a": 1, "a": "\\u003a"}}}}'.encode(),
        "json",
    ),
    Case("colons in texts", f'{TEXT[:-1]}, "more": {{"a:b": "::"}}}}'.encode()),
    Case("same key at two depths", f'{TEXT[:-1]}, "more": {{"amount": 99}}}}'.encode(), None, ("amount", "12.50")),
    Case("colons in strings", f'{TEXT[:-1]}, "note": "a:\\"b\\":c\\\\"}}'.encode()),
    Case("unknown field", f'{TEXT[:-1]}, "new": [1, {{"x": null}}]}}'.encode()),
    Case("nested 400 deep", f'{TEXT[:-1]}, "more": {"[" * 400}{"]" * 400}}}'.encode()),
    Case("nested 600 deep", f'{TEXT[:-1]}, "more": {"[" * 600}{"]" * 600}}}'.encode(), "excess"),
    Case("nested without a bottom", f'{TEXT[:-1]}, "more": {"[" * 100_000}{"]" * 100_000}}}'.encode(), "excess"),
    Case("brackets alone", b'{"a":' * 100_000, "excess"),
    Case("a long number", f'{TEXT[:-1]}, "more": {"9" * 700}}}'.encode()),
    Case("a number without end", f'{TEXT[:-1]}, "more": {"9" * 5000}}}'.encode(), "excess"),
    Case("too large", f'{TEXT[:-1]}, "more": "{"long " * 220_000}"}}'.encode(), "excess"),
    Case("a long text", f'{TEXT[:-1]}, "more": "{"long " * 20_000}"}}'.encode()),
    _with("character of number zero", "nul", user_id="u\0001"),
    _with("number zero is spelt out", None, ("user_id", "u\\u0000"), user_id="u\\u0000"),
    _with("number zero after a backslash", "nul", user_id="u\\\0"),
    _with("number zero in an unknown field", "nul", note="\0"),
    _raw("half a pair", "user_id", '"\\ud800"', "surrogate"),
    _raw("half a pair in capitals", "user_id", '"a\\uDBFFb"', "surrogate"),
    _raw("second half of a pair", "user_id", '"u\\udc00"', "surrogate"),
    _raw("first halves of two pairs", "user_id", '"\\ud83d\\ud83d\\ude00"', "surrogate"),
    _raw("second halves of two pairs", "user_id", '"\\ud83d\\ude00\\ude00"', "surrogate"),
    _raw("a pair parted by a backslash", "user_id", '"\\ud83d\\\\\\ude00"', "surrogate"),
    _raw("half a pair behind a backslash", "user_id", '"\\\\\\ud800"', "surrogate"),
    _raw("half a pair behind what looks like the other", "user_id", '"\\\\ud83d\\ude00"', "surrogate"),
    _raw("half a pair is spelt out", "user_id", '"\\\\ud800"', None, "\\ud800"),
    _raw("a whole pair", "user_id", '"\\ud83d\\uDE00"', None, "\U0001f600"),
    _raw("half a pair in an unknown field", "note", '"\\ud800"', "surrogate"),
    Case("control character", TEXT.replace("u1", "u\n1").encode(), "json"),
]
_AMOUNTS = [
    _raw("trailing zeros", "amount", "12.500", None, "12.50"),
    _raw("three places", "amount", "12.345", "places:amount"),
    _raw("exponent", "amount", "1e3", "type:amount"),
    _raw("exponent, fraction", "amount", "1.55e1", "type:amount"),
    _raw("exponent as text", "amount", '"1e3"', "type:amount"),
    _raw("negative", "amount", "-1", "range:amount"),
    _raw("zero", "amount", "0", None, "0.00"),
    _raw("negative zero", "amount", "-0.0", None, "0.00"),
    _with("at the limit", None, ("amount", "1000000.00"), amount=1000000, currency="INR"),
    _raw("over the limit", "amount", "1000000.01", "range:amount"),
    _raw("beyond a double", "amount", "123456789012345.67", "range:amount"),
    _raw("too large for its type", "amount", "12345678901234567890", "range:amount"),
    _raw("too large for any", "amount", "1" * 60, "type:amount"),
    _raw("amount in words", "amount", '"twelve"', "type:amount"),
    _raw("empty amount", "amount", '""', "type:amount"),
    _raw("amount true", "amount", "true", "type:amount"),
    _raw("amount nested", "amount", '{"value": 3}', "type:amount"),
    _raw("null amount", "amount", "null", "required:amount"),
]
_STRINGS = [
    *(_without(name, f"required:{name}") for name in GOOD),
    _with("null user", "required:user_id", user_id=None),
    _with("empty user", "length:user_id", user_id=""),
    _with("long user", "length:user_id", user_id="x" * 65),
    _with("64 emoji", None, user_id="\U0001f600" * 64),
    _with("65 emoji", "length:user_id", user_id="\U0001f600" * 65),
    Case(
        "unicode as it is",
        json.dumps({**GOOD, "user_id": "Zoë 北京"}, ensure_ascii=False).encode(),
        None,
        ("user_id", "Zoë 北京"),
    ),
    _with("unicode escaped", None, ("user_id", "Zoë 北京"), user_id="Zoë 北京"),
    _with("user is a number", "type:user_id", user_id=5),
    _with("user is true", "type:user_id", user_id=True),
    _with("user is an object", "type:user_id", user_id={"id": 5}),
    _with("user is a list", "type:user_id", user_id=[]),
    _with("user looks like JSON", None, ("user_id", '{"id": 5}'), user_id='{"id": 5}'),
    _with("user says null", None, ("user_id", "null"), user_id="null"),
    _with("optional nested", "type:order_id", order_id={"id": 5}),
    _with("optional null", None, order_id=None),
    _with("unknown currency", "enum:currency", currency="XXX"),
    _with("empty currency", "enum:currency", currency=""),
    _with("quote in region", "enum:region", region="o'hara"),
]
_MOMENTS = [
    _with("millis", None, ("event_time", "2026-05-04 09:59:30.123000"), event_time="2026-05-04T09:59:30.123Z"),
    _with("nanos cut", None, ("event_time", "2026-05-04 09:59:30.123456"), event_time="2026-05-04T09:59:30.123456999Z"),
    _with("offset", None, ("event_time", "2026-05-04 09:59:30.000000"), event_time="2026-05-04T11:59:30+02:00"),
    _with(
        "offset of minutes", None, ("event_time", "2026-05-04 09:29:30.000000"), event_time="2026-05-04T14:59:30+05:30"
    ),
    _with("in the limit", None, event_time="2026-05-04T10:01:00Z"),
    _with("in the future", "future:event_time", event_time="2026-05-04T10:01:00.000001Z"),
    _with("far behind", None, event_time="2001-05-04T10:01:00Z"),
    _with("30 February", "type:event_time", event_time="2026-02-30T10:00:00Z"),
    _with("29 February", None, event_time="2024-02-29T10:00:00Z"),
    _with("hour 24", "type:event_time", event_time="2026-05-03T24:00:00Z"),
    _with("leap second", "type:event_time", event_time="2016-12-31T23:59:60Z"),
    _with("month 13", "type:event_time", event_time="2026-13-01T10:00:00Z"),
    _with("a day", "type:event_time", event_time="2026-05-04"),
    _with("no seconds", "type:event_time", event_time="2026-05-04T10:00Z"),
    _with("lower case", "type:event_time", event_time="2026-05-04t09:59:30z"),
    _with("offset too far", "type:event_time", event_time="2026-05-04T09:59:30+15:00"),
    _with("zone by name", "type:event_time", event_time="2026-05-04T09:59:30 Europe/Paris"),
    _with("empty moment", "type:event_time", event_time=""),
]
_CORRECTED = [
    _corrected("number as text", "amount", '"12.50"', "12.50", "number as text"),
    _corrected("whole number as text", "amount", '"12"', "12.00", "number as text"),
    _corrected("amount with blanks", "amount", '"\\t 12.5\\r\\n"', "12.50", "spaces", "number as text"),
    _raw("amount with another blank", "amount", '"12.5\\u00a0"', "type:amount"),
    _raw("thousands", "amount", '"1,250.00"', "type:amount"),
    _raw("amount with a sign of money", "amount", '"€12.50"', "type:amount"),
    _raw("text beyond the limit", "amount", '"1000000.01"', "range:amount"),
    _raw("text with three places", "amount", '"12.345"', "places:amount"),
    _corrected("user with blanks", "user_id", '" u 1  "', "u 1", "spaces"),
    _raw("user of blanks", "user_id", '"   "', "length:user_id"),
    _raw("identity of blanks", "event_id", '"         "', "length:event_id"),
    _corrected("identity with blanks", "event_id", '"evt-00000001\\n"', "evt-00000001", "spaces"),
    _corrected("lower case code", "currency", '"eur"', "EUR", "letter case"),
    _corrected("mixed case with blanks", "currency", '" eUr "', "EUR", "spaces", "letter case"),
    _corrected("euro sign", "currency", '"€"', "EUR", "currency symbol"),
    _corrected("rupee sign escaped", "currency", '"\\u20b9"', "INR", "currency symbol"),
    _corrected("pound sign with blanks", "currency", '"£ "', "GBP", "spaces", "currency symbol"),
    _corrected("real sign", "currency", '"r$"', "BRL", "currency symbol"),
    _raw("dollar sign", "currency", '"$"', "enum:currency"),
    _raw("yen or yuan", "currency", '"¥"', "enum:currency"),
    _raw("a sign the contract has no code for", "currency", '"₩"', "enum:currency"),
    _corrected("title case", "transaction_type", '"Purchase"', "purchase", "letter case"),
    _raw("other letters that fold", "transaction_type", '"purchaſe"', "enum:transaction_type"),
    _corrected("upper case region", "region", '"NORTH_AMERICA"', "north_america", "letter case"),
    _corrected("seconds", "event_time", "1777888770", "2026-05-04 09:59:30.000000", "epoch time"),
    _corrected("seconds as text", "event_time", '"1777888770"', "2026-05-04 09:59:30.000000", "epoch time"),
    _corrected("seconds, fraction", "event_time", "1777888770.25", "2026-05-04 09:59:30.250000", "epoch time"),
    _corrected("seconds, cut", "event_time", '"1777888770.1234569"', "2026-05-04 09:59:30.123456", "epoch time"),
    _corrected("seconds, zeros", "event_time", "1777888770.500", "2026-05-04 09:59:30.500000", "epoch time"),
    _corrected("milliseconds", "event_time", "1777888770123", "2026-05-04 09:59:30.123000", "epoch time"),
    _corrected("milliseconds, zero", "event_time", "1777888770123.0", "2026-05-04 09:59:30.123000", "epoch time"),
    _raw("microseconds", "event_time", "1777888770123456", "type:event_time"),
    _raw("days", "event_time", "20577", "type:event_time"),
    _raw("negative seconds", "event_time", "-1777888770", "type:event_time"),
    _raw("seconds with exponent", "event_time", "1.77788877e9", "type:event_time"),
    _raw("seconds far ahead", "event_time", "8999999999", "future:event_time"),
    _raw("seconds too far", "event_time", "9999999999", "type:event_time"),
    _corrected("space", "event_time", '"2026-05-04 09:59:30"', "2026-05-04 09:59:30.000000", "time without zone"),
    _corrected("no zone", "event_time", '"2026-05-04T09:59:30.5"', "2026-05-04 09:59:30.500000", "time without zone"),
    _corrected(
        "no zone, blanks",
        "event_time",
        '" 2026-05-04 09:59:30 "',
        "2026-05-04 09:59:30.000000",
        "spaces",
        "time without zone",
    ),
    Case(
        "several fields",
        json.dumps({**GOOD, "amount": "7", "currency": "usd", "user_id": "u1 "}).encode(),
        None,
        ("amount", "7.00"),
        corrected=("user_id:spaces", "amount:number as text", "currency:letter case"),
    ),
    _with("the first in order of the rules", "type:currency", user_id=None, amount=-1, currency=5),
    _with("nullability before range", "required:region", amount=-1, region=None),
]
_OUTLIERS = [
    _with("plausible to the cent", None, ("amount", "500000.00"), amount=500000),
    replace(
        _raw("not plausible", "amount", '"500000.01"', "outlier:amount"),
        reason="amount is 500000.01 with currency EUR; more than 500000 is not plausible.",
    ),
    replace(
        _with("not plausible in a corrected currency", "outlier:amount", amount=700000.5, currency="usd"),
        reason="amount is 700000.50 with currency USD; more than 500000 is not plausible.",
    ),
    _with("range before outlier", "range:amount", amount=1000000.01),
    _with("the future before outlier", "future:event_time", amount=600000, event_time="2026-05-04T10:02:00Z"),
]
CASES = (*_DOCUMENTS, *_AMOUNTS, *_STRINGS, *_MOMENTS, *_CORRECTED, *_OUTLIERS)

"""What Spark and Trino spell differently, and nothing else: the gate is written once over these few words.

Both read the same things of a record: `json_text` (the bytes as text), `document` (the strictly parsed JSON, null where
it is not JSON), `given_FIELD` (a field's own characters, so that no engine rounds a number before it is judged) and
`text_FIELD` (the same, corrected).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from headrace.contracts.corrections import LOWER, UPPER, ZONE

OBJECT = r"\A[ \t\r\n]*\{"
JSON_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'


def given_of(field: str) -> str:
    """The column that holds a field's characters as they came."""
    return f"given_{field}"


def text_of(field: str) -> str:
    """The column that holds a field's characters, corrected."""
    return f"text_{field}"


class Dialect(Protocol):
    """The words that differ; each method returns an SQL expression."""

    def literal(self, text: str) -> str: ...
    def prepared(self) -> dict[str, str]: ...
    def text(self, field: str) -> str: ...
    def bad_encoding(self) -> str: ...
    def not_one_document(self) -> str: ...
    def is_string(self, field: str) -> str: ...
    def has_exponent(self, field: str) -> str: ...
    def as_text(self, sql: str) -> str: ...
    def trimmed(self, sql: str) -> str: ...
    def not_null(self, items: list[str]) -> str: ...
    def timestamp(self, sql: str, pattern: str) -> str: ...
    def moment(self, micros: str) -> str: ...
    def minutes_after(self, sql: str, minutes: int) -> str: ...


PLAIN_BYTES = 1000
"""What is no longer cannot be excessive in any way."""
MOST_BYTES, MOST_BRACKETS, MOST_DIGITS = 1_048_576, 500, 800


def excessive(dialect: Dialect, sql: str) -> str:
    """So large, deep or long that one parser gives up and another ends its query: none of them is asked."""
    brackets = f"length({sql}) - length(replace(replace({sql}, '{{', ''), '[', '')) > {MOST_BRACKETS}"
    digits = matches(dialect, sql, f"[0-9]{{{MOST_DIGITS}}}")
    return f"length(value) > {PLAIN_BYTES} AND (length(value) > {MOST_BYTES} OR {brackets} OR {digits})"


def matches(dialect: Dialect, sql: str, pattern: str) -> str:
    return f"regexp_like({sql}, {dialect.literal(pattern)})"


def whole(pattern: str) -> str:
    return rf"\A{pattern}\z"


def folded(sql: str) -> str:
    """Lower case of A to Z only: engines disagree about other alphabets."""
    return f"translate({sql}, '{UPPER}', '{LOWER}')"


def cut_to_micros(dialect: Dialect, sql: str) -> str:
    """Cut, not rounded: a rounded moment may lie in the next window."""
    return f"regexp_replace({sql}, {dialect.literal('([.][0-9]{6})[0-9]+')}, '$1')"


def epoch(dialect: Dialect, sql: str, per_unit: int) -> str:
    """The moment of a number of seconds (1000000 microseconds a unit) or milliseconds (1000)."""
    number = f"try_cast({cut_to_micros(dialect, sql)} AS decimal(20,6))"
    return dialect.moment(f"CAST({number} * {per_unit} AS bigint)")


def utc_micros(dialect: Dialect, sql: str) -> str:
    """One spelling for both engines: a T, six digits of a second at most (cut, not rounded), and a zone."""
    cut = cut_to_micros(dialect, f"replace({sql}, ' ', 'T')")
    zoned = matches(dialect, sql, ZONE + r"\z")
    return f"CASE WHEN {zoned} THEN {cut} ELSE {cut} || 'Z' END"


def _colons(sql: str) -> str:
    return f"length({sql}) - length(replace({sql}, ':', ''))"


@dataclass(frozen=True)
class Trino:
    """Trino 476: the JSON functions read the characters, so numbers come as they were written."""

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def prepared(self) -> dict[str, str]:
        text = "from_utf8(value)"
        document = f"CASE WHEN NOT ({excessive(self, text)}) THEN TRY(json_parse({text})) END"
        return {"json_text": text, "document": document}

    def text(self, field: str) -> str:
        scalar = f"json_extract_scalar(json_text, '$.{field}')"
        return f"coalesce({scalar}, nullif({self._rendered(field)}, 'null'))"

    def _rendered(self, field: str) -> str:
        return f"json_format(json_extract(document, '$.{field}'))"

    def bad_encoding(self) -> str:
        return "to_utf8(json_text) <> value"

    def not_one_document(self) -> str:
        """Parsing folds repeated keys: then fewer colons remain. Those within strings stay as many where nothing is escaped."""
        given, kept = "json_text", "json_format(document)"
        bare = [f"regexp_replace({sql}, {self.literal(JSON_STRING)}, '')" for sql in (given, kept)]
        escaped = f"strpos({given}, chr(92)) > 0"
        folded = f"CASE WHEN {escaped} THEN {_colons(bare[0])} <> {_colons(bare[1])} ELSE {_colons(given)} <> {_colons(kept)} END"
        return f"document IS NULL OR {folded}"

    def is_string(self, field: str) -> str:
        return f"{self._rendered(field)} LIKE '\"%'"

    def has_exponent(self, field: str) -> str:
        return f"strpos(lower({text_of(field)}), 'e') > 0"

    def as_text(self, sql: str) -> str:
        return f"CAST({sql} AS varchar)"

    def trimmed(self, sql: str) -> str:
        return rf"trim(BOTH U&' \0009\000A\000D' FROM {sql})"

    def not_null(self, items: list[str]) -> str:
        return f"CAST(filter(ARRAY[{', '.join(items)}], x -> x IS NOT NULL) AS array(varchar))"

    def timestamp(self, sql: str, pattern: str) -> str:
        day = f"try_cast(substr({sql}, 1, 10) AS date) IS NOT NULL"
        moment = f"TRY(CAST(from_iso8601_timestamp_nanos({utc_micros(self, sql)}) AS timestamp(6) with time zone))"
        return f"CASE WHEN {matches(self, sql, pattern)} AND {day} THEN at_timezone({moment}, 'UTC') END"

    def moment(self, micros: str) -> str:
        nanos = f"from_unixtime_nanos({micros} * 1000)"
        return f"at_timezone(CAST({nanos} AS timestamp(6) with time zone), 'UTC')"

    def minutes_after(self, sql: str, minutes: int) -> str:
        return f"{sql} + INTERVAL '{minutes}' MINUTE"


@dataclass(frozen=True)
class Spark:
    """Spark 4: a variant keeps decimals exactly, and its parser is strict except for what follows the document.

    So the text is parsed as the first of two elements, and its own hash is the second: text that ends early, or that is
    several documents, has something else there.
    """

    def literal(self, text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def prepared(self) -> dict[str, str]:
        text = "CAST(value AS STRING)"
        sealed = f"'[' || {text} || ',' || xxhash64({text}) || ']'"
        return {
            "json_text": text,
            "document": f"CASE WHEN NOT ({excessive(self, text)}) THEN try_parse_json({sealed}) END",
        }

    def opened(self, fields: Iterable[str]) -> dict[str, str]:
        """Every field at once: each look into the document by itself would begin at its root."""
        types = ", ".join(f"{field}: variant" for field in fields)
        return {"opened": f"try_variant_get(document, '$[0]', 'struct<{types}>')"}

    def text(self, field: str) -> str:
        return f"try_cast(opened.{field} AS string)"

    def bad_encoding(self) -> str:
        return "NOT is_valid_utf8(json_text)"

    def not_one_document(self) -> str:
        return "document IS NULL OR try_variant_get(document, '$[1]', 'bigint') IS DISTINCT FROM xxhash64(json_text)"

    def is_string(self, field: str) -> str:
        return f"{self._kind(field)} = 'STRING'"

    def has_exponent(self, field: str) -> str:
        """Only such numbers become doubles; the rest are integers and decimals."""
        return f"{self._kind(field)} = 'DOUBLE'"

    def _kind(self, field: str) -> str:
        return f"schema_of_variant(opened.{field})"

    def as_text(self, sql: str) -> str:
        return f"CAST({sql} AS string)"

    def trimmed(self, sql: str) -> str:
        return rf"trim(BOTH ' \t\n\r' FROM {sql})"

    def not_null(self, items: list[str]) -> str:
        # Not `filter`: what a lambda looks at is interpreted, item by item. Marks differ, so none is lost here.
        return f"array_except(array({', '.join(items)}), array(CAST(NULL AS string)))"

    def timestamp(self, sql: str, pattern: str) -> str:
        return f"CASE WHEN {matches(self, sql, pattern)} THEN try_cast({utc_micros(self, sql)} AS timestamp) END"

    def moment(self, micros: str) -> str:
        return f"timestamp_micros({micros})"

    def minutes_after(self, sql: str, minutes: int) -> str:
        return f"{sql} + INTERVAL {minutes} MINUTES"


TRINO = Trino()
SPARK = Spark()

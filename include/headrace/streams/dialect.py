"""What Spark and Trino spell differently, and nothing else: the gate is written once over these few words.

Both read the same three things of a record: `json_text` (the bytes as text), `document` (the strictly parsed JSON, null
where it is not JSON) and `text_FIELD` (a field's own characters, so that no engine rounds a number before it is judged).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

NUMBER = r"\A-?[0-9]{1,38}([.][0-9]{1,38})?\z"
WHOLE = r"\A-?[0-9]{1,38}([.]0{1,38})?\z"
FLOATING = r"\A-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?\z"
DATE = r"\A[12][0-9]{3}-[0-9]{2}-[0-9]{2}\z"
ZONE = r"(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
TIMESTAMP = rf"\A[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}[T ]{CLOCK}{ZONE}?\z"
OBJECT = r"\A[ \t\r\n]*\{"
JSON_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'


def text_of(field: str) -> str:
    """The column that holds a field's characters."""
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
    def timestamp(self, sql: str) -> str: ...
    def minutes_after(self, sql: str, minutes: int) -> str: ...


def matches(dialect: Dialect, sql: str, pattern: str) -> str:
    return f"regexp_like({sql}, {dialect.literal(pattern)})"


def utc_micros(dialect: Dialect, sql: str) -> str:
    """One spelling for both engines: a T, six digits of a second at most (cut, not rounded), and a zone."""
    cut = f"regexp_replace(replace({sql}, ' ', 'T'), {dialect.literal('([.][0-9]{6})[0-9]+')}, '$1')"
    zoned = matches(dialect, sql, ZONE + r"\z")
    return f"CASE WHEN {zoned} THEN {cut} ELSE {cut} || 'Z' END"


@dataclass(frozen=True)
class Trino:
    """Trino 476: the JSON functions read the characters, so numbers come as they were written."""

    def literal(self, text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    def prepared(self) -> dict[str, str]:
        return {"json_text": "from_utf8(value)", "document": "TRY(json_parse(from_utf8(value)))"}

    def text(self, field: str) -> str:
        scalar = f"json_extract_scalar(json_text, '$.{field}')"
        return f"coalesce({scalar}, nullif({self._rendered(field)}, 'null'))"

    def _rendered(self, field: str) -> str:
        return f"json_format(json_extract(document, '$.{field}'))"

    def bad_encoding(self) -> str:
        return "to_utf8(json_text) <> value"

    def not_one_document(self) -> str:
        """Parsing folds repeated keys: then fewer colons remain outside of strings."""
        return f"document IS NULL OR {self._keys('json_text')} <> {self._keys('json_format(document)')}"

    def _keys(self, sql: str) -> str:
        bare = f"regexp_replace({sql}, {self.literal(JSON_STRING)}, '')"
        return f"length({bare}) - length(replace({bare}, ':', ''))"

    def is_string(self, field: str) -> str:
        return f"{self._rendered(field)} LIKE '\"%'"

    def has_exponent(self, field: str) -> str:
        return f"strpos(lower({text_of(field)}), 'e') > 0"

    def timestamp(self, sql: str) -> str:
        day = f"try_cast(substr({sql}, 1, 10) AS date) IS NOT NULL"
        moment = f"TRY(CAST(from_iso8601_timestamp_nanos({utc_micros(self, sql)}) AS timestamp(6) with time zone))"
        return f"CASE WHEN {matches(self, sql, TIMESTAMP)} AND {day} THEN at_timezone({moment}, 'UTC') END"

    def minutes_after(self, sql: str, minutes: int) -> str:
        return f"{sql} + INTERVAL '{minutes}' MINUTE"


@dataclass(frozen=True)
class Spark:
    """Spark 4: a variant keeps decimals exactly, and its parser is strict except for what follows the document.

    The text is wrapped in an object for the variant and in an array for its length, because each parser stops at the
    end of its first value: text that closes the one wrapper early leaves the other broken.
    """

    def literal(self, text: str) -> str:
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def prepared(self) -> dict[str, str]:
        text = "CAST(value AS STRING)"
        return {
            "json_text": text,
            "document": f"try_parse_json('{{\"e\":' || {text} || '}}')",
            "documents": f"json_array_length('[' || {text} || ']')",
        }

    def text(self, field: str) -> str:
        return f"try_variant_get(document, '$.e.{field}', 'string')"

    def bad_encoding(self) -> str:
        return "NOT is_valid_utf8(json_text)"

    def not_one_document(self) -> str:
        return "document IS NULL OR documents IS NULL OR documents <> 1"

    def is_string(self, field: str) -> str:
        return f"{self._kind(field)} = 'STRING'"

    def has_exponent(self, field: str) -> str:
        """Only such numbers become doubles; the rest are integers and decimals."""
        return f"{self._kind(field)} = 'DOUBLE'"

    def _kind(self, field: str) -> str:
        return f"schema_of_variant(try_variant_get(document, '$.e.{field}', 'variant'))"

    def timestamp(self, sql: str) -> str:
        return f"CASE WHEN {matches(self, sql, TIMESTAMP)} THEN try_cast({utc_micros(self, sql)} AS timestamp) END"

    def minutes_after(self, sql: str, minutes: int) -> str:
        return f"{sql} + INTERVAL {minutes} MINUTES"


TRINO = Trino()
SPARK = Spark()

"""Which names a stream or a property may have: they become topics, tables, columns and SQL, unquoted."""

from __future__ import annotations

import re

NAME = re.compile(r"[a-z][a-z0-9_]*")
_OWNER = re.compile(r"[^\W\d][\w .&/-]*")
LONGEST = 48
LONGEST_TOPIC = 249

_RECORD_NAMES = """
topic partition offset key value headers arrived_at landed_at origin correlation_id contract_version json_text document
documents refusal reason corrected unresolved
"""
_MADE_NAMES = "is_late source_topic source_partition source_offset quality place window_start n"
_SQL_WORDS = """
alter and as between by case cast constraint create cross cube current_catalog current_date current_path current_role
current_schema current_time current_timestamp current_user deallocate delete describe distinct drop else end escape except
execute exists extract false for from full group grouping having in inner insert intersect into is join json_array
json_exists json_object json_query json_table json_value left like listagg localtime localtimestamp natural normalize not
null on or order outer prepare recursive right rollup select skip table then trim true uescape union unnest using values
when where with
"""
RESERVED = frozenset(_RECORD_NAMES.split())
"""Names that a record has already, before its fields are read."""
_MADE = frozenset(_MADE_NAMES.split())
"""Names that tables and messages of every stream add to its properties."""
_SQL = frozenset(_SQL_WORDS.split())
"""Words that Trino or Spark would read as their own."""
_PLATFORM = ("dead_letters", "metrics_realtime", "alerts")


def unusable(name: object) -> str | None:
    """Why nothing can be called that, and what would do; None when it can."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        wanted = re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_") or "a_name"
        return f"{name!r} is not usable as a name: use small letters, digits and _, a letter first, such as {wanted}"
    if len(name) > LONGEST:
        return f"{name!r} has {len(name)} characters; a name may have {LONGEST}"
    if name in _SQL:
        return f"{name!r} is a word of SQL: call it {name}_name, or say what it is the {name} of"
    return None


def unusable_stream(name: object) -> str | None:
    if reason := unusable(name):
        return reason
    taken = name in _PLATFORM or str(name).startswith(("processed_", "valid_", "fct_", "dim_"))
    return f"{name!r} is a name that the platform uses itself: choose another" if taken else None


def unusable_owner(name: object) -> str | None:
    """It stands unquoted in many files."""
    if _OWNER.fullmatch(str(name)):
        return None
    return f"{name!r} is not usable as a team's name: use letters, digits, spaces and . & / - _, a letter first"


def unusable_property(name: object) -> str | None:
    if reason := unusable(name):
        return reason
    if name in RESERVED:
        return f"{name!r} is a name of the record itself: rename the property, such as event_{name}"
    if name in _MADE or str(name).startswith("text_"):
        return f"{name!r} is a column that the platform makes: rename the property"
    return None

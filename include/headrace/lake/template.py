"""How generated dbt files are written: their note, and templates that fail on a name they do not know."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, StrictUndefined, Template

NOTE = "Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file."
_JINJA = Environment(  # noqa: S701 - it writes SQL, not pages
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)


@cache
def template(text: str) -> Template:
    """Compiled once: a handful of texts is filled for every contract."""
    return _JINJA.from_string(text)

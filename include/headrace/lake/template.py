"""How generated dbt files are written: their note, and templates that fail on a name they do not know."""

from __future__ import annotations

from jinja2 import Environment, StrictUndefined

NOTE = "Made from include/contracts by `python -m headrace.lake.models`; change the contract, not this file."
JINJA = Environment(  # noqa: S701 - it writes SQL, not pages
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)

"""Templates of files that are written for people to edit; their marks leave dbt's own and YAML's braces alone."""

from __future__ import annotations

import json
from functools import cache, partial
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

_JINJA = Environment(  # noqa: S701 - it writes SQL and YAML, not pages
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    block_start_string="<%", block_end_string="%>", variable_start_string="<<", variable_end_string=">>",
)  # fmt: skip
_JINJA.filters["quoted"] = partial(json.dumps, ensure_ascii=False)


def filled(template: str, **values: Any) -> str:
    """The text with these values in place of `<< name >>` and `<% for … %>`."""
    return _compiled(template).render(values)


@cache
def _compiled(template: str) -> Template:
    return _JINJA.from_string(template)

"""The one filled lake of a test run: every file that asks for it finds the same rows, whichever comes first."""

from __future__ import annotations

from collections.abc import Callable

from headrace.settings import Settings
from tests.parts.lake_home import Lake, fill, open_lake
from tests.parts.marketplace import fill_marketplace

_FILLED: dict[str, Lake] = {}


def filled(start_parts: Callable[..., Settings], *parts: str) -> Lake:
    """The built lake of this session's home, made once."""
    settings = start_parts("trino", *parts)
    key = str(settings.home)
    if key not in _FILLED:
        lake = open_lake(settings)
        fill(lake)
        fill_marketplace(lake)
        lake.build()
        _FILLED[key] = lake
    # A part that was started since may have got another port.
    _FILLED[key].settings = settings
    return _FILLED[key]

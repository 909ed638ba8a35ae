"""The person or service behind a request; it travels with the request from the door to the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Identity:
    user: str
    roles: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """Facts about the person that row limits refer to, such as region: (europe,)."""

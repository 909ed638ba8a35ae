"""More catalogues for Trino by settings alone: a folder of files NAME.properties, in Trino's own words.

`lake` is the platform's; what lies elsewhere, tables of Delta Lake or of Pinot, is read beside it. A file is taken as it is:
Trino itself fills `${ENV:NAME}` from its environment, so that no secret has to stand there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from headrace.policy import load_policy
from headrace.settings import Settings

PLUGIN_OF = {"delta_lake": "delta-lake", "iceberg": "iceberg", "pinot": "pinot"}
"""Connectors that may be named, and the plugin folder of each."""
_TAKEN = frozenset({"lake", "system"})


class CatalogueUnusable(ValueError):
    """A file that was set cannot be a catalogue; the message says what to change."""


@dataclass(frozen=True)
class Catalogue:
    name: str
    connector: str
    text: str


def chosen(settings: Settings) -> list[Catalogue]:
    folder = settings.trino_catalogs
    if folder is None:
        return []
    found = sorted(folder.glob("*.properties"))
    if not found:
        raise CatalogueUnusable(
            f"There is no file NAME.properties in {folder}.\nNext: correct HEADRACE_TRINO_CATALOGS, or put one there."
        )
    if unknown := sorted(set(settings.trino_catalog_roles) - load_policy().roles.keys()):
        raise CatalogueUnusable(
            f"The policy has no role {', '.join(unknown)}.\nNext: correct HEADRACE_TRINO_CATALOG_ROLES."
        )
    return [_read(path) for path in found]


def _read(path: Path) -> Catalogue:
    if path.stem in _TAKEN or not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        raise CatalogueUnusable(f"{path}: {path.stem!r} cannot be a catalogue's name.\nNext: name the file otherwise.")
    text = path.read_text()
    connector = re.search(r"^\s*connector\.name\s*[=:]\s*(\S+)\s*$", text, re.MULTILINE)
    if not connector or connector[1] not in PLUGIN_OF:
        raise CatalogueUnusable(
            f"{path}: connector.name is {connector[1] if connector else 'missing'}.\n"
            f"Next: write one of {', '.join(PLUGIN_OF)}."
        )
    return Catalogue(path.stem, connector[1], text)

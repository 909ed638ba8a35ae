"""Turns the templates under include/services into the configuration of this machine."""

from __future__ import annotations

from pathlib import Path
from string import Template

from headrace.settings import Settings


def render(settings: Settings, service: str, **values: object) -> Path:
    """Fills every template of a service; the result holds secrets, so only the owner may read it."""
    target = settings.etc / service
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(0o700)
    for template in sorted((settings.services / service).iterdir()):
        text = Template(template.read_text()).substitute({k: str(v) for k, v in values.items()})
        write_private(target / template.name, text)
    return target


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    temporary.touch(0o600)
    temporary.write_text(text)
    temporary.replace(path)

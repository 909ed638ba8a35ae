"""What the documents say can be typed, and what they link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from headrace.cli.__main__ import app

REPO = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    REPO / "README.md",
    REPO / "CONTRIBUTING.md",
    REPO / "ARCHITECTURE.md",
    *sorted((REPO / "docs").rglob("*.md")),
]


def _commands() -> set[str]:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    return set(re.findall(r"\./headrace ([a-z]+)", text))


def test_the_documents_name_commands() -> None:
    assert {"up", "test", "ask", "status", "down", "doctor", "simulate"} <= _commands()


@pytest.mark.parametrize("command", sorted(_commands()))
def test_every_command_in_the_documents_has_help(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert len(result.output) > 100


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text())
    missing = [link for link in links if not link.startswith("http") and not (document.parent / link).exists()]
    assert missing == []


def test_options_shown_in_the_readme_exist() -> None:
    for command, options in re.findall(r"\./headrace (\w+)((?: --[\w-]+(?: \d+)?)+)", (REPO / "README.md").read_text()):
        help_text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
        for option in re.findall(r"--[\w-]+", options):
            assert option in help_text, f"{command} {option}"

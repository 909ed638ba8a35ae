"""A pytest plugin: leaves what a run found in a file, so that several runs can be told as one.

`headrace.cli.suites` loads it with `-p headrace.cli.outcome`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcome", type=Path, required=True, help="the file for counts and failures")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = {kind: reports for kind, reports in terminalreporter.stats.items() if kind}
    told = {
        "counts": {kind: len(reports) for kind, reports in found.items()},
        "failures": [report.nodeid for kind in ("failed", "error") for report in found.get(kind, ())],
    }
    path: Path = config.getoption("--outcome")
    path.write_text(json.dumps(told))

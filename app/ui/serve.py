"""How the web app is started: Streamlit as a program, told by the settings where to listen."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path

from headrace.settings import Settings

FOLDER = Path(__file__).resolve().parent
HEALTH = "/_stcore/health"


def command(settings: Settings) -> list[str]:
    """The rest of the configuration is beside main.py, where Streamlit finds it from any working folder."""
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(FOLDER / "main.py"),
        f"--server.address={settings.bind}",
        f"--server.port={settings.ports.app}",
        *_allowed_hosts(settings.bind),
    ]


def _allowed_hosts(bind: str) -> list[str]:
    """On loopback, a page of another site may not reach the app by a name of its own (DNS rebinding)."""
    if not ipaddress.ip_address(bind).is_loopback:
        return []
    return [f"--server.allowedHosts={host}" for host in ("localhost", "127.0.0.1")]

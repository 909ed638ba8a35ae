"""How the app is started."""

from __future__ import annotations

import tomllib

import pytest
from streamlit import config

from app.ui.serve import FOLDER, command
from headrace.settings import Settings


def test_it_listens_where_the_settings_say() -> None:
    arguments = command(Settings(bind="127.0.0.1"))
    assert "--server.address=127.0.0.1" in arguments and "--server.port=8501" in arguments
    assert "--server.allowedHosts=127.0.0.1" in arguments


def test_a_cluster_may_bind_every_address() -> None:
    assert not any("allowedHosts" in argument for argument in command(Settings(bind="0.0.0.0")))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("server.headless", True),
        ("server.enableXsrfProtection", True),
        ("server.enableCORS", True),
        ("server.fileWatcherType", "none"),
        ("browser.gatherUsageStats", False),
        ("client.showErrorDetails", "none"),
        ("client.showErrorLinks", False),
    ],
)
def test_it_is_careful(option: str, value: object) -> None:
    section, name = option.split(".")
    written = tomllib.loads((FOLDER / ".streamlit" / "config.toml").read_text())
    assert written[section][name] == value
    assert option in config.get_config_options(), "Streamlit no longer knows this option"

"""Airflow gets everything from the settings, listens on loopback only, and reports to nobody."""

from __future__ import annotations

import pytest

from headrace.runtime import airflow
from headrace.settings import Settings


def test_every_address_is_loopback_and_nothing_phones_home(settings: Settings) -> None:
    variables = airflow.environment(settings)
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert "0.0.0.0" not in " ".join(variables.values())
    assert variables["AIRFLOW__USAGE_DATA_COLLECTION__ENABLED"] == "False"
    assert variables["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
    assert variables["DO_NOT_TRACK"] == "1"


def test_log_servers_which_listen_everywhere_are_not_started(settings: Settings) -> None:
    commands = airflow.commands(settings)
    assert set(commands) == set(airflow.PARTS)
    for part in ("airflow-scheduler", "airflow-triggerer"):
        assert "--skip-serve-logs" in commands[part]


def test_a_bad_key_is_said_at_once(settings: Settings) -> None:
    (settings.home / "secrets" / "airflow_fernet_key").write_text("too-short")
    with pytest.raises(airflow.AirflowNotPrepared, match="airflow_fernet_key"):
        airflow.environment(settings)


def test_a_database_that_is_away_is_unhealthy_not_an_error(settings: Settings) -> None:
    assert not any(airflow.healthy(settings, part) for part in airflow.PARTS)

"""Secrets are made once, kept, and readable by their owner only."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from headrace.runtime import vault
from headrace.settings import MissingSecret, Settings


def test_secrets_are_private_and_stay(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    vault.ensure_secrets(settings)
    before = {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    vault.ensure_secrets(settings)
    assert before == {p.name: p.read_text() for p in (tmp_path / "secrets").iterdir()}
    assert set(before) == set(vault.NAMES)
    assert len(set(before.values())) == len(before)
    assert all(len(before[name]) >= 64 for name in ("airflow_jwt_secret", "airflow_secret_key", "token_signing_key"))
    assert all(len(before[name]) <= 72 for name in vault.NAMES if "password" in name), "bcrypt takes no more"
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700


def test_a_missing_secret_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(MissingSecret, match=r"\./headrace up"):
        Settings(home=tmp_path).secret("admin_password")

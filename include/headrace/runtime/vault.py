"""Generates the secrets of an installation once, each in a file that only its owner can read."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from headrace.settings import Settings

NAMES = (
    "admin_password",
    "airflow_fernet_key",
    "airflow_jwt_secret",
    "airflow_secret_key",
    "ingest_api_key",
    "lineage_api_key",
    "postgres_airflow_password",
    "postgres_headrace_password",
    "postgres_iceberg_password",
    "postgres_postgres_password",
    "postgres_registry_password",
    "supervisor_password",
    "token_signing_key",
    "trino_internal_secret",
    "trino_password_admin",
    "trino_password_bi_svc",
    "trino_password_dbt",
    "valkey_password",
)
_SIGNING = ("_jwt_secret", "_secret_key", "_signing_key")


def ensure_secrets(settings: Settings) -> None:
    folder = settings.home / "secrets"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name in NAMES:
        _ensure(folder / name)


def _ensure(path: Path) -> None:
    if path.exists() and path.stat().st_size:
        return
    value = _made(path.name)
    # Written aside and renamed: an interrupted `up` leaves no half secret.
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value)
    temporary.rename(path)


def _made(name: str) -> str:
    if name.endswith("fernet_key"):
        return base64.urlsafe_b64encode(os.urandom(32)).decode()
    # What signs is as long as the block of its hash; the rest is copied by people and hashed by servers.
    return secrets.token_urlsafe(64 if name.endswith(_SIGNING) else 24)

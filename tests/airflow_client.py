"""Airflow's API for a test, signed in as a person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from headrace.policy.users import ADMIN
from headrace.settings import Settings


@contextmanager
def signed_in(
    settings: Settings, user: str = ADMIN, password: str | None = None, *, timeout: float = 60
) -> Iterator[httpx.Client]:
    """As the administrator if nobody else is named."""
    with httpx.Client(base_url=settings.airflow_url, trust_env=False, timeout=timeout) as client:
        sign_in(client, user, password or settings.secret("admin_password"))
        yield client


def sign_in(client: httpx.Client, user: str, password: str) -> None:
    who = {"username": user, "password": password}
    token = client.post("/auth/token", json=who).raise_for_status().json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"

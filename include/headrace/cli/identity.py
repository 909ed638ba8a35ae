"""Who types: the owner of the state folder is the administrator; anyone else gives a name and a password."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from headrace.cli.output import fail
from headrace.policy.identity import Identity
from headrace.settings import Settings

User = Annotated[
    str | None,
    typer.Option(
        "--user", envvar="HEADRACE_USER", help="Act as this person, not as the administrator; asks for the password."
    ),
]


def person(settings: Settings, user: str | None) -> Identity:
    """The signed-in identity; who can read the administrator's secret is the administrator."""
    from headrace.policy.audit import Entry, PostgresAudit, write_or_log
    from headrace.policy.users import ADMIN, sign_in

    user = user or ADMIN
    password = settings.secret("admin_password") if user == ADMIN else os.environ.get("HEADRACE_PASSWORD")
    found = sign_in(settings, user, password or typer.prompt(f"Password of {user}", hide_input=True, err=True))
    if found is None:
        write_or_log(PostgresAudit(settings), Entry(user, "sign_in", "", False))
        fail("Name or password is wrong. Users are in users.yaml of the state folder.")
    return found

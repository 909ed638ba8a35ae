"""PostgreSQL from its wheel: initialised once, never as root, one database and role for each use."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import psycopg
from psycopg import sql

from headrace.runtime import tools
from headrace.runtime.model import Command
from headrace.runtime.render import render
from headrace.runtime.schema import ensure_schema
from headrace.settings import Settings

DATABASES = ("airflow", "headrace", "iceberg", "registry")
_NOBODY = 65534


class NeedsAnotherUser(RuntimeError):
    """PostgreSQL refuses to run as root and no way to drop the privileges was found."""


def _data(settings: Settings) -> Path:
    return settings.data / "postgres"


@lru_cache(maxsize=1)
def _disguise() -> tuple[str, ...]:
    """What root puts before PostgreSQL's commands: a user namespace, where one's own files stay one's own.

    Where namespaces are forbidden, `nobody` has to do, and must be able to enter the folders.
    """
    if os.geteuid() != 0:
        return ()
    if unshare := shutil.which("unshare"):
        argv = (unshare, "--user", "--map-user=1000", "--map-group=1000", "--")
        if subprocess.run([*argv, "true"], capture_output=True, check=False, timeout=10).returncode == 0:
            return argv
    if setpriv := shutil.which("setpriv"):
        argv = (setpriv, f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--")
        if (
            subprocess.run(
                [*argv, str(tools.postgres_binary("postgres")), "--version"], capture_output=True, check=False
            ).returncode
            == 0
        ):
            return argv
    raise NeedsAnotherUser(
        "PostgreSQL does not run as root, and the privileges could not be dropped.\n"
        "Next: run ./headrace as another user, or keep HEADRACE_CACHE and HEADRACE_HOME where every user may enter."
    )


def _as_allowed_user(argv: list[str]) -> list[str]:
    return [*_disguise(), *argv]


def prepare(settings: Settings) -> None:
    data = _data(settings)
    if not (data / "PG_VERSION").exists():
        _initialise(settings, data)
    config = render(settings, "postgres", bind=settings.bind, port=settings.ports.postgres) / "headrace.conf"
    target = data / "headrace.conf"
    shutil.copyfile(config, target)
    _own(target)
    main = data / "postgresql.conf"
    if "headrace.conf" not in main.read_text():
        with main.open("a") as file:
            file.write("\ninclude 'headrace.conf'\n")


def _own(*paths: Path) -> None:
    if any("setpriv" in word for word in _disguise()):
        for path in paths:
            os.chown(path, _NOBODY, _NOBODY)


def _initialise(settings: Settings, data: Path) -> None:
    # A folder without PG_VERSION is what an interrupted initdb left: nothing was ever stored in it.
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True, mode=0o700)
    password = data.with_name("postgres.password")
    password.touch(0o600)
    password.write_text(settings.secret("postgres_postgres_password"))
    _own(data, password)
    argv = [str(tools.postgres_binary("initdb")), "-D", str(data), "-U", "postgres", "-A", "scram-sha-256",
            f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8"]  # fmt: skip
    result = subprocess.run(_as_allowed_user(argv), capture_output=True, text=True, check=False, cwd="/", timeout=180)
    password.unlink()
    if result.returncode:
        raise RuntimeError(f"initdb failed: {result.stderr.strip()[-800:]}")


def command(settings: Settings) -> Command:
    data = _data(settings)
    argv = _as_allowed_user([str(tools.postgres_binary("postgres")), "-D", str(data)])
    return Command(tuple(argv), cwd=Path("/"))


def _connect(settings: Settings) -> psycopg.Connection:
    return psycopg.connect(settings.postgres_dsn("postgres"), connect_timeout=3, autocommit=True)


def healthy(settings: Settings) -> bool:
    try:
        with _connect(settings) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def settle(settings: Settings) -> None:
    from headrace.sinks import configuration

    with _connect(settings) as connection:
        for name in DATABASES:
            role, password = sql.Identifier(name), sql.Literal(settings.secret(f"postgres_{name}_password"))
            known = connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone()
            verb = sql.SQL("alter" if known else "create")
            connection.execute(sql.SQL("{} role {} login password {}").format(verb, role, password))
            if not connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                connection.execute(sql.SQL("create database {} owner {}").format(role, role))
    ensure_schema(settings)
    configuration.keep_in_step(settings)

"""Runs dbt with exactly the environment that the project needs, whoever asks: the launcher, Airflow, a person, a test.

What dbt makes (manifest, logs, docs) stays in the state folder, never beside the models.
`python -m headrace.lake.dbt build --select +fct_transactions` is dbt with these settings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.lake import results, trino_config
from headrace.lake.kept import kept_since
from headrace.log import get_logger
from headrace.settings import MissingSecret, Settings, get_settings

_LOG = get_logger(__name__)
_ROWS_PER_MEGABYTE = 650
"""Of Trino's heap: so many rows of a wide table can be sorted out at once in the half of it that one query may take."""
_BARE = {"PATH": os.defpath, "HOME": str(Path.home()), "LANG": "C.UTF-8"}


class DbtFailed(RuntimeError):
    """dbt ended with an error; the message ends with what it said last."""


def project(settings: Settings) -> Path:
    return settings.repo / "dbt"


def target(settings: Settings) -> Path:
    """Where dbt writes manifest.json and semantic_manifest.json."""
    return settings.home / "dbt" / "target"


def environment(settings: Settings, *, target_path: Path | None = None) -> dict[str, str]:
    """Everything that dbt reads from its environment, for a process of its own or for Cosmos."""
    return {
        "DBT_PROJECT_DIR": str(project(settings)),
        "DBT_PROFILES_DIR": str(project(settings)),
        "DBT_TARGET_PATH": str(target_path or target(settings)),
        "DBT_LOG_PATH": str(settings.logs / "dbt"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # They need no data of this lake: they belong to tests of the repository, not to every build.
        "DBT_EXCLUDE_RESOURCE_TYPES": "unit_test",
        "DBT_ENV_SECRET_TRINO_PASSWORD": _password(settings),
        "HEADRACE_DBT_HOST": settings.hosts.trino,
        "HEADRACE_DBT_PORT": str(settings.ports.trino),
        "HEADRACE_DBT_AUTHORITY": str(trino_config.authority(settings)),
        "HEADRACE_LATENESS_MINUTES": str(settings.lateness_minutes),
        "HEADRACE_IDENTITY_DAYS": str(settings.identity_days),
        "HEADRACE_DAYS_SINCE": _days_since(settings),
        "HEADRACE_SLICE_ROWS": str(rows_at_once(settings)),
        # requests prefers this variable to the certificate that the profile names, so it has to name the same.
        "REQUESTS_CA_BUNDLE": str(trino_config.authority(settings)),
    }


def rows_at_once(settings: Settings) -> int:
    """A table of more rows is made slice by slice (dbt/macros/slices.sql)."""
    return settings.trino_heap_mb * _ROWS_PER_MEGABYTE


def _days_since(settings: Settings) -> str:
    """The first day of which everything is there; before it, events have been deleted that tables of days count."""
    since = kept_since(settings.analytics_days)
    return f"{since:%Y-%m-%d}" if since else ""


def _password(settings: Settings) -> str:
    """Parsing needs none, and happens before the first `up` in checks of the repository."""
    try:
        return settings.secret("trino_password_dbt")
    except MissingSecret:
        return "none"


def unit_tests(settings: Settings) -> str:
    """The project's unit tests; the models that they are about have to be built."""
    return run(settings, ["test", "--select", "test_type:unit"], DBT_EXCLUDE_RESOURCE_TYPES="")


def run(
    settings: Settings,
    args: Sequence[str],
    *,
    target_path: Path | None = None,
    timeout: float = 3600,
    quiet: bool = True,
    **variables: str,
) -> str:
    """Runs one dbt command and returns what it printed; DbtFailed if it did not succeed."""
    command = [str(Path(sys.executable).with_name("dbt")), "--no-use-colors", *args]
    process = subprocess.run(
        command,
        cwd=project(settings),
        env={k: v for k, v in (_BARE | environment(settings, target_path=target_path) | variables).items() if v},
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    output = process.stdout or ""
    if args[0] in ("build", "test", "run"):
        results.keep_if_possible(settings, target_path or target(settings))
    if process.returncode:
        said = "\n".join([*output.splitlines()[-40:], *_advice(settings, output)])
        raise DbtFailed(
            f"dbt {' '.join(args)} failed ({process.returncode}). Full log: {settings.logs / 'dbt' / 'dbt.log'}\n{said}"
        )
    if list(args[:2]) == ["docs", "generate"]:
        _publish_docs(settings, target_path or target(settings))
    _LOG.info("dbt_finished", command=args[0])
    return output


def _advice(settings: Settings, output: str) -> list[str]:
    if "_MEMORY_LIMIT" not in output:
        return []
    more = f"HEADRACE_TRINO_HEAP_MB={settings.trino_heap_mb * 4}"
    return [f"A query needs more memory than Trino may take. Next: ./headrace down, then {more} ./headrace up"]


def _publish_docs(settings: Settings, made: Path) -> None:
    """Copied, because the next command of dbt overwrites parts of it in the target folder."""
    folder = settings.home / "docs"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("manifest.json", "catalog.json", "index.html"):
        temporary = folder / f".{name}"
        shutil.copyfile(made / name, temporary)
        temporary.replace(folder / name)


def main() -> int:
    try:
        run(get_settings(), sys.argv[1:], quiet=False)
    except DbtFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

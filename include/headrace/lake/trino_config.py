"""Everything that Trino reads at its start, rendered for this machine: server, catalogue, people and what they may do."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template

import bcrypt

from headrace.contracts import plain
from headrace.lake import access, catalogues
from headrace.lake.files import write_private
from headrace.lake.iceberg import ensure_catalogue
from headrace.lake.tls import ensure_certificate
from headrace.policy import load_policy
from headrace.policy.users import ADMIN, identity_of, read_users, users_file
from headrace.settings import Settings
from headrace.streams.landing import objects

PLUGINS = ("iceberg", "password-authenticators", "resource-group-managers", "session-property-managers")
# Trino looks for these in etc/ of the folder that it was started in.
_AT_START = ("group-provider.properties", "resource-groups.properties", "session-property-config.properties")


def folder(settings: Settings) -> Path:
    return settings.etc / "trino"


def authority(settings: Settings) -> Path:
    """The file that a client checks Trino's certificate against."""
    return settings.etc / "tls" / "ca.pem"


def prepare(settings: Settings, trino_dir: Path | None = None) -> None:
    """Before every start, with PostgreSQL up: files and catalogue tables; a second call changes nothing."""
    objects.check(settings)
    render(settings)
    if trino_dir:
        plugin_links(trino_dir, folder(settings) / "plugins", plugins(settings))
    ensure_catalogue(settings)


def render(settings: Settings) -> None:
    _, certificate = ensure_certificate(settings.etc / "tls", "trino", [settings.hosts.trino])
    values = _values(settings, certificate)
    source = settings.services / "trino"
    for template in sorted(p for p in source.rglob("*") if p.is_file()):
        write_private(
            _target(settings, template.relative_to(source)), Template(template.read_text()).substitute(values)
        )
    write_private(folder(settings) / "password.db", _passwords(settings))
    _render_catalogues(settings)
    prepare_access(settings)


def _render_catalogues(settings: Settings) -> None:
    chosen = catalogues.chosen(settings)
    for path in _beside_the_lake(settings):
        if path.stem not in {one.name for one in chosen}:
            path.unlink()
    for one in chosen:
        write_private(folder(settings) / "catalog" / f"{one.name}.properties", one.text)


def _beside_the_lake(settings: Settings) -> list[Path]:
    """The files that the server has: whoever writes its rules need not see the folder that they came from."""
    found = sorted((folder(settings) / "catalog").glob("*.properties"))
    return [path for path in found if path.stem != access.CATALOG]


def prepare_access(settings: Settings) -> bool:
    """Who may do what, from the policy and the people of this moment; the running server reads it again by itself."""
    policy = load_policy()
    people = [p for name in (ADMIN, *read_users(settings)) if (p := identity_of(settings, name))]
    key = access.pseudonym_key(settings.secret("token_signing_key"))
    beside = access.Beside(tuple(path.stem for path in _beside_the_lake(settings)), settings.trino_catalog_roles)
    rules = access.rules(policy, people, declared_columns(settings.repo / "dbt" / "models"), key, beside)
    changed = write_private(folder(settings) / "rules.json", json.dumps(rules, indent=1) + "\n")
    return write_private(folder(settings) / "groups.txt", access.groups(policy, people)) or changed


def access_stamp(settings: Settings) -> tuple[int, ...]:
    """Another one whenever who may see what has changed."""
    files = folder(settings) / "rules.json", folder(settings) / "groups.txt", users_file(settings)
    return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)


def declared_columns(models: Path) -> dict[str, frozenset[str]]:
    """schema.table → columns, as the model files of the dbt project declare them."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted(models.rglob("*.yml")):
        for model in plain.values(path).get("models", ()):
            name = model.get("config", {}).get("alias", model["name"])
            found[f"{path.relative_to(models).parts[0]}.{name}"] = frozenset(
                column["name"] for column in model.get("columns", ())
            )
    return found


def plugins(settings: Settings) -> tuple[str, ...]:
    wanted = (catalogues.PLUGIN_OF[one.connector] for one in catalogues.chosen(settings))
    return tuple(dict.fromkeys((*PLUGINS, *wanted)))


def plugin_links(trino_dir: Path, target: Path, names: tuple[str, ...] = PLUGINS) -> None:
    """A plugin folder with the few that are used: each one loaded costs seconds and memory."""
    target.mkdir(parents=True, exist_ok=True)
    for link in target.iterdir():
        if link.name not in names or link.readlink() != trino_dir / "plugin" / link.name:
            link.unlink()
    for name in names:
        if not (trino_dir / "plugin" / name).is_dir():
            raise FileNotFoundError(
                f"{trino_dir} lacks the plugin {name}: remove the folder and run `./headrace up` again."
            )
        if not (target / name).is_symlink():
            (target / name).symlink_to(trino_dir / "plugin" / name)


def working_folder(settings: Settings) -> Path:
    """Start Trino here: it finds etc/group-provider.properties and the like by relative path."""
    return folder(settings) / "run"


def command(settings: Settings, trino_dir: Path, java_home: Path) -> list[str]:
    """The start command; run it in `working_folder(settings)`. It logs to standard output."""
    plugin_links(trino_dir, folder(settings) / "plugins", plugins(settings))
    options = [line for line in (folder(settings) / "jvm.config").read_text().splitlines() if not line.startswith("#")]
    return [
        str(java_home / "bin" / "java"),
        *(option for option in options if option),
        f"-Dconfig={folder(settings) / 'config.properties'}",
        f"-Dlog.levels-file={folder(settings) / 'log.properties'}",
        "-cp",
        f"{trino_dir / 'lib'}/*",
        "io.trino.server.TrinoServer",
    ]


def _target(settings: Settings, relative: Path) -> Path:
    if relative.name in _AT_START:
        return working_folder(settings) / "etc" / relative
    return folder(settings) / relative


def _values(settings: Settings, certificate: Path) -> dict[str, str]:
    return {
        "bind": settings.bind,
        "certificate": str(certificate),
        "etc": str(folder(settings)),
        "file_system": _file_system(settings),
        "headroom_mb": str(settings.trino_heap_mb * 23 // 100),
        "heap_mb": str(settings.trino_heap_mb),
        "internal_port": str(settings.ports.trino_internal),
        "port": str(settings.ports.trino),
        "postgres": settings.address("postgres"),
        "postgres_password": settings.secret("postgres_iceberg_password"),
        "query_bytes": settings.query_bytes,
        "query_mb": str(settings.trino_heap_mb * 46 // 100),
        "query_seconds": str(settings.query_seconds),
        "shared_secret": settings.secret("trino_internal_secret"),
        "warehouse": settings.warehouse_uri,
    }


def _file_system(settings: Settings) -> str:
    """Local folders go by the Hadoop file system, object stores by the native one."""
    found = objects.store(settings)
    told = objects.trino_conf(found) if found else {"fs.hadoop.enabled": "true"}
    return "\n".join(f"{key}={value}" for key, value in told.items())


def _passwords(settings: Settings) -> str:
    path = folder(settings) / "password.db"
    known = dict(line.split(":", 1) for line in path.read_text().splitlines()) if path.is_file() else {}
    return "".join(
        f"{user}:{_hash(settings.secret(f'trino_password_{user}'), known.get(user))}\n" for user in access.SERVICES
    )


def _hash(password: str, known: str | None) -> str:
    """The stored hash while it fits, so that a second start rewrites nothing. Trino wants bcrypt's 2y name for 2b.

    Of the fewest rounds that Trino takes: nobody guesses a password that was drawn, and who asks waits for each round.
    """
    if known and bcrypt.checkpw(password.encode(), known.replace("$2y$", "$2b$", 1).encode()):
        return known
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=8)).decode().replace("$2b$", "$2y$", 1)

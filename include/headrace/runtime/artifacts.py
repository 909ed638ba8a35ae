"""Fetches server parts and jars from Maven's central repository: resumed where broken off, checked by SHA-256.

`requirements/maven.json` lists every file by coordinates. The repository's address comes from Ivy, which PySpark
ships, unless `maven_url` names a mirror.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import stamina

from headrace.runtime import bootstrap
from headrace.settings import REPO, Settings

Progress = Callable[[str, int, int], None]
"""Told (file name, bytes so far, bytes in all)."""

# Of Trino's many plugins only these are kept, on disk; which are loaded is another choice (`headrace.lake.trino_config`).
TRINO_PLUGINS = frozenset(
    {
        "delta-lake",
        "http-event-listener",
        "iceberg",
        "memory",
        "password-authenticators",
        "pinot",
        "resource-group-managers",
        "session-property-managers",
        "tpch",
    }
)

FOR_TESTS = frozenset({"dynamodb-local", "s3proxy"})
"""Groups that only tests use, and fetch when they do."""

BY_SETTING = frozenset({"spark-s3"})
"""Groups that are fetched when settings ask for them."""


class FetchError(RuntimeError):
    """A file could not be had; the message says what to do next."""


class ChecksumMismatch(FetchError):
    """What arrived is not what was locked."""


@dataclass(frozen=True)
class Artifact:
    coordinates: str
    sha256: str
    size: int

    @property
    def parts(self) -> list[str]:
        return self.coordinates.split(":")

    @property
    def file_name(self) -> str:
        _, artifact, version, extension, *classifier = self.parts
        return f"{artifact}-{version}{''.join(f'-{c}' for c in classifier)}.{extension}"

    @property
    def path(self) -> str:
        group, artifact, version = self.parts[:3]
        return f"{group.replace('.', '/')}/{artifact}/{version}/{self.file_name}"


def locked() -> dict[str, list[Artifact]]:
    raw = json.loads((REPO / "requirements" / "maven.json").read_text())
    return {group: [Artifact(i["coordinates"], i["sha256"], i["bytes"]) for i in items] for group, items in raw.items()}


def repository(settings: Settings) -> str:
    """Where Maven artifacts are: the setting, or the address compiled into the Ivy that PySpark ships."""
    if settings.maven_url:
        return settings.maven_url.rstrip("/") + "/"
    jars = bootstrap.environment_folder("main").glob("lib/python*/site-packages/pyspark/jars/ivy-*.jar")
    for jar in jars:
        code = zipfile.ZipFile(jar).read("org/apache/ivy/plugins/resolver/IBiblioResolver.class")
        if found := re.search(rb"https://[\w./-]+/maven2/", code):
            return found.group().decode()
    raise FetchError("No Maven repository is known. Next: set HEADRACE_MAVEN_URL to one.")


def folder_of(settings: Settings, group: str) -> Path:
    """Where a group's files are after `fetch`: a folder of jars, or the unpacked server."""
    items = locked()[group]
    kept = "".join(sorted(TRINO_PLUGINS)) if group == "trino" else ""
    digest = hashlib.sha256(("".join(i.sha256 for i in items) + kept).encode()).hexdigest()[:12]
    return settings.cache / "parts" / f"{group}-{digest}"


def is_fetched(settings: Settings, group: str) -> bool:
    return (folder_of(settings, group) / ".complete").is_file()


def fetch(settings: Settings, groups: list[str], progress: Progress, *, workers: int = 4) -> None:
    """Brings the groups into the cache; safe to interrupt and to repeat, also by two processes at once."""
    for group in groups:
        if is_fetched(settings, group):
            continue
        with bootstrap.exclusive(settings.cache / "locks" / group, f"fetching {group}"):
            if not is_fetched(settings, group):
                _fetch_group(settings, group, progress, workers)


def _fetch_group(settings: Settings, group: str, progress: Progress, workers: int) -> None:
    items = locked()[group]
    store = settings.cache / "maven"
    store.mkdir(parents=True, exist_ok=True)
    base = repository(settings)
    stop = threading.Event()
    pool = ThreadPoolExecutor(workers)
    try:
        list(pool.map(lambda item: download(base, item, store, progress, stop), items))
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    target = folder_of(settings, group)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for item in items:
        source = store / item.file_name
        if source.name.endswith(".tar.gz"):
            _unpack(source, target)
            source.unlink()
        else:
            os.link(source, target / source.name)
    (target / ".complete").touch()


class _Transient(Exception):
    """Worth another try."""


@stamina.retry(on=(_Transient, httpx.TransportError), attempts=5, timeout=900)
def download(base: str, item: Artifact, store: Path, progress: Progress, stop: threading.Event) -> None:
    """One file: continues what a broken download left, and keeps it only if the checksum agrees."""
    target = store / item.file_name
    if target.is_file() and target.stat().st_size == item.size:
        return
    part = target.with_name(target.name + ".part")
    done = part.stat().st_size if part.exists() else 0
    if done < item.size:
        _receive(base + item.path, part, done, item, progress, stop)
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != item.sha256:
        part.unlink()
        raise ChecksumMismatch(
            f"{item.file_name} does not match its locked SHA-256; it was thrown away.\n"
            "Next: run the same command again; if it repeats, the mirror or a proxy alters files: set HEADRACE_MAVEN_URL."
        )
    part.rename(target)


def _receive(url: str, part: Path, done: int, item: Artifact, progress: Progress, stop: threading.Event) -> None:
    headers = {"Range": f"bytes={done}-"} if done else {}
    with httpx.stream("GET", url, headers=headers, timeout=30, follow_redirects=True) as response:
        if response.status_code >= 500 or response.status_code in (408, 429):
            raise _Transient(f"{response.status_code} for {item.file_name}")
        if response.status_code not in (200, 206):
            raise FetchError(
                f"{item.coordinates}: the repository answers {response.status_code}. Next: check HEADRACE_MAVEN_URL."
            )
        resumed = response.status_code == 206
        done = done if resumed else 0
        with part.open("ab" if resumed else "wb") as file:
            for chunk in response.iter_bytes(1 << 18):
                if stop.is_set():
                    return
                file.write(chunk)
                done += len(chunk)
                progress(item.file_name, done, item.size)
    if done < item.size:
        raise _Transient(f"{item.file_name} broke off at {done} of {item.size} bytes")


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive, "r|gz") as tar:
        tar.extractall(target, filter="fully_trusted")  # noqa: S202
    for plugins in target.glob("trino-server-*/plugin"):
        for plugin in plugins.iterdir():
            if plugin.name not in TRINO_PLUGINS:
                shutil.rmtree(plugin)

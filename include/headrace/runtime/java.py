"""How our Javas start: from classes that were loaded and checked before, not from thousands of files in jars.

The runtimes that wheels bring come without the archive of the JDK's own classes, so it is made once. On top of it each
server and job has an archive of its own, which Java makes by itself when it ends well and there is none that fits, and
leaves aside when a class path changed (not Spark on Java 21: see `headrace.runtime.tools`). Starting then takes half the
processor time, which matters most where everything starts at once.
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

from headrace.log import get_logger
from headrace.runtime import bootstrap
from headrace.settings import get_settings

log = get_logger(__name__)
_DUMP_SECONDS = 120
_SAYS = ("-Xlog:disable", "-Xlog:all=warning:stderr", "-Xlog:cds*=error:stderr")
"""Java's own warnings: never where a job prints its result, and nothing of an archive that does not fit (yet)."""


def ensure_own_classes(runtime: Path) -> None:
    """The archive of the JDK's own classes, beside the library that reads it."""
    archive = runtime / "lib" / "server" / "classes.jsa"
    if archive.exists():
        return
    made = archive.with_name(".classes.jsa")
    command = [str(runtime / "bin" / "java"), "-Xshare:dump", "-XX:+UseG1GC", f"-XX:SharedArchiveFile={made}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_DUMP_SECONDS, check=False)
    if done.returncode:
        log.warning("Java starts without an archive of its classes, which takes longer", said=done.stderr[-400:])
        return
    made.rename(archive)


def options(name: str, home: Path, jars: Iterable[Path]) -> tuple[str, ...]:
    """Options by which a Java starts from the archive of this name, and makes it at its end if there is none."""
    digest = hashlib.sha256("\n".join(map(str, (home, *jars))).encode()).hexdigest()[:12]
    archive = bootstrap.cache_folder() / "classes" / f"{name}-{digest}.jsa"
    archive.parent.mkdir(parents=True, exist_ok=True)
    return f"-XX:SharedArchiveFile={archive}", "-XX:+AutoCreateSharedArchive", *plain()


def plain() -> tuple[str, ...]:
    """Options of every Java of ours: what it says where, and those that settings ask for."""
    return *_SAYS, *shlex.split(get_settings().java_options)

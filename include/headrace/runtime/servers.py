"""Kafka, Valkey and the schema registry: how each is prepared, started and asked for its health."""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid
from pathlib import Path

import httpx
import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from headrace.live.client import valkey
from headrace.runtime import java, tools
from headrace.runtime.model import Command
from headrace.runtime.render import render
from headrace.settings import Settings

_SMALL_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xss512k", "-XX:ReservedCodeCacheSize=96m")


def answers(url: str, *, verify: bool = True) -> bool:
    """Whether an HTTP health page says yes."""
    try:
        return httpx.get(url, timeout=3, verify=verify).is_success
    except httpx.HTTPError:
        return False


def _java(version: int) -> str:
    return str(tools.java_home(version) / "bin" / "java")


def _kafka_classpath() -> str:
    return ":".join(str(jar) for jar in tools.jars("kafka"))


def kafka_prepare(settings: Settings) -> None:
    data = settings.data / "kafka"
    config = render(
        settings,
        "kafka",
        bind=settings.bind,
        host=settings.hosts.kafka,
        port=settings.ports.kafka,
        controller_port=settings.ports.kafka_controller,
        data=data,
        replication=settings.kafka_replication,
    )
    if (data / "meta.properties").exists():
        return
    shutil.rmtree(data, ignore_errors=True)
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    argv = [_java(21), "-cp", _kafka_classpath(), "kafka.tools.StorageTool", "format",
            "-t", cluster, "-c", str(config / "server.properties")]  # fmt: skip
    result = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode:
        raise RuntimeError(f"Kafka's storage could not be formatted: {result.stderr.strip()[-800:]}")


def kafka_command(settings: Settings) -> Command:
    config = settings.etc / "kafka"
    logging = f"-Dlog4j2.configurationFile={(config / 'log4j2.properties').as_uri()}"
    options = java.options("kafka", tools.java_home(21), tools.jars("kafka"))
    argv = (_java(21), "-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:ReservedCodeCacheSize=96m",
            "-XX:+ExitOnOutOfMemoryError", *options, logging, "-cp", _kafka_classpath(), "kafka.Kafka", str(config / "server.properties"))  # fmt: skip
    return Command(argv)


def kafka_healthy(settings: Settings) -> bool:
    client = AdminClient({"bootstrap.servers": settings.kafka, "socket.timeout.ms": 3000, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=3).brokers)
    except KafkaException:
        return False


def kafka_settle(settings: Settings) -> None:
    from headrace.streams import published
    from headrace.streams.topics import ensure_topics

    ensure_topics(settings)
    # After the topics: whoever takes a contract up finds them.
    published.publish(settings)


def valkey_prepare(settings: Settings) -> None:
    data = settings.data / "valkey"
    data.mkdir(parents=True, exist_ok=True)
    render(
        settings,
        "valkey",
        bind=settings.bind,
        port=settings.ports.valkey,
        data=data,
        password=settings.secret("valkey_password"),
    )


def valkey_command(settings: Settings) -> Command:
    return Command((str(tools.valkey_binary()), str(settings.etc / "valkey" / "valkey.conf")))


def valkey_healthy(settings: Settings) -> bool:
    try:
        return bool(valkey(settings, seconds=3).ping())
    except redis.RedisError:
        return False


def registry_command(settings: Settings) -> Command:
    folder = tools.registry_folder()
    env = {
        "APICURIO_STORAGE_KIND": "sql",
        "APICURIO_STORAGE_SQL_KIND": "postgresql",
        "APICURIO_DATASOURCE_URL": f"jdbc:postgresql://{settings.address('postgres')}/registry",
        "APICURIO_DATASOURCE_USERNAME": "registry",
        "APICURIO_DATASOURCE_PASSWORD": settings.secret("postgres_registry_password"),
        "QUARKUS_HTTP_HOST": settings.bind,
        "QUARKUS_HTTP_PORT": str(settings.ports.registry),
        "QUARKUS_MANAGEMENT_HOST": settings.bind,
        "QUARKUS_MANAGEMENT_PORT": str(settings.ports.registry_management),
        "QUARKUS_LOG_LEVEL": "WARN",
    }
    argv = (_java(21), "-Xmx256m", *_SMALL_JVM, "-jar", "quarkus-run.jar")
    return Command(argv, env, cwd=Path(folder))


def registry_healthy(settings: Settings) -> bool:
    return answers(f"{settings.registry_url}/subjects")


def registry_settle(settings: Settings) -> None:
    from headrace.streams.registry import ensure_subjects

    ensure_subjects(settings)

"""The only reader of the environment: every address, port, path and limit of the platform in one frozen object.

A value comes, in this order, from `HEADRACE_…` environment variables, from `settings.env` in the state folder, from
the ports that `up` chose (`ports.json` there), or from the default written here. Compose and Kubernetes change the
same names; no code asks where it runs.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

REPO = Path(os.environ.get("HEADRACE_REPO") or Path(__file__).resolve().parents[2])


def default_home() -> Path:
    return Path(os.environ.get("HEADRACE_HOME") or REPO / ".headrace").expanduser().absolute()


_PLAIN_VARIABLES = frozenset(
    [
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "PATH",
        "SSL_CERT_FILE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
    ]
)


def inherited_environment() -> dict[str, str]:
    """What a long-lived child may have of our variables: the plain ones and our own, nothing of the tool that starts it."""
    return {k: v for k, v in os.environ.items() if k.upper() in _PLAIN_VARIABLES or k.startswith("HEADRACE_")}


class MissingSecret(LookupError):
    """A secret was asked for before `up` generated it."""


SinkName = Literal["postgres", "dynamodb", "clickhouse"]


def _listed(value: Any) -> Any:
    """`postgres, dynamodb` as a person writes it."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


class Ports(BaseModel):
    """Preferred ports; `up` picks a free one where a default is taken, and refuses where a person fixed it."""

    model_config = ConfigDict(frozen=True)

    ingest: int = 8080
    api: int = 8081
    app: int = 8501
    airflow: int = 8088
    docs: int = 8089
    mcp: int = 8090
    trino: int = 8443
    trino_internal: int = 8444
    kafka: int = 9092
    kafka_controller: int = 9093
    registry: int = 8085
    registry_management: int = 9085
    connect: int = 8083
    postgres: int = 5433
    valkey: int = 6380
    airflow_worker_logs: int = 8793
    airflow_trigger_logs: int = 8794
    scheduler_health: int = 8974
    triggerer_health: int = 8975


class Hosts(BaseModel):
    """Where the parts are found: loopback by default, service names in compose and Kubernetes."""

    model_config = ConfigDict(frozen=True)

    ingest: str = "127.0.0.1"
    api: str = "127.0.0.1"
    app: str = "127.0.0.1"
    airflow: str = "127.0.0.1"
    docs: str = "127.0.0.1"
    trino: str = "127.0.0.1"
    kafka: str = "127.0.0.1"
    registry: str = "127.0.0.1"
    postgres: str = "127.0.0.1"
    valkey: str = "127.0.0.1"
    connect: str = "127.0.0.1"


class ChosenPorts(PydanticBaseSettingsSource):
    """Ports that `up` wrote down, below the environment and above the defaults."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        path = default_home() / "ports.json"
        return {"ports": json.loads(path.read_text())} if path.is_file() else {}


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="HEADRACE_", env_nested_delimiter="__", frozen=True, extra="ignore", env_file_encoding="utf-8"
    )

    home: Path = Field(default_factory=default_home)
    cache: Path = Field(default_factory=lambda: Path("~/.cache/headrace").expanduser())
    bind: str = Field("127.0.0.1", description="The address that parts listen on.")
    hosts: Hosts = Hosts()
    ports: Ports = Ports()
    maven_url: str | None = Field(
        None, description="A mirror of Maven's central repository; default: the one Ivy knows."
    )
    browser: Path | None = Field(None, description="A Chromium for the browser tests; default: found or fetched.")

    java_options: str = Field("", description="Options for every Java of ours, beside those that it has.")

    # Streams
    lateness_minutes: int = Field(
        5, description="An event is late when the broker got it this long after its own time."
    )
    future_minutes: int = Field(1, description="An event further in the future than this is refused.")
    live_state_minutes: int = Field(
        40, description="How long the live job keeps ids and open windows; bounds backlog skew."
    )
    conflict_ids: int = Field(
        1_000_000,
        gt=0,
        description="How many events the lake job remembers, the newest ones, to refuse another version of one.",
    )
    live_batch_seconds: int = Field(
        300, gt=0, description="How long a batch of the live job lasts: what a kill repeats, between two saved states."
    )
    live_partitions: int = Field(
        1,
        gt=0,
        description="Tasks that share a stream's state. One carries thousands of events a second; each more takes a share "
        "of a core even when nothing comes. Another number counts the streams anew.",
    )
    live_kept_minutes: int = Field(120, description="How long live windows stay after curated answers for them.")
    live_kept_person_minutes: int = Field(
        70,
        description="The same for windows by person, of which there are many; over an hour, so that an hour is there.",
    )
    lake_batch_seconds: int = Field(
        10, gt=0, description="How often the lake job judges records for processed topics, and looks for dropped files."
    )
    land_batch_seconds: int = Field(
        30,
        gt=0,
        description="How often it writes raw tables: a commit for each of them costs more than a few records.",
    )
    kafka_replication: int = 1
    kafka_partitions: int = Field(2, description="Partitions of a change topic on the embedded default.")
    producer_profile: Literal["latency", "throughput"] = "latency"

    # Lake
    warehouse: str | None = Field(None, description="file:///… or s3://…; default: lake/ in the state folder.")
    s3_url: str | None = Field(None, description="An S3 endpoint of one's own for the warehouse; default: Amazon's.")
    s3_region: str = "us-east-1"
    reporting_currency: str = "USD"
    identity_days: int = Field(
        7,
        ge=0,
        description="Another version of an event is recognised in the lake if their days are at most so far apart.",
    )
    raw_days: int = Field(30, ge=0, description="How long raw records of events stay in the lake; 0: for ever.")
    analytics_days: int = Field(
        90, ge=0, description="How long what is made of events stays, by their own time; 0: for ever. Entities stay."
    )
    snapshot_days: int = Field(7, ge=1, description="How long the lake can be read as it was before.")
    trino_heap_mb: int = Field(
        1536,
        ge=1024,
        description="Trino's memory, of which one query may take 46 %: more of it to build many millions of rows.",
    )
    trino_catalogs: Path | None = Field(
        None, description="A folder of files NAME.properties: catalogues that Trino reads beside the lake."
    )
    trino_catalog_roles: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (), description="Roles that may read them; none: administrators alone."
    )

    # Curated days for Amazon's services, by the DAG export
    export_to: str | None = Field(
        None, pattern="^s3://[^/]+/.+[^/]$", description="s3://bucket/path for curated days; none: nothing is exported."
    )
    export_tables: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        ("merchant_day", "transactions_by_day"), description="Curated tables with a column date_day and no person."
    )
    export_dynamodb: bool = Field(False, description="Also as items of DynamoDB, a table for each.")
    export_topic: str | None = Field(None, description="The ARN of an SNS topic to tell of each export.")
    export_athena: str | None = Field(
        None,
        description="Athena's database whose tables get the day as a partition, and are asked whether they see it.",
    )
    export_redshift: str | None = Field(None, description="Redshift's database that each day is copied into.")
    export_redshift_schema: str = Field("public", description="The schema there; a table that it lacks is made.")
    export_redshift_workgroup: str | None = Field(None, description="The workgroup of a serverless Redshift.")
    export_redshift_cluster: str | None = Field(None, description="Or the identifier of a cluster.")
    export_redshift_role: str | None = Field(
        None,
        pattern="^(default|arn:.+)$",
        description="The role that Redshift reads the bucket with: an ARN, or default.",
    )
    aws_url: str | None = Field(
        None, description="An endpoint of one's own for SNS, Athena and Redshift's Data API; default: Amazon's."
    )

    # Quality, in percent
    quality_completeness: Decimal = Field(
        Decimal("99.99"), ge=0, le=100, description="Least share of what arrived that is there."
    )
    quality_consistency: Decimal = Field(Decimal(100), ge=0, le=100, description="Least share of rows that agree.")
    quality_timeliness: Decimal = Field(Decimal("99.8"), ge=0, le=100, description="Least share of rows in time.")
    quality_uniqueness: Decimal = Field(Decimal(100), ge=0, le=100, description="Least share of rows that are alone.")
    quality_accuracy: Decimal = Field(Decimal("99.97"), ge=0, le=100, description="Least share of rows that are right.")
    quality_window_minutes: int = Field(
        5, gt=0, le=60, description="How long a stretch of a topic is that is profiled at once."
    )
    quality_window_records: int = Field(20_000, gt=0, description="How many records of a stretch are read at most.")

    # Sinks beside the live store and the lake
    sinks: Annotated[tuple[SinkName, ...], NoDecode, BeforeValidator(_listed)] = Field(
        ("postgres",),
        description="Where live windows and accepted events are also written: postgres,dynamodb,clickhouse.",
    )
    cache_event_seconds: int = Field(
        3600, gt=0, description="How long an event that was read by its id stays in the live store."
    )
    aggregations_hours: int = Field(48, gt=0, description="How long live windows stay in PostgreSQL.")
    raw_events_hours: int = Field(
        0, ge=0, description="How long raw records stay in PostgreSQL too; 0: they are in the lake alone."
    )
    sinks_days: int = Field(90, gt=0, description="How long DynamoDB and ClickHouse keep what they were given.")
    dynamodb_url: str | None = Field(None, description="An endpoint of one's own; default: AWS's in that region.")
    dynamodb_region: str = "us-east-1"
    dynamodb_prefix: str = Field("headrace_", description="What the names of its tables begin with.")
    clickhouse_url: str | None = Field(None, description="Its HTTP interface, such as http://host:8123.")
    clickhouse_user: str = "default"
    clickhouse_database: str = Field("headrace", pattern="^[a-z_][a-z0-9_]*$")
    system_metrics_seconds: int = Field(30, gt=0, description="How often parts, jobs and streams are measured.")
    system_metrics_days: int = Field(7, gt=0, description="How long these measurements stay in PostgreSQL.")

    # Sample traffic
    simulate_rate: float = Field(5.0, description="Steady sample events a second after `up`; 0 for none.")
    history_days: int = 90
    history_per_day: int = Field(1000, description="Transactions a day in the generated history.")
    seed: int = 7

    # Answers
    chat_model: str | None = Field(
        None, description="Any model LangChain can reach, such as openai:gpt-5; none: rules."
    )
    query_seconds: int = 30
    query_bytes: str = "1GB"
    token_minutes: int = 720

    # Logs
    log_level: str = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, ChosenPorts(settings_cls)

    @property
    def running_sinks(self) -> tuple[str, ...]:
        """Those of the setting, and the one that keeps reference data in step, whatever is set."""
        return ("reference", *self.sinks)

    # Folders
    @property
    def repo(self) -> Path:
        return REPO

    @property
    def services(self) -> Path:
        return REPO / "include" / "services"

    @property
    def contracts(self) -> Path:
        return REPO / "include" / "contracts"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def etc(self) -> Path:
        """Configuration rendered from include/services for this machine."""
        return self.home / "etc"

    @property
    def landing(self) -> Path:
        """Drop folder of files to ingest: one folder a stream."""
        return self.home / "landing"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints"

    @property
    def warehouse_uri(self) -> str:
        """Not percent-encoded: both engines take the address literally."""
        return self.warehouse or f"file://{self.home / 'lake'}"

    # Addresses
    def address(self, part: str) -> str:
        return f"{getattr(self.hosts, part)}:{getattr(self.ports, part)}"

    @property
    def kafka(self) -> str:
        return self.address("kafka")

    @property
    def registry_url(self) -> str:
        return f"http://{self.address('registry')}/apis/ccompat/v7"

    @property
    def api_url(self) -> str:
        return f"http://{self.address('api')}"

    @property
    def ingest_url(self) -> str:
        return f"http://{self.address('ingest')}"

    @property
    def airflow_url(self) -> str:
        return f"http://{self.address('airflow')}"

    @property
    def docs_url(self) -> str:
        return f"http://{self.address('docs')}"

    def postgres_dsn(self, database: str, *, user: str | None = None) -> str:
        """A libpq URL; each database is owned by a role of its own name."""
        role = user or database
        password = self.secret(f"postgres_{role}_password")
        return f"postgresql://{role}:{password}@{self.address('postgres')}/{database}"

    def secret(self, name: str) -> str:
        """A generated secret, from its owner-only file."""
        return self._secrets[name] if name in self._secrets else self._read_secret(name)

    @cached_property
    def _secrets(self) -> dict[str, str]:
        prefix = "HEADRACE_SECRET_"
        return {k.removeprefix(prefix).lower(): v for k, v in os.environ.items() if k.startswith(prefix)}

    def _read_secret(self, name: str) -> str:
        path = self.home / "secrets" / name
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            raise MissingSecret(
                f"No secret {name!r} in {path.parent}: run `./headrace up` once, it makes them."
            ) from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once: a later change of the environment changes nothing."""
    return Settings(_env_file=default_home() / "settings.env")  # type: ignore[call-arg]

"""Records and files into raw tables, each exactly once, as micro-batches.

A batch goes into several tables, and each table commits alone: so each table keeps, with its snapshot, which batch of
which query it was, and a batch that comes again after a kill is skipped where it already is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.contracts.corrections import SPACES
from headrace.contracts.model import Contract, Field
from headrace.log import get_logger
from headrace.settings import Settings
from headrace.streams.dialect import SPARK
from headrace.streams.landing import objects
from headrace.streams.landing.drops import Taken
from headrace.streams.landing.files import PREFIX, note_landed, topic_of
from headrace.streams.landing.stamps import Stamps
from headrace.streams.landing.table import CATALOGUE, add_columns_sql, catalogue_conf, columns_of, create_sql, table_of
from headrace.streams.refining.spark import RECORD_COLUMNS, send_letters
from headrace.streams.spark import few_tasks

log = get_logger(__name__)
QUERY, BATCH = "headrace.query", "headrace.batch"
FILE_SCHEMA = "path string, modificationTime timestamp, length bigint, content binary"


def open_catalogue(spark: SparkSession, settings: Settings) -> None:
    """Set after the start: what is known before it stands in the command line of the Java process."""
    place, password = settings.address("postgres"), settings.secret("postgres_iceberg_password")
    for key, value in catalogue_conf(settings.warehouse_uri, place, password, objects.store(settings)).items():
        spark.conf.set(key, value)


def ensure_tables(spark: SparkSession, contracts: Mapping[str, Contract]) -> None:
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOGUE}.raw")
    for contract in contracts.values():
        spark.sql(create_sql(contract))
        if change := add_columns_sql(contract, spark.table(table_of(contract)).columns):
            spark.sql(change)


class Tables:
    """Appends, unless the table already holds the batch."""

    def __init__(self, query: str) -> None:
        self._query = query
        self._known: dict[str, int] = {}

    def holds(self, spark: SparkSession, table: str, batch: int) -> bool:
        if table not in self._known:
            of_query = F.col("summary")[QUERY] == self._query
            newest = F.max(F.col("summary")[BATCH].cast("bigint"))
            found = spark.table(f"{table}.snapshots").where(of_query).agg(newest).first()
            self._known[table] = found[0] if found and found[0] is not None else -1
        return batch <= self._known[table]

    def append(self, rows: DataFrame, table: str, batch: int) -> None:
        writer = rows.writeTo(table).option(f"snapshot-property.{QUERY}", self._query)
        writer.option(f"snapshot-property.{BATCH}", str(batch)).append()
        self._known[table] = batch


def entities_first(contracts: Iterable[Contract], sizes: Mapping[str, int] | None = None) -> list[Contract]:
    """What events refer to lands before them, the little of it first: exchange rates and names are asked for while the
    rest still lands.
    """
    known = sizes or {}
    return sorted(
        contracts, key=lambda contract: (contract.kind != "entity", known.get(contract.name, 0), contract.name)
    )


class LandRecords:
    """One batch of Kafka records into the raw tables of their contracts."""

    def __init__(self, contracts: Mapping[str, Contract], stamps: Stamps) -> None:
        self._stamps = stamps
        self._by_topic = {contract.topic: contract for contract in contracts.values()}
        self._tables: Tables | None = None

    def __call__(self, batch: DataFrame, number: int) -> None:
        spark = batch.sparkSession
        self._tables = self._tables or Tables(query_of(spark))
        # Packed by column: a batch that catches up has hundreds of thousands of records, and its plan is short.
        held = few_tasks(batch).persist()
        try:
            topics = {row["topic"] for row in held.select("topic").distinct().collect()}
            if gone := sorted(topics - self._by_topic.keys()):
                log.warning("no contract has these topics any more; their records are left aside", topics=gone)
            for contract in entities_first(self._by_topic[topic] for topic in topics & self._by_topic.keys()):
                if not self._tables.holds(spark, table_of(contract), number):
                    records = held.where(F.col("topic") == contract.topic)
                    rows = raw_rows(records, contract, self._stamps.next())
                    self._tables.append(rows, table_of(contract), number)
        finally:
            held.unpersist()


def query_of(spark: SparkSession) -> str:
    """The query's own id: kept with its checkpoint, so the same after every restart."""
    return str(spark.sparkContext.getLocalProperty("sql.streaming.queryId"))


def raw_rows(records: DataFrame, contract: Contract, landed_at: datetime) -> DataFrame:
    headers = F.expr("map_from_entries(transform(headers, h -> struct(h.key, CAST(h.value AS STRING))))")
    named = records.withColumn("headers", headers).withColumn("key", F.col("key").cast("string"))
    named = named.withColumns(
        {
            "landed_at": F.lit(landed_at),
            "correlation_id": F.col("headers")["correlation_id"],
            "contract_version": F.col("headers")["contract_version"],
            "origin": F.lit("stream"),
        }
    )
    return _shaped(named, contract)


def _shaped(rows: DataFrame, contract: Contract) -> DataFrame:
    persons = {name: _person(contract.field(name)) for name in contract.person_fields}
    return rows.withColumns(persons).select(*(F.col(name).cast(kind) for name, kind in columns_of(contract).items()))


def _person(field: Field) -> Column:
    """Without the blanks that the gate corrects, so that whoever erases a person finds all of their rows."""
    given = f"get_json_object(CAST(value AS STRING), '$.{field.name}')"
    return F.expr(SPARK.trimmed(given) if SPACES in field.corrections else given)


class LandFiles:
    """One batch of dropped files, a line a record; lines that are already in raw are left aside."""

    def __init__(self, contracts: Mapping[str, Contract], settings: Settings, stamps: Stamps) -> None:
        self._contracts, self._settings, self._stamps = contracts, settings, stamps

    def __call__(self, batch: DataFrame, number: int) -> None:
        taken = {path: Taken.of(path) for (path,) in batch.select("path").collect()}
        files = batch.select("path", *_named(F.col("path")), _taken_bytes())
        # Of one file that was taken twice the later look is the whole of it.
        latest: dict[str, dict[str, str]] = defaultdict(dict)
        sizes = Counter[str]()
        for path, one in sorted(taken.items(), key=lambda item: item[1].made):
            latest[one.stream][one.name] = path
            sizes[one.stream] += one.size
        for contract in entities_first((self._contracts[name] for name in latest), sizes):
            ours = {path: taken[path] for path in latest[contract.name].values()}
            self._land(files.where(F.col("path").isin([*ours])), contract, [*ours.values()])
        for path in taken:
            Path(path.removeprefix("file:")).unlink(missing_ok=True)

    def _land(self, files: DataFrame, contract: Contract, taken: list[Taken]) -> None:
        raw = files.sparkSession.table(table_of(contract))
        topics = [topic_of(contract.name, one.name) for one in taken]
        ours = F.col("topic").isin(topics)
        held = raw.where(ours)
        lines = file_rows(files, contract, self._stamps.next())
        if not held.isEmpty():
            # A file that grew: its other lines, and the last one again if it was cut.
            lines = lines.join(held.select("topic", "offset", "value"), ["topic", "offset", "value"], "left_anti")
            lines = lines.select(*columns_of(contract))
        lines.writeTo(table_of(contract)).append()
        # All of the file's, also those that had landed: whoever was killed here before told nothing of them.
        told = files.sparkSession.table(table_of(contract)).where(ours)
        send_letters(told.withColumns(_as_record()).select(*RECORD_COLUMNS), topics, contract, self._settings)
        note_landed(self._settings, contract.name, {one.name: one.size for one in taken})
        log.info("files landed", stream=contract.name, files=len(taken))


def _as_record() -> dict[str, Column]:
    """What Kafka would have given."""
    correlated = "array(struct('correlation_id' AS key, CAST(correlation_id AS binary) AS value))"
    return {"key": F.col("key").cast("binary"), "headers": F.expr(correlated)}


def _named(path: Column) -> tuple[Column, Column]:
    """The stream and the name of the file that a link is of."""
    name = F.regexp_replace(F.element_at(F.split(path, "/"), -1), r"^[0-9]+-[0-9]+[.]", "")
    return F.element_at(F.split(path, "/"), -2).alias("stream"), name.alias("name")


def _taken_bytes() -> Column:
    """As many as were there when the file was handed over: more may have come since, up to the middle of a line."""
    size = "CAST(regexp_extract(path, '/([0-9]+)-[0-9]+[.][^/]*$', 1) AS INT)"
    return F.expr(f"substring(content, 1, {size})").alias("content")


def file_rows(files: DataFrame, contract: Contract, landed_at: datetime) -> DataFrame:
    """Lines with their numbers from 1; Latin-1 there and back keeps every byte, whatever the file is written in."""
    text = F.split(F.decode("content", "ISO-8859-1"), "\n")
    lines = files.select("stream", "name", F.posexplode(text).alias("at", "line"))
    lines = lines.withColumn("line", F.rtrim(F.regexp_replace("line", "\r$", ""))).where("trim(line) <> ''")
    topic = F.concat(F.lit(PREFIX), "stream", F.lit("/"), "name")
    named = lines.select(
        topic.alias("topic"),
        F.lit(0).alias("partition"),
        (F.col("at") + 1).alias("offset"),
        F.encode("line", "ISO-8859-1").alias("value"),
        F.md5(F.concat(topic, F.lit(":"), (F.col("at") + 1).cast("string")).cast("binary")).alias("correlation_id"),
    )
    key = F.get_json_object(F.col("value").cast("string"), f"$.{contract.key}")
    headers = F.create_map().cast("map<string,string>")
    named = named.withColumns(
        {
            "key": key,
            "headers": headers,
            "arrived_at": F.current_timestamp(),
            "landed_at": F.lit(landed_at),
            "contract_version": F.lit(contract.version),
            "origin": F.lit("file"),
        }
    )
    return _shaped(named, contract)

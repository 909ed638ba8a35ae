"""What both Spark jobs share: the session, the Kafka source and the gate as DataFrames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession

from headrace.contracts.model import Contract
from headrace.settings import Settings
from headrace.streams.correcting import marks
from headrace.streams.dialect import SPARK
from headrace.streams.gate import columns, given, reason, refusal, rules, texts

_FILES = {
    # PySpark comes without Hadoop's native library, and Hadoop then starts `chmod` for each file that it makes and `readlink`
    # for each that it renames: some 60 ms of processor where this takes 5 (decision 0032).
    "spark.hadoop.fs.file.impl": "com.globalmentor.apache.hadoop.fs.BareLocalFileSystem",
    "spark.sql.streaming.checkpointFileManagerClass": (
        "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
    ),
}
SOURCE = ("key", "value", "topic", "partition", "offset", "arrived_at")


def session(name: str, *, cores: int, conf: Mapping[str, str]) -> SparkSession:
    """A local session that listens on loopback only and counts time in UTC; memory and jars come from the launcher."""
    builder = SparkSession.builder.master(f"local[{cores}]").appName(name)
    common = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.ansi.enabled": "true",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
        # Java never compiles a method of more bytes of code than this, and the gate as one method is: it would be
        # interpreted for ever. Spark then makes many small ones.
        "spark.sql.codegen.hugeMethodLimit": "8000",
        "spark.sql.streaming.stopTimeout": "60s",
    }
    for key, value in {**common, **_FILES, **conf}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    _keep_to_loopback(spark)
    _without_checksum_files(spark)
    return spark


def _keep_to_loopback(spark: SparkSession) -> None:
    """Real-Time Mode's shuffle listens on "any address" and no setting changes that: so loopback becomes the JVM's any.

    Spark's own launcher opens java.net to reflection; what is set is the cached address that sockets without one bind to.
    """
    java = spark._jvm.java
    implementation = java.lang.Class.forName("java.net.InetAddress").getDeclaredField("impl")
    implementation.setAccessible(True)
    resolver = implementation.get(None)
    any_address = resolver.getClass().getDeclaredField("anyLocalAddress")
    any_address.setAccessible(True)
    any_address.set(resolver, java.net.InetAddress.getByName("127.0.0.1"))


def _without_checksum_files(spark: SparkSession) -> None:
    """A file and its sum are renamed one after the other: killed in between, a checkpoint could not be read again.

    Parquet, RocksDB and Avro keep sums inside of their files.
    """
    spark._jvm.org.apache.hadoop.fs.FileSystem.getLocal(spark._jsc.hadoopConfiguration()).setWriteChecksum(False)


def few_tasks(batch: DataFrame) -> DataFrame:
    """The batch in as many tasks as there are cores: one for each partition of each topic costs more than its records."""
    return batch.coalesce(batch.sparkSession.sparkContext.defaultParallelism)


@contextmanager
def worked_out(frame: DataFrame) -> Iterator[DataFrame]:
    """The rows in at most as many tasks as there are cores, worked out once and kept while the block lasts.

    Not `persist`: it packs rows by column, and every statement over them would be planned with all that they were made by.
    """
    kept = few_tasks(frame).localCheckpoint()
    try:
        yield kept
    finally:
        kept._jdf.queryExecution().logical().rdd().unpersist(False)


def kafka_options(settings: Settings) -> dict[str, str]:
    return {"kafka.bootstrap.servers": settings.kafka}


def kafka_records(
    spark: SparkSession, settings: Settings, topics: Iterable[str], options: Mapping[str, str], *, headers: bool = False
) -> DataFrame:
    """Records of the topics with the broker's time as `arrived_at`."""
    reader = spark.readStream.format("kafka").options(**kafka_options(settings), **options)
    reader = reader.option("subscribe", ",".join(sorted(topics))).option("includeHeaders", str(headers).lower())
    return reader.load().withColumnRenamed("timestamp", "arrived_at").drop("timestampType")


def gated(records: DataFrame, contract: Contract, future_minutes: int) -> DataFrame:
    """The records with their typed fields, the rule that refuses them (or null), the reason and what was corrected."""
    found = rules(contract, SPARK, future_minutes)
    opened = SPARK.opened(field.name for field in contract.fields)
    kept, rows = records.columns, records
    for step in (SPARK.prepared(), opened, given(contract, SPARK)):
        rows = rows.selectExpr("*", *_named(step))
    for step in (texts(contract, SPARK), columns(contract, SPARK)):
        rows = rows.selectExpr("*", _apart(step))
    verdict = {"refusal": refusal(found, SPARK), "reason": reason(found, SPARK), "corrected": marks(contract, SPARK)}
    judged = rows.selectExpr("*", *_named(verdict))
    return judged.select(*kept, *(field.name for field in contract.fields), *verdict)


def _apart(expressions: Mapping[str, str]) -> str:
    """A step that is not fused with what reads it: in one generated method all of them take 1.4 times as long (decision 0015)."""
    return f"inline(array(struct({', '.join(_named(expressions))})))"


def _named(expressions: Mapping[str, str]) -> list[str]:
    return [f"{sql} AS {name}" for name, sql in expressions.items()]

"""The lake job: change topics and dropped files into raw, and through the gate into processed topics and dead letters.

Three queries with a checkpoint each. A batch that was cut by a kill is run again: raw tables know which batch they
hold, and the topics are keyed so that a repeat overwrites itself.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.contracts.model import Contract, load_contracts
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams import job
from headrace.streams.heartbeat import Heartbeat, own_handle
from headrace.streams.landing.files import landed_files
from headrace.streams.landing.progress import listener
from headrace.streams.landing.resume import start_of
from headrace.streams.landing.spark import FILE_SCHEMA, LandFiles, LandRecords, ensure_tables
from headrace.streams.landing.table import catalogue_conf
from headrace.streams.landing.through import Signs
from headrace.streams.refining.spark import Refine
from headrace.streams.spark import kafka_records, session

log = get_logger(__name__)
LAND, FILES, REFINE = "land", "land_files", "refine"
_LAND_RECORDS, _REFINE_RECORDS, _FILES = 100_000, 20_000, 400
_SILENT = timedelta(minutes=3)
_STOP_SECONDS = 25.0
_CONF = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:MaxMetaspaceSize=320m -XX:ReservedCodeCacheSize=128m",
    # A listener hears of an idle trigger at every trigger, not every ten seconds.
    "spark.sql.streaming.noDataProgressEventInterval": "1000",
    "spark.sql.streaming.minBatchesToRetain": "20",
}
Contracts = dict[str, Contract]


def start_land(spark: Any, contracts: Contracts, settings: Settings) -> Any:
    checkpoint = settings.checkpoints / "lake" / LAND
    options = {
        "startingOffsets": start_of(spark, checkpoint, contracts, settings),
        "maxOffsetsPerTrigger": str(_LAND_RECORDS),
        "failOnDataLoss": "true",
    }
    records = kafka_records(spark, settings, _topics(contracts), options, headers=True)
    writer = records.writeStream.queryName(LAND).foreachBatch(LandRecords(contracts))
    return _started(writer, checkpoint, settings.lake_batch_seconds)


def start_files(spark: Any, contracts: Contracts, settings: Settings) -> Any:
    settings.landing.mkdir(parents=True, exist_ok=True)
    reader = spark.readStream.format("binaryFile").schema(FILE_SCHEMA).option("pathGlobFilter", "*.jsonl")
    # Spark would leave out a file that is a week older than the newest one.
    reader = reader.option("maxFilesPerTrigger", str(_FILES)).option("maxFileAge", "36500d")
    files = reader.load(f"{settings.landing}/*")
    writer = files.writeStream.queryName(FILES).foreachBatch(LandFiles(contracts, settings))
    return _started(writer, settings.checkpoints / "lake" / FILES, settings.lake_batch_seconds)


def start_refine(spark: Any, contracts: Contracts, settings: Settings) -> Any:
    options = {"startingOffsets": "earliest", "maxOffsetsPerTrigger": str(_REFINE_RECORDS), "failOnDataLoss": "true"}
    records = kafka_records(spark, settings, _topics(contracts), options, headers=True)
    writer = records.writeStream.queryName(REFINE).foreachBatch(Refine(spark, contracts, settings))
    return _started(writer, settings.checkpoints / "lake" / REFINE, settings.lake_batch_seconds)


def _topics(contracts: Contracts) -> list[str]:
    return [contract.topic for contract in contracts.values()]


def _started(writer: Any, checkpoint: Any, seconds: int) -> Any:
    return writer.option("checkpointLocation", str(checkpoint)).trigger(processingTime=f"{seconds} seconds").start()


class Pulse:
    """Beats as long as every query gives a sign: progress, or a look that found nothing."""

    def __init__(self, signs: Signs, settings: Settings) -> None:
        self._signs, self._settings = signs, settings
        self._heart, self._handle = Heartbeat(settings), own_handle()

    def __call__(self, state: str) -> None:
        oldest = self._signs.oldest_sign()
        if state == "running" and oldest and datetime.now(UTC) - oldest > _SILENT:
            log.error("a query gives no sign; the heartbeat is held back", since=oldest.isoformat())
            return
        files = {stream: len(names) for stream, names in landed_files(self._settings).items()}
        self._heart.beat(
            "lake",
            self._handle,
            batch_id=self._signs.batches.get(LAND),
            lag=sum(self._signs.lags.values()),
            landed_through=self._signs.through,
            state=state,
            detail={"batches": dict(self._signs.batches), "files": files},
        )


def main() -> int:
    settings = get_settings()
    configure("lake")
    contracts = load_contracts(settings.contracts)
    stop = job.stop_signal()
    with job.alone(settings.checkpoints / "lake"):
        spark = session("lake", cores=2, conf=_CONF)
        password = settings.secret("postgres_iceberg_password")
        # Set after the start: what is known before it stands in the command line of the Java process.
        for key, value in catalogue_conf(settings.warehouse_uri, settings.address("postgres"), password).items():
            spark.conf.set(key, value)
        ensure_tables(spark, contracts)
        signs = Signs(landing=LAND)
        passing = listener(signs)
        spark.streams.addListener(passing)
        queries = []
        for start in (start_land, start_files, start_refine):
            queries.append(start(spark, contracts, settings))
            passing.names[queries[-1].id] = queries[-1].name
        return job.run(queries, stop, Pulse(signs, settings), stop_seconds=_STOP_SECONDS, close=spark.stop)


if __name__ == "__main__":
    sys.exit(main())

"""The lake job: change topics and dropped files into raw, and through the gate into processed topics and dead letters.

Three queries with a checkpoint each. A batch that was cut by a kill is run again: raw tables know which batch they
hold, and the topics are keyed so that a repeat overwrites itself.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from headrace.contracts.model import Contract
from headrace.lake.clock import Clock
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams import heartbeat, job, published, renewal
from headrace.streams.heartbeat import Heartbeat, own_handle
from headrace.streams.landing import drops, objects
from headrace.streams.landing.files import landed_files
from headrace.streams.landing.progress import listener
from headrace.streams.landing.resume import cut_topics, held_topics, start_of
from headrace.streams.landing.spark import FILE_SCHEMA, LandFiles, LandRecords, ensure_tables, open_catalogue
from headrace.streams.landing.stamps import Stamps, newest_stamp
from headrace.streams.landing.through import Signs
from headrace.streams.refining.spark import Refine
from headrace.streams.spark import kafka_records, session

log = get_logger(__name__)
LAND, FILES, REFINE = "land", "land_files", "refine"
_LAND_A_SECOND, _REFINE_A_SECOND, _FILES = 10_000, 2_000, 400
"""Spark waits for the next trigger whatever waits in Kafka: so a batch takes as much as may have come in its time."""
_SILENT = timedelta(minutes=3)
"""Beyond the time between two batches."""
_STOP_SECONDS = 25.0
_CONF = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:MaxMetaspaceSize=320m -XX:ReservedCodeCacheSize=128m",
    # A batch is small and its plan is not: planning it anew while it runs costs more than it saves.
    "spark.sql.adaptive.enabled": "false",
    # Of the largest records, a dozen goes to a Python worker at once.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.execution.arrow.maxBytesPerBatch": "16m",
    # A listener hears of an idle trigger at every trigger, not every ten seconds.
    "spark.sql.streaming.noDataProgressEventInterval": "1000",
    "spark.sql.streaming.minBatchesToRetain": "20",
}
Contracts = dict[str, Contract]


def start_land(spark: Any, contracts: Contracts, settings: Settings, stamps: Stamps) -> Any:
    starting = start_of(spark, _checkpoint(LAND, settings), contracts, settings)
    records = _records(spark, contracts, settings, LAND, starting, _LAND_A_SECOND)
    return _started(records.writeStream.foreachBatch(LandRecords(contracts, stamps)), LAND, settings)


def start_files(spark: Any, contracts: Contracts, settings: Settings, stamps: Stamps) -> Any:
    settings.landing.mkdir(parents=True, exist_ok=True)
    reader = spark.readStream.format("binaryFile").schema(FILE_SCHEMA).option("pathGlobFilter", "*.jsonl")
    # Spark would leave out a file that is a week older than the newest one.
    reader = reader.option("maxFilesPerTrigger", str(_FILES)).option("maxFileAge", "36500d")
    # A link is taken away when it has landed, which may be just before its batch is noted as done.
    reader = reader.option("ignoreMissingFiles", "true")
    # Only folders of known streams: a file that comes before its contract waits until there is one.
    files = reader.load(f"{drops.folder(settings)}/{{{','.join(sorted(contracts))}}}")
    return _started(files.writeStream.foreachBatch(LandFiles(contracts, settings, stamps)), FILES, settings)


def start_refine(spark: Any, contracts: Contracts, settings: Settings) -> Any:
    records = _records(spark, contracts, settings, REFINE, "earliest", _REFINE_A_SECOND)
    return _started(records.writeStream.foreachBatch(Refine(spark, contracts, settings)), REFINE, settings)


def _seconds(query: str, settings: Settings) -> int:
    """Between two batches."""
    return settings.land_batch_seconds if query == LAND else settings.lake_batch_seconds


def _checkpoint(query: str, settings: Settings) -> Path:
    return settings.checkpoints / "lake" / query


def _records(spark: Any, contracts: Contracts, settings: Settings, query: str, starting: str, a_second: int) -> Any:
    """Topics of the contracts, which begin at their earliest record when they are new to a checkpoint; and those that
    the checkpoint holds, since Spark takes one that is gone for lost data: records without a contract are left aside.
    """
    checkpoint = _checkpoint(query, settings)
    topics = {contract.topic for contract in contracts.values()} | held_topics(checkpoint)
    strict = "false" if _cut(contracts, settings) else "true"
    most = str(a_second * _seconds(query, settings))
    options = {"startingOffsets": starting, "maxOffsetsPerTrigger": most, "failOnDataLoss": strict}
    return kafka_records(spark, settings, sorted(topics), options, headers=True)


def _cut(contracts: Contracts, settings: Settings) -> set[str]:
    """New topics whose first records Kafka removed before: only while they begin, data may be missing."""
    folders = (_checkpoint(query, settings) for query in (LAND, REFINE))
    return {topic for folder in folders for topic in cut_topics(folder, contracts, settings)}


def _started(writer: Any, query: str, settings: Settings) -> Any:
    writer = writer.queryName(query).option("checkpointLocation", str(_checkpoint(query, settings)))
    return writer.trigger(processingTime=f"{_seconds(query, settings)} seconds").start()


class Pulse:
    """Beats as long as every query gives a sign: progress, or a look that found nothing; looks for files between."""

    def __init__(self, signs: Signs, settings: Settings, contracts: str, dropped: drops.Drops) -> None:
        self._signs, self._settings, self._contracts, self._dropped = signs, settings, contracts, dropped
        self._clock = Clock(settings, _told_before(settings))
        self._heart, self.handle = Heartbeat(settings), own_handle()
        self._silent = _SILENT + timedelta(seconds=max(settings.land_batch_seconds, settings.lake_batch_seconds))

    def __call__(self, state: str) -> None:
        if self._clock.went_back():
            self._signs.forget()
        self._dropped.look()
        oldest = self._signs.oldest_sign()
        if state == "running" and oldest and datetime.now(UTC) - oldest > self._silent:
            log.error("a query gives no sign; the heartbeat is held back", since=oldest.isoformat())
            return
        files = {stream: len(names) for stream, names in landed_files(self._settings).items()}
        # Said only when this process has caught up: until then `landed_through` is its predecessor's, of other topics.
        taken_up = {"contracts": self._contracts} if self._signs.through else {}
        self._heart.beat(
            "lake",
            self.handle,
            batch_id=self._signs.batches.get(LAND),
            lag=sum(self._signs.lags.values()),
            landed_through=self._signs.through,
            state=state,
            detail={"batches": dict(self._signs.batches), "files": files, **taken_up},
        )


def _told_before(settings: Settings) -> datetime | None:
    """Up to when a predecessor said that all had landed: later than now only by another clock."""
    try:
        beat = heartbeat.read(settings, "lake")
    except (psycopg.Error, OSError):
        return None
    return beat.landed_through if beat else None


def main() -> int:
    settings = get_settings()
    configure("lake")
    watch = published.Watch(settings, published.contracts_print)
    contracts = published.read(settings)
    stop = job.stop_signal()
    objects.check(settings)
    with job.alone(settings.checkpoints / "lake"):
        spark = session("lake", cores=2, conf=_CONF)
        open_catalogue(spark, settings)
        ensure_tables(spark, contracts)
        signs = Signs(landing=LAND)
        passing = listener(signs)
        spark.streams.addListener(passing)
        cut = _cut(contracts, settings)
        queries = []
        stamps = Stamps(newest_stamp(spark, contracts))
        dropped = drops.Drops(settings, contracts)
        dropped.begin()
        starts = (partial(start_land, stamps=stamps), partial(start_files, stamps=stamps), start_refine)
        for start in starts:
            queries.append(start(spark, contracts, settings))
            passing.names[queries[-1].id] = queries[-1].name
        pulse = Pulse(signs, settings, watch.known, dropped)
        renew = partial(renewal.announce, settings, "lake", pulse.handle)

        def changed() -> bool:
            """Also when topics that were cut have begun: from then on every loss stops the job again."""
            return watch.changed() or bool(cut and not _cut(contracts, settings))

        return job.run(queries, stop, pulse, stop_seconds=_STOP_SECONDS, close=spark.stop, changed=changed, renew=renew)


if __name__ == "__main__":
    sys.exit(main())

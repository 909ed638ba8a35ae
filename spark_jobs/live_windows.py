"""Live windows: change topics → gate → one count an identity → windows → metrics_realtime, in Real-Time Mode.

A batch lasts minutes and its rows leave at once; the state is saved at its end. After a kill the rows since then are
made again, with the same or a smaller version, which the projector leaves aside.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import Any

from headrace.contracts.model import Contract
from headrace.live import counting
from headrace.live.progress import boundary, watermark
from headrace.live.spark import CONF, live_query
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams import generation, job, published, renewal
from headrace.streams.consumers import Consumers
from headrace.streams.heartbeat import Heartbeat, own_handle
from headrace.streams.spark import kafka_options, kafka_records, session
from headrace.streams.spec import LiveSpec
from headrace.streams.topics import METRICS

log = get_logger(__name__)
_SILENT_SECONDS = 60
_APART_SECONDS = 11
_CONF = CONF | {
    "spark.driver.extraJavaOptions": "-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:MaxMetaspaceSize=256m -XX:ReservedCodeCacheSize=96m",
    "spark.sql.streaming.realTimeMode.allowlistCheck": "false",
    "spark.shuffle.streaming.networkBufferMaxWaitTimeMs": "5",
}


def cores(settings: Settings, streams: int) -> int:
    """In Real-Time Mode every task of every stage runs at once: source, dedupe, windows."""
    return streams * (settings.kafka_partitions + 2 * settings.live_partitions) + 2


def start(spark: Any, specs: tuple[LiveSpec, ...], contract: Contract, settings: Settings, place: int) -> Any:
    checkpoint = counting.folder(settings) / contract.name
    number = generation.current(checkpoint, counting.made_of(specs, contract, settings))
    options = {"startingOffsets": "earliest", "failOnDataLoss": "false"}
    records = kafka_records(spark, settings, [contract.topic], options)
    rows = live_query(records, specs, contract, settings, number)
    writer = rows.writeStream.queryName(contract.name).outputMode("update").format("kafka")
    writer = (
        writer.options(**kafka_options(settings)).option("topic", METRICS).option("checkpointLocation", str(checkpoint))
    )
    writer = writer.option("kafka.linger.ms", "2").option("kafka.compression.type", "lz4")
    # No row leaves while a batch ends and the next begins: of different lengths, they seldom do so at once.
    return writer.trigger(realTime=f"{settings.live_batch_seconds + place * _APART_SECONDS} seconds").start()


class Pulse:
    """Beats as long as the consumers ask for records, so that a job whose tasks hang is seen to be silent."""

    def __init__(self, spark: Any, queries: list[Any], settings: Settings, specs: str) -> None:
        self._consumers, self._queries, self._detail = Consumers(spark), queries, {"specs": specs}
        self._heart, self.handle = Heartbeat(settings), own_handle()
        self._fetches, self._moved = -1.0, time.monotonic()
        self._ended: dict[str, int] = {}

    def __call__(self, state: str) -> None:
        seen = self._consumers.consumption() if state == "running" else None
        if seen and seen.fetches != self._fetches:
            self._fetches, self._moved = seen.fetches, time.monotonic()
        silent = time.monotonic() - self._moved
        if state == "running" and silent > _SILENT_SECONDS:
            log.error("no task asks for records; the heartbeat is held back", seconds=round(silent))
            return
        lag = seen.lag if seen else None
        done = [progress for query in self._queries if (progress := query.lastProgress)]
        self._tell_of_boundaries(done)
        batch = max((progress["batchId"] for progress in done), default=None)
        detail = self._detail | {"watermark": watermark(done)}
        self._heart.beat("live", self.handle, batch_id=batch, lag=lag, state=state, detail=detail)

    def _tell_of_boundaries(self, done: list[Any]) -> None:
        for progress in done:
            stream, batch = progress["name"], progress["batchId"]
            if self._ended.get(stream) != batch:
                self._ended[stream] = batch
                log.info("a batch ended", stream=stream, batch=batch, **boundary(progress))


def main() -> int:
    settings = get_settings()
    configure("live")
    watch = published.Watch(settings, published.live_print)
    streams = published.live_streams(settings)
    stop = job.stop_signal()
    with job.alone(settings.checkpoints / "live"):
        partitions = {"spark.sql.shuffle.partitions": str(settings.live_partitions)}
        spark = session("live", cores=cores(settings, len(streams)), conf=_CONF | partitions)
        queries = [start(spark, specs, contract, settings, place) for place, (contract, specs) in enumerate(streams)]
        pulse = Pulse(spark, queries, settings, watch.known)
        renew = partial(renewal.announce, settings, "live", pulse.handle)
        return job.run(queries, stop, pulse, stop_seconds=0, close=spark.stop, changed=watch.changed, renew=renew)


if __name__ == "__main__":
    sys.exit(main())

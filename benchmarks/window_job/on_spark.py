"""The window job on Spark: the live job's own query, over one topic until its end; run in the `live` environment.

Micro-batches that end with the topic (availableNow), not Real-Time Mode: that mode is for latency, never ends by itself,
and keeps every stage of the query running at once. The expressions, the state store and the sink are the live job's.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.window_job.job import SPEC
from headrace.contracts.model import load_contracts
from headrace.settings import get_settings


def main() -> None:
    from headrace.live.spark import CONF, marked, messages, once, placed, windows
    from headrace.streams.spark import kafka_options, kafka_records, session

    given = json.loads(sys.argv[1])
    settings = get_settings()
    contract = load_contracts(settings.contracts)[SPEC.stream]
    spark = session("throughput", cores=given["cores"], conf=CONF | given["conf"])
    began = time.monotonic()
    options = {"startingOffsets": "earliest", "maxOffsetsPerTrigger": str(given["batch"])}
    events = marked(kafka_records(spark, settings, [given["topic"]], options), contract, settings)
    counted = placed(once(events, contract) if given["dedupe"] else events, [SPEC])
    rows = messages(windows(counted, [SPEC], contract), [SPEC], 1)
    writer = rows.writeStream.outputMode("update").format("kafka").options(**kafka_options(settings))
    writer = writer.option("topic", given["output"]).option("checkpointLocation", given["checkpoint"])
    query = writer.option("kafka.compression.type", "lz4").trigger(availableNow=True).start()
    query.awaitTermination()
    seconds = time.monotonic() - began
    batches = [
        {"rows": p["numInputRows"], "ms": p["durationMs"], "state": [s["numRowsTotal"] for s in p["stateOperators"]]}
        for p in query.recentProgress
    ]
    Path(given["report"]).write_text(json.dumps({"seconds": seconds, "checkpoints": len(batches), "batches": batches}))
    spark.stop()


if __name__ == "__main__":
    main()

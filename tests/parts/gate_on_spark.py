"""Run by a test in a Spark's own Python: judges the cases, keeps a file as a checkpoint does, and prints both as JSON."""

from __future__ import annotations

import json
import sys
from functools import reduce
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.contracts.model import load_contracts
from headrace.settings import get_settings
from headrace.streams.spark import gated, session
from tests.parts.gate_cases import ARRIVED, CASES, GOOD


def main() -> None:
    spark = session("gate", cores=1, conf={})
    rows = [(case.name, bytearray(case.value) if case.value is not None else None, ARRIVED) for case in CASES]
    frame = spark.createDataFrame(rows, "name string, value binary, arrived_at timestamp")
    contract = load_contracts(get_settings().contracts)["transactions"]
    judged = gated(frame, contract, 1)
    shown = [
        F.date_format(name, "yyyy-MM-dd HH:mm:ss.SSSSSS").alias(name)
        if name == "event_time"
        else F.col(name).cast("string")
        for name in GOOD
    ]
    verdicts = {
        row["name"]: {name: row[name] for name in ("refusal", "reason", "corrected", *GOOD)}
        for row in judged.select("name", "refusal", "reason", "corrected", *shown).collect()
    }
    told = {"verdicts": verdicts, "files": kept_twice(spark, Path(sys.argv[1]))}
    if "refine" in sys.argv:
        told["refined"] = refined(spark)
    json.dump(told, sys.stdout)
    spark.stop()


def kept_twice(spark: SparkSession, folder: Path) -> dict[str, str]:
    """What lies in a folder when a file was written there by Spark's own manager of checkpoints, and then replaced."""
    path, conf = spark._jvm.org.apache.hadoop.fs.Path, spark._jsparkSession.sessionState().newHadoopConf()
    streaming = spark._jvm.org.apache.spark.sql.execution.streaming.checkpointing
    manager = streaming.CheckpointFileManager.create(path(folder.as_uri()), conf)
    for word in ("first", "second"):
        stream = manager.createAtomic(path((folder / "state").as_uri()), True)
        stream.write(bytearray(word.encode()))
        stream.close()
    return {one.name: one.read_text() for one in folder.iterdir()}


def refined(spark: SparkSession) -> list[dict[str, Any]]:
    """Each record as the first look tells it, where it does, and as the gate does."""
    # The live job's environment, which judges the cases too, has no codec.
    from headrace.streams.refining.arrow import RECORD
    from headrace.streams.refining.spark import judged, looked_at, of_topic, plainly_right
    from tests.parts.plain_cases import records

    settings = get_settings()
    contracts = load_contracts(settings.contracts)
    rows = [
        (contract.topic, 0, at, ARRIVED, b"key", None if value is None else bytearray(value), [])
        for at, (contract, value) in enumerate(records(contracts))
    ]
    frame = spark.createDataFrame(rows, RECORD)
    plain = plainly_right(looked_at(frame, {one.topic: one for one in contracts.values()}, settings))
    by_gate = reduce(DataFrame.unionByName, [judged(of_topic(frame, one), one, settings) for one in contracts.values()])
    said: dict[int, dict[str, Any]] = {
        row["offset"]: {"plain": None, "gate": row.asDict(recursive=True)} for row in by_gate.collect()
    }
    for row in plain.collect():
        said[row["offset"]]["plain"] = row.asDict(recursive=True)
    return json.loads(json.dumps([said[at] for at in sorted(said)], default=str))


if __name__ == "__main__":
    main()

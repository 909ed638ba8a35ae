"""Run by a test in a Spark's own Python: judges the cases and prints the verdicts as JSON."""

from __future__ import annotations

import json
import sys

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
    json.dump(verdicts, sys.stdout)
    spark.stop()


if __name__ == "__main__":
    main()

"""The analytics job: cohorts and activity by minute from the lake's events, kept, and compared with dbt's.

A batch that ends by itself: with status 0 when both agree, 1 when a row differs, 2 when there is nothing to compare with.
"""

from __future__ import annotations

import argparse
import json
import sys

from headrace.lake import coverage
from headrace.lake.analytics.checking.spark import run
from headrace.lake.analytics.outcome import STREAMS, NotComparable, Scope, document, said
from headrace.lake.rebuild import kept_since
from headrace.log import configure, get_logger
from headrace.settings import Settings, get_settings
from headrace.streams.landing import objects
from headrace.streams.landing.spark import open_catalogue
from headrace.streams.spark import session

log = get_logger(__name__)
_CONF = {"spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:MaxMetaspaceSize=320m -XX:ReservedCodeCacheSize=128m"}


def _scope(settings: Settings, days: int) -> Scope:
    last = coverage.last_build(settings, STREAMS)
    if last is None:
        raise NotComparable(f"Nothing is curated yet of one of {', '.join(STREAMS)}: let DAG first_build end.")
    return Scope.of(*last, days, kept_since(settings.analytics_days))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--days", type=int, default=7, help="so many days of activity, the newest that are curated")
    arguments.add_argument("--json", action="store_true", help="print the outcome as one JSON document")
    given = arguments.parse_args()
    settings = get_settings()
    configure("analytics")
    objects.check(settings)
    spark = None
    try:
        scope = _scope(settings, given.days)
        spark = session("analytics", cores=2, conf=_CONF)
        open_catalogue(spark, settings)
        outcome = document(scope, run(spark, scope, kept_since(settings.analytics_days)))
    except NotComparable as error:
        log.error("nothing to compare with", reason=str(error))
        return 2
    finally:
        if spark is not None:
            spark.stop()
    (log.info if outcome["agrees"] else log.error)("compared with dbt's tables", **outcome)
    sys.stdout.write(f"{json.dumps(outcome) if given.json else said(outcome)}\n")
    return 0 if outcome["agrees"] else 1


if __name__ == "__main__":
    sys.exit(main())

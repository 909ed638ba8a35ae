"""How far a Real-Time query is inside of a batch of minutes: what its Kafka consumers say of themselves.

Spark reports progress when a batch ends; the consumers live in the same Java process and publish their own lag.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.log import get_logger

log = get_logger(__name__)

_LAG = "kafka.consumer:type=consumer-fetch-manager-metrics,client-id=*,topic=*,partition=*"
_FETCHES = "kafka.consumer:type=consumer-fetch-manager-metrics,client-id=*"


@dataclass(frozen=True)
class Consumption:
    lag: int
    fetches: float
    """Requests for records so far. A living consumer asks several times a second, also when there are none."""


def consumption(spark: Any) -> Consumption | None:
    """None while there is no consumer yet."""
    beans = _Beans(spark)
    fetches = beans.values(_FETCHES, "fetch-total")
    if not fetches:
        return None
    return Consumption(int(sum(beans.values(_LAG, "records-lag"))), sum(fetches))


class _Beans:
    """Java's management beans, called by reflection: the bean server's own class is not open to callers."""

    def __init__(self, spark: Any) -> None:
        self._gateway = spark.sparkContext._gateway
        self._jvm = spark._jvm
        self._server = self._jvm.java.lang.management.ManagementFactory.getPlatformMBeanServer()
        kind = self._jvm.java.lang.Class.forName("javax.management.MBeanServer")
        self._methods = {method.getName(): method for method in kind.getMethods()}

    def values(self, pattern: str, attribute: str) -> list[float]:
        names = self._call("queryNames", self._jvm.javax.management.ObjectName(pattern), None)
        found = (self._read(name, attribute) for name in names.toArray())
        return [value for value in found if value is not None and value >= 0]

    def _read(self, name: Any, attribute: str) -> float | None:
        """None for a bean that is being made or has just gone: consumers come and go while we look."""
        from py4j.protocol import Py4JJavaError

        try:
            return float(self._call("getAttribute", name, attribute))
        except Py4JJavaError as error:
            log.debug("a consumer did not say its metric", metric=attribute, error=str(error.java_exception))
            return None

    def _call(self, method: str, *arguments: Any) -> Any:
        packed = self._gateway.new_array(self._jvm.java.lang.Object, len(arguments))
        for place, argument in enumerate(arguments):
            packed[place] = argument
        return self._methods[method].invoke(self._server, packed)

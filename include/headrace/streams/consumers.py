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


class Consumers:
    """Those of one session; made once, because each word of Java that is looked up anew searches all jars."""

    def __init__(self, spark: Any) -> None:
        self._beans = _Beans(spark)

    def consumption(self) -> Consumption | None:
        """None while there is no consumer yet."""
        fetches = self._beans.values(_FETCHES, "fetch-total")
        if not fetches:
            return None
        return Consumption(int(sum(self._beans.values(_LAG, "records-lag"))), sum(fetches))


class _Beans:
    """Java's management beans, called by reflection: the bean server's own class is not open to callers."""

    def __init__(self, spark: Any) -> None:
        self._gateway, java = spark.sparkContext._gateway, spark._jvm
        self._name, self._object = java.javax.management.ObjectName, java.java.lang.Object
        self._server = java.java.lang.management.ManagementFactory.getPlatformMBeanServer()
        kind = java.java.lang.Class.forName("javax.management.MBeanServer")
        self._methods = {method.getName(): method for method in kind.getMethods()}

    def values(self, pattern: str, attribute: str) -> list[float]:
        names = self._call("queryNames", self._name(pattern), None)
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
        packed = self._gateway.new_array(self._object, len(arguments))
        for place, argument in enumerate(arguments):
            packed[place] = argument
        return self._methods[method].invoke(self._server, packed)

"""Spark's own reports of its queries, passed on; the class is made late, as its base comes from Spark."""

from __future__ import annotations

from typing import Any

from headrace.streams.landing.through import Signs


def listener(signs: Signs) -> Any:
    """A StreamingQueryListener that tells `signs`; `names` maps a query's id to its name."""
    from pyspark.sql.streaming import StreamingQueryListener

    class Passing(StreamingQueryListener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.names: dict[str, str] = {}

        def onQueryStarted(self, event: Any) -> None:
            self.names[str(event.id)] = event.name

        def onQueryProgress(self, event: Any) -> None:
            signs.progressed(event.progress.name, event.progress)

        def onQueryIdle(self, event: Any) -> None:
            name = self.names.get(str(event.id))
            if name:
                signs.idle(name, event.timestamp)

        def onQueryTerminated(self, event: Any) -> None:
            """The job sees by itself that a query ended."""

    return Passing()

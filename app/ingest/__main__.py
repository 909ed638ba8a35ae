"""Starts the service; one worker, as the work is done by librdkafka's threads and one process has one producer."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from headrace.settings import get_settings


def main() -> None:
    settings = get_settings()
    Granian(
        "app.ingest.service:app",
        address=settings.bind,
        port=settings.ports.ingest,
        interface=Interfaces.RSGI,
        workers=1,
        backpressure=512,
        log_level=LogLevels.warning,
        workers_kill_timeout=15,
    ).serve()


if __name__ == "__main__":
    main()

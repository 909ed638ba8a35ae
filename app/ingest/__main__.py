"""Starts the service in this one process.

Granian's usual server keeps its workers in child processes, and a worker outlives a parent that is killed: it would
hold the port, and go on answering, beside its replacement. One process is enough here, as librdkafka's threads do the
work, and it dies as a whole.
"""

from __future__ import annotations

import asyncio
import signal

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app.ingest.service import Service
from headrace.log import configure
from headrace.settings import get_settings


async def serve() -> None:
    settings = get_settings()
    server = Server(
        Service(),
        address=settings.bind,
        port=settings.ports.ingest,
        interface=Interfaces.RSGI,
        websockets=False,
        backpressure=512,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.stop)
    await server.serve()


def main() -> None:
    configure("ingest")
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve())
    else:
        uvloop.run(serve())


if __name__ == "__main__":
    main()

"""`python -m app.api`: serves the API on loopback, in this one process, until it is told to stop.

One process, not Granian's workers: a worker would outlive a parent that is killed, and keep the port.
"""

from __future__ import annotations

import asyncio
import signal

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app.api.app import create
from app.api.wiring import wire
from headrace.log import configure, get_logger
from headrace.settings import get_settings

_LOG = get_logger(__name__)


async def serve() -> None:
    settings = get_settings()
    server = Server(
        create(wire(settings)),
        address=settings.bind,
        port=settings.ports.api,
        interface=Interfaces.ASGI,
        websockets=False,
        log_level=LogLevels.error,
    )
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, server.stop)
    _LOG.info("api_serving", address=settings.address("api"))
    await server.serve()


if __name__ == "__main__":
    configure("api")
    asyncio.run(serve())

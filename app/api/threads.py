"""Blocking work in threads, each with a time limit: no slow store may hold the loop, and no caller waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

from app.api.problems import Refused

T = TypeVar("T")


async def in_thread(seconds: float, work: Callable[[], T]) -> T:
    try:
        return await asyncio.wait_for(anyio.to_thread.run_sync(work, abandon_on_cancel=True), seconds)
    except TimeoutError as error:
        next_step = "Ask for a shorter period or fewer groups."
        raise Refused(504, f"No answer within {seconds:.0f} seconds.", next_step) from error

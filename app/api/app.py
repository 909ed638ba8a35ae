"""Assembles the application; `create` is what the server calls, tests pass their own parts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import failures, key_routes, lineage_routes, middleware, problems, quality_routes, routes
from app.api.parts import Parts

_DESCRIPTION = """Ask about the business in plain English; every answer carries its plan, its SQL and how fresh it is.

Sign in with `POST /token`, then send `Authorization: Bearer …`. Send `X-Correlation-Id` to find a request in every log.
Errors have one form: `{"status": "error", "error": {"message", "next_step"}}`."""


def create(parts: Parts) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        for part in app.state.parts.closing:
            part.close()

    app = FastAPI(title="Headrace", version="1", description=_DESCRIPTION, lifespan=lifespan)
    app.state.parts = parts
    problems.install(app)
    failures.install(app)
    for module in (routes, key_routes, quality_routes, lineage_routes):
        app.include_router(module.router)
    app.add_middleware(middleware.Envelope)
    return app

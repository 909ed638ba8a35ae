"""GET /lineage for people; POST /lineage for OpenLineage's HTTP transport, which knows the lineage key."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

from app.api.parts import Lineage, Parts
from app.api.problems import Refused
from app.api.security import Person, parts_of, require
from app.api.threads import in_thread
from headrace.lineage.graph import Edge, Graph, Unknown
from headrace.lineage.names import Node
from headrace.lineage.store import Malformed
from headrace.settings import MissingSecret

_BEARER = HTTPBearer(auto_error=False)
_SECONDS = 10.0
router = APIRouter()


class Place(BaseModel):
    name: str
    kind: str


class Step(BaseModel):
    source: str
    target: str
    job: str


class LineageGraph(BaseModel):
    about: list[str]
    """What was asked for; empty: everything."""
    nodes: list[Place]
    edges: list[Step]


@router.get("/lineage")
async def lineage(
    request: Request, person: Person, name: Annotated[str | None, Query(max_length=200)] = None
) -> LineageGraph:
    """What comes from what: everything, or all that is above and below one topic, table, live key, metric or report."""
    parts = parts_of(request)
    require(parts, person, "catalogue")

    def work() -> LineageGraph:
        graph = _store(parts).graph()
        return _shown(graph, _found(graph, name) if name else None)

    return await in_thread(_SECONDS, work)


@router.post("/lineage", status_code=201)
@router.post("/api/v1/lineage", status_code=201, include_in_schema=False)
async def tell(
    request: Request,
    body: Annotated[dict[str, Any], Body()],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
) -> Response:
    """Takes one OpenLineage event; telling the same again changes nothing. Needs the lineage key as bearer token."""
    parts = parts_of(request)
    if credentials is None or not _is_key(parts, credentials.credentials):
        raise Refused(
            401,
            "This needs the lineage key.",
            "Send Authorization: Bearer with secrets/lineage_api_key of the state folder.",
        )

    def work() -> Response:
        try:
            _store(parts).keep([body])
        except Malformed as error:
            raise Refused(422, str(error), "See https://openlineage.io/apidocs/openapi for the form.") from error
        return Response(status_code=201)

    return await in_thread(_SECONDS, work)


def _is_key(parts: Parts, given: str) -> bool:
    try:
        return hmac.compare_digest(given.encode(), parts.settings.secret("lineage_api_key").encode())
    except MissingSecret:
        return False


def _store(parts: Parts) -> Lineage:
    if parts.lineage is None:
        raise Refused(503, "This API keeps no lineage.", "Start it by `./headrace up`.")
    return parts.lineage


def _found(graph: Graph, name: str) -> list[Node]:
    try:
        return graph.find(name)
    except Unknown as error:
        raise Refused(404, str(error), "GET /lineage lists every name.") from error


def _shown(graph: Graph, about: list[Node] | None) -> LineageGraph:
    edges: list[Edge] = graph.edges if about is None else graph.around(about)
    nodes = graph.nodes if about is None else sorted({n for e in edges for n in (e.source, e.target)} | set(about))
    return LineageGraph(
        about=[node.name for node in about or ()],
        nodes=[Place(name=node.name, kind=node.kind) for node in nodes],
        edges=[Step(source=edge.source.name, target=edge.target.name, job=edge.job) for edge in edges],
    )

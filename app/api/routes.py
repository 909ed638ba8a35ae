"""The routes: each checks who asks, hands over to the house, and returns what it made."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from app.api import anomalies, live, sessions
from app.api.live_windows import LiveWindows, Wanted, windows
from app.api.models import (
    Activity,
    Anomalies,
    CatalogueCard,
    DimensionCard,
    Health,
    LiveSummary,
    MetricCard,
    SignedIn,
    SignIn,
)
from app.api.models import Query as Asking
from app.api.problems import Refused
from app.api.security import Person, SignInLimit, parts_of, require
from app.api.threads import in_thread
from headrace.assistant.answer import Answer
from headrace.assistant.permit import vocabulary_of
from headrace.assistant.suggest import suggest
from headrace.policy.audit import Entry, write_or_log
from headrace.policy.tokens import issue
from headrace.policy.users import UsersFileError, sign_in

_SIGN_IN_SECONDS = 10.0
_LIVE_SECONDS = 5.0
_GRACE_SECONDS = 5.0
router = APIRouter()
_tries = SignInLimit()


@router.post("/token")
async def token(request: Request, body: SignIn) -> SignedIn:
    """Signs in a local user; the token expires."""
    parts = parts_of(request)
    _tries.check(body.username)

    def work() -> SignedIn:
        try:
            person = sign_in(parts.settings, body.username, body.password)
        except UsersFileError as error:
            raise Refused(503, "The list of users cannot be read.", "An administrator corrects users.yaml.") from error
        if person is None:
            _tries.wrong(body.username)
            write_or_log(parts.audit, Entry(body.username, "sign_in", "", False))
            raise Refused(401, "Name or password is wrong.", "Try again; `./headrace status` names the sign-in.")
        write_or_log(parts.audit, Entry(person.user, "sign_in", "", True))
        made = issue(parts.settings, person)
        return SignedIn(
            access_token=made.access_token, expires_at=made.expires_at, user=person.user, roles=list(person.roles)
        )

    return await in_thread(_SIGN_IN_SECONDS, work)


@router.post("/query")
async def query(request: Request, body: Asking, person: Person) -> Answer:
    """Answers a question in plain English, with its evidence; asks back when it is ambiguous; declines what it cannot know."""
    parts = parts_of(request)
    require(parts, person, "ask")
    question, correlation = body.question(), request.state.correlation_id

    def work() -> Answer:
        return parts.assistant.answer(person, question, correlation)

    return await in_thread(parts.settings.query_seconds + _GRACE_SECONDS, work)


@router.get("/live/summary")
async def live_summary(
    request: Request, person: Person, minutes: Annotated[int, Query(ge=1, le=180)] = 30
) -> LiveSummary:
    """The last minutes, from the live store alone."""
    parts = parts_of(request)
    require(parts, person, "live")

    return await in_thread(_LIVE_SECONDS, lambda: live.summary(parts, person, minutes))


@router.get("/live/windows")
async def live_windows(request: Request, person: Person, asked: Wanted) -> LiveWindows:
    """Windows of any length, tumbling or sliding, from the live store alone."""
    parts = parts_of(request)
    require(parts, person, "live")

    return await in_thread(_LIVE_SECONDS, lambda: windows(parts, person, asked))


@router.get("/anomalies")
async def list_anomalies(
    request: Request, person: Person, state: Annotated[Literal["open", "closed"] | None, Query()] = None
) -> Anomalies:
    """What is unusual now, and what was in the last day: each with its evidence and a sentence."""
    parts = parts_of(request)
    require(parts, person, "live")

    return await in_thread(_LIVE_SECONDS, lambda: anomalies.recent(parts, person, state))


@router.get("/users/{user_id}/activity")
async def activity(
    request: Request, person: Person, user_id: Annotated[str, Path(min_length=1, max_length=64)]
) -> Activity:
    """What a person did in the last hour, session by session; for those who may see persons."""
    parts = parts_of(request)

    return await in_thread(_LIVE_SECONDS, lambda: sessions.of_user(parts, person, user_id))


@router.get("/catalogue/metrics")
async def catalogue(request: Request, person: Person) -> CatalogueCard:
    """What this person can ask about."""
    parts = parts_of(request)
    require(parts, person, "catalogue")

    def work() -> CatalogueCard:
        words = vocabulary_of(person, parts.vocabulary())
        return CatalogueCard(
            metrics=[
                MetricCard(
                    name=m.name, label=m.label, description=m.description, type=m.kind, unit=m.unit, owner=m.owner,
                    synonyms=list(m.synonyms), live=all(c.live for c in words.components([m.name])),
                )
                for m in words.metrics.values()
            ],
            dimensions=[
                DimensionCard(
                    name=d.name, label=d.label, synonyms=list(d.synonyms), values=list(d.values), live=bool(d.live_key)
                )
                for d in words.dimensions.values()
            ],
            questions=list(suggest(words)),
        )  # fmt: skip

    return await in_thread(_LIVE_SECONDS, work)


@router.get("/health", responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    """Open. 200 while live questions can be answered (Valkey and PostgreSQL are up), else 503."""
    found = await in_thread(_LIVE_SECONDS, parts_of(request).checks.health)
    response.status_code = 503 if found.status == "down" else 200
    return found

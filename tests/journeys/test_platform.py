"""The whole platform as `./headrace up` gives it: what a newcomer sees within the first minutes."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import psutil
import pytest

from headrace.runtime.parts import PARTS
from headrace.runtime.supervise import own_processes
from headrace.settings import Settings
from tests.conftest import headrace


def _status(settings: Settings) -> dict[str, dict[str, Any]]:
    result = headrace("status", "--json", home=settings.home, check=False)
    return {part["name"]: part for part in json.loads(result.stdout)["parts"]}


def _ask(settings: Settings, question: str) -> dict[str, Any]:
    return json.loads(headrace("ask", question, "--json", home=settings.home, check=False).stdout)


def _await(what: str, seconds: float, condition: Any) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not in time: {what}"
        time.sleep(2)
    return found


def test_airflow_starts_both_streaming_jobs(platform: Settings) -> None:
    _await("both jobs run", 180, lambda: all(_status(platform)[job]["healthy"] for job in ("live", "lake")))


@pytest.mark.parametrize("question", ["How many transactions in the last 5 minutes?", "Sales in the last 5 minutes"])
def test_there_is_something_to_ask_at_once(platform: Settings, question: str) -> None:
    """Live figures, of money too, answer before the first history is built."""
    answer = _await("a live answer", 300, lambda: (a := _ask(platform, question)).get("status") == "answered" and a)
    assert answer["data"]["rows"]


def test_the_first_history_is_built_and_answers(platform: Settings) -> None:
    answer = _await(
        "an answer from the lake",
        600,
        lambda: (
            (a := _ask(platform, "Sales by region in the last 7 days")).get("status") == "answered"
            and any("trino" in part["engine"] for part in a["sql"])
            and a
        ),
    )
    assert len(answer["data"]["rows"]) == 4
    assert answer["plan"]
    assert answer["freshness"]


def test_a_question_that_cannot_be_answered_is_declined(platform: Settings) -> None:
    answer = _ask(platform, "What will the weather be in Paris tomorrow?")
    assert answer["status"] in ("declined", "asked")
    assert not (answer.get("data") or {}).get("rows")


@pytest.mark.parametrize("part", [part.name for part in PARTS])
def test_the_health_check_that_containers_use_says_yes(platform: Settings, part: str) -> None:
    headrace("health", part, "--settle", home=platform.home)


@pytest.mark.parametrize("address", ["app", "airflow", "api"])
def test_pages_answer(platform: Settings, address: str) -> None:
    port = getattr(platform.ports, address)
    path = "/docs" if address == "api" else "/"
    assert httpx.get(f"http://127.0.0.1:{port}{path}", follow_redirects=True, timeout=20).is_success


def test_nothing_answers_without_an_identity(platform: Settings) -> None:
    assert httpx.post(f"{platform.api_url}/query", json={"query": "sales today"}).status_code == 401
    assert httpx.post(f"{platform.ingest_url}/events/transactions", json={}).status_code == 401


def test_every_part_listens_on_loopback_only(platform: Settings) -> None:
    listening = set()
    for process in own_processes(platform):
        try:
            connections = process.net_connections("inet")
        except psutil.Error:
            continue
        listening |= {(process.name(), c.laddr[0]) for c in connections if c.status == psutil.CONN_LISTEN}
    assert listening
    assert [(n, ip) for n, ip in listening if ip not in ("127.0.0.1", "::1", "::ffff:127.0.0.1")] == []


def test_no_secret_is_in_any_log(platform: Settings) -> None:
    secrets = {path.name: path.read_text().encode() for path in (platform.home / "secrets").iterdir()}
    leaks = [
        (path.name, name)
        for path in (platform.home / "logs").rglob("*")
        if path.is_file()
        for name, value in secrets.items()
        if value in path.read_bytes()
    ]
    assert leaks == []


def test_the_docs_tell_of_every_model_as_it_was_built(platform: Settings) -> None:
    """Asked last: the first build makes them at its end. The catalogue holds what dbt found in the lake itself."""

    def told(name: str) -> set[str]:
        answer = httpx.get(f"{platform.docs_url}/{name}", timeout=60)
        nodes = answer.json()["nodes"] if answer.is_success else {}
        return {node for node in nodes if node.startswith("model.")}

    built = _await("the docs", 600, lambda: told("catalog.json"))
    assert "model.headrace.customer_lifetime" in built, "made of facts, after them"
    assert built == told("manifest.json"), "each of them is in the lake"
    assert "being built" not in httpx.get(platform.docs_url, timeout=60).text

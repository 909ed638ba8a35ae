"""Registers every contract in the schema registry, whose compatibility check is the reason why it is there.

It speaks Confluent's registry protocol, so Apicurio (the embedded default) and Confluent's own both serve.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import stamina

from headrace.contracts.model import Contract, load_contracts
from headrace.contracts.schema import changes, json_schema, schema_text
from headrace.log import get_logger
from headrace.settings import Settings

log = get_logger(__name__)
COMPATIBILITY = "BACKWARD"
_JSON = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
_SECONDS = 10.0


class RegistryUnavailable(ConnectionError):
    """The registry did not answer in time or answered that it cannot."""


class IncompatibleContract(ValueError):
    """A contract changed in a way that breaks readers of what was already written."""

    def __init__(self, contract: Contract, reasons: list[str]) -> None:
        super().__init__(
            f"Contract {contract.name} {contract.version} is not backward compatible with the registered one: "
            f"{'; '.join(reasons) or 'the registry refused it'}. Add optional fields or widen instead, "
            "or give the changed stream a new name."
        )
        self.contract = contract.name
        self.reasons = tuple(reasons)


@dataclass(frozen=True)
class Subject:
    name: str
    schema_id: int
    version: int


@contextmanager
def registry_client(settings: Settings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.registry_url, timeout=_SECONDS, headers=_JSON, trust_env=False) as client:
        yield client


def _call(client: httpx.Client, method: str, path: str, body: Any = None, allow: Iterable[int] = ()) -> httpx.Response:
    """One request; what cannot be reached, or reports its own fault, is tried again for half a minute."""
    for attempt in stamina.retry_context(on=RegistryUnavailable, attempts=8, timeout=30.0, wait_initial=0.3):
        with attempt:
            try:
                response = client.request(method, path, json=body)
            except httpx.TransportError as error:
                raise RegistryUnavailable(
                    f"No registry at {client.base_url} ({error}): see `./headrace status`."
                ) from error
            if response.status_code >= 500:
                raise RegistryUnavailable(
                    f"The registry answered {response.status_code}: see `./headrace logs registry`."
                )
    if response.is_error and response.status_code not in allow:
        raise RuntimeError(f"Registry: {method} {path} answered {response.status_code}: {response.text[:300]}")
    return response


def latest_schema(client: httpx.Client, subject: str) -> dict[str, Any] | None:
    """The newest registered schema of a subject, or None where there is none."""
    response = _call(client, "GET", f"/subjects/{subject}/versions/latest", allow=(404,))
    return None if response.status_code == 404 else dict(json.loads(response.json()["schema"]))


def ensure_subject(client: httpx.Client, contract: Contract) -> Subject:
    """Registers one contract; the same contract again changes nothing.

    What JSON Schema cannot say (the places of a decimal, a date in place of a moment) is judged here, the rest there.
    """
    known = latest_schema(client, contract.subject)
    if known and (reasons := changes(known, json_schema(contract))):
        raise IncompatibleContract(contract, reasons)
    _call(client, "PUT", f"/config/{contract.subject}", {"compatibility": COMPATIBILITY})
    body = {"schemaType": "JSON", "schema": schema_text(contract)}
    response = _call(client, "POST", f"/subjects/{contract.subject}/versions", body, allow=(409, 422))
    if response.is_error:
        raise IncompatibleContract(contract, [_violation(response)])
    version = _call(client, "GET", f"/subjects/{contract.subject}/versions/latest").json()["version"]
    return Subject(contract.subject, int(response.json()["id"]), int(version))


def promises_broken(settings: Settings, contracts: Iterable[Contract]) -> dict[str, list[str]]:
    """What readers of the registered schemas would miss, by stream; changes nothing."""
    with registry_client(settings) as client:
        known = {contract.name: (latest_schema(client, contract.subject), contract) for contract in contracts}
    found = {name: changes(old, json_schema(contract)) for name, (old, contract) in known.items() if old}
    return {name: reasons for name, reasons in found.items() if reasons}


def _violation(response: httpx.Response) -> str:
    """The registry's own words, without the Java around them."""
    found = re.search(r"diff types: \[(.*)\]", response.text)
    return found[1] if found else response.text[:300]


def ensure_subjects(settings: Settings) -> tuple[Subject, ...]:
    """Every contract is registered, or IncompatibleContract says which one may not be and why."""
    contracts = load_contracts(settings.contracts)
    with registry_client(settings) as client:
        subjects = tuple(ensure_subject(client, contract) for contract in contracts.values())
    log.info("subjects ensured", subjects=len(subjects), newest={s.name: s.version for s in subjects})
    return subjects

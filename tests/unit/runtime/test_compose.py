"""docker-compose.yaml says what the list of parts says."""

from __future__ import annotations

from pathlib import Path

import yaml
from compose_pydantic.models import ComposeSpecification

from headrace.runtime.compose import document
from headrace.runtime.parts import PARTS

REPO = Path(__file__).resolve().parents[3]
COMPOSE = REPO / "docker-compose.yaml"


def test_the_file_matches_the_list_of_parts() -> None:
    assert COMPOSE.read_text() == document(), "Next: ./headrace compose > docker-compose.yaml"


def test_the_file_is_valid_compose() -> None:
    specification = ComposeSpecification.model_validate(yaml.safe_load(COMPOSE.read_text()))
    assert set(specification.services or {}) == {"init", *(part.name for part in PARTS)}


def test_nothing_is_published_beyond_loopback() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_runs_what_a_laptop_runs() -> None:
    dockerfile = (REPO / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["./headrace"]' in dockerfile
    assert "USER headrace" in dockerfile

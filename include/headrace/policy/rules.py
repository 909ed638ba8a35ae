"""Reads include/policy.yaml into checked objects, so that a spelling mistake there stops the start, not a check."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headrace.contracts import plain
from headrace.settings import REPO

MaskKind = Literal["pseudonym", "hide"]
POLICY_FILE = REPO / "include" / "policy.yaml"


class PolicyError(ValueError):
    """The policy file cannot be acted on; nothing is allowed until it is corrected."""


class Role(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = ""
    actions: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    denied_dimensions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    masks: dict[str, MaskKind] = Field(default_factory=dict)
    rows: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1]
    roles: dict[str, Role]

    def roles_of(self, names: tuple[str, ...]) -> list[Role]:
        """The known roles among the names: an unknown one grants nothing."""
        return [self.roles[name] for name in names if name in self.roles]


@lru_cache(maxsize=8)
def load_policy(path: Path = POLICY_FILE) -> Policy:
    try:
        return Policy.model_validate(plain.values(path))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PolicyError(f"{path}: {error}. Correct the file and restart.") from error

"""Who is asking and what they may see: one file decides for the app, the API, the assistant and Trino."""

from __future__ import annotations

from headrace.policy.decide import Decision, Resource, allowed, column_masks, row_limits
from headrace.policy.identity import Identity
from headrace.policy.rules import Policy, PolicyError, Role, load_policy

__all__ = [
    "Decision",
    "Identity",
    "Policy",
    "PolicyError",
    "Resource",
    "Role",
    "allowed",
    "column_masks",
    "load_policy",
    "row_limits",
]

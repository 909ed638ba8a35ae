"""A first contract for a new stream: it works as it is written, and its comments say what else could stand there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headrace.contracts.model import Kind
from headrace.contracts.names import unusable, unusable_owner, unusable_property, unusable_stream
from headrace.contracts.templating import filled


class CannotBegin(ValueError):
    """A contract cannot be written as it was asked for; the message says why and what would do."""


@dataclass(frozen=True)
class Beginning:
    """What is asked of a person before there is a file."""

    name: str
    kind: Kind = "events"
    key: str = ""
    source: str = "rest"
    database: str = "marketplace"
    owner: str = ""
    description: str = ""


_TEXT = """\
# The stream `<< name >>`. Next: edit, then ./headrace stream check << name >>, then ./headrace stream apply << name >>
apiVersion: v3.1.0
kind: DataContract
id: << name >>
name: << name >>
version: 1.0.0                  # raise it with every change that senders or readers notice
status: active
domain: << database >>
description:
  purpose: << purpose | quoted >>
team:
  name: << owner >>             # who answers for it
schema:
  - name: << name >>
    logicalType: object
    description: << grain >>
    customProperties:
      - property: kind          # events: each row is a fact; entity: the newest row of a key is its state
        value: << kind >>
      - property: source        # the topic is called source.database.<< name >>.operation
        value: << source >>
      - property: database
        value: << database >>
      - property: operation
        value: << operation >>
      - property: key           # the Kafka key: order is kept per value of it
        value: << key >>
      - property: identity      # what makes two events the same event, so that a repeat is not counted again
        value: [<< identity | join(", ") >>]
      - property: event_time    # when it happened; windows and lateness go by it
        value: << event_time >>
<% if not events %>
      - property: history       # every state is kept, and a record without a value deletes its key; false: the newest row stays
        value: true
<% endif %>
    properties:
<% if events %>
      - name: event_id
        logicalType: string     # string, integer, number, boolean, timestamp or date
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        description: Made by the producer; a repeat of it is the same event.
        logicalTypeOptions: {minLength: 8, maxLength: 64}
        classification: internal  # public, internal, confidential or restricted
      - name: event_time
        logicalType: timestamp
        required: true
        description: When it happened, in UTC.
        classification: internal
<% endif %>
<% if key not in ("event_id", "event_time", "updated_at") %>
      - name: << key >>
        logicalType: string
        required: true
<% if not events %>
        primaryKey: true
        primaryKeyPosition: 1
<% endif %>
        logicalTypeOptions: {minLength: 1, maxLength: 64}
        classification: << "confidential" if person else "internal" >>
<% if person %>
        customProperties:
          - property: person    # it names a person: an erasure must find it
            value: true
<% endif %>
<% endif %>
<% if not events %>
      - name: updated_at
        logicalType: timestamp
        required: true
        primaryKey: true
        primaryKeyPosition: 2
        description: When this state began, in UTC; the newest one wins.
        classification: internal
<% endif %>
      - name: << status >>  # the first live metric is counted by the properties with values
        logicalType: string
        required: true
        classification: public
        customProperties:
          - property: values    # nothing else is accepted; adding one later is compatible, removing one is not
            value: [<< values | join(", ") >>]
      # More properties. A later one must be optional (required: false), or older events could not be read any more.
      # - name: amount
      #   logicalType: number
      #   physicalType: decimal(18,2)   # exact; without it a number is a double
      #   required: false
      #   logicalTypeOptions: {minimum: 0, maximum: 1000000}
      #   classification: internal
      # - name: note
      #   logicalType: string
      #   required: false
      #   logicalTypeOptions: {minLength: 1, maxLength: 200}
      #   classification: confidential  # stays out of the curated table
"""


def text(asked: Beginning) -> str:
    """The file's content, or CannotBegin."""
    events = asked.kind == "events"
    key = asked.key or ("user_id" if events else f"{singular(asked.name)}_id")
    _usable(asked, key)
    identity = ["event_id"] if events else [key, "updated_at"]
    words = asked.name.replace("_", " ")
    one = singular(asked.name).replace("_", " ")
    grain = f"One row per {one}." if events else f"One row per state of {_article(one)}."
    return filled(
        _TEXT, name=asked.name, kind=asked.kind, key=key, source=asked.source, database=asked.database, events=events,
        owner=asked.owner or asked.database, purpose=asked.description or f"What {words} there are, and when.", grain=grain,
        operation="insert" if events else "upsert", identity=identity, event_time="event_time" if events else "updated_at",
        person=key in ("user_id", "customer_id"), values=["started", "done"] if events else ["active", "closed"],
        status=f"{singular(asked.name)}_status",
    )  # fmt: skip


def write(folder: Path, asked: Beginning) -> Path:
    path = folder / f"{asked.name}.yaml"
    content = text(asked)
    if path.exists():
        raise CannotBegin(f"There is a stream {asked.name} already: {path}. Edit that file, or choose another name.")
    path.write_text(content)
    return path


def _usable(asked: Beginning, key: str) -> None:
    parts = (
        (unusable, asked.source),
        (unusable, asked.database),
        (unusable_property, key),
        (unusable_owner, asked.owner),
    )
    reasons = [unusable_stream(asked.name), *(judge(name) for judge, name in parts if name)]
    if asked.kind not in ("events", "entity"):
        reasons.append(f"kind is {asked.kind!r}; it is events or entity")
    if found := [reason for reason in reasons if reason]:
        raise CannotBegin(f"{'. '.join(found)}.")


def singular(name: str) -> str:
    """As far as a first guess goes; the file is there to be edited."""
    for ending, one in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if name.endswith(ending):
            return name.removesuffix(ending) + one
    return name.removesuffix("s") if not name.endswith("ss") else name


def _article(words: str) -> str:
    return f"{'an' if words[:1] in 'aeiou' else 'a'} {words}"

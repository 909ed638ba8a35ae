"""Records that nobody should send and somebody will: each meets every reader of a topic in the midst of good ones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from confluent_kafka import Message, Producer

from headrace.settings import Settings
from headrace.streams.topics import producer_config

_DEEP = 100_000


@dataclass(frozen=True)
class Poison:
    name: str
    value: bytes | None
    key: bytes | None = b"u-1"
    headers: tuple[tuple[str, bytes | None], ...] = ()
    rule: str = "json"
    """The rule of the gate that refuses it."""


def poisons(good: dict[str, Any], text: str) -> list[Poison]:
    """Spoilt forms of a good event; `text` is a field that holds a person or a merchant."""
    whole = json.dumps(good)

    def with_token(token: str) -> bytes:
        return json.dumps(good | {text: "HERE"}).replace('"HERE"', token).encode()

    return [
        Poison("no JSON", b"hello"),
        Poison("nothing in it", b""),
        Poison("a tombstone", None, rule="empty"),
        Poison("a tombstone without a key", None, key=None, rule="empty"),
        Poison("bytes of another format", b"\x00\x00\x00\x00\x07\x02\xff", rule="encoding"),
        Poison("not UTF-8", whole.encode().replace(b'": "', b'": "\xff\xfe', 1), rule="encoding"),
        Poison("half of an event", whole[: len(whole) // 2].encode()),
        Poison("a list", f"[{whole}]".encode()),
        Poison("half a surrogate pair", with_token('"\\ud800"'), rule="surrogate"),
        Poison("character of number zero", with_token('"a\\u0000b"'), rule="nul"),
        Poison("a large text", with_token(f'"{"x" * 900_000}"'), rule=f"length:{text}"),
        Poison("a text of control characters", with_token('"' + "\\u0001" * 100_000 + '"'), rule=f"length:{text}"),
        Poison("a field without a bottom", with_token("[" * _DEEP + "]" * _DEEP), rule="excess"),
        Poison("an object without a bottom", b'{"a":' * _DEEP + b"1" + b"}" * _DEEP, rule="excess"),
        Poison("brackets that never close", b"[" * _DEEP, rule="excess"),
        Poison("a number of 5000 digits", with_token("9" * 5000), rule="excess"),
        Poison("a number beyond every type", with_token("1e999999999"), rule=""),
        Poison("a key that is no text", b"hello", key=b"\xff\xfe\x00"),
        Poison("a key of 500 kB", b"hello", key=b"\x01" * 500_000),
        Poison("headers that are no text", b"hello", headers=(("correlation_id", b"\xff\x00"), ("", b""), ("odd", None))),
        Poison("a header twice", b"hello", headers=(("odd", b"1"), ("odd", b"2"))),
        Poison("headers of 500 kB", b"hello", headers=(("contract_version", b"\x01" * 500_000),)),
        Poison("a thousand headers", b"hello", headers=tuple((f"h{n}", b"\x02" * 200) for n in range(1000))),
    ]  # fmt: skip


def send(settings: Settings, topic: str, bad: list[Poison]) -> dict[str, Poison]:
    """By the place where each lies now, as its dead letter is named."""
    producer, placed = Producer(producer_config(settings, compression="snappy")), {}

    def note(one: Poison, error: object, message: Message) -> None:
        assert error is None, (one.name, error)
        placed[f"{message.topic()}:{message.partition()}:{message.offset()}"] = one

    for one in bad:
        headers = list(one.headers)
        producer.produce(topic, one.value, key=one.key, headers=headers, on_delivery=partial(note, one))
    assert producer.flush(30) == 0
    return placed

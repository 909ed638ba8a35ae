"""What a killed replay had already sent: found in the change topic itself, so that it is not sent again.

A claim says when its sending began, and a sending is given up after some seconds, so a short stretch of the topic tells.
Where clocks differ more than the margin a letter may be sent again; by its identity the event still counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from headrace.settings import Settings
from headrace.streams.deadletters.letter import REPLAY_OF, DeadLetter, readable
from headrace.streams.deadletters.reading import records
from headrace.streams.deadletters.sending import ACK_SECONDS
from headrace.streams.deadletters.states import State

_MARGIN = timedelta(minutes=1)


def already_sent(settings: Settings, claims: Sequence[tuple[DeadLetter, State]]) -> dict[str, str]:
    """Letter -> topic:partition:offset, for those that arrived."""
    found: dict[str, str] = {}
    for topic in sorted({letter.home for letter, _ in claims}):
        ours = {letter.name: state.at for letter, state in claims if letter.home == topic}
        until = max(ours.values()) + timedelta(seconds=ACK_SECONDS) + _MARGIN
        for message in records(settings, topic, min(ours.values()) - _MARGIN, until):
            name = next((readable(value) for key, value in message.headers() or () if key == REPLAY_OF), None)
            if name in ours:
                found[name] = f"{topic}:{message.partition()}:{message.offset()}"
    return found

"""Puts the folding of latest metrics together with the real stores, for the part that runs it."""

from __future__ import annotations

from functools import partial

from headrace.assistant.catalogue import Catalogue
from headrace.assistant.filled import FilledStore
from headrace.keys.latest import LatestMetrics
from headrace.lake import trino
from headrace.live.client import valkey
from headrace.live.store import LiveStore
from headrace.settings import Settings


def latest_metrics(settings: Settings) -> LatestMetrics:
    client = valkey(settings)
    store = LiveStore(client)
    catalogue = Catalogue(settings, partial(trino.read, settings), wait=0.0)
    return LatestMetrics(client, FilledStore(store, client), store, catalogue.vocabulary, catalogue.rates)

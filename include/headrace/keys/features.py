"""Features by key: live from the few window rows of one customer or merchant, or as of any moment from the lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any, Protocol

from headrace.assistant.figures import Cells, evaluate, join
from headrace.assistant.livepart import NO_RATES, LiveRequest, Rates, as_live, total
from headrace.assistant.periods import ceil_minute
from headrace.assistant.plan import Filter
from headrace.assistant.vocabulary import Vocabulary
from headrace.assistant.wording import number
from headrace.contracts.model import Contract
from headrace.live.either import of_either
from headrace.live.fold import Window
from headrace.live.layout import field_of
from headrace.semantics import asof, catalogue
from headrace.semantics import manifest as manifests
from headrace.semantics.features import FeatureSet, components, entity_column, feature_sets, name_of, source_of
from headrace.settings import Settings
from headrace.streams.spec import LiveSpec

_MOST_FIELDS = 2000
_AT_ONCE = 500
Values = dict[str, int | float | None]


class Store(Protocol):
    """Live windows; raises LiveNotFilled where nothing found would be no answer."""

    def windows(self, spec: str, start: datetime, end: datetime, *, late: bool = False) -> Sequence[Window]: ...

    def rows(self, spec: str, fields: Sequence[str], start: datetime, end: datetime) -> Sequence[Window]: ...


@dataclass(frozen=True)
class AsOf:
    id: str
    at: datetime
    values: Values
    complete: bool
    """Whether curated had everything by the end of that minute; what comes with the next build may be missing else."""


class Features:
    def __init__(
        self,
        settings: Settings,
        store: Store,
        vocabulary: Callable[[], Vocabulary],
        rates: Callable[[], Rates],
        contracts: Callable[[], Mapping[str, Contract]],
        coverage: Callable[[str], datetime | None],
        read: Callable[[str], list[list[Any]]],
        *,
        second: Store | None = None,
    ) -> None:
        self._second = second
        self._settings, self._store, self._vocabulary, self._rates = settings, store, vocabulary, rates
        self._contracts, self._coverage, self._read = contracts, coverage, read

    def sets(self) -> dict[str, FeatureSet]:
        return feature_sets(manifests.written(self._settings), catalogue(self._settings))

    def columns(self, features: FeatureSet) -> set[str]:
        """What the events call the entity: whose policy is asked."""
        return {self._column(name, features) for name in components(features.metrics, catalogue(self._settings))}

    def live(self, features: FeatureSet, entity_id: str, now: datetime) -> tuple[Values, str]:
        """As of now, from the minutes that the live store holds, or the one behind it; and which it was."""
        return of_either(self._store, self._second, lambda store: self._live(store, features, entity_id, now))

    def _live(self, store: Store, features: FeatureSet, entity_id: str, now: datetime) -> Values:
        words, end = self._vocabulary(), ceil_minute(now)
        found: dict[int, Cells] = {minutes: {} for minutes in features.minutes}
        read: dict[str, Sequence[Window]] = {}
        for component in words.components(features.metrics):
            column = self._column(component.name, features)
            requests = as_live((component,), (), (Filter(dimension=column, values=(entity_id,)),), None, words)
            if not requests:
                raise LookupError(f"{component.name} of one {features.entity} is not known live")
            request = requests[0]
            if request.spec not in read:
                start = end - timedelta(minutes=max(features.minutes))
                read[request.spec] = self._rows(store, request.spec, column, entity_id, start, end, words)
            for minutes in features.minutes:
                recent = [w for w in read[request.spec] if w.window_start >= end - timedelta(minutes=minutes)]
                found[minutes] |= self._folded(recent, request)
        return _values(features, found, words)

    def asof(self, features: FeatureSet, asked: Sequence[tuple[str, datetime]]) -> list[AsOf]:
        """As it was known at each moment, from the lake."""
        made = [
            row
            for begin in range(0, len(asked), _AT_ONCE)
            for row in self._asof(features, asked[begin : begin + _AT_ONCE])
        ]
        covered = self.covered(features)
        return [
            AsOf(id_, at, values, covered is not None and ceil_minute(at) <= covered)
            for (id_, at), values in zip(asked, made, strict=True)
        ]

    def covered(self, features: FeatureSet) -> datetime | None:
        """Through when curated is complete for every stream behind these features."""
        manifest, known = manifests.written(self._settings), catalogue(self._settings)
        points = [self._coverage(stream) for stream in asof.streams(features, manifest, known)]
        reached = [point for point in points if point]
        return min(reached) if reached and len(reached) == len(points) else None

    def _asof(self, features: FeatureSet, asked: Sequence[tuple[str, datetime]]) -> list[Values]:
        manifest, known, words = manifests.written(self._settings), catalogue(self._settings), self._vocabulary()
        places = asof.columns(features, known)
        rows = self._read(asof.asof_sql(features, asked, manifest, known))
        found = []
        for row in rows:
            cells: dict[int, Cells] = {minutes: {} for minutes in features.minutes}
            for (name, minutes), value in zip(places, row[1:], strict=True):
                cells[minutes][name] = None if value is None else Decimal(str(value))
            found.append(_values(features, cells, words))
        return found

    def _column(self, metric: str, features: FeatureSet) -> str:
        _, model, _ = source_of(metric, manifests.written(self._settings))
        return entity_column(model, features.entity)

    def _folded(self, rows: Sequence[Window], request: LiveRequest) -> Cells:
        rated = any(c.live and c.live.factor for c in request.components)
        return join([total(rows, request, self._rates() if rated else NO_RATES)], request.components).get(
            (None, ()), {}
        )

    def _rows(
        self, store: Store, name: str, column: str, entity_id: str, start: datetime, end: datetime, words: Vocabulary
    ) -> Sequence[Window]:
        """Of one entity; where the other keys' values are listed, exactly its rows are asked for."""
        spec = next(spec for spec in words.windows if spec.name == name)
        if fields := fields_of(spec, column, entity_id, self._contracts()[spec.stream]):
            return store.rows(name, fields, start, end)
        every = [w for late in (False, True) for w in store.windows(name, start, end, late=late)]
        return [window for window in every if window.keys.get(column) == entity_id]


def fields_of(spec: LiveSpec, column: str, entity_id: str, contract: Contract) -> list[str]:
    """Every place that a row of this entity can have in a window; nothing where a key's values are not listed."""
    choices: list[tuple[str, ...]] = []
    known = {field.name: field for field in contract.fields}
    for key in spec.keys:
        if key == column:
            choices.append((entity_id,))
        elif key not in known or not known[key].values:
            return []
        else:
            choices.append(known[key].values + (() if known[key].required else ("",)))
    if prod(len(values) for values in choices) > _MOST_FIELDS:
        return []
    return [field_of(late, keys) for late in (False, True) for keys in product(*choices)]


def _values(features: FeatureSet, found: Mapping[int, Cells], words: Vocabulary) -> Values:
    return {
        name_of(metric, minutes): number(evaluate(metric, found[minutes], words), words.metrics[metric])
        for metric, minutes in features.names
    }


def moment(text: str) -> datetime:
    """With its zone; one without is taken as UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

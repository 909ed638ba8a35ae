"""The semantic catalogue in the assistant's words, with the values that the lake holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from headrace.assistant.kept import Kept
from headrace.assistant.lookups import Lookups, Read, read_all, tables
from headrace.assistant.rates import RatesUnknown, RateTable
from headrace.assistant.vocabulary import Dimension, Metric, Vocabulary
from headrace.semantics import DimensionInfo, MetricInfo, SemanticCatalogue, catalogue
from headrace.semantics import manifest as manifests
from headrace.settings import Settings
from headrace.streams.published import live_specs_path
from headrace.streams.spec import LiveSpec, load_live_specs

_RATES = "select currency, rate_date, usd_rate from lake.processed.exchange_rates"
_MORE_COUNTRY_NAMES = {"US": ("usa", "america"), "GB": ("uk", "britain", "england")}
_NONE = Lookups()


class Catalogue:
    """Loads lazily and never waits long for Trino: without it the words of the definitions are there, values are not."""

    def __init__(self, settings: Settings, read: Read, *, wait: float = 8.0) -> None:
        self._settings, self._wait = settings, wait
        self._lookups = Kept("lookups", lambda: self._read_lookups(read))
        self._rates = Kept("rates", lambda: self._read_rates(read))
        self._made: tuple[SemanticCatalogue, Lookups, Vocabulary] | None = None

    def vocabulary(self) -> Vocabulary:
        """The same object as long as nothing changed, so that indexes over it can be kept."""
        known, lookups = catalogue(self._settings), self.lookups()
        if self._made is None or self._made[0] is not known or self._made[1] is not lookups:
            self._made = (known, lookups, vocabulary(known, lookups, self._windows()))
        return self._made[2]

    def lookups(self) -> Lookups:
        return self._lookups.get(wait=self._wait) or _NONE

    def rates(self, *, wait: float | None = None) -> RateTable:
        table = self._rates.get(wait=self._wait if wait is None else wait)
        if table is None:
            raise RatesUnknown(
                "Exchange rates are not known yet: DAG first_build brings them within its first minutes."
            )
        return table

    def warm(self) -> None:
        """Starts reading; nobody waits."""
        self._lookups.get()
        self._rates.get()

    def _windows(self) -> tuple[LiveSpec, ...]:
        return load_live_specs(live_specs_path(self._settings))

    def _read_lookups(self, read: Read) -> Lookups:
        known = catalogue(self._settings)
        return read_all(tables(manifests.written(self._settings), known, _keys(self._windows())), read)

    def _read_rates(self, read: Read) -> RateTable:
        rows = [(str(c), d, r) for c, d, r in read(_RATES)]
        if not rows:
            raise RatesUnknown("The table of exchange rates is empty.")
        return RateTable(rows, self._settings.reporting_currency)


def _keys(windows: Iterable[LiveSpec]) -> frozenset[str]:
    return frozenset(key for spec in windows for key in spec.keys)


def vocabulary(known: SemanticCatalogue, lookups: Lookups, windows: tuple[LiveSpec, ...]) -> Vocabulary:
    keys = _keys(windows)
    return Vocabulary(
        {m.name: _metric(m) for m in known.metrics.values()},
        {d.name: _dimension(d, lookups, keys) for d in known.dimensions.values()},
        windows,
    )


def _metric(info: MetricInfo) -> Metric:
    return Metric(
        name=info.name,
        label=info.label,
        description=info.description,
        synonyms=info.synonyms,
        kind=info.type,
        unit=info.unit,
        money=info.money,
        owner=info.owner,
        agg=info.agg,  # type: ignore[arg-type]
        live=info.live,
        inputs=info.inputs,
        expr=info.expr,
        dimensions=info.dimensions,
        percentile=info.percentile,
        finest=info.finest,
        by=info.by,
        tables=info.tables,
    )


def _dimension(info: DimensionInfo, lookups: Lookups, live_keys: frozenset[str]) -> Dimension:
    values = info.values or lookups.values.get(info.name, ())
    live_from = lookups.live.get(info.name)
    live_key = info.name if info.name in live_keys or live_from else None
    names = _countries(values) if "country" in info.name else dict(lookups.ids.get(info.name, {}))
    return Dimension(info.name, info.label, info.qualified, info.synonyms, values, names, live_key, live_from)


def _countries(codes: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """People say Germany, the data says DE."""
    names = _territories()
    return {code: (names[code], *_MORE_COUNTRY_NAMES.get(code, ())) for code in codes if code in names}


@lru_cache(maxsize=1)
def _territories() -> Mapping[str, str]:
    from babel import Locale

    return {code: str(name) for code, name in Locale("en").territories.items() if len(code) == 2}

"""Rows of the ring as series: one a merchant, one a merchant and currency, and one of all merchants together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headrace.anomalies.measures import EVERYTHING, Measure
from headrace.anomalies.ring import SHOWN, Cell, Ring
from headrace.anomalies.score import Array


def subject_of(measure: Measure, cell: Cell) -> str:
    """Amounts add up within a currency only."""
    return cell.merchant if measure.kind == "count" else f"{cell.merchant} {cell.currency}"


@dataclass
class Series:
    """Which rows belong to which series of one measure; series are only ever added."""

    measure: Measure
    names: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    rows: Array = field(default_factory=lambda: np.empty(0, np.int64))
    of_row: Array = field(default_factory=lambda: np.empty(0, np.int64))
    _known_cells: int = 0

    def __post_init__(self) -> None:
        if self.measure.kind == "count":
            self.place(EVERYTHING)

    def __len__(self) -> int:
        return len(self.names)

    def place(self, name: str) -> int:
        if name not in self.index:
            self.index[name] = len(self.names)
            self.names.append(name)
        return self.index[name]

    def follow(self, cells: list[Cell]) -> None:
        """Takes in the rows that came since the last call."""
        fresh = range(self._known_cells, len(cells))
        mine = [place for place in fresh if cells[place].transaction_type == self.measure.transaction_type]
        self._known_cells = len(cells)
        if mine:
            groups = [self.place(subject_of(self.measure, cells[place])) for place in mine]
            self.rows = np.concatenate([self.rows, np.array(mine, np.int64)])
            self.of_row = np.concatenate([self.of_row, np.array(groups, np.int64)])

    def by_minute(self, values: Array, columns: Array) -> Array:
        """Sums a series and minute, the newest first."""
        places = (self.of_row[:, None] * SHOWN + np.arange(SHOWN)).ravel()
        weights = values[self.rows[:, None], columns].ravel()
        sums = np.bincount(places, weights, minlength=len(self) * SHOWN).reshape(len(self), SHOWN)
        if EVERYTHING in self.index:
            sums[0] = sums[1:].sum(axis=0)
        return np.asarray(sums)

    def largest_by_minute(self, ring: Ring, columns: Array) -> Array:
        tops = np.zeros((len(self), SHOWN))
        np.maximum.at(tops, self.of_row, ring.largest[self.rows[:, None], columns])
        return tops

    def last(self, ring: Ring) -> Array:
        """When each series' newest event happened; 0 where none is known."""
        newest = np.zeros(len(self))
        np.maximum.at(newest, self.of_row, ring.last[self.rows])
        newest[0] = newest.max()
        return newest

    def members(self, group: int) -> Array:
        """Rows of the ring; all of them for all merchants together."""
        return self.rows if self.names[group] == EVERYTHING else self.rows[self.of_row == group]

    def of_subject(self, subject: str) -> list[int]:
        """The one series of a merchant, or one a currency."""
        if self.measure.kind == "count":
            return [self.index[subject]] if subject in self.index else []
        return [place for name, place in self.index.items() if name.partition(" ")[0] == subject]

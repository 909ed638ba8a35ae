"""Dropped files are handed over when nobody writes them any more, and again when they have grown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headrace.settings import Settings
from headrace.streams.landing.drops import Drops, Taken, folder
from headrace.streams.landing.files import note_landed


class Place:
    """One folder of a known stream, and a clock that a test turns."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)  # type: ignore[call-arg]
        self.seconds = 100.0
        self.drops = Drops(self.settings, ["transactions"], lambda: self.seconds)
        self.drops.begin()
        self.file = self.settings.landing / "transactions" / "a.b.jsonl"
        self.file.parent.mkdir(parents=True)

    def write(self, text: str) -> None:
        with self.file.open("a") as file:
            file.write(text)

    def after(self, seconds: float) -> list[str]:
        """What lies there to be read after a look so much later."""
        self.seconds += seconds
        self.drops.look()
        return sorted(path.read_text() for path in folder(self.settings).glob("*/*.jsonl"))

    def landed(self) -> None:
        for path in folder(self.settings).glob("*/*.jsonl"):
            taken = Taken.of(str(path))
            note_landed(self.settings, taken.stream, {taken.name: taken.size})
            path.unlink()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_is_taken_when_it_has_been_quiet(place: Place) -> None:
    place.write('{"n": 1}\n')
    assert place.after(0) == []
    place.write('{"n": 2}\n')
    assert place.after(10) == []
    assert place.after(3) == []
    assert place.after(2) == ['{"n": 1}\n{"n": 2}\n']
    assert len(place.after(60)) == 1, "it was taken already"


def test_half_a_line_has_to_be_quiet_for_longer(place: Place) -> None:
    place.write('{"n": 1}\n{"n":')
    assert [place.after(0), place.after(10), place.after(10)] == [[], [], []]
    place.write(" 2}")
    assert [place.after(0), place.after(25)] == [[], []]
    assert place.after(6) == ['{"n": 1}\n{"n": 2}']


def test_what_was_written_after_it_landed_is_taken_too(place: Place) -> None:
    place.write('{"n": 1}\n')
    assert [place.after(0), len(place.after(5))] == [[], 1]
    place.landed()
    assert [place.after(5), place.after(5)] == [[], []]
    place.write('{"n": 2}\n')
    assert [place.after(0), place.after(5)] == [[], ['{"n": 1}\n{"n": 2}\n']]


def test_a_name_says_how_much_was_taken(place: Place) -> None:
    place.write("12345\n")
    place.after(0)
    place.after(5)
    (link,) = folder(place.settings).glob("*/*.jsonl")
    taken = Taken.of(f"file:{link}")
    assert (taken.stream, taken.name, taken.size) == ("transactions", "a.b.jsonl", 6)


def test_a_job_that_begins_takes_anew_what_had_not_landed(place: Place) -> None:
    place.write("1\n")
    place.after(0)
    assert len(place.after(5)) == 1
    place.drops = Drops(place.settings, ["transactions"], lambda: place.seconds)
    place.drops.begin()
    assert [place.after(0), len(place.after(5))] == [[], 1]


def test_folders_of_unknown_streams_wait_for_their_contract(place: Place) -> None:
    other = place.settings.landing / "clicks" / "x.jsonl"
    other.parent.mkdir()
    other.write_text("{}\n")
    assert [place.after(0), place.after(60)] == [[], []]


def test_a_disk_without_links_gets_a_copy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    place.write("1\n")
    assert [place.after(0), place.after(5)] == [[], ["1\n"]]


def test_a_disk_that_is_full_is_tried_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    place.write("1\n")
    place.after(0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        patch.setattr("shutil.copyfile", full)
        assert place.after(5) == []
    assert place.after(1) == ["1\n"]

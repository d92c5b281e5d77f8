"""The rate of a run and the time that is left."""

from __future__ import annotations

import pytest

from addon.core.pace import WINDOW, Pace, duration


def test_nothing_is_known_at_first() -> None:
    pace = Pace()
    assert pace.rate == 0 and pace.seconds_left(100) is None
    pace.note(500, 10.0)
    assert pace.rate == 0 and pace.seconds_left(1000) is None


def test_what_was_there_before_does_not_count() -> None:
    pace = Pace()
    pace.note(500, 10.0)
    pace.note(520, 12.0)
    assert pace.rate == pytest.approx(10)
    assert pace.seconds_left(620) == pytest.approx(10)


def test_it_forgets_how_fast_it_once_was() -> None:
    pace = Pace()
    for second in range(100):
        pace.note(50 * second, second)
    for second in range(100, 100 + int(WINDOW) + 2):
        pace.note(4950 + 2 * (second - 99), second)
    assert pace.rate == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("interval", [0.01, 0.1, 3.0])
def test_how_often_it_is_told_does_not_matter(interval: float) -> None:
    pace = Pace()
    for step in range(round(200 / interval)):
        pace.note(int(8 * step * interval), step * interval)
    assert pace.rate == pytest.approx(8, rel=0.05)


def test_a_pause_makes_it_slower_and_views_taken_back_do_not_make_it_negative() -> None:
    pace = Pace()
    pace.note(0, 0.0)
    pace.note(100, 10.0)
    pace.note(100, 40.0)
    assert pace.rate == pytest.approx(2.5)
    pace.note(0, 50.0)  # a clip has crashed, and its views with it
    pace.note(0, 110.0)
    assert pace.rate == 0 and pace.seconds_left(100) is None


def test_it_holds_no_more_than_its_window() -> None:
    pace = Pace()
    for step in range(10_000):
        pace.note(step, step / 10)
    assert len(pace._marks) < 200


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (59.9, "1 min"),
        (61, "1 min"),
        (3599, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words

"""How fast a run goes, and how long it will still take."""

from __future__ import annotations

from collections import deque

WINDOW = 60.0
"""Seconds over which the rate is measured: long enough to even out clips and the loading of
characters, short enough to notice when the machine is wanted for something else."""

_STEP = 0.5  # seconds between two marks


class Pace:
    """The rate of a run, told how far it is from time to time."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()  # seconds, done

    def note(self, done: int, now: float) -> None:
        """Take down how far the run is.

        Args:
            done: units of work; what was done before the first note counts for nothing.
            now: seconds on a clock that never goes back.
        """
        marks = self._marks
        if len(marks) > 1 and now - marks[-2][0] < _STEP:
            marks.pop()
        marks.append((now, done))
        while len(marks) > 2 and marks[1][0] <= now - WINDOW:
            marks.popleft()

    @property
    def rate(self) -> float:
        """Units a second of late; 0 while nothing is known."""
        if len(self._marks) < 2:
            return 0.0
        (start, before), (now, done) = self._marks[0], self._marks[-1]
        return max(done - before, 0) / (now - start) if now > start else 0.0

    def seconds_left(self, total: int) -> float | None:
        """How long the rest of ``total`` units takes at this rate; None while nothing is known."""
        if not self.rate:
            return None
        return max(total - self._marks[-1][1], 0) / self.rate


def duration(seconds: float) -> str:
    """A time span in words, as coarse as an estimate deserves."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"

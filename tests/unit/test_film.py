"""Image sequences and movies, frame by frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from addon.core.errors import UserError
from addon.core.film import movie_frame, numbered_files


def names(path: Path) -> list[tuple[int, str]]:
    return [(number, file.name) for number, file in numbered_files(path)]


def test_files_that_differ_in_their_last_number(tmp_path: Path) -> None:
    shots = ["shot2_009.png", "shot2_010.png", "shot2_011.png", "shot2_013.png"]
    for name in (*shots, "shot1_010.png", "shot2_010.jpg", "shot2_010.png.txt"):
        (tmp_path / name).touch()
    expected = [(9, "shot2_009.png"), (10, "shot2_010.png"), (11, "shot2_011.png")]
    for _, name in expected:
        assert names(tmp_path / name) == expected
    assert names(tmp_path / "shot2_013.png") == [(13, "shot2_013.png")]


def test_the_film_is_that_of_the_known_file(tmp_path: Path) -> None:
    """Not the one beside it that counts with another number of digits; endings have no frames."""
    for name in ("s1.png", "s2.png", "s01.png", "s02.png", "s03.png", "f001.jp2", "f002.jp2"):
        (tmp_path / name).touch()
    assert names(tmp_path / "s1.png")[:2] == [(1, "s1.png"), (2, "s2.png")]
    assert names(tmp_path / "s02.png") == [(1, "s01.png"), (2, "s02.png"), (3, "s03.png")]
    assert names(tmp_path / "f002.jp2") == [(1, "f001.jp2"), (2, "f002.jp2")]


@pytest.mark.parametrize("name", ["walk.png", "walk [a] (1).png", "Šárka 01 копия.png"])
def test_a_file_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert [file for _, file in names(tmp_path / name)] == [name]


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert names(tmp_path / "walk7.png") == [(1, "walk7.png")]


@pytest.mark.parametrize(("code", "suffix"), [("MJPG", "avi"), ("mp4v", "mp4")])
def test_each_frame_of_a_movie(code: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"Šárka film.{suffix}"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), 24, (320, 48))
    for number in range(40):  # a bar that moves by its own width
        page = np.full((48, 320, 3), 255, np.uint8)
        page[:, 8 * number : 8 * number + 8] = 0
        writer.write(page)
    writer.release()
    for number in (0, 1, 17, 39, 3):
        picture = movie_frame(path, number)
        assert picture.shape == (48, 320, 3)
        bar = np.flatnonzero(picture.mean(axis=(0, 2)) < 128)
        assert bar.mean() // 8 == number
    np.testing.assert_array_equal(movie_frame(path, 99), movie_frame(path, 39))


def test_what_is_no_movie(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no movie"):
        movie_frame(tmp_path / "gone.mp4", 0)
    (tmp_path / "text.mp4").write_text("no movie")
    with pytest.raises(UserError, match="not a movie"):
        movie_frame(tmp_path / "text.mp4", 0)

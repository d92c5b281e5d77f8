"""An estimate as JSON, and other people's text."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.estimator import Sides
from addon.core.image import Box
from addon.core.readings import LIMBS, PAIRS, Reading
from addon.core.remembered import Keypoint, Remembered

LIFTED = Reading()


def example(reading: Reading = LIFTED) -> Remembered:
    rng = np.random.default_rng(3)
    keypoints = rng.uniform(-20, 900, (skeleton.COUNT, 2)).astype(np.float32)
    keypoints[5] = np.nan
    scores = rng.uniform(0, 1, skeleton.COUNT).astype(np.float32)
    box = Box(10.5, 20.0, 300.0, 640.25)
    found = {"LeftHand": Keypoint(40.5, 30.25, 0.5), "Head": Keypoint(12.0, 13.0, 0.0)}
    return Remembered(
        *(
            keypoints,
            scores,
            Sides(0.9, 0.4),
            box,
            (640, 960),
            "Läufer.png",
            reading,
            2,
            found,
            True,
        )
    )


@given(st.sets(st.sampled_from(LIMBS)), st.sets(st.sampled_from(PAIRS)))
def test_all_comes_back(flipped: set[str], swapped: set[str]) -> None:
    one = example(Reading.of(flipped, swapped))
    other = Remembered.from_json(one.to_json())
    assert other is not None
    np.testing.assert_allclose(other.keypoints, one.keypoints, atol=1e-3)
    np.testing.assert_allclose(other.scores, one.scores, atol=1e-3)
    assert (other.sides, other.box, other.size) == (one.sides, one.box, one.size)
    assert (other.image, other.reading, other.number) == (one.image, one.reading, one.number)
    assert (other.found, other.stretch) == (one.found, one.stretch)


@given(st.text())
def test_foreign_text_is_nothing(text: str) -> None:
    assert Remembered.from_json(text) is None


@given(st.integers(0, 2000))
def test_cut_text_is_nothing(length: int) -> None:
    text = example().to_json()
    assert length >= len(text) or Remembered.from_json(text[:length]) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("format", "another"),
        ("keypoints", [[1, 2]] * 22),
        ("keypoints", "many"),
        ("scores", None),
        ("sides", {"arms": 1}),
        ("sides", [1, 1]),
        ("box", [0, 0, 10]),
        ("size", [640]),
        ("size", [0, 0]),
        ("size", [float("inf"), 480]),
        ("reading", {"flipped": ["Tail"], "swapped": []}),
        ("reading", {"flipped": [[]], "swapped": []}),
        ("reading", []),
        ("number", "first"),
        ("found", {"Tail": [1, 2, 0.5]}),
        ("found", {"Head": [1, 2]}),
        ("found", ["Head"]),
    ],
)
def test_damage_is_noticed(key: str, value: object) -> None:
    document = json.loads(example().to_json())
    document[key] = value
    assert Remembered.from_json(json.dumps(document)) is None


@pytest.mark.parametrize("key", sorted(json.loads(example().to_json())))
def test_every_part_is_needed(key: str) -> None:
    document = json.loads(example().to_json())
    del document[key]
    assert Remembered.from_json(json.dumps(document)) is None

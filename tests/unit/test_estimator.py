"""Heatmaps to keypoints, and a network on disk to keypoints in pixels of the picture."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from addon.core import skeleton
from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, STRIDE, Estimator, decode, decode_figure, sides
from addon.core.image import MARGIN, Box

LEFT = [i for i, name in enumerate(skeleton.KEYPOINTS) if name.startswith("Left")]
RIGHT = [skeleton.FLIP[i] for i in LEFT]


def gaussian(x: float, y: float, sigma: float = 1.0, side: int = 64) -> np.ndarray:
    """Logits ``[side, side]`` of a Gaussian around (x, y), pixels of the network's input."""
    centres = (np.arange(side) + 0.5) * STRIDE
    square = (centres[None] - x) ** 2 + (centres[:, None] - y) ** 2
    return -square / (2 * (sigma * STRIDE) ** 2)


class TestDecode:
    @given(x=st.floats(12, 244), y=st.floats(12, 244), sigma=st.floats(0.4, 1.2))
    def test_finds_the_middle_below_a_cell(self, x: float, y: float, sigma: float):
        points, scores = decode(gaussian(x, y, sigma)[None, None])
        assert points.shape == (1, 1, 2) and scores.shape == (1, 1)
        assert np.abs(points[0, 0] - (x, y)).max() < 0.35 * STRIDE
        assert scores[0, 0] > 0.8

    @given(cell=st.tuples(st.integers(0, 63), st.integers(0, 63)), height=st.floats(20, 60))
    def test_a_single_cell_is_its_centre_even_at_the_border(
        self, cell: tuple[int, int], height: float
    ):
        logits = np.zeros((1, 1, 64, 64), np.float32)
        logits[0, 0, cell[0], cell[1]] = height
        points, scores = decode(logits)
        assert np.allclose(points[0, 0], ((cell[1] + 0.5) * STRIDE, (cell[0] + 0.5) * STRIDE))
        assert scores[0, 0] == pytest.approx(1, abs=1e-4)

    def test_second_mode_costs_score_but_does_not_pull(self):
        one, other = gaussian(60, 60), gaussian(200, 180)
        logits = np.logaddexp(one + np.log(0.6), other + np.log(0.4))
        points, scores = decode(logits[None, None])
        assert np.abs(points[0, 0] - (60, 60)).max() < 1
        assert scores[0, 0] == pytest.approx(0.6, abs=0.03)

    def test_batch_in_order_and_unharmed_by_large_logits(self):
        truth = np.random.default_rng(1).uniform(20, 236, (3, 23, 2))
        logits = np.array([[gaussian(*point) + 900 for point in figure] for figure in truth])
        points, scores = decode(logits.astype(np.float32))
        assert np.abs(points - truth).max() < 0.5
        assert np.isfinite(scores).all()

    def test_no_idea_scores_like_chance(self):
        _, scores = decode(np.zeros((1, 23, 64, 64), np.float32))
        assert scores.max() <= 25 / 64**2 + 1e-6

    def test_maps_need_not_be_square(self):
        points, _ = decode(gaussian(100, 50)[None, None, :30])
        assert np.abs(points[0, 0] - (100, 50)).max() < 0.5


def mixture(*parts: tuple[float, tuple[float, float]]) -> np.ndarray:
    """Logits of Gaussians around (x, y) by their weights."""
    return np.logaddexp.reduce([gaussian(*at) + np.log(weight) for weight, at in parts])


class TestDecodeFigure:
    LEFT_LEG: ClassVar[dict[str, tuple[float, float]]] = dict(
        zip(("UpLeg", "Leg", "Foot"), ((110.0, 120.0), (90.0, 170.0), (100.0, 220.0)), strict=True)
    )
    RIGHT_LEG: ClassVar[dict[str, tuple[float, float]]] = dict(
        zip(("UpLeg", "Leg", "Foot"), ((140.0, 120.0), (170.0, 160.0), (190.0, 215.0)), strict=True)
    )

    def figure(self, shares: Mapping[str, float]) -> np.ndarray:
        """Logits in which each joint's own leg weighs ``share``, the other leg the rest."""
        maps = np.array([gaussian(128, 128 - 3 * i) for i in range(23)])
        for name, share in shares.items():
            left, right = self.LEFT_LEG[name], self.RIGHT_LEG[name]
            maps[skeleton.INDEX["Left" + name]] = mixture((share, left), (1 - share, right))
            maps[skeleton.INDEX["Right" + name]] = mixture((share, right), (1 - share, left))
        return maps

    def found(self, points: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        return points[skeleton.INDEX["Left" + name]], points[skeleton.INDEX["Right" + name]]

    def test_sure_figure_is_read_as_joint_by_joint(self):
        truth = np.random.default_rng(2).uniform(30, 220, (23, 2))
        logits = np.array([gaussian(*point) for point in truth])
        points, scores = decode_figure(logits)
        alone, alone_scores = decode(logits[None])
        assert np.abs(points - truth).max() < 0.5 and np.abs(alone[0] - truth).max() < 0.5
        assert (scores >= alone_scores[0] - 0.02).all()

    @given(st.integers(0, 10_000))
    @settings(max_examples=20, deadline=None)
    def test_places_are_those_of_the_greatest_expected_gain(self, seed: int):
        rng = np.random.default_rng(seed)
        logits = np.array([gaussian(100, 130)] * 23)
        head = skeleton.INDEX["Head"]
        places = rng.uniform(40, 216, (3, 2))
        logits[head] = mixture(*zip(rng.dirichlet(np.ones(3)), places.tolist(), strict=True))
        point = decode_figure(logits)[0][head]
        # Independently: the sum over all cells of probability times gain, at any point of a grid.
        weights = np.exp(logits[head] - logits[head].max())
        cells = (np.stack(np.meshgrid(np.arange(64), np.arange(64)), axis=-1) + 0.5) * 4

        def gain(x: float, y: float) -> float:
            squares = ((cells - (x, y)) ** 2).sum(axis=-1)
            return float((weights * np.exp(-squares / (2 * (0.05 * 256) ** 2))).sum())

        best = max(gain(x, y) for x in range(2, 256, 4) for y in range(2, 256, 4))
        assert gain(*point) > 0.99 * best

    def test_a_spike_beside_a_broad_maximum_does_not_win(self):
        logits = np.array([gaussian(100, 130)] * 23)
        broad = [(0.11, (100 + x, 130 + y)) for x in (-8, 0, 8) for y in (-8, 0, 8)]
        head = skeleton.INDEX["Head"]
        logits[head] = mixture(*broad)
        logits[head, 10, 50] = logits[head].max() + 1.5
        assert np.abs(decode(logits[None])[0][0, head] - (202, 42)).max() < 4
        assert np.abs(decode_figure(logits)[0][head] - (100, 130)).max() < 4

    def test_two_maxima_on_one_leg_are_told_apart(self):
        # Both maps prefer the left leg a little: one by one, both knees would be there.
        logits = self.figure({"UpLeg": 0.9, "Leg": 0.6, "Foot": 0.9})
        knees = skeleton.INDEX["LeftLeg"], skeleton.INDEX["RightLeg"]
        logits[knees[1]] = mixture((0.45, self.RIGHT_LEG["Leg"]), (0.55, self.LEFT_LEG["Leg"]))
        alone, _ = decode(logits[None])
        assert np.linalg.norm(alone[0, knees[0]] - alone[0, knees[1]]) < 2
        points, scores = decode_figure(logits)
        left, right = self.found(points, "Leg")
        assert np.abs(left - self.LEFT_LEG["Leg"]).max() < 2
        assert np.abs(right - self.RIGHT_LEG["Leg"]).max() < 2
        assert min(scores[list(knees)]) > 0.8  # sure that a knee is there, whichever

    def test_unsure_joint_stays_on_the_leg_of_its_neighbours(self):
        logits = self.figure({"UpLeg": 0.95, "Leg": 0.49, "Foot": 0.95})
        points, _ = decode_figure(logits)
        for name in ("UpLeg", "Leg", "Foot"):
            left, right = self.found(points, name)
            assert np.abs(left - self.LEFT_LEG[name]).max() < 2, name
            assert np.abs(right - self.RIGHT_LEG[name]).max() < 2, name

    def test_legs_that_cover_each_other_stay_together(self):
        logits = self.figure({"UpLeg": 0.95, "Leg": 0.95, "Foot": 0.95})
        for side in ("Left", "Right"):
            logits[skeleton.INDEX[side + "Foot"]] = mixture((0.95, (100, 220)), (0.05, (190, 215)))
        points, _ = decode_figure(logits)
        left, right = self.found(points, "Foot")
        assert np.abs(left - (100, 220)).max() < 2
        assert np.abs(right - (100, 220)).max() < 2

    @given(st.integers(0, 10_000))
    @settings(max_examples=20, deadline=None)
    def test_mirrored_heatmaps_give_the_mirrored_figure(self, seed: int):
        rng = np.random.default_rng(seed)
        smooth = [cv2.GaussianBlur(rng.normal(0, 40, (64, 64)), (0, 0), 4) for _ in range(23)]
        logits = np.array(smooth).astype(np.float32)
        points, scores = decode_figure(logits)
        mirrored, their_scores = decode_figure(logits[list(skeleton.FLIP), :, ::-1])
        back = mirrored[list(skeleton.FLIP)] * (-1, 1) + (256, 0)
        same = np.abs(back - points).max(axis=1) < 0.1
        # Which of two equal places comes first may differ; hardly anything is equal here.
        assert same.mean() > 0.8
        assert np.allclose(np.sort(scores), np.sort(their_scores), atol=0.05)


class TestSides:
    def figure(self, swapped: float) -> np.ndarray:
        """Logits of a figure; ``swapped`` is the share of the mirrored reading of its legs."""
        rng = np.random.default_rng(3)
        truth = rng.uniform(30, 220, (23, 2))
        truth[LEFT, 0] = 60 + 3 * np.arange(len(LEFT))
        truth[RIGHT, 0] = 180 + 3 * np.arange(len(LEFT))
        maps = np.array([gaussian(*point) for point in truth])
        legs = [skeleton.INDEX[name] for name in skeleton.LEGS]
        others = [skeleton.FLIP[i] for i in legs]
        mixed = np.logaddexp(
            maps[legs] + np.log(1 - swapped), maps[others] + np.log(max(swapped, 1e-9))
        )
        maps[legs] = mixed
        return maps

    @pytest.mark.parametrize("swapped", [0.0, 0.1, 0.45])
    def test_certainty_falls_with_the_weight_of_the_other_reading(self, swapped: float):
        logits = self.figure(swapped)
        points, _ = decode(logits[None])
        found = sides(logits, points[0])
        # The slope and the ceiling that fit a character which the network has not seen.
        odds = ((1 - swapped) / max(swapped, 1e-3)) ** 0.9
        assert found.legs == pytest.approx(min(odds / (1 + odds), 0.9), abs=0.02)
        assert found.arms == 0.9

    def test_legs_drawn_as_one_cannot_be_told(self):
        logits = self.figure(0)
        legs = [skeleton.INDEX[name] for name in skeleton.LEGS]
        logits[legs] = gaussian(100, 100)
        points, _ = decode(logits[None])
        assert sides(logits, points[0]).legs == 0.5


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def convolution(weights: np.ndarray, size: int, attributes: Mapping[str, Sequence[int]]) -> bytes:
    """An ONNX file of a single convolution ``[1, 1, size, size] -> [1, K, ...]``."""

    def tensor(name: str, shape: Sequence[int]) -> bytes:
        dims = b"".join(field(1, field(1, n)) for n in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))

    raw = weights.astype(np.float32)
    initializer = b"".join(field(1, n) for n in raw.shape)
    initializer += field(2, 1) + field(8, "weights") + field(9, raw.tobytes())
    node = field(1, "ink") + field(1, "weights") + field(2, "heatmaps") + field(4, "Conv")
    for name, values in attributes.items():
        ints = b"".join(field(8, value) for value in values)
        node += field(5, field(1, name) + ints + field(20, 7))
    cells = size // STRIDE
    graph = field(1, node) + field(2, "tiny") + field(5, initializer)
    graph += field(11, tensor("ink", (1, 1, size, size)))
    graph += field(12, tensor("heatmaps", (1, len(raw), cells, cells)))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


SHIFT = np.zeros((23, 2), int)
SHIFT[LEFT, 0], SHIFT[RIGHT, 0] = 1, -1
SHIFT[skeleton.INDEX["HeadTop_End"], 1] = -1


def write_network(
    folder: Path, shift: np.ndarray = SHIFT, card: Mapping[str, object] | None = None
) -> Path:
    """A network that finds the darkest cell, moved by ``shift`` ``[23, 2]`` cells in -1..1."""
    size = 64
    weights = np.zeros((23, 1, 12, 12), np.float32)
    for kernel, (x, y) in zip(weights, shift, strict=True):
        kernel[0, 4 - 4 * y : 8 - 4 * y, 4 - 4 * x : 8 - 4 * x] = 3
    attributes = {"kernel_shape": (12, 12), "strides": (4, 4), "pads": (4, 4, 4, 4)}
    path = folder / "réseau.onnx"
    path.write_bytes(convolution(weights, size, attributes))
    default = {
        "input_size": size,
        "stride": STRIDE,
        "margin": MARGIN,
        "keypoints": list(skeleton.KEYPOINTS),
        "licence": "CC0-1.0",
    }
    path.with_suffix(".json").write_text(json.dumps(default | dict(card or {})), encoding="utf-8")
    return path


def page_with_blot(x: int, y: int, side: int = 640) -> np.ndarray:
    """A white page with a thin open figure and, at (x, y), a dark blot that the network finds."""
    page = np.full((side, side), 255, np.uint8)
    cv2.rectangle(page, (side // 4, side // 4), (3 * side // 4, 3 * side // 4), 120, side // 160)
    cv2.circle(page, (x, y), side // 40, 0, -1)
    return page


class Watched:
    """A network of OpenCV's that notes how many threads it gets, when it begins and ends."""

    def __init__(self, net: cv2.dnn.Net) -> None:
        self.net = net
        self.seen: list[int] = []

    def setInput(self, blob: np.ndarray) -> None:  # noqa: N802 - OpenCV's name
        self.net.setInput(blob)

    def forward(self) -> np.ndarray:
        self.seen.append(cv2.getNumThreads())
        time.sleep(0.002)  # others may try to come between
        result = self.net.forward()
        self.seen.append(cv2.getNumThreads())
        return result


def watch(estimator: Estimator) -> list[int]:
    """The numbers of threads with which an estimator's network runs from now on."""
    watched = estimator._network._net = Watched(estimator._network._net)
    return watched.seen


class TestEstimator:
    @pytest.fixture()
    def network(self, tmp_path: Path) -> Path:
        return write_network(tmp_path)

    def test_keypoints_come_back_in_pixels_of_the_picture(self, network: Path):
        estimate = Estimator(network).estimate(page_with_blot(400, 260))
        assert np.allclose(estimate.box, (160, 160, 320, 320), atol=8)
        cell = estimate.box.width * MARGIN / 64 * STRIDE
        expected = np.array((400.5, 260.5)) + SHIFT * cell
        assert estimate.keypoints.shape == (23, 2)
        assert np.abs(estimate.keypoints - expected).max() < 0.5 * cell
        assert ((estimate.scores > 0) & (estimate.scores <= 1)).all()

    def test_huge_picture_gives_the_same_places(self, network: Path):
        small = Estimator(network).estimate(page_with_blot(400, 260))
        large = Estimator(network).estimate(page_with_blot(2500, 1625, 4000))
        assert np.abs(large.keypoints / 6.25 - small.keypoints).max() < 4

    def test_given_box_is_used_as_it_is(self, network: Path):
        box = Box(350.0, 210.0, 100.0, 100.0)
        estimate = Estimator(network).estimate(page_with_blot(400, 260), box=box)
        assert estimate.box == box
        trunk = estimate.keypoints[skeleton.INDEX["Hips"]]
        assert np.abs(trunk - (400.5, 260.5)).max() < 4

    def test_choosing_one_of_two_figures(self, network: Path):
        page = np.full((400, 900), 255, np.uint8)
        page[:, :400] = cv2.resize(page_with_blot(300, 300), (400, 400))
        page[50:350, 560:860] = cv2.resize(page_with_blot(300, 300), (300, 300))
        estimator = Estimator(network)
        first, second = (estimator.estimate(page, figure=i).keypoints for i in (0, 1))
        assert first[:, 0].max() < 400
        assert second[:, 0].min() > 560
        with pytest.raises(UserError, match="only 2 figures"):
            estimator.estimate(page, figure=2)

    def test_flip_test_agrees_where_the_network_is_symmetric(self, network: Path):
        page = page_with_blot(400, 260)
        plain = Estimator(network).estimate(page, flip_test=False)
        flipped = Estimator(network).estimate(page)
        assert np.abs(plain.keypoints - flipped.keypoints).max() < 1

    def test_flip_test_averages_with_the_mirrored_reading(self, tmp_path: Path):
        estimator = Estimator(write_network(tmp_path, np.tile((1, 0), (23, 1))))
        drawn = np.zeros((64, 64), np.float32)
        drawn[20:24, 36:40] = 1
        # The network answers one cell to the right; mirrored, one cell to the left.
        maps = estimator.heatmaps(drawn), estimator.heatmaps(drawn, flip_test=True)
        peaks = [{tuple(cell) for cell in np.argwhere(one[0] > 0.5).tolist()} for one in maps]
        assert peaks == [{(5, 10)}, {(5, 8), (5, 10)}]
        assert maps[1][0, 5, 10] == pytest.approx(maps[0][0, 5, 10] / 2)

    def test_empty_page(self, network: Path):
        with pytest.raises(UserError, match="Nothing is drawn"):
            Estimator(network).estimate(np.full((200, 300), 255, np.uint8))

    def test_loaded_once_until_the_file_changes(
        self, network: Path, monkeypatch: pytest.MonkeyPatch
    ):
        Estimator(network)
        loads = []
        load = cv2.dnn.readNetFromONNX
        monkeypatch.setattr(cv2.dnn, "readNetFromONNX", lambda *a: loads.append(1) or load(*a))
        for _ in range(3):
            Estimator(network).estimate(page_with_blot(400, 260))
        assert not loads
        write_network(network.parent, -SHIFT)
        changed = Estimator(network).estimate(page_with_blot(400, 260))
        assert len(loads) == 1
        assert changed.keypoints[LEFT, 0].max() < changed.keypoints[RIGHT, 0].min()

    def test_card(self, network: Path):
        assert Estimator(network).card["licence"] == "CC0-1.0"
        assert Estimator(network).input_size == 64

    def test_missing_network_and_missing_card(self, tmp_path: Path, network: Path):
        with pytest.raises(UserError, match=r"none\.onnx cannot be read; choose another"):
            Estimator(tmp_path / "none.onnx")
        network.with_suffix(".json").unlink()
        with pytest.raises(UserError, match=r"\.json cannot be read; choose another"):
            Estimator(network)

    def test_damaged_files(self, network: Path):
        whole = network.read_bytes()
        network.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match="damaged"):
            Estimator(network)
        network.write_bytes(whole)
        network.with_suffix(".json").write_text("{", encoding="utf-8")
        with pytest.raises(UserError, match="card .* damaged"):
            Estimator(network)

    @pytest.mark.parametrize(
        "card", [{"keypoints": ["Nose"]}, {"stride": 8}, {"margin": 1.5}], ids=lambda c: [*c][0]
    )
    def test_network_of_another_version(self, tmp_path: Path, card: dict[str, object]):
        with pytest.raises(UserError, match="another version"):
            Estimator(write_network(tmp_path, card=card))

    @pytest.mark.parametrize("size", [None, "64", 0, -64, 63, 10**6])
    def test_card_with_a_wrong_size(self, tmp_path: Path, size: object):
        with pytest.raises(UserError, match=r"card .* damaged; choose another"):
            Estimator(write_network(tmp_path, card={"input_size": size}))

    def test_card_that_is_no_record(self, network: Path):
        network.with_suffix(".json").write_text("[1, 2]", encoding="utf-8")
        with pytest.raises(UserError, match=r"card .* damaged; choose another"):
            Estimator(network)

    def test_card_of_another_network(self, tmp_path: Path):
        path = write_network(tmp_path, card={"sha256": "0" * 64})
        with pytest.raises(UserError, match=r"\.json belongs to another network; choose another"):
            Estimator(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert Estimator(write_network(tmp_path, card={"sha256": digest})).input_size == 64

    @pytest.mark.parametrize("threads", [0, 1, 2])
    def test_threads_are_set_for_the_network_only(self, network: Path, threads: int):
        before = cv2.getNumThreads()
        estimator = Estimator(network, threads)
        seen = watch(estimator)
        estimator.heatmaps(np.zeros((64, 64), np.float32), flip_test=True)
        assert seen == [threads or before] * 4
        assert cv2.getNumThreads() == before

    def test_settings_of_threads_do_not_mix(self, tmp_path: Path):
        before = cv2.getNumThreads()
        counts = {"one": 1, "three": 3, "four": 4}
        networks = {name: tmp_path / name for name in counts}
        for folder in networks.values():
            folder.mkdir()
        estimators = {n: Estimator(write_network(p), counts[n]) for n, p in networks.items()}
        seen = {name: watch(each) for name, each in estimators.items()}
        blank = np.zeros((64, 64), np.float32)
        with ThreadPoolExecutor(6) as pool:
            for each in [*estimators.values()] * 20:
                pool.submit(each.heatmaps, blank)
        assert seen == {name: [count] * 40 for name, count in counts.items()}
        assert cv2.getNumThreads() == before

    def test_network_with_other_outputs(self, tmp_path: Path):
        path = write_network(tmp_path)
        attributes = {"kernel_shape": (4, 4), "strides": (4, 4), "pads": (0, 0, 0, 0)}
        path.write_bytes(convolution(np.ones((17, 1, 4, 4)), 64, attributes))
        with pytest.raises(UserError, match="not a keypoint network"):
            Estimator(path)


@pytest.mark.skipif(not SHIPPED.exists(), reason="this copy has no trained network")
def test_shipped_card_says_how_the_network_was_made():
    card = Estimator().card
    for key in ("network", "training", "scores", "weaknesses", "licence"):
        assert card[key]

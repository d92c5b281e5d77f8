"""Props: each one draws something near the figure, and hides or leaves it as it should."""

import numpy as np
import pytest

from addon.core import skeleton
from addon.core.strokes import StrokePack, View
from addon.core.styles import Drawing, StrokeStyle, draw
from trainer import props
from trainer.poses import random_pose

ROW = skeleton.INDEX


def make_pack(seed: int, views: int = 3) -> StrokePack:
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(views):
        joints = random_pose(rng).astype(np.float32)
        keypoints = (joints[:, :2] * 110 + 128).astype(np.float32)
        bones = [keypoints[list(bone)] for bone in skeleton.BONES]
        made.append(View(bones, keypoints, np.full(skeleton.COUNT, 2, np.uint8), joints))
    return StrokePack.from_views(made, 256, [("lines", "pose")])


def stage_of(seed: int) -> props._Stage:
    pack = make_pack(seed)
    keypoints = pack.keypoints[0].astype(np.float64)
    return props._Stage(keypoints, keypoints, pack, np.random.default_rng(seed))


@pytest.mark.parametrize("name", props._PROPS)
def test_every_prop_draws_near_the_figure(name: str) -> None:
    for seed in range(20):
        stage, layer = stage_of(seed), Drawing()
        props._PROPS[name][0](layer, stage)
        points = layer.points()
        assert len(layer) > 0 and np.isfinite(points).all()
        slack = 1.5 * stage.size
        near = (points > stage.low - slack) & (points < stage.high + slack)
        assert near.all(axis=1).any()


def test_a_barbell_goes_through_both_hands() -> None:
    for seed in range(10):
        stage, layer = stage_of(seed), Drawing()
        props._barbell(layer, stage)
        a, b = stage.hands
        if np.linalg.norm(b - a) < 0.2 * stage.size:
            continue
        bar = layer.points()[: layer._lengths[0]].mean(axis=0)  # the rod is drawn first
        np.testing.assert_allclose(bar, (a + b) / 2, atol=0.02 * stage.size)


def test_who_sits_often_gets_a_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(0)
    side_view = {"Hips": (100, 130), "Neck": (105, 60)}
    for side in ("Left", "Right"):
        legs = {"UpLeg": (100, 132), "Leg": (150, 135), "Foot": (148, 185), "Hand": (130, 120)}
        side_view |= {side + name: place for name, place in legs.items()}
    for name, place in side_view.items():
        stage.p[ROW[name]] = place
    chosen = [name for _ in range(200) for name in props._fitting(stage)]
    assert 70 < chosen.count("seat") < 150
    stage.p[ROW["LeftLeg"]] = stage.p[ROW["RightLeg"]] = (105, 180)  # now standing
    assert "seat" not in [name for _ in range(50) for name in props._fitting(stage)]


def test_the_figure_hides_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def wall(layer: Drawing, stage: props._Stage) -> None:
        layer.line([[0.0, 100.0], [256.0, 100.0]])

    monkeypatch.setattr(props, "_fitting", lambda stage: ["wall"])
    monkeypatch.setattr(props, "COUNTS", (1.0,))
    pack = make_pack(1)
    square = np.array([[60.0, 60], [190, 60], [190, 190], [60, 190], [60, 60]])
    body = Drawing()
    body.body([square])
    for front_share, grey in ((0.0, 255), (1.0, 0)):
        monkeypatch.setitem(props._PROPS, "wall", (wall, front_share, 1.0))
        scene = props.add_props(body, pack.keypoints[0], pack, np.random.default_rng(0))
        image = draw(scene, StrokeStyle(width=2.0), np.random.default_rng(0))
        assert abs(int(image[100, 125]) - grey) < 60
        assert image[100, 20] < 60  # beside the figure it is always seen

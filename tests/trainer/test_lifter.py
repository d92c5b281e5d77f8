from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from addon.core import lift, retarget, skeleton
from addon.core.errors import UserError
from addon.core.rotations import about_axis, pa_mpjpe, unit
from trainer import lifter

POSES = Path(__file__).parents[3] / "shared" / "data" / "poses"
needs_poses = pytest.mark.skipif(not POSES.is_dir(), reason="no ../shared/data/poses")
INDEX = skeleton.INDEX

# A pose corpus has one joint fewer in the spine than Mixamo, and no toes.
TABLE = {  # Mixamo name: (parent, offset in metres; y up, x to the left, z to the front)
    "Hips": (None, (0, 0, 0)),
    "Spine": ("Hips", (0, 0.2, 0)),
    "Spine2": ("Spine", (0, 0.12, 0)),
    "Neck": ("Spine2", (0, 0.22, 0)),
    "Head": ("Neck", (0, 0.07, 0.01)),
    **{
        side + name: (parent if parent in ("Spine2", "Hips") else side + parent, (s * x, y, z))
        for side, s in (("Left", 1), ("Right", -1))
        for name, parent, x, y, z in (
            ("Shoulder", "Spine2", 0.03, 0.19, 0),
            ("Arm", "Shoulder", 0.09, 0, 0),
            ("ForeArm", "Arm", 0.28, 0, 0),
            ("Hand", "ForeArm", 0.22, 0, 0.07),
            ("UpLeg", "Hips", 0.09, 0, 0),
            ("Leg", "UpLeg", 0, -0.37, 0),
            ("Foot", "Leg", 0, -0.45, -0.05),
        )
    },
}


def write_corpus(folder: Path, *, spread: float = 0.3, count: int = 40) -> None:
    """Random poses near the T-pose, under the names of a training and of a held-out clip."""
    rng = np.random.default_rng(0)
    names = list(TABLE)
    quaternions = rng.normal(scale=spread, size=(count, len(names), 4))
    quaternions[..., 0] = 1
    quaternions = unit(quaternions)
    for file in lifter.CORPORA:
        np.savez(
            folder / file,
            rot=np.round(quaternions * 32767).astype(np.int16),
            rot_scale=np.float32(1 / 32767),
            parents=np.array([names.index(p) if p else -1 for p, _ in TABLE.values()]),
            offsets=np.array([offset for _, offset in TABLE.values()], np.float32),
            mixamo_names=np.array([f"mixamorig:{name}" for name in names]),
            root_pos=np.zeros((count, 3), np.float32),
            frame=np.arange(count),
            clip=np.arange(count) % 2,
            clip_names=np.array(["05/dance", "07/walk"]),
            clip_floor=np.zeros(2, np.float32),
            extra_names=np.array(["lToe", "rToe"]),
            extra_parent=np.array([names.index("LeftFoot"), names.index("RightFoot")]),
            extra_offset=np.array([[0, -0.05, 0.13]] * 2, np.float32),
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("poses")
    write_corpus(path)
    return path


@pytest.fixture(scope="module")
def corpus(folder: Path) -> lifter.Corpus:
    return lifter.load_corpus(folder)


def test_rotations_of_the_corpus_are_global(corpus: lifter.Corpus) -> None:
    assert corpus.rotations.shape == (80, 23, 3, 3)
    square = corpus.rotations @ corpus.rotations.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(square, np.broadcast_to(np.eye(3), square.shape), atol=1e-5)
    # The corpus' own forward kinematics put the limbs where ours do.
    bones = corpus.rotations[:, INDEX["LeftArm"]] @ corpus.limbs[INDEX["LeftForeArm"]]
    np.testing.assert_allclose(bones, corpus.rotations[:, INDEX["LeftArm"], :, 0], atol=1e-5)
    # Spine1 has turned half as far as Spine2.
    below, half, above = (corpus.rotations[:, INDEX[n]] for n in ("Spine", "Spine1", "Spine2"))
    step = below.transpose(0, 2, 1) @ half
    np.testing.assert_allclose(half @ step, above, atol=1e-5)


def test_animations_are_put_on_the_corpus_limbs(folder: Path, tmp_path: Path) -> None:
    """A motion whose arms rest 40 degrees lower has the corpus' poses where its limbs point so."""
    source = retarget.load_corpus(str(folder / lifter.CORPORA[0]))[0]
    low = {
        name: about_axis(1, np.radians(40 if name.startswith("Left") else -40)) @ direction
        if "Arm" in name
        else direction
        for name, direction in source.limbs.items()
    }
    lowered = retarget.Motion("lowered", source.frames, source.rotations, source.root, low)
    lowered.save(tmp_path / "lowered.npz")
    corpus = lifter.load_corpus(folder, tmp_path)
    rows = corpus.clip == corpus.clip_names.index("lowered")
    own = retarget.joint_positions(lowered.rotations, low)
    for side in ("Left", "Right"):
        for bone, child in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg")):
            turned = corpus.rotations[rows, INDEX[side + bone]]
            got = turned @ corpus.limbs[INDEX[side + child]]
            x, y, z = (own[:, INDEX[side + child]] - own[:, INDEX[side + bone]]).T
            np.testing.assert_allclose(got, unit(np.stack([x, z, -y], -1)), atol=1e-5)


@pytest.mark.parametrize("damage", ["empty", "text"])
def test_bad_animations_are_one_sentence(damage: str, folder: Path, tmp_path: Path) -> None:
    if damage == "text":
        (tmp_path / "walk.npz").write_text("not a motion")
    with pytest.raises(UserError, match="no motions in" if damage == "empty" else "anew"):
        lifter.load_corpus(folder, tmp_path)


def test_held_out_clips_are_never_trained_on(corpus: lifter.Corpus) -> None:
    train, test = set(corpus.split(False).tolist()), set(corpus.split(True).tolist())
    assert not train & test and len(train | test) == len(corpus.rotations)
    assert {corpus.clip_names[corpus.clip[i]] for i in test} == {"05/dance"}
    seen: list[np.ndarray] = []
    sampler = lifter.Sampler(corpus, corpus.split(False), np.random.default_rng(0))
    vary = lifter.vary

    def spy(rotations: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(rotations)
        return vary(rotations, rng)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lifter, "vary", spy)
        sampler.batch(64)
    held_out = corpus.rotations[corpus.split(True)].reshape(-1, 23 * 9)
    distances = np.abs(seen[0].reshape(64, 1, -1) - held_out).max(axis=-1)
    assert distances.min() > 1e-3


@needs_poses
def test_the_real_corpus_holds_out_cmu_05_13_and_martial_arts() -> None:
    corpus = lifter.load_corpus(POSES)
    held_out = {corpus.clip_names[i].split("/")[0] for i in corpus.clip[corpus.split(True)]}
    assert held_out == {"05", "13", "martial"}
    assert 0.1 < len(corpus.split(True)) / len(corpus.rotations) < 0.4


def test_random_bodies_are_symmetric_upright_and_different(corpus: lifter.Corpus) -> None:
    offsets = lifter.random_rest(corpus.limbs, 300, np.random.default_rng(0))
    lengths = np.linalg.norm(offsets, axis=-1)
    assert (lengths[:, 1:] > 0).all()
    ratio = lengths[:, 1:] / lengths[:, list(skeleton.FLIP)][:, 1:]
    assert np.abs(np.log(ratio)).max() < 0.25
    heights = lifter.body_heights(offsets)
    head = lengths[:, INDEX["HeadTop_End"]] / heights
    assert head.min() < 0.12 and head.max() > 0.3  # from giants to chibis
    np.testing.assert_array_less(offsets[:, INDEX["LeftFoot"], 1], 0)


def test_scenes_project_and_point_where_their_joints_are(corpus: lifter.Corpus) -> None:
    rng = np.random.default_rng(0)
    poses = corpus.rotations[:50]
    scene = lifter.place(poses, lifter.random_rest(corpus.limbs, 50, rng), rng)
    parents, children = np.array(skeleton.BONES).T
    steps = scene.joints[:, children] - scene.joints[:, parents]
    np.testing.assert_allclose(scene.targets[:, :22], unit(steps), atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(scene.targets, axis=-1), 1, atol=1e-6)
    # Elbows' and knees' axes stand across the upper limb of a bent one.
    row = 22 + lift.AXES.index("LeftLeg")
    upper, lower = (
        steps[:, skeleton.BONES.index((INDEX[a], INDEX[b]))]
        for a, b in (("LeftUpLeg", "LeftLeg"), ("LeftLeg", "LeftFoot"))
    )
    across = np.cross(unit(upper), unit(lower))
    bent = np.linalg.norm(across, axis=1) > 0.5
    assert bent.any()
    assert ((unit(across) * scene.targets[:, row]).sum(axis=1)[bent] > 0.85).all()
    # Perspective changes the picture, but not beyond recognition.
    flat = scene.joints[..., :2] - scene.joints[..., :2].mean(axis=1, keepdims=True)
    drawn = scene.points - scene.points.mean(axis=1, keepdims=True)
    for a, b in zip(flat, drawn, strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.8


def test_spoilt_keypoints_are_like_an_estimators() -> None:
    rng = np.random.default_rng(0)
    points = np.tile(rng.normal(size=(23, 2)), (4000, 1, 1))
    noisy, scores = lifter.spoil(points, rng)
    size = np.ptp(points[0], axis=0).max()
    errors = np.linalg.norm(noisy - points, axis=-1) / size
    assert ((scores >= 0) & (scores <= 1)).all()
    missing = (scores == 0).mean()
    assert 0.05 < missing < 0.2
    known = scores > 0
    assert 0.005 < np.median(errors[known]) < 0.04
    assert 0.01 < (errors[known] > 0.1).mean() < 0.1  # slips and swapped sides
    # A high score means a small error.
    rank = np.corrcoef(scores[known], np.minimum(errors[known], 0.1))[0, 1]
    assert rank < -0.2


def test_varied_poses_stay_rotations_and_mix_bodies(corpus: lifter.Corpus) -> None:
    poses = corpus.rotations[:60]
    varied = lifter.vary(poses, np.random.default_rng(0))
    square = varied @ varied.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(square, np.broadcast_to(np.eye(3), square.shape), atol=1e-4)
    cosine = (np.einsum("njab,njab->nj", varied, poses) - 1) / 2
    off = np.degrees(np.arccos(cosine.clip(-1, 1)))
    assert off[:, INDEX["Hips"]].max() < 25  # the hips are nobody else's
    changed = off > 30
    assert 0.1 < changed[:, INDEX["LeftForeArm"]].mean() < 0.8
    assert np.median(off) < 15


def test_targets_turn_with_the_normalised_figure(corpus: lifter.Corpus) -> None:
    features, targets, _ = lifter.Sampler(
        corpus, corpus.split(False), np.random.default_rng(1)
    ).batch(200)
    assert features.shape == (200, lift.FEATURES) and features.dtype == np.float32
    points, scores = features[:, :46].reshape(-1, 23, 2), features[:, 46:69]
    for bone, (a, b) in enumerate(skeleton.BONES):
        if skeleton.KEYPOINTS[b] not in ("LeftLeg", "RightForeArm", "Spine2"):
            continue
        sure = (scores[:, a] > 0.8) & (scores[:, b] > 0.8)
        drawn = unit(points[sure, b] - points[sure, a])
        target = targets[sure, bone, :2]
        along = (drawn * unit(target)).sum(axis=1)[np.linalg.norm(target, axis=1) > 0.5]
        assert np.median(along) > 0.97


def test_loss_is_the_likelihood_of_the_distribution() -> None:
    vectors = torch.tensor([[[0.0, 0.0, 3.0]], [[0.5, 0.0, 0.0]]])
    targets = torch.tensor([[[0.0, 0.6, 0.8]], [[-1.0, 0.0, 0.0]]])
    density = []
    for v, t in zip(vectors[:, 0], targets[:, 0], strict=True):
        k = float(v.norm())
        density.append(k / (4 * np.pi * np.sinh(k)) * np.exp(float(v @ t)))
    # Constants are left out: log(4 pi), and log 2 of the hyperbolic sine.
    expected = -np.mean(np.log(density)) - np.log(4 * np.pi) + np.log(2)
    assert float(lifter.loss(vectors, targets)) == pytest.approx(expected, abs=1e-5)
    assert torch.isfinite(lifter.loss(vectors * 1000, targets))
    assert torch.isfinite(lifter.loss(vectors * 0, targets))


def test_misplacement_is_the_mean_distance_of_joints_as_they_are_and_aligned() -> None:
    rng = np.random.default_rng(4)
    lifted, truth = unit(rng.normal(size=(2, 8, 22, 3)))
    lengths = rng.uniform(0.05, 0.3, (8, 22))
    expected = []
    for a, b, sizes in zip(lifted, truth, lengths, strict=True):
        x, y = (lift.place_bones(d, sizes) for d in (a, b))
        x, y = x - x.mean(axis=0), y - y.mean(axis=0)
        expected.append(np.linalg.norm(x - y, axis=1).mean() + pa_mpjpe(x, y))
    given = (torch.from_numpy(v.astype(np.float32)) for v in (lifted, truth, lengths))
    assert float(lifter.misplacement(*given)) == pytest.approx(np.mean(expected), rel=1e-4)


@pytest.mark.parametrize("blocks", [1, 3])
def test_a_network_goes_on_where_it_ended(
    blocks: int, corpus: lifter.Corpus, tmp_path: Path
) -> None:
    model, _ = lifter.train(corpus, steps=10, batch=32, width=48, blocks=1, log=False)
    path = tmp_path / "lifter.npz"
    lifter.export(model, {}, path)
    grown = lifter.Lifter.grown(path, blocks)
    batch = lifter.Sampler(corpus, corpus.split(False), np.random.default_rng(0)).batch(64)
    with torch.no_grad():
        vectors = grown(torch.from_numpy(batch.features)).numpy()
    expected = lift.forward(batch.features, path)
    assert np.abs(vectors - expected).max() < (0.1 if blocks > 1 else 1e-4) * np.abs(expected).max()
    later, _ = lifter.train(corpus, steps=40, batch=32, blocks=blocks, init=path, log=False)
    targets = torch.from_numpy(batch.targets)
    with torch.no_grad():
        ended = lifter.loss(later(torch.from_numpy(batch.features)), targets)
    assert ended < lifter.loss(torch.from_numpy(expected), targets)


def test_weights_may_go_on_in_their_own_file(folder: Path, tmp_path: Path) -> None:
    """The card then tells how the new ones do, and what went before; nothing else is left."""
    weights = tmp_path / "lifter.npz"
    common = ["train", "--poses", str(folder), "--weights", str(weights), "--count", "20"]
    assert lifter.main([*common, "--steps", "5", "--batch", "16", "--width", "16"]) == 0
    first = json.loads(weights.with_suffix(".json").read_text())
    assert lifter.main([*common, "--steps", "60", "--batch", "16", "--init", str(weights)]) == 0
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["training"]["before"] == first["training"]
    lift.layers.cache_clear()
    scores = lifter.evaluate(lifter.load_corpus(folder), weights, count=20)
    assert card["scores"] == {name: round(value, 2) for name, value in scores.items()}
    assert card["scores"] != first["scores"]
    assert {path.name for path in tmp_path.iterdir()} == {"lifter.npz", "lifter.json"}


@pytest.mark.parametrize("damage", ["text", "cut", "card", "deep", "other"])
def test_weights_that_cannot_go_on_are_one_sentence(
    damage: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init, weights = tmp_path / "init.npz", tmp_path / "lifter.npz"
    if damage == "text":
        init.write_text("not weights")
    elif damage in ("deep", "cut", "card"):
        lifter.export(lifter.Lifter(16, 2).eval(), {"training": {}}, init)
        if damage == "cut":
            init.write_bytes(init.read_bytes()[:-300])
        elif damage == "card":
            init.with_suffix(".json").write_text("{")
    else:
        np.savez(init, w0=np.zeros((3, 16)), b0=np.zeros(16), w1=np.zeros((16, 2)), b1=np.zeros(2))
    common = ["--poses", str(folder), "--weights", str(weights), "--steps", "1"]
    assert lifter.main(["train", *common, "--blocks", "1", "--init", str(init)]) == 2
    sentence = {
        **dict.fromkeys(("text", "cut"), "no weights of a lifter"),
        "card": "is damaged",
        "deep": "--blocks",
        "other": "another version",
    }
    error = capsys.readouterr().err.strip()
    assert sentence[damage] in error and "\n" not in error
    assert not weights.exists()


def test_numpy_computes_what_torch_computes(corpus: lifter.Corpus, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = lifter.Lifter(width=64)
    features, *_ = lifter.Sampler(corpus, corpus.split(False), np.random.default_rng(0)).batch(128)
    model.train()
    with torch.no_grad():
        for _ in range(20):  # the batch norms learn their statistics
            model(torch.from_numpy(features))
        model.eval()
        expected = model(torch.from_numpy(features)).numpy()
    path = tmp_path / "lifter.npz"
    lifter.export(model, {"name": "a test"}, path)
    result = lift.forward(features, path)
    # Weights are stored in half precision.
    np.testing.assert_allclose(result, expected, atol=0.01 * np.abs(expected).max())
    assert json.loads(path.with_suffix(".json").read_text()) == {"name": "a test"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lifter.json", "lifter.npz"]


def test_training_learns(corpus: lifter.Corpus) -> None:
    rows, rng = corpus.split(True), np.random.default_rng(9)
    features, targets, _ = map(torch.from_numpy, lifter.Sampler(corpus, rows, rng).batch(256))

    def score(steps: int) -> float:
        model, _ = lifter.train(corpus, steps=steps, batch=32, width=64, log=False)
        with torch.no_grad():
            return float(lifter.loss(model(features), targets))

    # To know nothing, that is a concentration of zero everywhere, costs log 2.
    assert score(80) < min(score(2), np.log(2)) - 0.3


def test_training_is_reproducible(corpus: lifter.Corpus) -> None:
    a, b = (lifter.train(corpus, steps=5, batch=16, width=16, seed=3, log=False) for _ in range(2))
    assert a[1] == b[1] == 5
    for p, q in zip(a[0].parameters(), b[0].parameters(), strict=True):
        assert torch.equal(p, q)


def test_command_line(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "lifter.npz"
    common = ["--poses", str(folder), "--weights", str(weights)]
    sizes = ["--steps", "10", "--batch", "16", "--width", "16", "--count", "20"]
    assert lifter.main(["train", *common, *sizes]) == 0
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["training"]["steps"] == 10 and card["keypoints"] == list(skeleton.KEYPOINTS)
    report = tmp_path / "scores.json"
    assert lifter.main(["evaluate", *common, "--count", "20", "--json", str(report)]) == 0
    assert set(json.loads(report.read_text())) == set(card["scores"])
    assert "pa_mpjpe_percent_true" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["absent", "text", "other"])
def test_bad_poses_are_one_sentence(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if damage == "text":
        (tmp_path / lifter.CORPORA[0]).write_text("not a corpus")
    elif damage == "other":
        np.savez(tmp_path / lifter.CORPORA[0], rot=np.zeros(3))
    weights = tmp_path / "lifter.npz"
    status = lifter.main(["train", "--poses", str(tmp_path), "--weights", str(weights)])
    error = capsys.readouterr().err.strip()
    assert status == 2 and "is not a pose corpus" in error and "\n" not in error
    assert not weights.exists()


def test_missing_weights_are_one_sentence(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--poses", str(folder), "--weights", str(tmp_path / "none.npz")]
    assert lifter.main(["evaluate", *arguments]) == 2
    assert "train first" in capsys.readouterr().err


@needs_poses
def test_the_shipped_lifter_reads_motion_capture_that_it_has_not_seen() -> None:
    scores = lifter.evaluate(lifter.load_corpus(POSES), lift.WEIGHTS, count=150)
    assert scores["pa_mpjpe_percent_true"] < 3
    assert scores["pa_mpjpe_percent_estimated"] < 4.5
    assert scores["pa_mpjpe_percent_true"] < 0.5 * scores["pa_mpjpe_percent_flat"]

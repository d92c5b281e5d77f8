"""What is validated on is learnt from neither with its joints nor without them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from addon.core import image
from addon.core.errors import UserError
from trainer import data, duplicates
from trainer.train import Settings, Trainer

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.png"))
SHARED = ROOT.parent / "shared" / "data" / "drawings"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data/drawings")


def _copies(grey: np.ndarray) -> dict[str, np.ndarray]:
    """A picture as it comes back from somebody else's collection."""
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    code = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 40])[1]
    return {
        "same": grey,
        "mirrored": grey[:, ::-1],
        "small": half,
        "compressed": cv2.imdecode(code, cv2.IMREAD_GRAYSCALE),
        "pale": 120 + grey // 2,
        "margins": cv2.copyMakeBorder(grey, 30, 90, 50, 10, cv2.BORDER_REPLICATE),
    }


@pytest.mark.parametrize("path", EXAMPLES[:4], ids=lambda path: path.stem)
def test_copies_are_recognised(path, tmp_path):
    files = []
    for name, picture in _copies(image.load_grey(path)).items():
        files.append(tmp_path / f"{name}.png")
        cv2.imwrite(str(files[-1]), picture)
    found = duplicates.near_copies(files, [path])
    assert found.all(), [file.stem for file, copy in zip(files, found, strict=True) if not copy]


def test_different_drawings_are_no_copies():
    for path in EXAMPLES:
        others = [other for other in EXAMPLES if other != path]
        assert not duplicates.near_copies(others, [path]).any()


def test_nothing_to_compare_with_is_no_copy():
    assert duplicates.near_copies(EXAMPLES, []).tolist() == [False] * len(EXAMPLES)


def test_copies_of_validation_drawings_are_not_adapted_to(tmp_path):
    grey = image.load_grey(EXAMPLES[0])
    cv2.imwrite(str(tmp_path / "copy.png"), grey[::2, ::-2])
    cv2.imwrite(str(tmp_path / "other.png"), image.load_grey(EXAMPLES[1]))
    dataset = data.UnlabelledDataset([tmp_path], 64, 0, [EXAMPLES[0]])
    assert [file.name for file in dataset.files] == ["other.png"] and dataset.left_out == 1
    (tmp_path / "other.png").unlink()
    with pytest.raises(UserError, match="no pictures in .* but those to validate on"):
        data.UnlabelledDataset([tmp_path], 64, 0, [EXAMPLES[0]])


def _trained(annotated: Path, strokes: Path, unlabelled: Path, out: Path) -> dict:
    """The weights after a short training that validates and adapts."""
    out.mkdir()
    settings = Settings(
        strokes=(strokes,),
        out=out,
        network="hrnet-w16-small",
        size=64,
        batch=4,
        epochs=0.7,
        evaluate_every=0.3,
        workers=0,
        drawings=annotated,
        unlabelled=(unlabelled, annotated),
        unlabelled_start=0.0,
        discriminator="mlp1",
        gamma=0.1,
    )
    trainer = Trainer(settings)
    trainer.run()
    assert (out / "log.jsonl").read_text().count("drawings_oks") >= 2
    return trainer.network.state_dict()


def test_validation_drawings_do_not_touch_the_weights(pack, annotated, tmp_path):
    strokes, unlabelled = tmp_path / "strokes", tmp_path / "unlabelled"
    strokes.mkdir()
    unlabelled.mkdir()
    pack.save(strokes / "clip.npz")
    page = cv2.imread(str(annotated / "images" / "0.png"))
    cv2.imwrite(str(unlabelled / "lying.png"), np.rot90(page))
    first = _trained(annotated, strokes, unlabelled, tmp_path / "first")
    # Other pictures with other joints: only the scores may change.
    for i, path in enumerate(sorted((annotated / "images").iterdir())):
        cv2.imwrite(str(path), image.load_grey(EXAMPLES[i]))
    labels = json.loads((annotated / "keypoints.json").read_text())
    for one in labels["annotations"]:
        one["keypoints"] = [value / 2 for value in one["keypoints"]]
    (annotated / "keypoints.json").write_text(json.dumps(labels))
    second = _trained(annotated, strokes, unlabelled, tmp_path / "second")
    for name, value in first.items():
        torch.testing.assert_close(second[name], value, rtol=0, atol=0)


@needs_shared
@pytest.mark.parametrize("folder", ["unlabelled", "unlabelled_books"])
def test_no_shared_validation_drawing_is_among_those_adapted_to(folder):
    hashed = duplicates.perceptual_hash
    validation = sorted((SHARED / "validation" / "images").iterdir())
    greys = [image.load_grey(path) for path in validation]
    known = np.array([hashed(one) for grey in greys for one in (grey, grey[:, ::-1])])
    dataset = data.UnlabelledDataset([SHARED / folder], 64, 0, validation)
    assert len(dataset) > 1000
    files = data.UnlabelledDataset([SHARED / folder], 64, 0).files
    distance = {path: (known != hashed(image.load_grey(path))).sum(1).min() for path in files}
    # The very drawings are not in the folder; others by the same hand over the same underlay are.
    assert min(distance.values()) > 2
    assert dataset.files == [path for path in files if distance[path] > duplicates.NEAR]

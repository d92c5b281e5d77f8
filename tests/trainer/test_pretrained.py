"""Published checkpoints, by files of made-up values under the published names and shapes."""

import zipfile
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from addon.core import skeleton
from addon.core.errors import UserError
from tests.trainer import published_hrnet
from trainer import checkpoint, models, pretrained
from trainer.models.hrnet import PRESETS

NAME = "hrnet-w16-small"
HEAD = ["final_layer.bias", "final_layer.weight"]


def _saved(path: Path, content: object, **options: bool) -> Path:
    torch.save(content, path, **options)
    return path


def _assert_trunk_taken(network: models.Network, start: pretrained.Start, weights: dict) -> None:
    own = network.state_dict()
    assert start.fresh == HEAD and set(start.taken) == own.keys() - set(HEAD)
    for name in start.taken:
        if name not in ("conv1.weight", "bn1.running_mean"):
            assert torch.equal(own[name], weights[name]), name


def test_an_imagenet_checkpoint_leaves_its_classifier_behind(tmp_path):
    weights = published_hrnet.weights(published_hrnet.imagenet(NAME))
    # As old versions of torch wrote it: the published files are of that format.
    file = _saved(tmp_path / "w.pth", weights, _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(file)
    network = models.build(NAME)
    start = pretrained.initialise(network, file)
    _assert_trunk_taken(network, start, weights)
    unused = {name.partition(".")[0] for name in start.unused}
    assert unused == {"classifier", "downsamp_modules", "final_layer", "incre_modules", "stage4"}
    stage4 = {name for name in start.unused if name.startswith("stage4")}
    assert all(name.split(".")[2:4] in (["fuse_layers", i] for i in "123") for name in stage4)
    assert str(start) == (
        f"{len(start.taken)} tensors taken; left out: classifier, downsamp_modules, final_layer, "
        "incre_modules, stage4.0.fuse_layers.1, stage4.0.fuse_layers.2, stage4.0.fuse_layers.3; "
        "freshly made: final_layer"
    )


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "model", "module.", "backbone."])
def test_a_coco_checkpoint_leaves_its_head_behind_however_it_is_wrapped(tmp_path, wrapped):
    weights = content = published_hrnet.weights(published_hrnet.coco(NAME))
    if wrapped.endswith("."):
        content = {wrapped + name: value for name, value in weights.items()}
    if wrapped == "backbone.":
        content["keypoint_head.final_layer.bias"] = content.pop("backbone.final_layer.bias")
    if wrapped in ("state_dict", "module."):
        # The authors' own training writes its name and score beside the parameters.
        content = {"epoch": 210, "model": "pose_hrnet", "state_dict": content}
        content["perf"] = np.float64(0.744)
    if wrapped == "model":
        content = {"model": content}
    network = models.build(NAME)
    start = pretrained.initialise(network, _saved(tmp_path / "w.pth", content))
    _assert_trunk_taken(network, start, weights)
    heads = ["final_layer.weight", "keypoint_head.final_layer.bias"]
    assert start.unused == (heads if wrapped == "backbone." else HEAD)


def test_weights_without_batch_counters_are_whole(tmp_path):
    weights = published_hrnet.weights(published_hrnet.coco(NAME))
    old = {name: w for name, w in weights.items() if not name.endswith("num_batches_tracked")}
    start = pretrained.initialise(models.build(NAME), _saved(tmp_path / "w.pth", old))
    assert start.fresh == start.unused == HEAD


@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_layer_sees_on_ink_what_it_saw_on_the_picture(tmp_path, channels):
    weights = published_hrnet.weights(published_hrnet.coco(NAME))
    weights["conv1.weight"] -= 0.1  # of both signs
    network = models.HRNet(replace(PRESETS[NAME], in_channels=channels)).eval()
    pretrained.initialise(network, _saved(tmp_path / "w.pth", weights))

    ink = torch.rand(2, 1, 32, 32)
    mean, std = torch.tensor(pretrained.IMAGENET_MEAN), torch.tensor(pretrained.IMAGENET_STD)
    picture = (1 - ink - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    expected = torch.nn.functional.conv2d(picture, weights["conv1.weight"], stride=2, padding=1)
    mean, variance, gain, bias = (
        weights[f"bn1.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
    )
    expected = torch.nn.functional.batch_norm(expected, mean, variance, gain, bias)
    found = network.bn1(network.conv1(ink.expand(-1, channels, -1, -1)))
    inside = (..., slice(1, None), slice(1, None))  # only the padding differs
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.05


def test_a_photo_network_answers_for_the_joints_that_coco_names(tmp_path):
    weights = published_hrnet.weights(published_hrnet.coco(NAME))
    file = _saved(tmp_path / "w.pth", weights)
    network = checkpoint.network(pretrained.photo_network(file, NAME, 64))
    ink = torch.rand(1, 1, 64, 64)
    found, features = network(ink)[0], network.features(ink)
    weight, bias = weights["final_layer.weight"], weights["final_layer.bias"]
    maps = torch.nn.functional.conv2d(features, weight, bias)[0]
    elbow = maps[skeleton.COCO17_NAMES.index("left_elbow")]
    torch.testing.assert_close(found[skeleton.INDEX["LeftForeArm"]], 10 * elbow)
    answered = [row for row in range(len(found)) if found[row].any()]
    assert answered == sorted(skeleton.COMMON_INDEX)

    with pytest.raises(UserError, match="not a checkpoint of hrnet-w18-small"):
        pretrained.photo_network(file, "hrnet-w18-small", 64)
    imagenet = published_hrnet.weights(published_hrnet.imagenet(NAME))
    with pytest.raises(UserError, match="17 keypoints"):
        pretrained.photo_network(_saved(tmp_path / "i.pth", imagenet), NAME, 64)


def test_a_run_of_ours_is_taken_as_it_is(tmp_path):
    torch.manual_seed(0)
    first = models.HRNet(replace(PRESETS[NAME], in_channels=3))
    state = {"network": NAME, "config": {}, "size": 64, "weights": first.state_dict()}
    checkpoint.save(tmp_path / "c.pt", state)
    second = models.HRNet(PRESETS[NAME])
    start = pretrained.initialise(second, tmp_path / "c.pt")
    assert start.fresh == start.unused == []
    summed = first.conv1.weight.sum(dim=1, keepdim=True)
    assert torch.equal(second.conv1.weight, summed)


def test_weights_of_another_network_are_the_users_mistake(tmp_path):
    weights = published_hrnet.weights(published_hrnet.coco(NAME))
    file = _saved(tmp_path / "w.pth", weights)
    with pytest.raises(UserError, match="another kind; choose its --network"):
        pretrained.initialise(models.build("unet", keypoints=5), file)
    with pytest.raises(UserError, match="holds no weights"):
        pretrained.initialise(models.build(NAME), _saved(tmp_path / "o.pth", {"epoch": 3}))
    with pytest.raises(UserError, match="not a checkpoint"):  # would run code when read
        pretrained.initialise(models.build(NAME), _saved(tmp_path / "c.pth", Namespace(a=1)))

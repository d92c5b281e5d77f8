import numpy as np
import pytest
import torch

from addon.core.errors import UserError
from trainer import models


@pytest.mark.parametrize("name", ["unet", "hrnet-w16-small", "hrnet-w18-small"])
def test_logits_have_a_quarter_of_the_inputs_side(name):
    network = models.build(name).eval()
    assert network(torch.rand(2, 1, 96, 96)).shape == (2, 23, 24, 24)


@pytest.mark.parametrize("name", models.NAMES)
def test_training_starts_undecided(name):
    torch.manual_seed(0)
    # Flat maps are the uniform distribution; anything else costs the first minutes to unlearn.
    logits = models.build(name).eval()(torch.rand(1, 1, 64, 64))
    assert logits.abs().max() < 0.5


def test_colour_networks_read_the_same_ink():
    network = models.build("hrnet-w16-small", in_channels=3).eval()
    assert network.conv1.weight.shape == (64, 3, 3, 3)
    assert network(torch.rand(1, 1, 64, 64)).shape == (1, 23, 16, 16)


def test_w32_has_the_published_size_names_and_shapes():
    network = models.build("hrnet-w32", in_channels=3, keypoints=17)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    # As printed by the authors: 28.5 million parameters for 17 keypoints.
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(28.5e6, rel=0.002)
    expected = {
        "conv1.weight": (64, 3, 3, 3),
        "bn2.running_mean": (64,),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer1.3.conv3.weight": (256, 64, 1, 1),
        "transition1.0.0.weight": (32, 256, 3, 3),
        "transition1.1.0.0.weight": (64, 256, 3, 3),
        "stage2.0.branches.1.3.conv2.weight": (64, 64, 3, 3),
        "stage2.0.fuse_layers.0.1.0.weight": (32, 64, 1, 1),
        "transition2.2.0.0.weight": (128, 64, 3, 3),
        "stage3.3.fuse_layers.2.0.0.0.weight": (32, 32, 3, 3),
        "stage3.3.fuse_layers.2.0.1.0.weight": (128, 32, 3, 3),
        "transition3.3.0.1.bias": (256,),
        "stage4.2.branches.3.3.bn2.weight": (256,),
        "stage4.2.fuse_layers.0.3.1.weight": (32,),
        "final_layer.weight": (17, 32, 1, 1),
        "final_layer.bias": (17,),
    }
    assert {name: shapes.get(name) for name in expected} == expected
    # Only the finest branch leaves the last module.
    assert not any(name.startswith("stage4.2.fuse_layers.1.") for name in shapes)


def test_w48_has_the_published_size():
    network = models.build("hrnet-w48", in_channels=3, keypoints=17)
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(63.6e6, rel=0.002)


def test_the_unet_is_small_enough_for_a_cpu():
    count = sum(p.numel() for p in models.build("unet").parameters())
    assert 3e6 < count < 4e6


@pytest.mark.parametrize("name", ["unet", "hrnet-w16-small"])
def test_every_parameter_learns(name):
    torch.manual_seed(0)
    network = models.build(name)
    with torch.no_grad():  # silent branches pass no gradient to their first layers: wake them
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.fill_(1.0)
    weights = torch.from_numpy(np.random.default_rng(0).normal(size=(23, 16, 16))).float()
    (network(torch.rand(2, 1, 64, 64)) * weights).sum().backward()
    dead = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []


def test_an_unknown_network_is_the_users_mistake():
    with pytest.raises(UserError, match="no network called resnet"):
        models.build("resnet")

import numpy as np
import pytest
import torch

from addon.core.errors import UserError
from tests.trainer import published_hrnet
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


@pytest.mark.parametrize("name", published_hrnet.CONFIGURATIONS)
def test_names_and_shapes_are_all_the_published_ones(name):
    with torch.device("meta"):
        network = models.build(name, in_channels=3, keypoints=17)
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert shapes == published_hrnet.coco(name)


@pytest.mark.parametrize("name", published_hrnet.CONFIGURATIONS)
def test_the_classification_network_holds_all_but_the_head(name):
    with torch.device("meta"):
        network = models.build(name, in_channels=3)
    published = published_hrnet.imagenet(name)
    other = {n for n, v in network.state_dict().items() if published.get(n) != tuple(v.shape)}
    assert other == {"final_layer.weight", "final_layer.bias"}


@pytest.mark.parametrize(("name", "millions"), [("hrnet-w32", 28.5), ("hrnet-w48", 63.6)])
def test_there_are_as_many_parameters_as_published(name, millions):
    with torch.device("meta"):
        network = models.build(name, in_channels=3, keypoints=17)
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(millions * 1e6, rel=0.002)


def test_one_pass_gives_logits_and_features():
    network = models.build("unet").eval()
    ink = torch.rand(1, 1, 64, 64)
    logits, features = models.WithFeatures(network)(ink)
    assert torch.equal(logits, network(ink)) and torch.equal(features, network.features(ink))


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

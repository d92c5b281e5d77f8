"""The preferences: a wrong network is refused when it is chosen, and again when it is to pose."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from addon.core.errors import UserError
from addon.core.estimator import SHIPPED, Estimator
from addon.preferences import CroquisPreferences, make_estimator

pytestmark = pytest.mark.skipif(not SHIPPED.exists(), reason="no network has been trained yet")


@pytest.fixture
def preferences(registered: None) -> Iterator[Any]:
    """The add-on's preferences, as an enabled add-on has them."""
    addons, name = bpy.context.preferences.addons, CroquisPreferences.bl_idname
    added = None
    if name not in addons:
        added = addons.new()
        added.module = name
    yield addons[name].preferences
    for setting in ("network", "threads", "pose_library"):
        addons[name].preferences.property_unset(setting)
    if added:
        addons.remove(added)


def test_a_wrong_network_is_refused_at_once(preferences: Any, tmp_path: Path) -> None:
    assert preferences.network_problem == ""
    for name in ("croquis.onnx", "croquis.json"):
        shutil.copy(SHIPPED.with_name(name), tmp_path)
    own = tmp_path / "croquis.onnx"
    preferences.network = str(own)
    assert preferences.network_problem == ""
    own.write_bytes(own.read_bytes()[:-1000])
    preferences.network = str(own)
    assert preferences.network_problem == (
        "The card croquis.json belongs to another network; choose another network."
    )
    with pytest.raises(UserError, match="belongs to another network"):
        make_estimator(bpy.context)
    preferences.network = ""
    assert preferences.network_problem == ""
    assert make_estimator(bpy.context).input_size == Estimator().input_size


def test_threads_reach_the_estimator(preferences: Any) -> None:
    preferences.threads = 1
    assert make_estimator(bpy.context)._threads == 1

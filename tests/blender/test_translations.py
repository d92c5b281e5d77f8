"""Croquis in another language, and in English again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import addon
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import pose_from_sketch
from addon.translations import say


@pytest.fixture
def russian() -> Iterator[None]:
    view = bpy.context.preferences.view
    before = view.language
    try:
        view.language = "ru_RU"
    except TypeError:
        pytest.skip("this Blender speaks English only")
    if not bpy.app.build_options.international:
        pytest.skip("this Blender speaks English only")
    view.use_translate_interface = view.use_translate_tooltips = True
    view.use_translate_new_dataname = True
    yield
    view.language = before


@pytest.mark.usefixtures("russian", "registered")
def test_labels_and_sentences_are_translated() -> None:
    label = bpy.app.translations.pgettext_iface("Pose from Sketch", "Operator")
    assert label == "Поза по рисунку"
    assert say("Choose a drawing first.") == "Сначала выберите рисунок."
    assert say("“Кукла 2 {x}” is not an armature; choose an armature.") == (
        "«Кукла 2 {x}» не арматура; выберите арматуру."
    )
    assert say("Posed “Bob”: 20 of 23 joints clear. It is tired.") == (
        "«Bob» в позе: ясно видно суставов — 20 из 23. It is tired."
    )
    with pytest.raises(RuntimeError, match="Сначала выберите рисунок"):
        bpy.ops.croquis.pose_from_sketch()


@pytest.mark.usefixtures("russian", "registered")
def test_new_data_may_have_names_in_another_language(drawing: Path, estimator: Any) -> None:
    armature = add_mannequin(bpy.context)
    image = bpy.data.images.load(str(drawing))
    posed = pose_from_sketch(bpy.context, image, armature, estimator=estimator)
    assert posed.armature == armature and posed.camera and posed.drawing


@pytest.mark.usefixtures("russian")
def test_a_disabled_add_on_is_forgotten() -> None:
    addon.register()
    addon.unregister()
    assert say("Choose a drawing first.") == "Choose a drawing first."


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "sentence",
    ["Choose a drawing first.", "Posed “Bob”: 20 of 23 joints clear.", "“{}” is 50% {0}.", ""],
)
def test_english_stays_as_it_is(sentence: str) -> None:
    assert say(sentence) == sentence

"""Croquis in other languages, and in English again.

A Blender that speaks English only, such as the bpy wheel, still has the tables to compare with.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import addon
from addon.blender.mannequin import add_mannequin
from addon.blender.pose import pose_from_sketch
from addon.core.rigs import label_of
from addon.core.skeleton import KEYPOINTS
from addon.operators.correct import JOINT_NAMES
from addon.preferences import CroquisPreferences
from addon.translations import ru, say
from addon.translations.sentences import Table
from tests.blender.test_register import groups, operators, own_properties

NAMES = {"Croquis", "Freestyle", "Line Art", "X", "Y"}
"""What is called the same in every language."""

TRANSLATED = [
    name
    for name in bpy.types.PreferencesView.bl_rna.properties.keys()  # noqa: SIM118
    if name.startswith("use_translate_")
]
"""What the user may have translated: reports, interface, tooltips, new names."""


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
    for where in TRANSLATED:
        setattr(view, where, True)
    yield
    for where in TRANSLATED:
        setattr(view, where, True)
    view.language = before


@pytest.mark.usefixtures("russian", "registered")
def test_labels_and_sentences_are_translated() -> None:
    label = bpy.app.translations.pgettext_iface("Pose from Sketch", "Operator")
    assert label == "Поза по рисунку"
    assert say("Choose a drawing first.") == "Сначала выберите рисунок."
    for name in ("choose_bone", "move_joint"):
        joint = getattr(bpy.ops.croquis, name).get_rna_type().properties["joint"]
        head = joint.enum_items["Head"].name
        assert bpy.app.translations.pgettext_iface(head, joint.translation_context) == "Голова"
    assert say("“Кукла 2 {x}” is not an armature; choose an armature.") == (
        "«Кукла 2 {x}» не арматура; выберите арматуру."
    )
    assert say("Posed “Bob”: 20 of 23 joints clear. It is tired.") == (
        "«Bob» в позе: ясно видно суставов — 20 из 23. It is tired."
    )
    with pytest.raises(RuntimeError, match="Сначала выберите рисунок"):
        bpy.ops.croquis.pose_from_sketch()


@pytest.mark.usefixtures("russian", "registered")
@pytest.mark.parametrize("where", ["reports", "interface", "tooltips"])
def test_each_place_is_translated_as_the_user_has_chosen(where: Any) -> None:
    view = bpy.context.preferences.view
    for name in TRANSLATED:
        setattr(view, name, name == f"use_translate_{where}")
    said = {place: say("Flip Head", place) for place in ("reports", "interface", "tooltips")}
    assert said == dict.fromkeys(said, "Flip Head") | {where: "Развернуть: Голова"}
    limb = bpy.types.CROQUIS_OT_flip_limb
    properties = types.SimpleNamespace(limb="LeftArm")
    tooltip = limb.description(bpy.context, properties)
    assert tooltip.startswith("Прочитать глубину" if where == "tooltips" else "Read the left arm")


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
    assert bpy.app.translations.pgettext("Choose a drawing first.") == "Choose a drawing first."


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    "sentence",
    ["Choose a drawing first.", "Posed “Bob”: 20 of 23 joints clear.", "“{}” is 50% {0}.", ""],
)
def test_english_stays_as_it_is(sentence: str) -> None:
    assert say(sentence) == sentence


def texts_of(rna: bpy.types.Struct) -> Iterator[str]:
    """Names and tooltips of what a class has declared, and of the choices there."""
    for prop in own_properties(rna):
        yield from () if prop.name == prop.identifier else (prop.name,)
        yield prop.description
        for item in prop.enum_items if prop.type == "ENUM" else ():
            yield from (item.name, item.description)


def everything_shown() -> Iterator[str]:
    """Every label and tooltip of the registered add-on but the operators' labels."""
    for operator in operators().values():
        yield operator.get_rna_type().description
        yield from texts_of(operator.get_rna_type())
    for group in groups():
        yield from texts_of(group.bl_rna)
    for prop in own_properties(CroquisPreferences.bl_rna):
        if prop.identifier != "bl_idname":
            yield from (prop.name, prop.description)
    for name in dir(bpy.types):
        if name.startswith(("CROQUIS_PT_", "CROQUIS_MT_")):
            yield getattr(bpy.types, name).bl_label
    yield from map(label_of, KEYPOINTS)
    yield from JOINT_NAMES.values()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("language", [ru], ids=["ru"])
def test_every_label_and_tooltip_is_translated(language: Any) -> None:
    labels = {operator.get_rna_type().name for operator in operators().values()}
    assert len(labels) > 20
    assert sorted(labels - set(language.LABELS)) == []
    texts = set(filter(None, everything_shown()))
    assert len(texts) > 200
    assert sorted(texts - NAMES - set(language.TEXTS)) == []


@pytest.mark.parametrize(
    ("english", "russian"),
    [
        # Names stay, whatever they are; parts of the body and other words of the table do not.
        ("“Head. And arms” is not an armature; choose an armature.", "«Head. And arms» не армат"),
        (
            "“a” is chosen for Left Arm and for Neck; choose another for one.",
            "(Левая рука; Шея)",
        ),
        ("Not all follows the drawing: drivers hold “a”, “b” and 3 more.", "«a», «b» и ещё 3"),
        (
            "Not all follows the drawing: constraints and drivers hold “rope and bell”.",
            "ограничения и драйверы удерживают «rope and bell»",
        ),
        ("There is no file /rock and roll, a/{0}.png.", "Нет файла /rock and roll, a/{0}.png."),
        (
            "Posed. The other drawings contradict Left Elbow in “a, b”, Neck in “c” and 2 more.",
            "противоречит: Левый локоть на рисунке «a, b», Шея на рисунке «c» и ещё 2.",
        ),
        (
            "The page shows only 3 figures; choose one of them.",
            "На странице фигур: 3; выберите одну из них.",
        ),
        ("Croquis finds no hips and no legs in the armature: choose a", "Croquis finds"),
        # A sentence that another one quotes begins with a small letter, in both languages.
        ("“page.png”: choose a drawing first.", "«page.png»: сначала выберите рисунок."),
        ("Stopped; 3 finished clips are kept in /tmp/out, and Render", "Stopped"),
        ("Added 1 drawing.", "Добавлено: 1 рисунок."),
        ("Choose the folder “Characters” first.", "Сначала выберите папку «Персонажи»."),
        (
            "12 drawings in /a of b; 3 failed, see failed.json; sheet.png shows some.",
            "Рисунков в /a of b: 12; не удалось: 3, см. failed.json; примеры в sheet.png.",
        ),
        # Names stay where they look like our own words or sentences.
        ("There is no folder /home/ann/My drawings.", "Нет папки /home/ann/My drawings."),
        ("Wrote House of Cards.json.", "Записан файл House of Cards.json."),
        ("Wrote Head.", "Записан файл Head."),
        ("No character is called a; there are left, right.", "именем a; есть left, right."),
        ("A. Smith.fbx holds no armature; choose a rigged character.", "В A. Smith.fbx нет арм"),
        (
            "Keyed “Dr. Who” at 3 frames. Check “a. B”, “c” first.",
            "«Dr. Who»: ключевых кадров — 3. Сначала проверьте «a. B», «c».",
        ),
        (
            "There is no picture at /a/Look. Here/b.png; choose another file.",
            "Нет изображения /a/Look. Here/b.png; выберите другой файл.",
        ),
    ],
)
def test_sentences_are_found_again_by_their_words(english: str, russian: str) -> None:
    assert russian in Table(ru.TEXTS).translate(english)


def test_the_template_with_most_words_of_its_own_is_meant() -> None:
    table = Table({"{} moved.": "m {}.", "{} moved {}.": "m2 {} {}.", "{} was moved.": "w {}."})
    assert table.translate("It was moved.") == "w It."
    assert table.translate("It moved. She moved far.") == "m It. m2 She far."
    assert table.translate("Nothing stirs.") == "Nothing stirs."
    assert Table({"{} in {}.": "{1}: {0}."}).translate("Two in one.") == "one: Two."


@pytest.mark.usefixtures("registered")
def test_what_the_mannequin_says_in_english_is_all_in_the_table(
    drawing: Path, estimator: Any
) -> None:
    armature = add_mannequin(bpy.context)
    image = bpy.data.images.load(str(drawing))
    said = pose_from_sketch(bpy.context, image, armature, estimator=estimator).summary()
    assert not set(Table(ru.TEXTS).translate(said)) & set("abcdefghijkl") - set("Mannequin")


@pytest.mark.parametrize(
    "words", ["x, y of z ", "a. B", "a. " + "B" * 50, "“", "“a”: ", "no a; b fails: ", "a and "]
)
def test_no_text_takes_long(words: str) -> None:
    table = Table(ru.TEXTS)
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    for length in (900, 100_000):
        text = f"Wrote {words * (length // len(words))}."
        before = sys.getprofile()
        sys.setprofile(count)
        try:
            table.translate(text)
        finally:
            sys.setprofile(before)
    assert calls < 300_000

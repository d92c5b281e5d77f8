"""What Croquis keeps with an armature object: text that is saved, copied and undone with it.

It goes into properties that the add-on registers, for of a library override a file keeps nothing
but what is declared to be overridable. Scripts without the registered add-on keep it in custom
properties, which the add-on reads, too.
"""

from __future__ import annotations

import bpy

BONES = "croquis_bones"
"""The bones which the user has chosen."""

ESTIMATE = "croquis_estimate"
"""The estimate of the last drawing."""

BEFORE = "croquis_before"
"""How the character stood before its last drawing."""


def keep(armature: bpy.types.Object, name: str, text: str) -> None:
    """Keep a text under one of the names above; "" forgets what was there."""
    armature.pop(name, None)  # what a script has kept
    if name in armature.bl_rna.properties:
        setattr(armature, name, text)
    elif text:
        armature[name] = text


def kept(armature: bpy.types.Object, name: str) -> str:
    """What :func:`keep` has kept, or ""."""
    text = getattr(armature, name, "") or armature.get(name)
    return text if isinstance(text, str) else ""

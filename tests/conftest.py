"""Property tests try the same cases every time and are not judged by the clock."""

import contextlib

with contextlib.suppress(ImportError):  # a real Blender's Python has no hypothesis
    from hypothesis import settings

    settings.load_profile("ci")

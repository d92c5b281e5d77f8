"""Screenshots and the animation of docs/, taken in a real window that mouse and keys drive.

python scripts/draw_screenshots.py [--out docs]

The stories are those of tests/gui: the zip is built, installed and used. When all pictures are made
they replace the older ones; a run that fails replaces none. Needs what those tests need, a real
Blender (REAL_BLENDER), a screen, xdotool and ImageMagick; takes about ten minutes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from addon.core.errors import UserError
from addon.core.files import written_whole
from scripts import build_extension
from scripts._common import ROOT, run
from tests.gui.real_blender import RealBlender, find_program

DRAWING = ROOT / "examples" / "gesture_run.png"
SEVERAL = 3
"""How often each example stands in the list of several drawings."""

_PANEL = (640, 24, 1326, 912)
_WORK = (240, 24, 1326, 912)

PICTURES = {
    "install": ("tour/install-menu", (316, 180, 1010, 500)),
    "tab": ("tour/tab", (880, 24, 1326, 912)),
    "mannequin": ("tour/mannequin", _PANEL),
    "posed": ("tour/posed", _WORK),
    "dragged": ("tour/drag-11", _WORK),
    "flipped": ("tour/flipped", _PANEL),
    "keyed": ("tour/keyed", (0, 640, 1326, 1000)),
    "saved": ("tour/saved", _WORK),
    "undone": ("tour/undone", _WORK),
    "sequence": ("several/sequence-running", (0, 472, 1326, 1000)),
    "dataset_panel": ("render/dataset-panel", (1031, 518, 1300, 905)),
    "dataset": ("render/dataset-long", (0, 640, 1326, 1000)),
    "contact_sheet": ("render/contact-sheet", (440, 68, 1160, 972)),
    "dataset_stopped": ("render/dataset-stopped", (300, 640, 1326, 1000)),
}
"""Name of the picture -> the screenshot, and left, top, right and bottom of what is shown of it."""

_COLOURS = 160
_FRAME = (240, 60, 1040, 900)  # of the animation
_FRAME_WIDTH = 480  # pixels
_FRAME_TIME, _REST = (
    120,
    1200,
)  # milliseconds: a frame of a movement, and where there is something to see


def shoot(folder: Path, program: str) -> None:
    """Play the stories; their screenshots go to tour/, several/ and render/ of a folder.

    Raises:
        UserError: there is no screen.
    """
    blender = RealBlender(program, folder / "installed")
    if not blender.has_screen:
        raise UserError("Screenshots need a screen (DISPLAY), xdotool and ImageMagick.")
    archive = build_extension.build("linux-x64", folder, build_extension.find_checker(program))
    blender.install(archive)
    for story in ("tour", "several", "render"):
        (folder / story).mkdir()
    (folder / "several" / "drawings").mkdir()
    for number in range(SEVERAL):
        for example in DRAWING.parent.glob("*.png"):
            copy = folder / "several" / "drawings" / f"{number}_{example.name}"
            copy.write_bytes(example.read_bytes())
    blender.play("several.py", folder / "several", DRAWING)
    blender.write_two_clips(folder / "render")
    blender.play("render.py", folder / "render", DRAWING)
    fresh = RealBlender(program, folder / "fresh")
    fresh.resources.mkdir()
    fresh.play("tour.py", folder / "tour", DRAWING, archive)


def crop_all(folder: Path, out: Path) -> None:
    """Cut the pictures out of the screenshots, in few colours."""
    out.mkdir(parents=True, exist_ok=True)
    for name, (screenshot, box) in PICTURES.items():
        with Image.open(folder / f"{screenshot}.png") as picture:
            few = picture.convert("RGB").crop(box).quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(out / f"{name}.png", optimize=True)


def animate(folder: Path, path: Path) -> None:
    """Drawing, pose, a wrist that is dragged, and the flip, as an animation."""
    drags = sorted((folder / "tour").glob("drag-*.png"))
    story = [(f"tour/{name}", _REST) for name in ("mannequin", "posed")]
    story += [(f"tour/{drag.stem}", _FRAME_TIME) for drag in drags]
    story += [(f"tour/{name}", _REST) for name in (drags[-1].stem, "flipped")]
    frames = []
    for name, _ in story:
        with Image.open(folder / f"{name}.png") as picture:
            cut = picture.convert("RGB").crop(_FRAME)
        height = round(_FRAME_WIDTH * cut.height / cut.width)
        frames.append(cut.resize((_FRAME_WIDTH, height), Image.Resampling.LANCZOS))
    # One palette for all frames: what does not move then stays the same, and costs nothing.
    palette = frames[-1].quantize(_COLOURS, dither=Image.Dither.NONE)
    first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    times = [time for _, time in story]
    first.save(path, save_all=True, append_images=rest, duration=times, loop=0, optimize=True)


def replace_all(made: Path, out: Path) -> None:
    """Copy the files of a folder, and of those below it, over another folder's: all, or none."""
    with ExitStack() as renamed_at_the_end:
        for path in (path for path in sorted(made.rglob("*")) if path.is_file()):
            target = out / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, renamed_at_the_end.enter_context(written_whole(target)))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="draw_screenshots.py", description="Take the screenshots of docs/ in a real window."
    )
    result.add_argument("--out", type=Path, default=ROOT / "docs", help="where they go (docs)")
    result.add_argument("--keep", type=Path, help="keep the whole screenshots in this new folder")
    return result


def main(arguments: list[str]) -> None:
    """Play, cut, animate."""
    options = parser().parse_args(arguments)
    program = find_program()
    if not program:
        raise UserError("Set REAL_BLENDER to a Blender 4.3 or newer.")
    with tempfile.TemporaryDirectory(prefix="croquis_") as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shoot(folder, program)
        made = Path(temporary) / "made"
        crop_all(folder, made / "screenshots")
        animate(folder, made / "croquis.gif")
        replace_all(made, options.out)


if __name__ == "__main__":
    run(main)

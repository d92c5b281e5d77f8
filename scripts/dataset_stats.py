"""Say what a dataset holds and whether its labels are sane.

python scripts/dataset_stats.py out/dataset --sheet sheet.png --json stats.json

Counts, coverage of views and joint angles, figure sizes, duplicates, and a check of every label
against the others. Clips are read one by one: memory grows by 8 bytes a drawing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from addon.core.dataset_checks import Stats
from addon.core.errors import UserError
from addon.core.files import write_png, write_whole
from addon.core.folder import Folder
from addon.core.sheet import contact_sheet
from scripts._common import run


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="dataset_stats.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("folder", type=Path, metavar="FOLDER", help="the dataset")
    add("--sheet", type=Path, metavar="FILE", help="write a contact sheet with all labels (PNG)")
    add("--json", type=Path, metavar="FILE", help="also write the figures here")
    return result


def main(arguments: list[str]) -> None:
    """Read, print, and end with status 2 if something is wrong with the dataset."""
    options = parser().parse_args(arguments)
    folder = Folder(options.folder)
    names = folder.clips()
    stats = Stats(folder)
    for number, name in enumerate(names, 1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(names)} clips", end="", file=sys.stderr, flush=True)
        stats.add(name)
    if sys.stderr.isatty():
        print("\r", end="", file=sys.stderr)
    report = stats.report()
    print(table(report))
    if options.json:
        write_whole(options.json, json.dumps(report, indent=1).encode())
    sentences = stats.problems.sentences()
    if options.sheet:
        try:
            sheet = contact_sheet(options.folder)
        except UserError as error:
            sentences.append(f"The contact sheet cannot be drawn: {error}")
        else:
            write_png(options.sheet, sheet[..., ::-1])
    if sentences:
        raise UserError("\n".join(sentences))


def table(report: dict[str, Any]) -> str:
    """The report as text of at most 100 columns."""
    lines = [
        f"{report['dataset']}: {report['views']:,} drawings of {report['figures']:,} figures in "
        f"{report['clips']:,} clips",
        f"labels: {', '.join(report['labels'])}",
    ]
    for name, title in (
        ("splits", "splits (drawings)"),
        ("styles", "styles (drawings)"),
        ("inks", "inks (drawings)"),
        ("figures_a_view", "figures a drawing"),
        ("characters", "characters (figures)"),
        ("animations", "animations (figures)"),
    ):
        lines += ["", title, *_counts(report[name])]
    lines += ["", "longer side of the figure's box, share of the picture's"]
    lines += _bars(report["figure_sizes"])
    if report["posed_figures"]:
        lines += _coverage(report)
    else:
        lines += ["", "poses and views are not known: the dataset has no label 3d or strokes"]
    return "\n".join([*lines, *_checks(report)])


def _counts(counts: dict[str, int]) -> list[str]:
    """The largest counts, and how many there are besides."""
    total = max(sum(counts.values()), 1)
    lines = [
        f"  {name[:60]:<60} {count:>10,} {count / total:>6.1%}"
        for name, count in list(counts.items())[:20]
    ]
    return [*lines, f"  ... and {len(counts) - 20:,} more"] if len(counts) > 20 else lines


def _bars(counts: dict[str, int]) -> list[str]:
    """A histogram, without the empty bins at its ends."""
    filled = [i for i, count in enumerate(counts.values()) if count]
    if not filled:
        return ["  nothing"]
    total, most = sum(counts.values()), max(counts.values())
    return [
        f"  {name:>10} {count:>10,} {count / total:>6.1%} {'#' * round(40 * count / most)}".rstrip()
        for name, count in list(counts.items())[filled[0] : filled[-1] + 1]
    ]


def _coverage(report: dict[str, Any]) -> list[str]:
    view = report["view_coverage"]
    total = max(sum(map(sum, view["counts"])), 1)
    lines = ["", "views, % of the figures: across, the camera's azimuth around the trunk from"]
    lines += ["(0 in front, 90 at the figure's left); down, its elevation above the trunk from"]
    lines += ["       " + "".join(f"{a:>7}" for a in view["azimuth_from"])]
    for low, row in reversed(list(zip(view["elevation_from"], view["counts"], strict=True))):
        lines.append(f"  {low:>5}" + "".join(f"{100 * n / total:>7.1f}" for n in row))
    if any(report["camera_elevation"].values()):
        lines += ["", "cameras above the horizon, degrees", *_bars(report["camera_elevation"])]
    for joint, counts in report["joint_angles"].items():
        lines += ["", f"{joint} flexion, degrees", *_bars(counts)]
    return lines


def _checks(report: dict[str, Any]) -> list[str]:
    twins, checks = report["duplicates"], report["checks"]
    points = checks["keypoints"]
    lines = ["", "duplicates"]
    lines += [f"  equal pictures                                 {twins['pictures']['count']:>10,}"]
    if report["posed_figures"]:
        lines += [
            f"  near-equal figures earlier in their clip       {twins['near_equal_in_clip']:>10,} "
            f"{twins['near_equal_in_clip_share']:>6.1%}",
            "  near-equal figures in other clips, each        "
            f"{twins['near_equal_elsewhere']:>10.2f} (estimated; of the same character "
            f"{twins['near_equal_elsewhere_same_character']:.2f})",
        ]
    lines += ["", "labels"]
    if total := sum(points.values()):
        shares = ", ".join(f"{count / total:.1%} {name}" for name, count in points.items())
        lines += [f"  keypoints: {shares}"]
    if checks["masks"]:
        most = list(checks["seen_outside_mask_by_keypoint"])[:3]
        lines += [
            f"  seen but outside the mask: {checks['seen_outside_mask']:,} keypoints, "
            f"{checks['seen_outside_mask_share']:.2%}" + (f" ({', '.join(most)})" if most else ""),
            "  visible share of each silhouette",
            *_bars(checks["visible_share_of_figures"]),
        ]
    if "3d" in report["labels"]:
        lines += [f"  3D joints re-project within {checks['worst_reprojection_px']:.3f} px"]
    if report["failed"]:
        lines += ["", f"not rendered: {len(report['failed'])} (failed.json says why)"]
    wrong = sum(report["problems"].values())
    return [*lines, "", f"{wrong} problems" if wrong else "nothing is wrong"]


if __name__ == "__main__":
    run(main)

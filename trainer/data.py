"""What the network learns from: stroke records drawn afresh every epoch, and unlabelled drawings.

A sampler hands out *tickets*: ``epoch * len(dataset) + index``. All chance in a sample comes from
the seed and its ticket, so that a run does not depend on the number of workers and can go on
anywhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from addon.core import image, skeleton
from addon.core.errors import UserError
from addon.core.strokes import StrokePack

from . import augment, duplicates

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
SEEN = 2
"""COCO's visibility of a keypoint that nothing hides."""

_FEWEST_SEEN = 4  # of the 12 common joints, where several figures stand in a drawing
_WHOLE_PICTURE_SHARE = 0.2  # of the unlabelled crops: the largest figure is not always the only one


def load_strokes(paths: Sequence[Path]) -> StrokePack:
    """All stroke packs in files and folders as one, in sorted order.

    Figures of which others hide nearly everything are left out: nobody could say where they are.

    Args:
        paths: files, datasets, or folders searched to any depth.

    Raises:
        UserError: nothing there, or a file that is not a stroke pack.
    """
    files = [f for path in paths for f in ([path] if path.is_file() else _packs_in(path))]
    if not files:
        named = ", ".join(map(str, paths))
        raise UserError(
            f"There are no stroke packs (.npz) in {named}; render a dataset there first."
        )
    try:
        pack = StrokePack.merge(StrokePack.load(file) for file in files)
    except ValueError as error:
        raise UserError(f"The stroke packs cannot be used: {error}.") from error
    seen = (pack.visibility[:, skeleton.COMMON_INDEX] == SEEN).sum(axis=1)
    alone = np.bincount(pack.drawing)[pack.drawing] == 1
    return pack.subset(np.flatnonzero(alone | (seen >= _FEWEST_SEEN)))


def _packs_in(folder: Path) -> list[Path]:
    strokes = folder / "strokes"  # a dataset keeps other arrays beside them
    return sorted((strokes if strokes.is_dir() else folder).rglob("*.npz"))


def hold_out(pack: StrokePack, characters: Sequence[str]) -> tuple[StrokePack, StrokePack]:
    """Split into what is trained on and the views of whole characters kept for validation.

    Frames of one character look alike, so a random split would measure memory. A drawing that shows
    a character of either side beside one of the other is left out.

    Raises:
        UserError: a character is not in the pack, or none is left to train on.
    """
    names = np.array([name for name, _ in pack.clips])
    unknown = sorted(set(characters) - set(names))
    if unknown:
        known = ", ".join(sorted(set(names)))
        raise UserError(f"No character is called {unknown[0]}; there are {known}.")
    held = np.isin(names[pack.clip], list(characters))
    if held.all():
        raise UserError("All characters are held out; leave at least one to train on.")
    figures = np.bincount(pack.drawing)[pack.drawing]
    share = np.bincount(pack.drawing, held)[pack.drawing] / figures
    return pack.subset(np.flatnonzero(share == 0)), pack.subset(np.flatnonzero(share == 1))


class SketchDataset(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Labelled drawings: ticket -> ink uint8 ``[S, S]``, keypoints ``[23, 2]``, valid ``[23]``.

    Args:
        pack: what is drawn.
        size: side of the picture, pixels.
        seed: of everything random.
        plain: see :func:`augment.sample`.
    """

    def __init__(self, pack: StrokePack, size: int, seed: int, plain: bool = False) -> None:
        self.pack, self.size, self.seed, self.plain = pack, size, seed, plain

    def __len__(self) -> int:
        return len(self.pack)

    def __getitem__(self, ticket: int) -> tuple[Tensor, Tensor, Tensor]:
        epoch, index = divmod(ticket, len(self))
        rng = np.random.default_rng((self.seed, epoch, index))
        one = augment.sample(self.pack, index, rng, self.size, self.plain)
        return (
            torch.from_numpy(_quantised(image.ink(one.image))),
            torch.from_numpy(one.keypoints.astype(np.float32)),
            torch.from_numpy(one.valid.astype(bool)),
        )


class UnlabelledDataset(Dataset[Tensor]):
    """Drawings without joints: ticket -> ink uint8 ``[S, S]`` of a slightly random crop.

    Args:
        folders: searched to any depth.
        size: side of the crop, pixels.
        seed: of the crops.
        apart_from: pictures that are validated on; near copies of them are left out.

    Attributes:
        files: the pictures.
        left_out: how many near copies there were.

    Raises:
        UserError: no picture in the folders, or one that cannot be read.
    """

    def __init__(
        self, folders: Sequence[Path], size: int, seed: int, apart_from: Sequence[Path] = ()
    ) -> None:
        self.size, self.seed = size, seed
        files = [
            file
            for folder in folders
            for file in sorted(folder.rglob("*"))
            if file.suffix.lower() in PICTURES
        ]
        copies = duplicates.near_copies(files, apart_from)
        self.files = [file for file, copy in zip(files, copies, strict=True) if not copy]
        self.left_out = int(copies.sum())
        if not self.files:
            others = " but those to validate on" if self.left_out else ""
            raise UserError(f"There are no pictures in {', '.join(map(str, folders))}{others}.")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, ticket: int) -> Tensor:
        epoch, index = divmod(ticket, len(self))
        rng = np.random.default_rng((self.seed, epoch, index))
        grey = image.load_grey(self.files[index])
        box = image.Box(0, 0, grey.shape[1], grey.shape[0])
        if rng.random() > _WHOLE_PICTURE_SHARE:
            with contextlib.suppress(UserError):  # too faint to be found: the whole page will do
                box = image.find_figures(grey)[0]
        crop, _ = image.crop(image.ink(grey), _jittered(box, rng), self.size)
        return torch.from_numpy(_quantised(crop))


def _jittered(box: image.Box, rng: np.random.Generator) -> image.Box:
    """A box a little larger, smaller or beside the true one, as a detector would give."""
    scale = np.exp(rng.uniform(-0.12, 0.12))
    width, height = box.width * scale, box.height * scale
    x, y = np.array(box.centre) + rng.uniform(-0.05, 0.05, 2) * max(width, height)
    return image.Box(x - width / 2, y - height / 2, width, height)


def _quantised(ink: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Ink 0..1 as bytes: a quarter of the traffic between the workers and the device."""
    return cv2.convertScaleAbs(ink, alpha=255)


def to_ink(quantised: Tensor, device: torch.device) -> Tensor:
    """Bytes ``[N, S, S]`` from a loader -> the network's input ``[N, 1, S, S]`` in 0..1."""
    return quantised.to(device, non_blocking=True)[:, None].float() / 255


class Tickets(Sampler[int]):
    """An endless stream of tickets: every epoch is a new permutation, known from the seed.

    Args:
        count: samples in the dataset.
        seed: of the permutations.
        start: tickets already used, when a run goes on.
        stride: take every so-manieth ticket, where several processes share the stream.
    """

    def __init__(self, count: int, seed: int, start: int = 0, stride: int = 1) -> None:
        self.count, self.seed, self.start, self.stride = count, seed, start, stride

    def __iter__(self) -> Iterator[int]:
        epoch, position = divmod(self.start, self.count)
        while True:
            order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
            for place in range(position, self.count, self.stride):
                yield epoch * self.count + int(order[place])
                position = place + self.stride
            epoch, position = epoch + position // self.count, position % self.count


def _start_worker(_: int) -> None:
    cv2.setNumThreads(0)
    # Ctrl-C and `timeout` signal a whole process group. Only the main process shall answer, and end
    # the workers itself, which needs the default action in place of the inherited one.
    os.setpgrp()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def loader(
    dataset: SketchDataset | UnlabelledDataset,
    batch: int,
    workers: int,
    *,
    tickets: Sampler[int] | Sequence[int],
    pin: bool = False,
) -> DataLoader:
    """Batches of a dataset in the order of the tickets; the last one may be smaller."""
    return DataLoader(
        dataset,
        batch_size=batch,
        sampler=tickets,
        num_workers=workers,
        pin_memory=pin,
        worker_init_fn=_start_worker,
    )

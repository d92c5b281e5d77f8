"""Pictures: every kind of file, ink and paper, the figures of a page, the crop."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image  # comes with matplotlib; writes the kinds that OpenCV cannot

from addon.core import image
from addon.core.errors import UserError
from addon.core.image import Affine, Box

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RNG_SEED = 7


def marks() -> np.ndarray:
    """``[60, 40]`` white with a black mark at the top left and a grey one at the bottom right."""
    grey = np.full((60, 40), 255, np.uint8)
    grey[5:20, 3:8] = 0
    grey[30:50, 20:38] = 128
    return grey


def coloured() -> Image.Image:
    return Image.fromarray(np.dstack([marks()] * 3))


def transparent(mode: str) -> Image.Image:
    """Black everywhere, to be seen only where the marks are."""
    bands = [Image.new("L", (40, 60), 0)] * (len(mode) - 1)
    return Image.merge(mode, [*bands, Image.fromarray(255 - marks())])


def indexed_transparent() -> Image.Image:
    picture = Image.fromarray((marks() > 200).astype(np.uint8))
    picture.putpalette([0, 0, 0, 10, 200, 10])
    picture.info["transparency"] = 1
    return picture


class TestLoadGrey:
    @pytest.mark.parametrize(
        ("name", "picture"),
        [
            ("rgb.png", coloured()),
            ("rgb.bmp", coloured()),
            ("rgb.tif", coloured()),
            ("rgb.webp", coloured()),
            ("rgb.jpg", coloured()),
            ("cmyk.jpg", coloured().convert("CMYK")),
            ("cmyk.tif", coloured().convert("CMYK")),
            ("palette.png", coloured().quantize(8)),
            ("16 bit.png", Image.fromarray(marks().astype(np.uint16) * 257)),
            ("16 bit.tif", Image.fromarray(marks().astype(np.uint16) * 257)),
            ("float.tif", Image.fromarray(marks().astype(np.float32) / 255)),
            ("alpha.png", transparent("RGBA")),
            ("alpha.tif", transparent("RGBA")),
            ("alpha grey.png", transparent("LA")),
            ("рисунок ✏.png", coloured()),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_reads_what_was_drawn(self, tmp_path: Path, name: str, picture: Image.Image):
        path = tmp_path / name
        if path.suffix == ".webp":
            picture.save(path, lossless=True)
        elif path.suffix == ".jpg":
            picture.save(path, quality=95)
        else:
            picture.save(path)
        grey = image.load_grey(path)
        assert grey.dtype == np.uint8
        assert grey.shape == (60, 40)
        # Inside the marks and the paper: JPEG rings at their borders.
        for y, x in ((2, 2), (12, 5), (40, 30), (55, 5)):
            assert abs(int(grey[y, x]) - int(marks()[y, x])) <= 3

    def test_16_bit_with_alpha(self, tmp_path: Path):
        colour = np.zeros((60, 40, 3), np.uint16)
        alpha = (255 - marks()).astype(np.uint16) * 257
        cv2.imwrite(str(tmp_path / "a.png"), np.dstack([colour, alpha]))
        assert np.abs(image.load_grey(tmp_path / "a.png").astype(int) - marks()).max() <= 1

    def test_transparent_palette_entry_is_paper(self, tmp_path: Path):
        indexed_transparent().save(tmp_path / "a.png", transparency=1)
        grey = image.load_grey(tmp_path / "a.png")
        assert (grey[marks() > 200] == 255).all()
        assert (grey[marks() < 200] == 0).all()

    @pytest.mark.parametrize("channels", [2, 4])
    def test_light_lines_on_nothing_lie_on_black(self, channels: int):
        page = np.full((256, 256), 255, np.uint8)
        truth = stick_figure(page, 120, 30, 190)
        light = np.full((256, 256, channels), 250, np.uint8)
        light[:, :, -1] = 255 - page
        grey = image.to_grey(light)
        assert np.abs(image.ink(grey) - (1 - page / 255)).max() < 0.05
        assert iou(image.find_figures(grey)[0], truth) > 0.9

    def test_outlined_light_figure_on_nothing_lies_on_white(self):
        cut_out = np.zeros((200, 200, 4), np.uint8)
        cv2.circle(cut_out, (100, 100), 60, (240, 240, 240, 255), -1)
        cv2.circle(cut_out, (100, 100), 60, (20, 20, 20, 255), 3)
        grey = image.to_grey(cut_out)
        assert grey[0, 0] == 255
        assert grey[100, 100] == 240
        assert grey[40, 100] == 20

    @pytest.mark.parametrize(
        ("side", "line", "colour"), [(1000, 2, 20), (4000, 3, 20), (1000, 4, 130)]
    )
    def test_thin_or_pale_outlines_of_a_filled_figure_stay_dark(
        self, side: int, line: int, colour: int
    ):
        cut_out = np.zeros((side, side, 4), np.uint8)
        truth = paper_doll(cut_out, line, colour)
        grey = image.to_grey(cut_out)
        assert grey[0, 0] == 255
        assert (image.ink(grey) > 0.4).mean() < 0.05  # its outlines, not all of it
        assert iou(image.find_figures(grey)[0], truth) > 0.95

    @pytest.mark.parametrize("side", [100, 1000, 4000])
    @pytest.mark.parametrize("name", ["stick_wave", "brush_lunge", "gesture_run"])
    def test_light_lines_lie_on_black_at_any_size(self, name: str, side: int):
        drawing = 1 - image.ink(image.load_grey(EXAMPLES / f"{name}.png"))
        lines = 1 - cv2.resize(drawing, (side, side), interpolation=cv2.INTER_AREA)
        light = np.full((side, side, 4), 240, np.uint8)
        light[:, :, 3] = np.round(255 * lines)
        assert image.to_grey(light)[0, 0] == 0

    def test_one_bit(self, tmp_path: Path):
        Image.fromarray(marks() > 200).save(tmp_path / "a.png")
        assert np.array_equal(image.load_grey(tmp_path / "a.png") > 0, marks() > 200)

    @pytest.mark.parametrize("suffix", ["jpg", "png"])
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_rotation_noted_by_a_camera(self, tmp_path: Path, suffix: str, orientation: int):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"a.{suffix}"
        coloured().save(path, exif=exif)
        turned = {
            1: marks(),
            2: marks()[:, ::-1],
            3: marks()[::-1, ::-1],
            4: marks()[::-1],
            5: marks().T,
            6: np.rot90(marks(), -1),
            7: marks()[::-1, ::-1].T,
            8: np.rot90(marks()),
        }[orientation]
        grey = image.load_grey(path)
        assert grey.shape == turned.shape
        assert np.abs(grey.astype(int) - turned).mean() < 2

    def test_photograph_of_24_megapixels(self, tmp_path: Path):
        page = np.full((4000, 6000), 230, np.uint8)
        cv2.line(page, (1000, 1000), (5000, 3000), 40, 30)
        cv2.imwrite(str(tmp_path / "a.jpg"), page)
        grey = image.load_grey(tmp_path / "a.jpg")
        box = image.find_figures(grey)[0]
        assert np.allclose(box, (1000, 1000, 4000, 2000), atol=60)
        crop, to_picture = image.crop(image.ink(grey), box, 256)
        assert crop.max() > 0.95  # a line of 1.5 pixels is still black
        assert np.allclose(to_picture.apply((128, 128)), (3000, 2000), atol=40)

    @pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp"])
    @pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
    def test_truncated(self, tmp_path: Path, suffix: str, share: float):
        noise = np.random.default_rng(RNG_SEED).integers(0, 255, (200, 200, 3), dtype=np.uint8)
        data = cv2.imencode("." + suffix, noise)[1].tobytes()
        path = tmp_path / f"a.{suffix}"
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UserError, match=r"^a\.\w+ is damaged .*\.$"):
            image.load_grey(path)

    def test_truncated_progressive_jpeg_with_a_preview(self, tmp_path: Path):
        noise = np.random.default_rng(RNG_SEED).integers(0, 255, (200, 200, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        # A preview inside the file ends with an end marker of its own.
        Image.fromarray(noise).save(
            buffer,
            "JPEG",
            progressive=True,
            exif=b"Exif\0\0" + cv2.imencode(".jpg", noise[:9])[1].tobytes(),
        )
        path = tmp_path / "a.jpg"
        path.write_bytes(buffer.getvalue())
        assert image.load_grey(path).shape == (200, 200)
        path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
        with pytest.raises(UserError, match="damaged"):
            image.load_grey(path)

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"Dear diary, today I drew nothing.", "not a picture"),
            (b"", "empty file"),
            (b"\x89PNG\r\n\x1a\n", "damaged"),
            (b"\xff\xd8\xff\xd9", "damaged"),
        ],
    )
    def test_what_is_no_picture(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes, complaint: str
    ):
        path = tmp_path / "notes.png"
        path.write_bytes(content)
        with pytest.raises(UserError, match=complaint) as caught:
            image.load_grey(path)
        sentence = str(caught.value)
        assert sentence.startswith("notes.png") and sentence.endswith(".")
        assert "\n" not in sentence
        assert capfd.readouterr().err == ""  # OpenCV stays silent: the sentence says it all

    def test_missing_file_and_folder(self, tmp_path: Path):
        with pytest.raises(UserError, match="There is no picture at"):
            image.load_grey(tmp_path / "nothing.png")
        with pytest.raises(UserError, match="could not be read"):
            image.load_grey(tmp_path)


def stick_figure(
    page: np.ndarray, x: float, y: float, height: float, colour: int = 0, width: int = 3
) -> Box:
    """Draw a figure with its head's top at (x, y); returns the bounds of its ink."""

    def at(dx: float, dy: float) -> tuple[int, int]:
        return round(x + dx * height), round(y + dy * height)

    cv2.circle(page, at(0, 0.1), round(0.1 * height), colour, width, cv2.LINE_AA)
    for a, b in (
        ((0, 0.2), (0, 0.55)),
        ((0, 0.28), (-0.22, 0.5)),
        ((0, 0.28), (0.25, 0.12)),
        ((0, 0.55), (-0.15, 1)),
        ((0, 0.55), (0.17, 1)),
    ):
        cv2.line(page, at(*a), at(*b), colour, width, cv2.LINE_AA)
    return Box(x - 0.22 * height, y, 0.47 * height, height)


def paper_doll(page: np.ndarray, line: int, colour: int) -> Box:
    """Draw a light figure with outlines on ``[S, S, 4]`` nothing; returns the bounds of it."""
    unit = len(page) / 100

    def at(x: int, y: int) -> tuple[int, int]:
        return round(x * unit), round(y * unit)

    limbs = [((42, 35), (22, 55)), ((58, 35), (78, 55)), ((45, 60), (38, 92)), ((55, 60), (62, 92))]
    for paint, more in (((colour,) * 3 + (255,), line), ((245, 245, 245, 255), 0)):
        cv2.circle(page, at(50, 20), round(9 * unit) + more, paint, -1)
        body = (round(11 * unit) + more, round(17 * unit) + more)
        cv2.ellipse(page, at(50, 45), body, 0, 0, 360, paint, -1)
        for a, b in limbs:
            cv2.line(page, at(*a), at(*b), paint, round(7 * unit) + 2 * more)
    return Box(*cv2.boundingRect(page[:, :, 3]))


def iou(a: Box, b: Box) -> float:
    w = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    h = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    both = max(w, 0) * max(h, 0)
    return both / (a.area + b.area - both)


class TestInk:
    def clean(self) -> np.ndarray:
        page = np.full((256, 256), 255, np.uint8)
        stick_figure(page, 120, 30, 190)
        return page

    def test_clean_drawing_stays_as_it_is(self):
        page = self.clean()
        ink = image.ink(page)
        assert ink.dtype == np.float32
        assert np.abs(ink - (1 - page / 255)).max() < 0.02
        again = image.ink((255 - 255 * ink).astype(np.uint8))
        assert np.abs(again - ink).max() < 0.02

    @pytest.mark.parametrize("grey", [0, 60, 128, 255])
    def test_empty_page(self, grey: int):
        assert not image.ink(np.full((90, 120), grey, np.uint8)).any()
        assert image.ink(np.zeros((0, 0), np.uint8)).shape == (0, 0)
        assert image.ink(np.full((1, 1), grey, np.uint8)).shape == (1, 1)

    @settings(max_examples=30, deadline=None)
    @given(
        paper=st.integers(120, 255),
        contrast=st.floats(0.25, 1),
        slope=st.floats(0, 0.5),
        angle=st.floats(0, 2 * np.pi),
        noise=st.floats(0, 0.015),
    )
    def test_pencil_on_uneven_paper(
        self, paper: int, contrast: float, slope: float, angle: float, noise: float
    ):
        page = self.clean()
        y, x = np.mgrid[-0.5:0.5:256j, -0.5:0.5:256j]
        light = 1 - slope * (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2))
        drawn = 1 - page / 255
        lit = paper * light * (1 - contrast * drawn)
        lit += np.random.default_rng(RNG_SEED).normal(0, noise * paper, page.shape)
        ink = image.ink(np.clip(np.round(lit), 0, 255).astype(np.uint8))
        assert ink[drawn > 0.9].mean() > 0.75
        assert ink[drawn == 0].mean() < 0.04

    def test_chalk_on_a_dark_page(self):
        page = self.clean()
        chalk = (40 + (255 - page) * 0.7).astype(np.uint8)
        ink = image.ink(chalk)
        assert ink[page < 30].min() > 0.85
        assert ink[page == 255].max() < 0.1

    def test_dim_photograph_is_not_chalk(self):
        page = self.clean()
        dim = (15 + page * 0.25).astype(np.uint8)
        assert image.ink(dim)[page < 30].min() > 0.85

    def test_black_silhouette_is_ink_throughout(self):
        page = np.full((256, 256), 255, np.uint8)
        cv2.ellipse(page, (128, 128), (85, 115), 0, 0, 360, 10, -1)
        assert image.ink(page)[page == 10].min() > 0.9


class TestFindFigures:
    def test_bounds_of_the_ink(self):
        page = np.full((300, 400), 255, np.uint8)
        truth = stick_figure(page, 250, 40, 220)
        boxes = image.find_figures(page)
        assert len(boxes) == 1
        assert iou(boxes[0], truth) > 0.9

    @settings(max_examples=40, deadline=None)
    @given(
        x=st.floats(0.3, 0.7),
        y=st.floats(0.08, 0.3),
        height=st.floats(0.35, 0.6),
        size=st.sampled_from([(300, 300), (480, 640), (900, 700)]),
        paper=st.integers(170, 255),
        noise=st.floats(0, 6),
        seed=st.integers(0, 9),
    )
    def test_textured_paper_with_specks(
        self,
        x: float,
        y: float,
        height: float,
        size: tuple[int, int],
        paper: int,
        noise: float,
        seed: int,
    ):
        rng = np.random.default_rng(seed)
        page = np.full(size, paper, np.uint8)
        for speck in rng.uniform(0.02, 0.98, (12, 2)) * size:
            cv2.circle(page, (int(speck[1]), int(speck[0])), 1, paper // 2, -1)
        side = min(size)
        truth = stick_figure(page, x * size[1], y * size[0], height * side, 60)
        textured = page + rng.normal(0, noise, size)
        boxes = image.find_figures(np.clip(textured, 0, 255).astype(np.uint8))
        assert iou(boxes[0], truth) > 0.75

    @pytest.mark.parametrize("tilt", [-3, 0, 3])
    def test_ruled_paper(self, tilt: int):
        page = np.full((400, 320), 250, np.uint8)
        for y in range(20, 400, 24):
            cv2.line(page, (0, y), (319, y + tilt), 120, 1, cv2.LINE_AA)
        cv2.line(page, (40, 0), (40, 399), 120, 1)
        truth = stick_figure(page, 180, 80, 260)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    @pytest.mark.parametrize("colour", [110, 170])
    @pytest.mark.parametrize("spacing", [12, 18, 30])
    def test_squared_paper(self, spacing: int, colour: int):
        page = np.full((500, 400), 255, np.uint8)
        page[8::spacing] = colour
        page[:, 8::spacing] = colour
        truth = stick_figure(page, 210, 60, 300)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    @pytest.mark.parametrize(("rise", "spread"), [(0, 0), (35, 0), (-35, 0), (14, 1.4)])
    @pytest.mark.parametrize("start", [0, 45])
    def test_ruled_paper_seen_askew(self, start: int, rise: int, spread: float):
        page = np.full((500, 400), 255, np.uint8)
        for number, y in enumerate(range(-40, 560, 20)):
            end = round(y + rise - spread * number)
            cv2.line(page, (start, y), (399, end), 110, 1, cv2.LINE_AA)
        truth = stick_figure(page, 220, 60, 300)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    def test_figure_along_a_ruled_line_stays_whole(self):
        upright = np.full((400, 500), 255, np.uint8)
        upright[:, 20::25] = 120
        truth = stick_figure(upright, 245, 50, 300)
        page = upright.T.copy()  # now it lies, its spine on a line
        lying = Box(truth.y, truth.x, truth.height, truth.width)
        assert iou(image.find_figures(page)[0], lying) > 0.8

    def test_stripes_of_a_costume_are_no_ruled_paper(self):
        page = np.full((400, 140), 255, np.uint8)
        cv2.rectangle(page, (15, 60), (125, 380), 0, 3)
        for y in range(80, 380, 30):
            cv2.line(page, (15, y), (125, y), 0, 4)
            cv2.line(page, (15, y + 9), (125, y + 9), 0, 2)
        cv2.circle(page, (70, 32), 26, 0, 3)
        assert iou(image.find_figures(page)[0], Box(15, 6, 111, 375)) > 0.85

    @pytest.mark.parametrize("gap", [-2, 5])
    @pytest.mark.parametrize("reach", [140, 220])
    def test_ground_line_on_a_part_of_the_page(self, reach: int, gap: int):
        page = np.full((500, 600), 255, np.uint8)
        truth = stick_figure(page, 280, 60, 320)
        y = round(truth.y + truth.height) + gap
        cv2.line(page, (280 - reach, y), (280 + reach, y - 3), 0, 2)
        assert iou(image.find_figures(page)[0], truth) > 0.8

    def test_hatched_ground(self):
        page = np.full((500, 600), 255, np.uint8)
        truth = stick_figure(page, 280, 60, 320)
        y = round(truth.y + truth.height)
        for x in range(120, 450, 11):
            cv2.line(page, (x, y + 6), (x - 12, y + 18), 0, 1, cv2.LINE_AA)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    def test_wide_stance_is_not_taken_for_ground(self):
        page = np.full((400, 500), 255, np.uint8)
        cv2.circle(page, (250, 120), 30, 0, 3)
        for a, b in (((250, 150), (250, 230)), ((250, 230), (80, 330)), ((250, 230), (420, 330))):
            cv2.line(page, a, b, 0, 3)
        assert iou(image.find_figures(page)[0], Box(80, 88, 340, 243)) > 0.9

    def test_frame_around_the_figure_alone(self):
        page = np.full((600, 500), 255, np.uint8)
        truth = stick_figure(page, 250, 130, 330)
        cv2.polylines(page, [np.array([[70, 80], [430, 86], [426, 520], [68, 516]])], True, 0, 2)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    def test_panels_of_a_comic(self):
        page = np.full((600, 900), 255, np.uint8)
        figures = [stick_figure(page, 250, 130, 380), stick_figure(page, 660, 200, 300)]
        for x in (40, 460):
            cv2.rectangle(page, (x, 60), (x + 390, 560), 0, 3)
        boxes = image.find_figures(page)
        assert len(boxes) == 2
        assert all(iou(box, figure) > 0.85 for box, figure in zip(boxes, figures, strict=True))

    def test_square_head_is_no_frame(self):
        page = np.full((400, 300), 255, np.uint8)
        cv2.rectangle(page, (100, 20), (200, 120), 0, 3)  # with a gap to the body
        truth = stick_figure(page, 150, 60, 300)
        assert iou(image.find_figures(page)[0], truth._replace(y=20, height=340)) > 0.85

    @pytest.mark.parametrize("kind", ["signature", "date", "notes", "chair", "pole", "ring"])
    def test_what_stands_beside_is_left_out(self, kind: str):
        page = np.full((500, 600), 250, np.uint8)
        truth = stick_figure(page, 180, 60, 320)
        write = {"fontFace": cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, "color": 0, "lineType": cv2.LINE_AA}
        if kind == "signature":
            cv2.putText(page, "A. Nov 22", (260, 376), fontScale=0.7, **write)
        elif kind == "date":
            cv2.putText(page, "12.05.2022", (230, 40), fontScale=0.6, **write)
        elif kind == "notes":
            for y in range(100, 320, 24):
                cv2.putText(page, "gesture notes", (320, y), fontScale=0.6, **write)
        elif kind == "chair":
            back, seat, leg = [(360, 180), (360, 390)], [(360, 280), (450, 280)], (450, 390)
            cv2.polylines(page, [np.array(back), np.array([*seat, leg])], False, 0, 3)
        elif kind == "pole":
            cv2.line(page, (420, 30), (420, 460), 0, 4)
            cv2.circle(page, (420, 60), 45, 0, 3)
        else:
            cv2.circle(page, (400, 400), 70, 190, 6, cv2.LINE_AA)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    def test_frame_and_ground_line(self):
        page = np.full((400, 500), 255, np.uint8)
        truth = stick_figure(page, 300, 100, 240)
        cv2.rectangle(page, (10, 10), (489, 389), 0, 3)
        cv2.line(page, (10, 350), (489, 346), 0, 2)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    def test_page_on_a_table(self):
        photograph = np.full((420, 520), 60, np.uint8)
        page = np.full((320, 420), 225, np.uint8)
        truth = stick_figure(page, 200, 50, 220, 120)
        photograph[50:370, 50:470] = page
        box = image.find_figures(photograph)[0]
        assert iou(box, Box(truth.x + 50, truth.y + 50, truth.width, truth.height)) > 0.85

    def test_two_figures_larger_first(self):
        page = np.full((400, 600), 255, np.uint8)
        small = stick_figure(page, 120, 120, 200)
        large = stick_figure(page, 400, 30, 340)
        boxes = image.find_figures(page)
        assert len(boxes) == 2
        assert iou(boxes[0], large) > 0.85
        assert iou(boxes[1], small) > 0.85

    def test_neighbours_are_not_joined(self):
        page = np.full((400, 600), 255, np.uint8)
        figures = [stick_figure(page, x, 60, 280) for x in (150, 290, 430)]
        boxes = sorted(image.find_figures(page))
        assert len(boxes) == 3
        assert all(iou(box, figure) > 0.85 for box, figure in zip(boxes, figures, strict=True))

    def test_figures_at_the_sides_of_a_page_are_no_frame(self):
        page = np.full((400, 600), 255, np.uint8)
        left = stick_figure(page, 70, 60, 280)
        right = stick_figure(page, 520, 60, 280)
        boxes = sorted(image.find_figures(page))
        assert len(boxes) == 2
        assert iou(boxes[0], left) > 0.85
        assert iou(boxes[1], right) > 0.85

    @pytest.mark.parametrize("gap", [20, 40])
    @pytest.mark.parametrize("faint", [1.0, 0.6])
    def test_page_of_studies(self, faint: float, gap: int):
        """Small figures near each other, every other one drawn with a light hand."""
        page = np.full((1200, 1600), 255, np.uint8)
        truth = []
        names = ("gesture_run", "gesture_dance", "stick_wave", "brush_lunge", "sausage_kick")
        for row in range(2):
            right = 40
            for number, name in enumerate(names[:: 1 - 2 * row]):
                drawing = image.ink(image.load_grey(EXAMPLES / f"{name}.png"))
                box = image.find_figures(np.round(255 * (1 - drawing)).astype(np.uint8))[0]
                x, y, w, h = (round(v) for v in box)
                size = (round(240 * w / max(w, h)), round(240 * h / max(w, h)))
                figure = cv2.resize(
                    drawing[y : y + h, x : x + w], size, interpolation=cv2.INTER_AREA
                )
                top, left = 300 + row * (240 + gap), right + gap
                right = left + size[0]
                strength = 255 * (faint if number % 2 else 1.0)
                page[top : top + size[1], left:right] -= np.round(strength * figure).astype(
                    np.uint8
                )
                truth.append(Box(left, top, *size))
        found = image.find_figures(page)
        assert len(found) == len(truth)
        assert all(max(iou(box, figure) for box in found) > 0.8 for figure in truth)

    def test_broken_outline_is_one_figure(self):
        page = np.full((400, 400), 255, np.uint8)
        truth = stick_figure(page, 200, 60, 280)
        for y in (117, 180, 262):
            page[y : y + 8] = 255
        boxes = image.find_figures(page)
        assert len(boxes) == 1
        assert iou(boxes[0], truth) > 0.85

    def test_line_of_text_below_is_left_out(self):
        page = np.full((400, 400), 255, np.uint8)
        truth = stick_figure(page, 200, 40, 280)
        cv2.putText(page, "running, quick pose no. 12", (40, 348), 0, 0.7, 0, 1, cv2.LINE_AA)
        assert iou(image.find_figures(page)[0], truth) > 0.85

    @pytest.mark.parametrize("noise", [0, 3, 12, 25])
    def test_empty_page(self, noise: int):
        page = 220 + np.random.default_rng(RNG_SEED).normal(0, noise, (300, 400))
        with pytest.raises(UserError, match="Nothing is drawn"):
            image.find_figures(np.clip(page, 0, 255).astype(np.uint8))

    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (0, 5000)])
    def test_page_without_pixels(self, shape: tuple[int, int]):
        with pytest.raises(UserError, match="Nothing is drawn"):
            image.find_figures(np.zeros(shape, np.uint8))

    def test_a_frame_alone_is_empty(self):
        page = np.full((300, 400), 255, np.uint8)
        cv2.rectangle(page, (8, 8), (391, 291), 0, 2)
        with pytest.raises(UserError, match="Nothing is drawn"):
            image.find_figures(page)


coordinate = st.floats(-200, 400)


class TestCrop:
    @given(
        x=coordinate,
        y=coordinate,
        width=st.floats(0.5, 900),
        height=st.floats(0.5, 900),
        size=st.sampled_from([64, 256]),
        point=st.tuples(coordinate, coordinate),
    )
    @settings(deadline=None)
    def test_map_to_the_picture(
        self, x: float, y: float, width: float, height: float, size: int, point: tuple[float, float]
    ):
        box = Box(x, y, width, height)
        crop, to_picture = image.crop(np.ones((200, 160), np.float32), box, size)
        assert crop.shape == (size, size)
        assert crop.dtype == np.float32
        assert crop.min() >= 0 and crop.max() <= 1
        assert np.allclose(to_picture.apply((size / 2, size / 2)), box.centre)
        corners = to_picture.apply(((0, 0), (size, size)))
        side = max(width, height) * image.MARGIN
        assert np.allclose(corners[1] - corners[0], side)
        assert np.allclose(to_picture.inverse().apply(to_picture.apply(point)), point, atol=1e-6)
        assert np.allclose(to_picture.apply(to_picture.inverse().apply(point)), point, atol=1e-6)

    @settings(max_examples=60, deadline=None)
    @given(
        spot=st.tuples(st.integers(100, 500), st.integers(100, 400)),
        shift=st.tuples(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4)),
        side=st.floats(40, 1500),
    )
    def test_ink_lands_where_the_map_says(
        self, spot: tuple[int, int], shift: tuple[float, float], side: float
    ):
        ink = np.zeros((500, 600), np.float32)
        radius = max(3, round(side / 30))
        cv2.circle(ink, spot, radius, 1, -1)
        # The centre of the pixel (column, row) is (column + .5, row + .5).
        x, y = spot[0] + 0.5, spot[1] + 0.5
        margin = max(0.0, 0.45 * image.MARGIN - radius / side)
        offset = np.array(shift) * min(1.0, margin / 0.4) * side
        box = Box(x + offset[0] - side / 2, y + offset[1] - side / 4, side, side / 2)
        crop, to_picture = image.crop(ink, box, 256)
        mass = crop.sum()
        rows, columns = np.mgrid[0:256, 0:256] + 0.5
        centroid = ((crop * columns).sum() / mass, (crop * rows).sum() / mass)
        in_picture = spot[0] >= radius and spot[1] + radius < 500 and spot[0] + radius < 600
        if in_picture and spot[1] >= radius:
            error = to_picture.apply(centroid) - (x, y)
            assert np.abs(error).max() < 0.02 * side / 10 + 0.1

    def test_outside_the_picture_is_paper(self):
        ink = np.ones((100, 100), np.float32)
        crop, to_picture = image.crop(ink, Box(50, 50, 100, 100), 128)
        inside = to_picture.inverse().apply((100, 100))
        assert (crop[int(inside[1]) + 1 :] == 0).all()
        assert (crop[:, int(inside[0]) + 1 :] == 0).all()
        assert (crop[: int(inside[1]) - 1, : int(inside[0]) - 1] == 1).all()
        assert not image.crop(ink, Box(300, 300, 50, 50), 128)[0].any()

    @pytest.mark.parametrize("scale", [1, 3, 7.5])
    def test_large_scans_give_the_same_input(self, scale: float):
        page = np.full((320, 320), 255, np.uint8)
        stick_figure(page, 160, 30, 260)
        large = cv2.resize(page, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        expected, _ = image.crop(image.ink(page), Box(30, 30, 260, 260), 256)
        box = Box(*(np.array((30, 30, 260, 260)) * scale))
        found, _ = image.crop(image.ink(large), box, 256)
        assert np.abs(found - expected).mean() < 0.01

    @pytest.mark.parametrize("box", [Box(5, 5, 0, 0), Box(np.nan, 0, 5, 5), Box(0, 0, np.inf, 2)])
    def test_box_without_extent(self, box: Box):
        with pytest.raises(UserError, match="box"):
            image.crop(np.zeros((9, 9), np.float32), box, 64)

    @given(st.lists(coordinate, min_size=6, max_size=6))
    def test_inverse_of_any_affine(self, values: list[float]):
        matrix = np.array(values).reshape(2, 3)
        if abs(np.linalg.det(matrix[:, :2])) < 1:
            return
        there = Affine(matrix)
        points = np.array([[0, 0], [10, -3], [250, 250]])
        back = there.inverse().apply(there.apply(points))
        assert np.allclose(back, points, atol=1e-5 * np.linalg.cond(matrix[:, :2]))

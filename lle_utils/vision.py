"""What a computer sees in the dark: scenes whose truth is known, detectors, and their scores.

A scene is a photograph with cards pasted on: ArUco markers, AprilTags, a QR code, words. It is
seen at an angle, and `camera.darken` darkens it. So what a detector should find is
known by construction, as is what it should not find.

ArUco markers and SIFT keypoints need nothing but OpenCV. AprilTags, QR codes and words are read by
the packages of the optional extra ``vision``; `detectors` lists those that can be imported.
"""

import csv
import functools
import string
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from lle_utils import baselines, camera
from lle_utils.curve import FLOOR, adjust_exposure
from lle_utils.images import as_float, to_uint8
from lle_utils.inference import EXPOSURE, SETTINGS, enhance_picture

STOPS = (3, 5, 6, 7, 8)
"""How many stops too dark the scenes are."""

HEIGHT, WIDTH = 300, 400
CELL = 100
"""The size of a scene, and of the cells that hold one card each, in pixels."""

MOST_KEYPOINTS = 800
LEAST_MATCHES = 12
CORNER_ERROR = 4.0
CARDS = ("aruco",) * 3 + ("apriltag",) * 2 + ("qr",) + ("text",) * 2
WORDS = (
    *("lamp", "river", "seven", "paper", "garden", "window"),
    *("copper", "silver", "forty", "music", "doctor", "bridge"),
)
FONTS = tuple(
    str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVu{style}.ttf")
    for style in ("Sans", "Sans-Bold", "Serif", "SansMono")
)
_DICTIONARIES = {
    "aruco": cv2.aruco.DICT_4X4_250,
    "apriltag": cv2.aruco.DICT_APRILTAG_36H11,
}


class Scene(NamedTuple):
    """A well-lit scene of HEIGHT x WIDTH pixels, and what is to be seen in it.

    ``photo`` is the photograph without cards, seen from the front, and ``picture`` with its cards,
    seen at an angle. The homography ``view`` leads from pixels (x, y, 1) of the first to those of
    the second. ``truth`` says what the cards of each kind say: numbers of markers, words.
    """

    photo: np.ndarray
    picture: np.ndarray
    view: np.ndarray
    truth: Mapping[str, list[str]]


class Count(NamedTuple):
    """What a detector found: right answers, false alarms, and how many there were to find."""

    right: int
    wrong: int
    total: int


# --- scenes ---------------------------------------------------------------------------------------


def make_scene(photo, rng: np.random.Generator) -> Scene:
    """Paste cards on the middle of any well-lit picture and view it at an angle."""
    photo = _fitted(as_float(photo))
    picture, truth = photo.copy(), {kind: [] for kind in dict.fromkeys(CARDS)}
    cells = [(top, left) for top in range(0, HEIGHT, CELL) for left in range(0, WIDTH, CELL)]
    places = rng.permutation(len(cells))[: len(CARDS)]
    words, numbers = iter(rng.permutation(WORDS)), iter(rng.permutation(250))
    for kind, place in zip(CARDS, places, strict=True):
        says = str(next(words)) if kind in ("qr", "text") else str(next(numbers))
        truth[kind].append(says)
        _paste(picture, _card(kind, says, rng), cells[place], rng)
    corners = np.float32([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
    moved = corners + rng.uniform(-0.04, 0.04, (4, 2)) * (WIDTH, HEIGHT)
    view = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    options = {"flags": cv2.INTER_AREA, "borderMode": cv2.BORDER_REFLECT}
    picture = cv2.warpPerspective(picture, view, (WIDTH, HEIGHT), **options)
    return Scene(photo, np.clip(picture, 0, 1), view, truth)


def make_scenes(photos: Iterable, seed: int = 0) -> list[Scene]:
    """Make one scene from each photograph."""
    return [
        make_scene(photo, np.random.default_rng((seed, number)))
        for number, photo in enumerate(photos)
    ]


def darken(scene: Scene, stops: float, seed: int = 0) -> np.ndarray:
    """Return what the camera sees of a scene that is darker by a number of stops."""
    return camera.darken(scene.picture, stops, np.random.default_rng((seed, int(10 * stops))))


def _fitted(photo: np.ndarray) -> np.ndarray:
    """Resize a photograph to cover a scene, and crop its middle."""
    height, width = photo.shape[:2]
    scale = max(HEIGHT / height, WIDTH / width)
    size = (max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale)))
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    top, left = (photo.shape[0] - HEIGHT) // 2, (photo.shape[1] - WIDTH) // 2
    return photo[top : top + HEIGHT, left : left + WIDTH]


def _card(kind: str, says: str, rng: np.random.Generator) -> np.ndarray:
    """Draw a card in gray: 0 is ink and 1 is paper."""
    if kind == "text":
        letters = ImageFont.truetype(FONTS[rng.integers(len(FONTS))], int(rng.integers(14, 21)))
        _, _, right, bottom = letters.getbbox(says)
        card = Image.new("L", (int(right) + 10, int(bottom) + 10), 255)
        ImageDraw.Draw(card).text((5, 4), says, 0, letters)
        return np.float32(card) / 255
    if kind == "qr":
        code, side = cv2.QRCodeEncoder_create().encode(says), int(rng.integers(70, 86))
        code = cv2.copyMakeBorder(code, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255)
    else:
        dictionary = cv2.aruco.getPredefinedDictionary(_DICTIONARIES[kind])
        modules = dictionary.markerSize + 2
        code, side = dictionary.generateImageMarker(int(says), modules), int(rng.integers(36, 65))
        code = cv2.copyMakeBorder(code, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=255)
    code = cv2.resize(code, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(code, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _paste(picture, card, cell: tuple[int, int], rng: np.random.Generator) -> None:
    """Paste a card, rotated slightly, somewhere into a cell, with its own paper and ink."""
    ink, paper = rng.uniform(0.02, 0.25), rng.uniform(0.45, 0.9)
    height, width = card.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-12, 12), 1)
    turn[:, 2] += (cell[1], cell[0])
    turn[:, 2] += (CELL - np.array([width, height])) * rng.uniform(0.25, 0.75, 2)
    size, smooth = (WIDTH, HEIGHT), {"flags": cv2.INTER_LINEAR}
    drawn = cv2.warpAffine(ink + (paper - ink) * card, turn, size, **smooth)[..., None]
    cover = cv2.warpAffine(np.ones_like(card), turn, size, **smooth)[..., None]
    picture[:] = picture * (1 - cover) + drawn


# --- detectors ------------------------------------------------------------------------------------


def compare(found: Iterable[str], truth: Sequence[str]) -> Count:
    """Count right answers and false alarms, each answer once."""
    found = set(found)
    return Count(len(found & set(truth)), len(found - set(truth)), len(truth))


def see_aruco(picture, scene: Scene) -> Count:
    """Look for ArUco markers (OpenCV)."""
    dictionary = cv2.aruco.getPredefinedDictionary(_DICTIONARIES["aruco"])
    _, numbers, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(gray(picture))
    return compare(map(str, () if numbers is None else np.ravel(numbers)), scene.truth["aruco"])


def see_keypoints(picture, scene: Scene) -> Count:
    """Find the photograph in the picture by SIFT keypoints and a homography (OpenCV).

    It counts as found if `LEAST_MATCHES` agree on a homography, and as right if this moves the
    corners to where they are, by less than `CORNER_ERROR` pixels on average.
    """
    nothing = Count(0, 0, 1)
    sift = cv2.SIFT_create(MOST_KEYPOINTS)
    points, features = sift.detectAndCompute(gray(scene.photo), None)
    seen, others = sift.detectAndCompute(gray(picture), None)
    if others is None or len(seen) < 2:
        return nothing
    pairs = cv2.BFMatcher().knnMatch(features, others, k=2)
    good = [first for first, second in pairs if first.distance < 0.75 * second.distance]
    if len(good) < LEAST_MATCHES:
        return nothing
    here = np.float32([points[match.queryIdx].pt for match in good])
    there = np.float32([seen[match.trainIdx].pt for match in good])
    cv2.setRNGSeed(0)
    view, agree = cv2.findHomography(here, there, cv2.RANSAC, 3.0)
    if view is None or agree.sum() < LEAST_MATCHES:
        return nothing
    height, width = scene.photo.shape[:2]
    corners = np.float32([[[0, 0], [width, 0], [width, height], [0, height]]])
    off = cv2.perspectiveTransform(corners, view) - cv2.perspectiveTransform(corners, scene.view)
    right = np.linalg.norm(off, axis=-1).mean() < CORNER_ERROR
    return Count(int(right), int(not right), 1)


def see_apriltags(picture, scene: Scene) -> Count:
    """Look for AprilTags (pupil-apriltags)."""
    from pupil_apriltags import Detector

    Detector.__del__ = lambda self: None  # its own uses what it has just freed: a crash at exit
    tags = once(Detector, families="tag36h11", quad_decimate=1.0).detect(gray(picture))
    return compare((str(tag.tag_id) for tag in tags), scene.truth["apriltag"])


def see_qr(picture, scene: Scene) -> Count:
    """Read QR codes (ZXing)."""
    import zxingcpp

    codes = zxingcpp.read_barcodes(gray(picture), formats=zxingcpp.BarcodeFormat.QRCode)
    return compare((code.text for code in codes), scene.truth["qr"])


def see_text(picture, scene: Scene) -> Count:
    """Read words (RapidOCR): a wrong letter makes a wrong word."""
    return compare(read_words(picture), scene.truth["text"])


def read_words(picture) -> list[str]:
    """Return the words of three letters or more that RapidOCR reads, in lower case."""
    from rapidocr import RapidOCR

    lines = once(RapidOCR)(to_uint8(as_float(picture))[..., ::-1], use_cls=False).txts or ()
    words = [word.strip(string.punctuation).lower() for line in lines for word in line.split()]
    return [word for word in words if len(word) > 2]


DETECTORS = {
    "ArUco markers": (see_aruco, None),
    "SIFT homographies": (see_keypoints, None),
    "AprilTags": (see_apriltags, "pupil_apriltags"),
    "QR codes": (see_qr, "zxingcpp"),
    "words": (see_text, "rapidocr"),
}
"""What to look for: the function that finds it, and the package of the extra that this needs."""


def detectors() -> dict[str, Callable]:
    """Return the detectors that are installed, by name."""
    return {
        name: see for name, (see, package) in DETECTORS.items() if not package or find_spec(package)
    }


@functools.cache
def once(make: Callable, **options):
    """Make a detector when it is first needed, and keep it: loading takes longer than looking."""
    return make(**options)


def gray(picture) -> np.ndarray:
    """Return a picture as most detectors expect it: 8 bits, gray."""
    return cv2.cvtColor(to_uint8(as_float(picture)), cv2.COLOR_RGB2GRAY)


# --- enhancing for detectors ---------------------------------------------------------------------


def enhance_for_vision(
    model, image, iterations: int | None = None, exposure: float = 0.0
) -> np.ndarray:
    """Enhance a picture for a detector, not for the eye.

    First, the dark picture is smoothed a little, while its noise is about equally strong
    everywhere; the curve would amplify it most in the darkest parts. Then it is enhanced without
    detail maps, because they remove not only noise but also whatever is two or three pixels wide.
    Finally, a result that is still dark is brightened again, so that dark ink on dark paper gets
    above the fixed thresholds inside detectors. See notebook 08.

    Takes and returns what `inference.enhance_picture` does.
    """
    smooth = cv2.GaussianBlur(as_float(image), (0, 0), SMOOTHING)
    bright = enhance_picture(without_details(model), smooth, iterations)
    middle = np.clip(np.median(gray(bright)) / 255, MIDDLE**2, MIDDLE)
    lifted = baselines.gamma(bright, np.log(MIDDLE) / np.log(middle))
    return adjust_exposure(lifted, exposure)


SMOOTHING = 0.6
"""Standard deviation in pixels of the smoothing for a detector."""

MIDDLE = 0.5
"""The median brightness to which a darker result is raised for a detector."""

SMOOTH_FLOOR = FLOOR / 5
"""`curve.FLOOR` for a smoothed picture, whose values can lie between two codes."""


def without_details(model):
    """Return an enhancer with the same network and no detail maps, for smoothed pictures."""
    if not hasattr(model, "schedule"):  # the founding weights
        return model
    schedule = [EXPOSURE if isinstance(source, int) else source for source in model.schedule]
    return _changed(model, schedule=schedule, floor=SMOOTH_FLOOR)


def _changed(model, **settings) -> SimpleNamespace:
    """Return what `enhance_picture` needs of an enhancer, with some settings changed."""
    kept = {name: getattr(model, name) for name in ("predict_maps", *SETTINGS)}
    return SimpleNamespace(**kept | settings)


# --- the experiment -------------------------------------------------------------------------------


def measure(
    scenes: Iterable[Scene],
    methods: Mapping[str, Callable],
    look_for: Mapping[str, Callable],
    stops: Sequence[float] = STOPS,
    seed: int = 0,
) -> dict[tuple[str, str, float], list[Count]]:
    """Let detectors look at every scene, darkened and then brightened by every method.

    Parameters
    ----------
    methods : mapping from str to callable
        Each takes a dark picture and returns a brighter one; as `methods` returns them. All get
        the same pictures.
    look_for : mapping from str to callable
        The detectors, as `detectors` returns them.
    seed : int
        Of the noise.

    Returns
    -------
    dict
        By detector, method and stops: a `Count` for each scene. The method `WELL_LIT` is the scene
        before it was darkened: the ceiling.
    """
    counts = defaultdict(list)
    for scene in scenes:
        for amount in stops:
            dark = darken(scene, amount, seed)
            pictures = {name: method(dark) for name, method in methods.items()}
            pictures[WELL_LIT] = scene.picture
            for task, see in look_for.items():
                for name, picture in pictures.items():
                    counts[task, name, amount].append(see(picture, scene))
    return counts


WELL_LIT = "well lit"


def read_table() -> list[dict]:
    """Return the committed table of measurements, which `benchmarks/vision.py` writes."""
    text = (files("lle_utils") / "registry" / "vision.csv").read_text("utf-8")
    numbers = {"stops": float, "right": int, "wrong": int, "total": int}
    rows = csv.DictReader(text.splitlines())
    return [{key: numbers.get(key, str)(value) for key, value in row.items()} for row in rows]


def curves_of(rows: Iterable[Mapping]) -> dict[str, dict[str, list]]:
    """Turn rows of the table into what `drawing.success` draws: points with their intervals."""
    curves: dict[str, dict[str, list]] = {}
    for row in rows:
        point = (row["stops"], row["right"] / row["total"], *wilson(row["right"], row["total"]))
        curves.setdefault(row["detector"], {}).setdefault(row["method"], []).append(point)
    return curves


def add(counts: Iterable[Count]) -> Count:
    """Add up counts."""
    return Count(*(int(number) for number in np.sum(list(counts), axis=0)))


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return the interval of a share, `right` of `total` answers (E. B. Wilson, 1927).

    `z` is the number of standard errors; 1.96 is for 95 %. The interval never has length 0, even
    if all or none are right.
    """
    share, extra = right / total, z * z / total
    middle = (share + extra / 2) / (1 + extra)
    half = z / (1 + extra) * (share * (1 - share) / total + extra / (4 * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def methods(model) -> dict[str, Callable]:
    """Return the ways to brighten a picture that are compared, by name."""
    exposure_alone = _changed(model, schedule=[EXPOSURE] * model.iterations)
    return {
        "untouched": as_float,
        "gain": gain,
        "gamma 0.4": baselines.gamma,
        "CLAHE": baselines.clahe,
        "equalized": baselines.equalize,
        "one constant": lambda dark: baselines.constant_map(dark, baselines.LOL_CONSTANT),
        "exposure alone": lambda dark: enhance_picture(exposure_alone, dark),
        "ours": lambda dark: enhance_picture(model, dark),
        "ours, for vision": lambda dark: enhance_for_vision(model, dark),
    }


def gain(image) -> np.ndarray:
    """Multiply a picture so that 99 % of its values fit below 0.9."""
    image = as_float(image)
    return np.clip(image * (0.9 / max(float(np.quantile(image, 0.99)), 1 / 255)), 0, 1)

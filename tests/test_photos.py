"""Photo files: what goes in comes out, with everything that the file said."""

import io
import os
import struct
import sys
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from lle_utils import images, photos
from lle_utils.errors import LleError
from lle_utils.photos import Photo, color, decode, encode, metadata, read_photo
from lle_utils.photos.photo import scale

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="1"/></x:xmpmeta>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NAME = "Jörg".encode().decode("latin-1")  # as Pillow reads it
MAKER_NOTE = b"maker note with offsets inside"
KINDS = ["PNG", "JPEG", "TIFF", "WEBP", "AVIF", *["HEIF"] * bool(find_spec("pillow_heif"))]


def make_profile(to_xyz, tone=b"") -> bytes:
    """Return sRGB's profile with other primaries, and with another tone curve."""
    icc, names = bytearray(SRGB), (b"rXYZ", b"gXYZ", b"bXYZ")
    primaries = dict(zip(names, np.transpose(to_xyz), strict=True))
    for index in range(struct.unpack_from(">L", icc, 128)[0]):
        name, start, _ = struct.unpack_from(">4sLL", icc, 132 + 12 * index)
        if name in primaries:
            struct.pack_into(">3i", icc, start + 8, *(round(65536 * x) for x in primaries[name]))
        elif name.endswith(b"TRC"):
            icc[start : start + len(tone)] = tone
    return bytes(icc)


P3 = make_profile([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
ADOBE = [[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7448]]
PROFILES = [
    P3,
    make_profile(ADOBE, b"curv" + struct.pack(">LLH", 0, 1, 563)),  # a power of 2.2
    make_profile(ADOBE, b"para" + struct.pack(">LHHl", 0, 0, 0, 144179)),  # the same
    make_profile(ADOBE, b"curv" + struct.pack(">LL4H", 0, 4, 0, 8000, 29000, 65535)),
]


def smooth(height=24, width=32, channels=3, kind=np.uint8) -> np.ndarray:
    """Return a dark, smooth picture, which lossy kinds of file keep well."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return scale(0.05 + 0.1 * x / width + 0.1 * y / height + 0.03 * c, kind)


DEEP = smooth(kind=np.uint16)


def make_exif(orientation=1) -> bytes:
    """Return an EXIF block as a phone writes it: orientation, place, a thumbnail."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = orientation
    exif[0x013B] = exif.get_ifd(0x8769)[0xA430] = "J??rg"  # Pillow writes ASCII only
    exif.get_ifd(0x8769)[0xA005] = {1: "R98"}
    exif.get_ifd(0x8769)[0x927C] = MAKER_NOTE
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    block = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    block = block.replace(b"J??rg", "Jörg".encode())
    (count,) = struct.unpack_from(">H", block, 8)
    struct.pack_into(">L", block, 10 + 12 * count, len(block))  # of the thumbnail's folder
    return bytes(block) + struct.pack(">HHHLLL", 1, 0x0201, 4, 1, 8, 0)


def check_exif(block: bytes, name=NAME) -> None:
    """Check that all is there that `make_exif` wrote, but for orientation and thumbnail."""
    exif = Image.Exif()
    exif.load(block)
    inside = exif.get_ifd(0x8769)
    assert (exif[0x010F], exif[0x013B], inside[0xA430]) == ("Maker", name, name)
    assert (inside[0x927C], exif.get_ifd(0xA005)) == (MAKER_NOTE, {1: "R98"})
    assert exif.get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)
    assert 0x0112 not in exif and not exif.get_ifd(1)


def full_photo(kind=np.uint8, channels=3) -> Photo:
    photo = Photo([smooth(kind=kind, channels=channels)], exif=make_exif(), xmp=XMP, dpi=(240, 240))
    photo.icc = P3 if channels >= 3 else None
    metadata.make_upright(photo)
    return photo


def save(path, image, **options):
    Image.fromarray(image).save(path, **options)
    return path


# Everything is kept


@pytest.mark.parametrize(
    ("kind", "depth", "channels"),
    [(kind, np.uint8, 3) for kind in KINDS]
    + [(kind, np.uint16, channels) for kind in ("PNG", "TIFF") for channels in (1, 2, 3, 4)]
    + [(kind, np.uint8, channels) for kind in ("PNG", "TIFF") for channels in (1, 2, 4)]
    + [("TIFF", np.float32, channels) for channels in (1, 2, 3, 4)],
)
def test_every_kind_of_file_keeps_everything(kind, depth, channels):
    before = full_photo(depth, channels)
    after = decode(encode(before, kind))
    assert (after.format, after.icc, after.xmp) == (kind, before.icc, before.xmp)
    check_exif(after.exif)
    if kind != "TIFF":
        assert after.exif == before.exif  # so that a maker note's offsets stay right
    if kind in ("PNG", "JPEG", "TIFF"):
        assert after.dpi == pytest.approx((240, 240), abs=0.02)
    frame, expected = after.frames[0], before.frames[0]
    if (kind, depth, channels) == ("PNG", np.uint16, 2):
        expected = expected[..., [0, 0, 0, 1]]  # no library here writes it as gray
    assert (frame.shape, frame.dtype) == (expected.shape, depth)
    assert np.abs(frame.astype(float) - expected).mean() <= (0 if kind in ("PNG", "TIFF") else 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_once(tmp_path, kind, orientation):
    corner = np.zeros((16, 32, 3), np.uint8)
    corner[:8, :16] = 255
    tags = {"exif": b"Exif\0\0" + make_exif(orientation)}
    if kind == "TIFF":  # in which Pillow does not write folders right
        tags = {"tiffinfo": {0x0112: orientation}}
    photo = read_photo(save(tmp_path / "a", corner, format=kind, **tags))
    if kind != "TIFF":
        check_exif(photo.exif, "J??rg" if kind == "AVIF" else NAME)
    with Image.open(io.BytesIO(encode(photo))) as image, Image.open(tmp_path / "a") as stored:
        assert image.getexif().get(0x0112, 1) == 1
        upright = np.asarray(ImageOps.exif_transpose(stored)).astype(int)
        assert np.abs(np.asarray(image) - upright).mean() < 3


def test_xmp_tells_the_orientation_where_exif_does_not(tmp_path):
    turned = XMP.replace(b'Orientation="1"', b'Orientation="3"')
    path = save(tmp_path / "a.webp", np.rot90(smooth(), 2).copy(), xmp=turned, lossless=True)
    photo = read_photo(path)
    np.testing.assert_array_equal(photo.frames[0], smooth())
    assert photo.xmp == XMP


@pytest.mark.parametrize("start", [b"MM\0*\0\0\xff\xff", b"MMs*\0\0\0\x08\0\0"])
def test_damaged_exif_is_left_out_and_the_picture_read(start):
    photo = decode(encode(Photo([smooth()], exif=start.ljust(60, b"\xff")), "PNG"))
    assert photo.exif is None
    assert "damaged" in photo.notes[0]
    assert decode(encode(photo, "TIFF")).exif is None


def test_metadata_that_jpeg_cannot_hold_are_left_out():
    photo = full_photo()
    photo.xmp = XMP + bytes(70_000)
    assert decode(encode(photo, "JPEG")).xmp is None
    assert photo.notes == ["its XMP is too long for JPEG and is left out"]


def test_other_programs_read_our_tiff(tmp_path):
    photo = full_photo(np.uint16, 4)
    path = tmp_path / "a.tif"
    path.write_bytes(encode(photo, "TIFF"))
    np.testing.assert_array_equal(tifffile.imread(path), photo.frames[0])
    decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(decoded[..., [2, 1, 0, 3]], photo.frames[0])
    path.write_bytes(encode(full_photo(), "TIFF"))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), smooth())
        assert image.info["icc_profile"] == photo.icc
        assert image.getexif().get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)


@pytest.mark.parametrize("quality", [30, 95])
def test_jpeg_is_compressed_as_the_input_was(tmp_path, quality):
    captions = b"\xff\xed\0\x0aIPTC ..."
    options = {"quality": quality, "subsampling": 1, "comment": b"note", "extra": captions}
    path = save(tmp_path / "a.jpg", smooth(), **options)
    result = encode(read_photo(path))
    assert captions in result
    with Image.open(path) as image, Image.open(io.BytesIO(result)) as again:
        assert again.quantization == image.quantization
        assert again.info["comment"] == b"note"
        assert again.layer == image.layer  # how the colors are sampled


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_stays_lossless_or_not(tmp_path, lossless):
    hidden = np.dstack([smooth(), np.zeros((24, 32), np.uint8)])
    path = save(tmp_path / "a.webp", hidden, lossless=lossless, exact=True)
    again = encode(read_photo(path))
    assert (b"VP8L" in again) == lossless
    if lossless:
        np.testing.assert_array_equal(decode(again).frames[0], hidden)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_notes_in_png_survive(tmp_path, depth):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "Night")
    photo = read_photo(save(tmp_path / "a.png", smooth(), pnginfo=notes))
    photo.frames = [smooth(kind=depth)]
    assert decode(encode(photo)).text == {"Title": "Night"}


# What is lost


@pytest.mark.parametrize("kind", ["BMP", "GIF"])
def test_files_without_a_profile_get_srgb(kind):
    photo = Photo([np.full((8, 8, 3), (30, 120, 40), np.uint8)], icc=P3)
    found = decode(encode(photo, kind)).frames[0]
    assert np.abs(found / 255 - photo.to_srgb()).max() < 0.01


@pytest.mark.parametrize("kind", ["BMP", "JPEG"])
def test_opacity_goes_before_white_where_there_is_none(kind):
    photo = Photo([np.dstack([smooth(), np.zeros((24, 32), np.uint8)])])
    assert decode(encode(photo, kind)).frames[0].min() > 250
    assert photo.notes == [f"{kind} has no opacity: the picture is put on white"]


def test_a_second_picture_in_a_jpeg_is_no_animation(tmp_path):
    image = Image.fromarray(smooth())
    image.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[image])
    photo = read_photo(tmp_path / "a.jpg")
    assert (photo.format, len(photo.frames)) == ("JPEG", 1)
    assert "first" in photo.notes[0]


@pytest.mark.parametrize(
    ("mode", "name", "says"),
    [
        ("CMYK", "a.jpg", "its CMYK colors are written as RGB"),
        ("LAB", "a.tif", "its Lab colors are written as RGB"),
        ("P", "a.png", "its palette is written as RGB"),
        ("P", "a.gif", None),
        ("1", "a.tif", "its black and white of 1 bit is written as gray"),
    ],
)
def test_a_form_of_color_that_is_lost_is_noted(tmp_path, mode, name, says):
    image = Image.new(mode, (8, 8), None)
    image.save(tmp_path / name, icc_profile=None if mode in "P1" else b"x" * 200)
    photo = read_photo(tmp_path / name)
    assert photo.frames[0].shape == (8, 8, 1 if mode == "1" else 3)
    assert photo.icc is None
    assert photo.notes == [says] * bool(says)
    assert decode(encode(photo)).notes == []


# Colors


@pytest.mark.parametrize("icc", PROFILES)
def test_colors_are_converted_as_a_color_engine_does(icc):
    colors = np.random.default_rng(0).integers(60, 180, (40, 40, 3), dtype=np.uint8)
    expected = ImageCms.profileToProfile(
        Image.fromarray(colors),
        io.BytesIO(icc),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    found = Photo([colors], icc=icc).to_srgb()
    assert np.abs(255 * found - np.asarray(expected)).max() < 1.6


@pytest.mark.parametrize(("depth", "most_off"), [(np.uint8, 0), (np.uint16, 16)])
@pytest.mark.parametrize("icc", PROFILES)
def test_colors_come_back_even_those_that_srgb_has_not(icc, depth, most_off):
    most = np.iinfo(depth).max
    colors = np.random.default_rng(1).integers(0, most, (50, 50, 3), dtype=depth, endpoint=True)
    colors[0, :4] = [[0, most, 0], [most, 0, 0], [0, 0, 0], [most] * 3]
    same = Photo([colors], icc=icc).change(lambda picture: picture)
    assert np.abs(same.frames[0].astype(int) - colors).max() <= most_off


def test_the_network_sees_srgb_and_the_file_gets_its_own_colors():
    dark = Photo([np.full((4, 4, 3), (20, 60, 30), np.uint8)], icc=P3)

    def brighten(picture):
        np.testing.assert_allclose(np.asarray(picture), dark.to_srgb())
        return 1.5 * np.asarray(picture)

    bright = dark.change(brighten)
    np.testing.assert_allclose(bright.to_srgb(), 1.5 * dark.to_srgb(), atol=0.01)
    assert bright.icc == P3


def test_srgb_and_unknown_profiles_change_nothing():
    for icc in (None, SRGB, b"", b"no profile" * 20, P3[:300]):
        assert color.read_profile(icc) is None


# Opacity


@pytest.mark.parametrize("hidden", [(255, 0, 255, 0), (255, 0)])
def test_hidden_colors_have_no_influence_and_stay(hidden):
    frame = np.dstack([smooth(channels=len(hidden) - 1), np.full((24, 32), 255, np.uint8)])
    frame[:, :10] = hidden

    def brighten(picture):
        seen = np.asarray(picture)
        assert seen.max() < 0.5
        np.testing.assert_allclose(seen.mean((0, 1)), seen[:, 10:].mean((0, 1)), rtol=1e-4)
        return 2 * seen

    found = Photo([frame]).change(brighten).frames[0]
    np.testing.assert_array_equal(found[..., -1], frame[..., -1])
    np.testing.assert_array_equal(found[:, :10], frame[:, :10])
    assert found[:, 10:, :-1].mean() > 1.5 * frame[:, 10:, :-1].mean()


def test_nothing_visible_is_nothing_to_do():
    frame = np.zeros((4, 4, 4), np.uint8)
    assert Photo([frame]).change(lambda picture: 1 / 0).frames[0] is frame


# More than one picture


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("channels", [3, 4])
def test_animations_are_changed_frame_by_frame(kind, channels):
    frames = [np.full((16, 20, channels), 40 * k, np.uint8) for k in (1, 2, 3)]
    for frame in frames:
        frame[..., 3:] = 255
        frame[:, :5, 3:] = 0
    times = {"duration": [100, 200, 300], "loop": 0}
    photo = decode(encode(Photo(frames, "GIF", options=times), kind))
    brighter = decode(encode(photo.change(lambda picture: np.asarray(picture) + 0.2)))
    for frame, before in zip(brighter.frames, frames, strict=True):
        assert frame[8, 10, :3].mean() == pytest.approx(before[8, 10, 0] + 51, abs=4)
        assert frame.shape == before.shape
    assert {key: brighter.options[key] for key in times} == times


def test_pages_of_a_tiff_are_all_kept():
    pages = [smooth(8, 9), smooth(12, 7, kind=np.uint16), smooth(5, 5, channels=1)]
    photo = decode(encode(Photo(pages, "TIFF")))
    for frame, page in zip(photo.frames, pages, strict=True):
        np.testing.assert_array_equal(frame, page)
        assert frame.dtype == page.dtype


def test_many_pictures_do_not_go_where_one_is_wanted(tmp_path):
    photo = Photo([smooth(), smooth() + 9], "GIF", options={"duration": [50, 50]})
    (tmp_path / "a.gif").write_bytes(encode(photo))
    with pytest.raises(LleError, match="a.gif holds 2 pictures"):
        images.read_image(tmp_path / "a.gif")
    for frames, kind in ((photo.frames, "JPEG"), ([smooth(), smooth(9, 9)], "PNG")):
        with pytest.raises(LleError, match=f"2 pictures .* one {kind} file; .* ends in .tif"):
            encode(Photo(frames), kind)


# TIFF of other shapes

PLANES = np.moveaxis(DEEP, -1, 0).copy()


@pytest.mark.parametrize(
    ("stored", "frame", "options"),
    [
        (PLANES, DEEP, {"planarconfig": "separate"}),
        (PLANES, DEEP, {"planarconfig": "separate", "compression": "zlib"}),
        (smooth(), smooth(), {"bigtiff": True}),
        (DEEP, DEEP, {"bigtiff": True}),
        (DEEP, DEEP, {"byteorder": ">"}),
        (np.rot90(DEEP, 1), DEEP, {"extratags": [(274, "H", 1, 6, True)]}),
        (DEEP, DEEP, {"extratags": [(282, "2I", 1, (0, 0), True)]}),  # an unknown resolution
        (DEEP, DEEP, {"extratags": [(700, "s", 0, "<x:xmpmeta/>", True)]}),  # XMP stored as text
        (DEEP.astype(np.uint32), DEEP, {}),
        (np.dstack([DEEP, DEEP]), DEEP, {"extrasamples": [0, 0, 0]}),
    ],
)
def test_tiff_of_other_shapes(stored, frame, options):
    file = io.BytesIO()
    described = {"photometric": "rgb", "metadata": None, "description": "Night"}
    tifffile.imwrite(file, stored, **described, **options)
    photo = decode(file.getvalue())
    np.testing.assert_array_equal(photo.frames[0], frame)
    assert photo.frames[0].dtype == frame.dtype and b"Night" in photo.exif


def test_a_damaged_tiff_that_goes_in_circles():
    content = bytearray(encode(Photo([DEEP]), "TIFF"))
    (tags,) = struct.unpack_from("<H", content, 8)
    struct.pack_into("<L", content, 10 + 12 * tags, 8)  # the next page is the first one
    assert len(decode(bytes(content)).frames) == 1


def test_tiff_compressed_by_lzw():
    how = [cv2.IMWRITE_TIFF_COMPRESSION, 5]
    content = cv2.imencode(".tif", DEEP[..., ::-1], how)[1].tobytes()
    np.testing.assert_array_equal(decode(content).frames[0], DEEP)


# What is refused, by name, with what to do


def make_huge(kind, height_at) -> bytes:
    """Return a small file that says to be a huge picture."""
    content = bytearray(encode(Photo([DEEP]), kind))
    for place in (18, height_at):
        struct.pack_into("<L", content, place, 30_000)
    return bytes(content)


def make_tiff(array, **options) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(array, metadata=None, **options)
    return file.getvalue()


RAW = "a camera's raw file. Develop it first"
DNG = [(50706, "B", 4, (1, 4, 0, 0), True)]
CFA = [(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)]
HDR = np.full((8, 8, 3), 3.5, np.float32)
TONE_MAP = "Tone-map it .* 16-bit TIFF or PNG"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.tif", make_tiff(smooth(), photometric="rgb", extratags=DNG), RAW),
        ("a.png", make_tiff(smooth(), photometric="rgb", subfiletype=1, subifds=1), RAW),
        ("a.tif", make_tiff(DEEP[..., 0], photometric=32803, extratags=CFA), RAW),
        ("a.RAF", b"FUJIFILMCCD-RAW 0201", RAW),
        ("a.png", b"II*\0\x10\0\0\0CR\2\0", RAW),
        ("a.png", b"FUJIFILMCCD-RAW 0201", "not a picture"),
        ("a.png", make_huge("BMP", 22), "more than 178 million pixels; shrink"),
        ("a.tif", make_huge("TIFF", 30), "more than 178 million pixels; shrink"),
        ("a.hdr", cv2.imencode(".hdr", HDR)[1].tobytes(), TONE_MAP),
        ("a.tif", make_tiff(HDR, photometric="rgb"), TONE_MAP),
        ("a.tif", make_tiff(HDR * np.nan, photometric="rgb"), r"\[nan, nan\]"),
        ("a.tif", make_tiff(np.arange(70_000).reshape(70, 1000)), r"\[0, 69999\]"),
        ("a.tif", make_tiff(DEEP[..., 0], photometric="miniswhite"), "MINISWHITE"),
        (
            "a.tif",
            make_tiff(DEEP[..., [0, 1, 2, 0]], photometric="rgb", extrasamples=[1]),
            "straight alpha",
        ),
    ],
)
def test_what_would_come_out_wrong_is_refused(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LleError, match=f"^[^\n]*{name}: .*{says}.*$"):
        read_photo(tmp_path / name)


def test_heic_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(LleError, match="pip install pillow-heif"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


@pytest.mark.skipif(os.name != "posix", reason="no such files here")
def test_what_is_no_file_is_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.symlink("/dev/zero", tmp_path / "zero.png")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(LleError, match=f"{name} is a folder, a pipe, a socket or a device"):
            read_photo(tmp_path / name)


def test_damaged_files_never_end_in_a_traceback():
    """Flip bytes and cut: each file is read or refused, by an LleError."""
    random = np.random.default_rng(0)
    photo = full_photo()
    for kind in KINDS:
        whole = encode(photo, kind)
        for _ in range(30):
            content = bytearray(whole)
            for place in random.integers(0, len(content), 4):
                content[place] = random.integers(0, 256)
            try:
                decode(bytes(content[: random.integers(1, len(content) + 1)]))
            except LleError as error:
                assert "\n" not in str(error)


def test_endings_and_kinds_agree():
    assert set(photos.WRITABLE) < set(photos.READABLE)
    with pytest.raises(LleError, match="cannot be written as WEBP"):
        encode(Photo([np.zeros((2, 20_000, 3), np.uint8)]), "WEBP")

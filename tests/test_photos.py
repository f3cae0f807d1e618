"""Photo files: what goes in comes out, with everything that the file said."""

import io
import os
import socket
import struct
import sys
import zlib
from importlib.util import find_spec

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from lle_utils import images, photos
from lle_utils.errors import LleError
from lle_utils.photos import Photo, color, decode, encode, metadata, read_photo

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="1"/></rdf:RDF></x:xmpmeta>'
)
P3 = [[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]]
ADOBE = [[0.6097, 0.2053, 0.1492], [0.3111, 0.6257, 0.0632], [0.0195, 0.0609, 0.7448]]
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
KINDS = ["PNG", "JPEG", "TIFF", "WEBP", "AVIF"]


def smooth(height=24, width=32, channels=3, kind=np.uint8) -> np.ndarray:
    """Return a dark, smooth picture, which lossy kinds of file keep well."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    values = 0.05 + 0.1 * x / width + 0.1 * y / height + 0.03 * c
    return np.round(values * np.iinfo(kind).max).astype(kind)


def make_profile(to_xyz, curve) -> bytes:
    """Return a small ICC profile: a matrix and one parametric or gamma curve."""

    def fixed(values):
        return b"".join(struct.pack(">i", round(65536 * value)) for value in values)

    if isinstance(curve, tuple):
        tone = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + fixed(curve)
    else:
        tone = b"curv" + bytes(4) + struct.pack(">LH", 1, round(256 * curve)) + bytes(2)
    xyz = {
        name: b"XYZ " + bytes(4) + fixed(column)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), np.transpose(to_xyz), strict=True)
    }
    white = b"XYZ " + bytes(4) + fixed((0.9642, 1, 0.8249))
    name = b"desc" + bytes(4) + struct.pack(">L", 5) + b"test\0" + bytes(79)
    tags = {
        b"desc": name,
        b"wtpt": white,
        **xyz,
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone),
    }
    place, table, data = 132 + 12 * len(tags), b"", b""
    for tag, content in tags.items():
        table += struct.pack(">4sLL", tag, place + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    header = (
        struct.pack(
            ">L4sL4s4s4s", place + len(data), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ "
        )
        + bytes(12)
        + b"acsp"
        + bytes(28)
        + fixed((0.9642, 1, 0.8249))
    )
    return header.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + data


def make_exif(orientation=1, thumbnail=b"") -> bytes:
    """Return an EXIF block as a phone writes it: orientation, size, place, a thumbnail."""
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    exif[0x0112] = orientation
    exif[0x013B] = exif.get_ifd(0x8769)[0xA430] = "J??rg"  # Pillow writes ASCII only
    exif.get_ifd(0x8769)[0xA005] = {1: "R98"}
    exif.get_ifd(0x8769)[0xA002] = 32
    exif.get_ifd(0x8769)[0xA003] = 24
    exif.get_ifd(0x8769)[0x927C] = b"maker note with offsets inside"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    block = bytearray(exif.tobytes().removeprefix(b"Exif\0\0"))
    block = block.replace(b"J??rg", "Jörg".encode())
    if thumbnail:  # a second folder, as the EXIF standard has it
        order = "<" if block[:2] == b"II" else ">"
        count = struct.unpack_from(order + "H", block, 8)[0]
        struct.pack_into(order + "L", block, 10 + 12 * count, len(block))
        start = len(block) + 2 + 2 * 12 + 4
        block += struct.pack(order + "H", 2)
        block += struct.pack(order + "HHLL", 0x0201, 4, 1, start)
        block += struct.pack(order + "HHLL", 0x0202, 4, 1, len(thumbnail))
        block += struct.pack(order + "L", 0) + thumbnail
    return bytes(block)


def full_photo(kind=np.uint8, channels=3) -> Photo:
    icc = make_profile(P3, SRGB_CURVE) if channels >= 3 else None
    return Photo(
        [smooth(kind=kind, channels=channels)], icc=icc, exif=make_exif(), xmp=XMP, dpi=(240, 240)
    )


def save(path, image, **options):
    Image.fromarray(image).save(path, **options)
    return path


# Everything is kept


@pytest.mark.parametrize("kind", KINDS)
def test_metadata_survive_every_kind_of_file(kind):
    before = full_photo()
    after = decode(encode(before, kind))
    assert after.format == kind
    assert after.icc == before.icc
    assert after.xmp == before.xmp
    assert np.abs(after.frames[0].astype(int) - before.frames[0]).mean() < 2
    if kind in ("PNG", "JPEG", "TIFF"):
        assert after.dpi == pytest.approx((240, 240), abs=0.02)
    exif = Image.Exif()
    exif.load(after.exif)
    assert exif[0x010F] == "Maker"
    assert exif.get_ifd(0x8769)[0x927C] == b"maker note with offsets inside"
    assert exif.get_ifd(0x8825)[2] == (48.0, 51.0, 30.0)
    assert exif[0x013B] == exif.get_ifd(0x8769)[0xA430] == "Jörg".encode().decode("latin-1")
    assert exif.get_ifd(0xA005) == {1: "R98"}


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_depth_gray_and_opacity_survive(kind, channels, depth):
    before = full_photo(depth, channels)
    after = decode(encode(before, kind))
    expected = before.frames[0]
    if (kind, channels, depth) == ("PNG", 2, np.uint16):
        expected = expected[..., [0, 0, 0, 1]]  # no library here writes this one as gray
    assert after.frames[0].dtype == depth
    np.testing.assert_array_equal(after.frames[0], expected)
    assert (after.icc, after.xmp) == (before.icc, before.xmp)
    assert after.exif is not None


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
        assert image.getexif().get_ifd(0x8825)[1] == "N"


def test_floating_point_tiff_stays_so():
    frame = smooth(kind=np.uint16).astype(np.float32) / 65535
    after = decode(encode(Photo([frame]), "TIFF"))
    np.testing.assert_array_equal(after.frames[0], frame)


@pytest.mark.parametrize("quality", [30, 95])
def test_jpeg_is_compressed_as_the_input_was(tmp_path, quality):
    path = save(tmp_path / "a.jpg", smooth(), quality=quality, subsampling=1, comment=b"note")
    again = Image.open(io.BytesIO(encode(read_photo(path))))
    with Image.open(path) as image:
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


def test_notes_in_png_survive(tmp_path):
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "Night")
    path = save(tmp_path / "a.png", smooth(), pnginfo=notes)
    assert decode(encode(read_photo(path))).text == {"Title": "Night"}


@pytest.mark.parametrize("kind", ["BMP", "GIF"])
def test_files_without_a_profile_get_srgb(kind):
    photo = full_photo()
    photo.frames = [np.full((8, 8, 3), (30, 120, 40), np.uint8)]
    found = decode(encode(photo, kind)).frames[0]
    assert np.abs(found / 255 - photo.to_srgb()).max() < 0.01


def test_opacity_goes_before_white_where_there_is_none():
    photo = Photo([np.dstack([smooth(), np.zeros((24, 32), np.uint8)])])
    found = decode(encode(photo, "JPEG"))
    assert found.frames[0].min() > 250
    assert "white" in photo.notes[0]
    np.testing.assert_array_equal(decode(encode(photo, "BMP")).frames[0][..., 3], 0)


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
        ("CMYK", "a.tif", "its CMYK colors are written as RGB"),
        ("LAB", "a.tif", "its Lab colors are written as RGB"),
        ("P", "a.png", "its palette is written as RGB"),
        ("P", "a.tif", "its palette is written as RGB"),
        ("P", "a.gif", None),
        ("1", "a.png", "its black and white of 1 bit is written as gray"),
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


@pytest.mark.skipif(not find_spec("pillow_heif"), reason="no pillow-heif")
def test_heic_is_read_and_written():
    after = decode(encode(full_photo(), "HEIF"))
    assert (after.icc, after.format) == (full_photo().icc, "HEIF")


def test_heic_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(LleError, match="pip install pillow-heif"):
        decode(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


# Orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_out_upright_once(tmp_path, kind, orientation):
    corner = np.zeros((16, 32, 3), np.uint8)
    corner[:8, :16] = 255
    stored = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: lambda x: np.transpose(x, (1, 0, 2)),
        6: lambda x: np.rot90(x, 1),
        7: lambda x: np.rot90(np.transpose(x, (1, 0, 2)), 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation](corner)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "a"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, kind, exif=exif)
    again = decode(encode(read_photo(path)))
    assert np.abs(again.frames[0].astype(int) - corner).mean() < 3
    with Image.open(io.BytesIO(encode(again))) as image:
        assert image.getexif().get(0x0112, 1) == 1


def test_a_big_tiff_is_read(tmp_path):
    path = tmp_path / "a.tif"
    tags = {"bigtiff": True, "photometric": "rgb", "extratags": [(315, 2, 0, "Artist", True)]}
    for frame in (smooth(), smooth(kind=np.uint16)):
        tifffile.imwrite(path, frame, byteorder="<", **tags)
        photo = read_photo(path)
        np.testing.assert_array_equal(photo.frames[0], frame)
        assert b"Artist" in photo.exif


def test_a_turned_tiff_of_sixteen_bits(tmp_path):
    deep = smooth(kind=np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif", np.rot90(deep, 1), photometric="rgb", extratags=[(274, "H", 1, 6, True)]
    )
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").frames[0], deep)


@pytest.mark.parametrize("tail", [b"", b"after"])
def test_exif_says_upright_and_has_no_thumbnail(tail):
    thumbnail = b"\xff\xd8 a small dark picture \xff\xd9"
    exif = make_exif(6, thumbnail) + tail
    found = metadata.make_upright(exif, 6)
    assert thumbnail not in found
    block = Image.Exif()
    block.load(found)
    assert block[0x0112] == 1
    assert (block.get_ifd(0x8769)[0xA002], block.get_ifd(0x8769)[0xA003]) == (24, 32)
    assert not block.get_ifd(1)
    untouched = Image.Exif()
    untouched.load(exif)
    assert block.get_ifd(0x8769)[0x927C] == untouched.get_ifd(0x8769)[0x927C]


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


# Colors


@pytest.mark.parametrize(("matrix", "curve"), [(P3, SRGB_CURVE), (ADOBE, 2.2)])
def test_colors_are_converted_as_a_color_engine_does(matrix, curve):
    icc = make_profile(matrix, curve)
    colors = np.random.default_rng(0).integers(60, 180, (40, 40, 3), dtype=np.uint8)
    expected = ImageCms.profileToProfile(
        Image.fromarray(colors),
        io.BytesIO(icc),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )
    found = Photo([colors], icc=icc).to_srgb()
    assert np.abs(255 * found - np.asarray(expected)).max() < 1.6


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize(("matrix", "curve"), [(P3, SRGB_CURVE), (ADOBE, 2.2)])
def test_colors_come_back_even_those_that_srgb_has_not(matrix, curve, depth):
    most = np.iinfo(depth).max
    colors = np.random.default_rng(1).integers(0, most, (50, 50, 3), dtype=depth, endpoint=True)
    colors[0, :4] = [[0, most, 0], [most, 0, 0], [0, 0, 0], [most] * 3]
    same = Photo([colors], icc=make_profile(matrix, curve)).change(lambda picture: picture)
    difference = np.abs(same.frames[0].astype(int) - colors).max()
    assert difference <= (0 if depth == np.uint8 else 16)


def test_the_network_sees_srgb_and_the_file_gets_its_own_colors():
    icc = make_profile(P3, SRGB_CURVE)
    dark = np.full((4, 4, 3), (20, 60, 30), np.uint8)
    seen = []

    def double(picture):
        seen.append(np.asarray(picture))
        return np.clip(1.5 * np.asarray(picture), 0, 1)

    bright = Photo([dark], icc=icc).change(double)
    np.testing.assert_allclose(seen[0], Photo([dark], icc=icc).to_srgb())
    np.testing.assert_allclose(bright.to_srgb(), 1.5 * seen[0], atol=0.01)
    assert bright.icc == icc


def test_srgb_and_unknown_profiles_change_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (None, srgb, b"", b"no profile" * 20, make_profile(P3, SRGB_CURVE)[:300]):
        assert color.read_profile(icc) is None


# Opacity


@pytest.mark.parametrize("hidden", [(255, 0, 255, 0), (255, 0)])
def test_hidden_colors_have_no_influence_and_stay(hidden):
    seen = []
    colors = len(hidden) - 1
    frame = np.dstack([smooth(channels=colors), np.full((24, 32), 255, np.uint8)])
    frame[:, :10] = hidden

    def brighten(picture):
        seen.append(np.asarray(picture))
        return np.clip(2 * seen[0], 0, 1)

    found = Photo([frame]).change(brighten).frames[0]
    np.testing.assert_array_equal(found[..., -1], frame[..., -1])
    np.testing.assert_array_equal(found[:, :10], frame[:, :10])
    assert found[:, 10:, :-1].mean() > 1.5 * frame[:, 10:, :-1].mean()
    assert seen[0].max() < 0.5
    np.testing.assert_allclose(seen[0].mean((0, 1)), seen[0][:, 10:].mean((0, 1)), rtol=1e-4)


def test_nothing_visible_is_nothing_to_do():
    frame = np.zeros((4, 4, 4), np.uint8)
    assert Photo([frame]).change(lambda picture: 1 / 0).frames[0] is frame


# More than one picture


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
@pytest.mark.parametrize("channels", [3, 4])
def test_animations_are_changed_frame_by_frame(kind, channels):
    frames = [np.full((16, 20, channels), 40 * k, np.uint8) for k in (1, 2, 3)]
    if channels == 4:
        for frame in frames:
            frame[..., 3] = 255
            frame[:, :5, 3] = 0
    times = {"duration": [100, 200, 300], "loop": 0}
    photo = decode(encode(Photo(frames, "GIF", options=times), kind))
    assert (len(photo.frames), photo.options["duration"]) == (3, [100, 200, 300])
    brighter = decode(encode(photo.change(lambda picture: np.asarray(picture) + 0.2)))
    for frame, before in zip(brighter.frames, frames, strict=True):
        assert frame[8, 10, :3].mean() == pytest.approx(before[8, 10, 0] + 51, abs=4)
        assert frame.shape == before.shape
    assert brighter.options["duration"] == [100, 200, 300]


def test_pages_of_a_tiff_are_all_kept(tmp_path):
    pages = [smooth(8, 9), smooth(12, 7, kind=np.uint16), smooth(5, 5, channels=1)[..., 0]]
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in pages:
            file.write(page, photometric="rgb" if page.ndim == 3 else "minisblack")
    photo = decode(encode(read_photo(tmp_path / "a.tif")))
    for frame, page in zip(photo.frames, pages, strict=True):
        np.testing.assert_array_equal(frame.reshape(page.shape), page)
        assert frame.dtype == page.dtype


def test_many_pictures_do_not_go_where_one_is_wanted(tmp_path):
    frames = [smooth(), smooth() + 9]
    photo = Photo(frames, "GIF", options={"duration": [50, 50]})
    with pytest.raises(LleError, match="2 pictures .* JPEG"):
        encode(photo, "JPEG")
    (tmp_path / "a.gif").write_bytes(encode(photo))
    with pytest.raises(LleError, match="a.gif holds 2 pictures"):
        images.read_image(tmp_path / "a.gif")
    with pytest.raises(LleError, match="different sizes"):
        encode(Photo([smooth(), smooth(9, 9)]), "PNG")


# TIFF of other shapes


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("channels", [3, 4])
def test_planar_tiff_of_sixteen_bits_is_read_right(tmp_path, channels, compression):
    deep = smooth(channels=channels, kind=np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.moveaxis(deep, -1, 0).copy(),
        photometric="rgb",
        planarconfig="separate",
        compression=compression,
        metadata=None,
        extrasamples=["unassalpha"] if channels == 4 else None,
    )
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").frames[0], deep)
    found = images.read_image(tmp_path / "a.tif")
    np.testing.assert_allclose(found, deep[..., :3] / 65535, atol=1e-6)


def test_tiff_compressed_by_lzw(tmp_path):
    deep = smooth(kind=np.uint16)
    cv2.imwrite(str(tmp_path / "a.tif"), deep[..., ::-1], [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").frames[0], deep)


def test_a_tiff_may_say_that_it_does_not_know_its_resolution():
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[282] = tags[283] = TiffImagePlugin.IFDRational(0, 0)
    tags[296] = 2
    file = io.BytesIO()
    Image.fromarray(np.full((4, 6), 5000, np.uint16)).save(file, "TIFF", tiffinfo=tags)
    photo = decode(file.getvalue())
    assert photo.dpi is None and (photo.frames[0] == 5000).all()


def test_tiff_whose_white_is_zero(tmp_path):
    gray = smooth(channels=1, kind=np.uint16)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", 65535 - gray, photometric="miniswhite", metadata=None)
    np.testing.assert_array_equal(read_photo(tmp_path / "a.tif").frames[0][..., 0], gray)


# What is refused, by name, with what to do


def write_dng(path):
    with tifffile.TiffWriter(path) as file:
        version = (50706, "B", 4, (1, 4, 0, 0), True)
        file.write(smooth(), subfiletype=1, subifds=1, extratags=[version], photometric="rgb")
        file.write(
            smooth(96, 128, 1, np.uint16)[..., 0],
            photometric=32803,
            metadata=None,
            extratags=[(33421, "H", 2, (2, 2), True), (33422, "B", 4, (0, 1, 1, 2), True)],
        )


@pytest.mark.parametrize("name", ["a.dng", "a.tif", "a.png"])
def test_a_raw_file_is_not_taken_for_its_thumbnail(tmp_path, name):
    write_dng(tmp_path / name)
    with pytest.raises(LleError, match=f"{name}: a camera's raw file. Develop"):
        read_photo(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"FUJIFILMCCD-RAW 0201", b"II*\0\x10\0\0\0CR\2\0", b"\0\0\0\x18ftypcrx "]
)
def test_raw_files_are_known_by_their_first_bytes(content):
    with pytest.raises(LleError, match="raw file"):
        decode(content + bytes(100))


def chunk(name, data):
    return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))


def test_a_small_file_with_a_huge_picture():
    header = struct.pack(">LLBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(30_000 * 3 + 1) * 100, 9)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows)
    with pytest.raises(LleError, match="more than 1.. million pixels; shrink"):
        decode(content + chunk(b"IEND", b""))


def test_a_huge_tiff():
    content = bytearray(encode(Photo([smooth(kind=np.uint16)]), "TIFF"))
    for tag in (256, 257):
        place = content.index(struct.pack("<HH", tag, 4))
        struct.pack_into("<L", content, place + 8, 30_000)
    with pytest.raises(LleError, match="million pixels|damaged"):
        decode(bytes(content))


def test_hdr_gets_advice_that_can_be_followed(tmp_path):
    cv2.imwrite(str(tmp_path / "a.hdr"), np.full((8, 8, 3), 3.5, np.float32))
    with pytest.raises(LleError, match="a.hdr: an HDR picture. Tone-map it .* 16-bit TIFF or PNG"):
        read_photo(tmp_path / "a.hdr")


@pytest.mark.skipif(os.name != "posix", reason="no such files here")
def test_what_is_no_file_is_never_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe.png")
    os.symlink("/dev/zero", "zero.png")
    with socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind("socket.png")
        for name in ("pipe.png", "zero.png", "socket.png"):
            with pytest.raises(LleError, match=f"{name} is a pipe, a socket or a device"):
                images.read_image(name)


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

"""Picture files taken apart: what a decoder needs to make the pixels, and nothing else.

Comments, colour profiles, previews, film frames and EXIF blocks are where a hostile file hides a
bomb and where an honest one hides a home address. They are cut out here, before any decoder sees
the file; the orientation is the one thing read from them.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from .errors import N_, PictureError

_MANY = 20_000  # parts of a file; an honest picture of 25 MB has a few thousand
_SCANS = 32  # passes over a JPEG; an honest one has about ten

_JPEG_MARKER = re.compile(rb"\xff[^\x00\xff]")
_JPEG_NEXT = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # the next marker that ends a scan
_NOT_ZERO = re.compile(rb"[^\x00]")
_SCANNED = 1_000_000_000  # bytes of coefficients times passes over them: so many take about half a second
# Of a TIFF's directory: kinds of values that all readers know alike, and their sizes; what makes the pixels,
# and how many values that may have.
_TIFF_SIZES = {1: 1, 3: 2, 4: 4, 5: 8, 7: 1, 16: 8}
_TIFF_FEW = (
    256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293, 317, 322, 323, 338, 339, 529, 530, 532,
)  # fmt: skip
_TIFF_KEPT = {
    **dict.fromkeys(_TIFF_FEW, 16), **dict.fromkeys((273, 279, 324, 325), 2 * _MANY),
    320: 3 * 2**16, 347: 2**16,
}  # fmt: skip
_ORDERS = {b"II": "<", b"MM": ">"}

_HEIC = N_(
    "This looks like a HEIC photo, which cannot be read here: on an iPhone choose Settings > Camera > "
    "Formats > Most Compatible, or share the photo by mail, which makes a JPEG; on Android open it, "
    "choose Edit > Save a copy, or switch off HEIF in the camera's settings."
)
_OTHERS = {  # capitals do not matter
    b"%PDF": N_("a PDF document"),
    b"%!PS": N_("a PostScript document"),
    b"<svg": N_("an SVG drawing"),
    b"<?xm": N_("an XML file"),
    b"<!DO": N_("a web page"),
    b"<HTM": N_("a web page"),
    b"PK\x03\x04": N_("an archive or office document"),
    b"\x1f\x8b": N_("a compressed file"),
    b"Rar!": N_("an archive"),
    b"7z\xbc\xaf": N_("an archive"),
    b"\xd0\xcf\x11\xe0": N_("an office document"),
    b"8BPS": N_("a Photoshop file"),
    b"\x00\x00\x01\x00": N_("an icon file"),
    b"\xff\x0a": N_("a JPEG XL picture"),
    b"\x00\x00\x00\x0cJXL ": N_("a JPEG XL picture"),
    b"\x00\x00\x00\x0cjP  ": N_("a JPEG 2000 picture"),
    b"\xff\x4f\xff\x51": N_("a JPEG 2000 picture"),
    b"FUJIFILM": N_("a camera's raw file"),
    b"\x1a\x45\xdf\xa3": N_("a video"),
    b"\x00\x00\x01\xba": N_("a video"),
    b"\x00\x00\x01\xb3": N_("a video"),
    b"FLV": N_("a video"),
    b"OggS": N_("a video or sound file"),
    b"ID3": N_("a sound file"),
    b"fLaC": N_("a sound file"),
}


#: Pixels of a picture that is unpacked, and of its longer side.
MAX_PIXELS = 50_000_000
MAX_SIDE = 12_000


@dataclass(frozen=True)
class Container:
    """A picture file without its metadata.

    Attributes
    ----------
    kind : str
        PNG, JPEG, WEBP, GIF, BMP or TIFF.
    data : bytes
        The same picture in the same format. A GIF keeps its later frames, which nobody decodes; a TIFF
        keeps its bytes, but its directory lists what makes the pixels and no more. A BMP is left as it is.
    orientation : int
        EXIF's, 1 to 8: how the decoded pixels are to be turned.
    coefficients : int
        JPEG in several scans: bytes that its decoder holds for the whole picture at once. Else 0.
    """

    kind: str
    data: bytes
    orientation: int = 1
    coefficients: int = 0


def take_apart(data: bytes) -> Container:
    """Tell the format by the first bytes and cut out all but the pixels.

    Raises
    ------
    PictureError
        If it is no picture, of a format that is not read here, or made of absurdly many parts.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _gif(data)
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(data)
    if data.startswith(b"BM"):
        return _bmp(data)
    raise _what_it_is(data)


def damaged(why: str) -> PictureError:
    """The sentence for a file of a known format that does not hold what it should."""
    return PictureError(
        "This file begins like a picture, but {why}; it may be cut short or damaged, so save it again as "
        "PNG or JPEG.",
        why=why,
    )


def check_size(width: int, height: int) -> None:
    """Refuse a picture of more pixels than are unpacked here."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise too_large(width, height)


def too_large(width: int, height: int) -> PictureError:
    """The sentence for a picture of too many pixels."""
    return PictureError(
        "This picture has {width:,} x {height:,} pixels, too many to unpack here; make it smaller, "
        "say 2,400 x 1,800, or save it as JPEG.",
        width=width,
        height=height,
    )


def orientation_in(exif: bytes) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or it makes no sense."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = _ORDERS.get(exif[:2])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(order + "L", exif, 4)
        (entries,) = struct.unpack_from(order + "H", exif, at)
        for i in range(min(entries, 1000)):
            tag, kind = struct.unpack_from(order + "HH", exif, at + 2 + 12 * i)
            if tag == 0x0112:
                form = order + ("L" if kind == 4 else "H")
                (value,) = struct.unpack_from(form, exif, at + 10 + 12 * i)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _jpeg(data: bytes) -> Container:
    view = memoryview(data)
    kept: list[bytes | memoryview] = [b"\xff\xd8"]
    frame = b""
    orientation = 0
    at = 2
    for _ in range(_MANY):
        found = _JPEG_MARKER.search(data, at)
        if found is None or found.end() + 2 > len(data):
            raise damaged("there are no pixels in it")
        marker, at = data[found.end() - 1], found.end()
        if marker == 0xDA:
            kept.append(view[found.start() :])
            break
        if marker in (0x01, 0xD8, 0xD9) or 0xD0 <= marker <= 0xD7:  # these have no length
            continue
        end = at + int.from_bytes(view[at : at + 2])
        if end < at + 2 or end > len(data):
            raise damaged("a part of it is missing")
        body = view[at + 2 : end]
        if 0xC0 <= marker <= 0xCF or marker in (0xDB, 0xDC, 0xDD) or _tells_colours(marker, body):
            kept += [b"\xff" + bytes([marker]), view[at:end]]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = bytes([marker]) + bytes(body)
        if marker == 0xE1 and not orientation and body[:6] == b"Exif\0\0":
            orientation = orientation_in(bytes(body))
        at = end
    else:
        raise damaged("it is made of too many parts")
    scans = _jpeg_scans(data, at)
    coefficients = _jpeg_coefficients(frame, scans)
    if scans * coefficients > _SCANNED:
        raise damaged("it is made of too many parts")
    return Container("JPEG", b"".join(kept), orientation or 1, coefficients)


def _tells_colours(marker: int, body: memoryview) -> bool:
    return (marker == 0xE0 and body[:4] == b"JFIF") or (marker == 0xEE and body[:5] == b"Adobe")


def _jpeg_scans(data: bytes, at: int) -> int:
    scans = 1
    for _ in range(_MANY):
        found = _JPEG_NEXT.search(data, at)
        if found is None:
            return scans
        marker, at = data[found.end() - 1], found.end()
        if marker == 0xD9:
            return scans
        if marker == 0xDA:
            scans += 1
            if scans > _SCANS:
                break
        elif marker not in (0x01, 0xD8):
            at += max(2, int.from_bytes(data[at : at + 2]))
    raise damaged("it is made of too many parts")


def _jpeg_coefficients(frame: bytes, scans: int) -> int:
    if len(frame) < 7 or len(frame) < 7 + 3 * frame[6]:
        raise damaged("it does not say how large it is")
    count = frame[6]
    one_pass = scans == 1 and frame[0] in (0xC0, 0xC1, 0xC9)
    if one_pass or not count:
        return 0
    height, width = struct.unpack_from(">HH", frame, 2)
    factors = [divmod(frame[8 + 3 * i], 16) for i in range(count)]
    across, down = max(max(h for h, _ in factors), 1), max(max(v for _, v in factors), 1)
    return sum(2 * width * height * h * v // (across * down) for h, v in factors)


def _png(data: bytes) -> Container:
    view = memoryview(data)
    kept: list[memoryview] = [view[:8]]
    orientation = 0
    at = 8
    for _ in range(_MANY):
        if at + 8 > len(data):
            break
        name = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(view[at : at + 4])
        if not name[0] & 32 or name == b"tRNS":  # a capital: needed to show the picture
            kept.append(view[at:end])
        elif name == b"eXIf" and not orientation:
            orientation = orientation_in(data[at + 8 : end - 4])
        if name == b"IEND":
            break
        at = end
    else:
        raise damaged("it is made of too many parts")
    return Container("PNG", b"".join(kept), orientation or 1)


def _webp(data: bytes) -> Container:
    view = memoryview(data)
    kept: list[bytes | memoryview] = []
    exif = data[12:16] == b"VP8X" and bool(int.from_bytes(data[20:21]) & 0x08)
    film = False
    orientation = 0
    at = 12
    for _ in range(_MANY):
        if at + 8 > len(data):
            break
        name = data[at : at + 4]
        length = int.from_bytes(view[at + 4 : at + 8], "little")
        end = at + 8 + length + length % 2
        if name == b"VP8X":  # without its promise of a profile, EXIF and XMP
            kept += [view[at : at + 8], bytes([data[at + 8] & 0b11010011]) if at + 8 < len(data) else b""]
            kept.append(view[at + 9 : end])
        elif name in (b"VP8 ", b"VP8L", b"ALPH", b"ANIM") or (name == b"ANMF" and not film):
            kept.append(view[at:end])
            film = name == b"ANMF"
        elif name == b"EXIF" and not orientation:
            orientation = orientation_in(data[at + 8 : end])
        if film and not exif:
            break  # one frame is enough; EXIF would come after the last
        at = end
    else:
        raise damaged("it is made of too many parts")
    body = b"".join(kept)
    return Container("WEBP", b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body, orientation or 1)


def _gif(data: bytes) -> Container:
    view = memoryview(data)
    if len(data) < 13:
        raise damaged("a part of it is missing")
    check_size(*struct.unpack_from("<HH", data, 6))
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 128 else 0)
    kept: list[bytes | memoryview] = [view[:at]]
    parts = 0
    while found := _NOT_ZERO.search(data, at):
        start = found.start()
        if data[start] == 0x2C:
            if len(data) >= start + 9:
                check_size(*struct.unpack_from("<HH", data, start + 5))
            kept.append(view[start:])
            return Container("GIF", b"".join(kept))
        if data[start] != 0x21:
            break
        at = start + 2
        while at < len(data) and data[at] and parts < _MANY:
            at += 1 + data[at]
            parts += 1
        at += 1
        if parts >= _MANY:
            raise damaged("it is made of too many parts")
        if data[start + 1 : start + 2] == b"\xf9" and at >= start + 4:  # says which colour is transparent
            # What becomes of the frame afterwards matters to a film alone, and takes memory.
            kept += [view[start : start + 3], bytes([data[start + 3] & 0b11100011]), view[start + 4 : at]]
    raise damaged("there are no pixels in it")


def _bmp(data: bytes) -> Container:
    if len(data) >= 34 and data[14] != 12 and data[30] in (1, 2):  # Pillow unpacks these in Python
        width, height = struct.unpack_from("<ll", data, 18)
        if len(data) > 2_000_000 or abs(width * height) > 4_000_000:
            raise PictureError("This is a large packed BMP, which cannot be read here; save it as PNG.")
    return Container("BMP", data)


def _tiff(data: bytes) -> Container:
    """Write the first directory anew: what makes the pixels, each once, and no directory after it."""
    order = _ORDERS[data[:2]]
    big = data[2:4] in (b"+\0", b"\0+")
    word, entry, step = ("Q", "HHQ8s", 20) if big else ("L", "HHL4s", 12)
    out = bytearray(data)
    kept: dict[int, bytes] = {}
    orientation, claimed = 1, 0
    try:
        (at,) = struct.unpack_from(order + word, data, 8 if big else 4)
        (entries,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
        if entries > 2000:
            raise damaged("it is made of too many parts")
        at += 8 if big else 2
        for i in range(entries):
            tag, kind, count, value = struct.unpack_from(order + entry, data, at + step * i)
            if tag == 0x0112 and kind == 3:
                (orientation,) = struct.unpack_from(order + "H", value)
            if tag not in _TIFF_KEPT or kind not in _TIFF_SIZES or tag in kept:
                continue
            if count > _TIFF_KEPT[tag]:
                raise damaged("it is made of too many parts")
            claimed += count * _TIFF_SIZES[kind]
            kept[tag] = data[at + step * i : at + step * (i + 1)]
        directory = b"".join(kept.values()) + bytes(struct.calcsize(order + word))
        struct.pack_into(order + ("Q" if big else "H"), out, at - (8 if big else 2), len(kept))
        struct.pack_into(f"{len(directory)}s", out, at, directory)
    except (struct.error, OverflowError) as error:
        raise damaged("a part of it is missing") from error
    if claimed > len(data):
        raise damaged("it claims to hold more than there is")
    return Container("TIFF", bytes(out), orientation if 1 <= orientation <= 8 else 1)


def _what_it_is(data: bytes) -> PictureError:
    if data[4:8] == b"ftyp":
        return _film_or_photo(data)
    if data[4:8] in (b"moov", b"mdat", b"wide"):
        return PictureError("This is a video, not a photo; take a screenshot of the moment you want.")
    if data.startswith(b"RIFF") and data[8:12] in (b"AVI ", b"WAVE"):
        return PictureError("This is a video or sound file, not a photo; choose PNG or JPEG.")
    head = data[:4096].removeprefix(b"\xef\xbb\xbf").lower()
    for start, kind in _OTHERS.items():
        if head.startswith(start.lower()) or head.lstrip().startswith(start.lower()):
            kind = "an SVG drawing" if kind == "an XML file" and b"<svg" in head else kind
            return PictureError(
                "This is {kind}, not a photo that can be read here; save or export it as PNG or JPEG.",
                kind=kind,
            )
    return PictureError(
        "This file is not a picture that can be read here; choose PNG, JPEG, WebP, GIF, BMP or TIFF."
    )


def _film_or_photo(data: bytes) -> PictureError:
    length = min(int.from_bytes(data[:4]), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & {b"avif", b"avis"}:
        return PictureError("This is an AVIF picture, which cannot be read here; save it as PNG or JPEG.")
    if brands & {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}:
        return PictureError(_HEIC)
    if brands & {b"crx "}:
        return PictureError("This is a camera's raw file, which cannot be read here; save it as PNG or JPEG.")
    return PictureError("This is a video, not a photo; take a screenshot of the moment you want.")

"""What a file is, by its first bytes: a suffix is only a name."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

Kind = Literal["picture", "video", "HEIC", "other"]

HEAD_BYTES = 400
_PICTURE_SUFFIXES = ".avif .bmp .gif .heic .heif .jpeg .jpg .png .tif .tiff .webp"
_SUFFIXES: dict[str, Kind] = {
    **dict.fromkeys(_PICTURE_SUFFIXES.split(), "picture"),
    **dict.fromkeys(".avi .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .webm .wmv".split(), "video"),
}
_HAS_AVIF = importlib.util.find_spec("PIL.AvifImagePlugin") is not None  # since Pillow 11.3
READ = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP", *(["AVIF"] if _HAS_AVIF else []))
"""Formats of pictures that are read, by Pillow's names."""

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
# What FFmpeg opens, but for text that names other files, for DV, whose frames OpenCV 4.14 gives
# as black ones, and for GXF, which counts fields for frames.
_VIDEOS = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG-1 and 2 video
    b"\x30\x26\xb2\x75",  # Windows Media
    b"\xb7\xd8\x00\x20",  # recorded television of Windows
    b"\x06\x0e\x2b\x34",  # MXF
    # H.264 and H.265 without a container: the sorts of units that come first
    *(b"\x00\x00\x00\x01" + first for first in (b"\x67", b"\x27", b"\x09", b"\x40", b"\x46")),
    b".RMF",
    b"CWS",
    b"DKIF",  # IVF
    b"FLV\x01",
    b"FWS",
    b"NSVf",
    b"YUV4MPEG2",
    b"nut/multimedia container",
)
_BOXES = (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # of QuickTime before "ftyp" was
_NO_VIDEO = (b"M4A ", b"M4B ", b"M4P ", b"crx ")  # sound alone, and Canon's raw photos
_OGG_VIDEO = (b"\x80theora", b"\x01video", b"OVP80", b"BBCD")  # among the first heads of streams
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def kind_of(path: Path) -> Kind:
    """What the file at `path` holds; an empty, damaged or closed one is what its suffix says."""
    try:
        with open(path, "rb") as file:
            found = kind_of_bytes(file.read(HEAD_BYTES))
    except OSError:  # told when the file is to be read
        found = "other"
    return _SUFFIXES.get(path.suffix.lower(), found) if found == "other" else found


def kind_of_bytes(head: bytes) -> Kind:
    """What a file with these first bytes holds; "other" when nothing is recognized."""
    if head[4:8] == b"ftyp":
        brands = (head[8:12], *(head[i : i + 4] for i in range(16, 64, 4)))
        if any(brand in (b"avif", b"avis") for brand in brands):
            return "picture"
        if head[8:12] in _NO_VIDEO:
            return "other"
        return "HEIC" if head[8:12] in _HEIC else "video"
    if head.startswith(_PICTURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "picture"
    if head[:4] == b"RIFF" and head[8:11] in (b"AVI", b"AMV"):
        return "video"
    if head[:4] == b"OggS":
        return "video" if any(mark in head for mark in _OGG_VIDEO) else "other"
    if head.startswith(_VIDEOS) or _is_quicktime(head) or _is_transport(head):
        return "video"
    return "other"


def _is_quicktime(head: bytes) -> bool:
    """A box of less than 150 MB, or of pictures: text has letters where the size stands."""
    return head[4:8] in _BOXES and (head[0] < ord("\t") or head[4:8] == b"mdat")


def _is_transport(head: bytes) -> bool:
    """An MPEG transport stream: a G every 188 bytes or, of camcorders and Blu-ray, every 192."""
    return b"GG" in (head[0:376:188], head[4:388:192])

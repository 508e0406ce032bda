"""Pixels of every kind as 8-bit RGB that looks the same.

16-bit grays are scaled by 257, not cut off; transparent pixels show a white background, as on a
white page, and not the color that the file hides beneath them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ferbook.inference.face import InputError

if TYPE_CHECKING:
    from jaxtyping import UInt8, UInt16

BACKGROUND = (255, 255, 255, 255)
_PLAIN = ("RGB", "L", "1", "P", "CMYK", "YCbCr")
_TRANSPARENT = ("RGBA", "LA", "PA", "RGBa", "La")
_ORIENTATION = 0x0112  # the tag of EXIF
_BITS, _PHOTOMETRIC, _WHITE_IS_ZERO = 258, 262, 0  # tags of TIFF, and a value of the second
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def rgb(image: Image.Image) -> Image.Image:
    """`image` in mode RGB. Raises InputError for a mode whose brightness has no stated scale."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return Image.fromarray(eight_bit(_sixteen_bit(image))).convert("RGB")
    if image.mode in _TRANSPARENT or (image.mode in _PLAIN and "transparency" in image.info):
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image).convert(
            "RGB"
        )
    if image.mode not in _PLAIN:
        raise InputError(
            f"pixels of mode {image.mode}. Expected gray or color of 8 or 16 bits; convert it."
        )
    return image.convert("RGB")


def _sixteen_bit(image: Image.Image) -> UInt16[np.ndarray, "h w"]:
    """Grays from black, 0, to white, 65,535; a gray that a PNG declares transparent is white."""
    values = np.asarray(image).astype(np.uint16)
    tags = getattr(image, "tag_v2", {})  # of a TIFF, whose grays Pillow gives as they are stored
    largest = 2 ** tags.get(_BITS, (16,))[0] - 1
    values = np.rint(values * (65535 / largest)).astype(np.uint16)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        values = 65535 - values
    if "transparency" in image.info:
        values[values == image.info["transparency"]] = 65535
    return values


def upright(image: Image.Image) -> Image.Image:
    """`image` in mode RGB, turned as its EXIF says; not turned where the EXIF cannot be read.

    Unlike ImageOps.exif_transpose it writes no EXIF, which fails for many damaged ones.
    Raises as `rgb`.
    """
    picture = rgb(image)
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except Exception:  # Pillow raises many kinds for damaged EXIF, which says nothing then
        return picture
    return picture.transpose(_TURNS[orientation]) if orientation in _TURNS else picture


def eight_bit(values: np.ndarray) -> UInt8[np.ndarray, "..."]:
    """Gray or color values as uint8.

    uint8 stays; uint16 is taken from 0 to 65,535; floating-point numbers from 0 to 1.
    Raises InputError for other kinds, and for numbers outside that range.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.newbyteorder("=") == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if not np.issubdtype(values.dtype, np.floating):
        raise InputError(
            f"array of {values.dtype}: expected uint8, uint16 or floating-point numbers of 0 to 1."
        )
    if not (values.size and values.min() >= 0 and values.max() <= 1):  # NaN is neither
        raise InputError(
            f"array of {values.dtype}: expected numbers of 0 to 1. Received: "
            f"{values.min(initial=np.inf):.6g} to {values.max(initial=-np.inf):.6g}; "
            "divide them, or give uint8."
        )
    return np.rint(values * 255).astype(np.uint8)


def from_array(array: np.ndarray) -> Image.Image:
    """An array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4) as a picture: gray, RGB, RGBA.

    Raises InputError for other arrays, and for uint16 that holds what belongs into uint8.
    """
    fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if not fits or array.size == 0:
        raise InputError(
            f"array of shape {array.shape}: expected (h, w), (h, w, 1), (h, w, 3) or (h, w, 4); "
            "several pictures as (n, h, w, channels) or as a list."
        )
    if array.dtype.newbyteorder("=") == np.uint16 and 0 < array.max() < 256:
        raise InputError(
            f"array of {array.dtype}: expected numbers of 0 to 65,535. Received: at most "
            f"{array.max()}, which is black; give uint8."
        )
    values = eight_bit(np.ascontiguousarray(array))
    return rgb(Image.fromarray(values[..., 0] if values.shape[2:] == (1,) else values))

"""Copies of a picture that are not copies of its bytes: recompressed, brighter, mirrored."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8, UInt64
from PIL import Image
from scipy.fft import dctn

from ferbook.data.faces import Faces

# Justified by `planted_copies`: with both, recompressed, brighter and noisy copies are found, and
# random pairs of different pictures are not. Of a billion pairs a few may be; mirrored ones were.
HASH_DISTANCE = 8  # bits of 64
CORRELATION = 0.9


def perceptual_hashes(images: UInt8[np.ndarray, "n side side"]) -> UInt64[np.ndarray, " n"]:
    """64 bits per image: which of its 8 x 8 lowest cosine frequencies lie above their median.

    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions", 2010.
    """
    waves = dctn(images.astype(np.float32), axes=(1, 2), norm="ortho")[:, :8, :8]
    waves = waves.reshape(len(images), 64)
    bits = waves > np.median(waves, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8")[:, 0].astype(np.uint64)


def close_pairs(hashes: UInt64[np.ndarray, " n"], distance: int) -> np.ndarray:
    """All pairs (m, 2), first < second, of hashes that differ in at most `distance` bits.

    Of k bands of bits, two such hashes agree in k - `distance` at least, so only hashes that agree
    in so many are compared. With more bands these are longer, and fewer hashes agree by chance, so
    k grows with n. More bands also mean more combinations; the benchmark measures the growth.
    """
    agreeing = 1
    while 64 * agreeing / (agreeing + distance) < np.log2(max(len(hashes), 1)):
        agreeing += 1
    edges = np.linspace(0, 64, agreeing + distance + 1).astype(int).tolist()
    bands = [2**high - 2**low for low, high in itertools.pairwise(edges)]
    found = [np.empty((0, 2), np.int64)]
    for chosen in itertools.combinations(bands, agreeing):
        for pairs in _neighbors(hashes & np.uint64(sum(chosen))):
            near = np.bitwise_count(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]) <= distance
            found.append(np.sort(pairs[near], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def near_duplicates(faces: Faces) -> pd.DataFrame:
    """Pairs of images that show the same picture: recompressed, brighter, mirrored or equal.

    Columns: rows `first` and `second`, whether `mirrored`, whether byte-`identical`.
    Images of almost one shade have no picture to compare and are left out.
    """
    normal = _normalized(faces.images)
    rows = np.flatnonzero(normal.any(axis=1))
    images, n = faces.images[rows], len(rows)
    both = np.concatenate([images, images[:, :, ::-1]])
    pairs = close_pairs(perceptual_hashes(both), HASH_DISTANCE)
    pairs = pairs[(pairs[:, 0] < n) & (pairs[:, 1] - pairs[:, 0] != n)]
    # A hash of one and the mirror of the other may be close where the other way round is not.
    turned = np.column_stack([np.sort(pairs % n, axis=1), pairs[:, 1] >= n])
    first, second, mirrored = np.unique(turned, axis=0).T
    first, second, mirrored = rows[first], rows[second], mirrored.astype(bool)
    like = _correlations(normal, first, second, mirrored, faces.images.shape[1])
    alike = like >= CORRELATION
    first, second, mirrored = first[alike], second[alike], mirrored[alike]
    identical = (faces.images[first] == faces.images[second]).all(axis=(1, 2))
    columns = {"first": first, "second": second, "mirrored": mirrored, "identical": identical}
    return pd.DataFrame(columns)[~(identical & mirrored)]  # equal and symmetric: one pair


def planted_copies(
    images: UInt8[np.ndarray, "n side side"], *, count: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """By alteration: the share of `pairs`, an image and its copy, that the thresholds recognize.

    At most `count` images are altered. The last row compares images at random instead: what is
    recognized there is a false alarm, or one of the copies that the data set holds by itself.
    """
    random = np.random.default_rng(seed)
    chosen = images[random.choice(len(images), min(count, len(images)), replace=False)]
    rows = {}
    for name, alter in _alterations(random).items():
        copies = np.stack([alter(image) for image in chosen])
        rows[name] = _recognized(chosen, copies)
    rows["another image"] = _recognized(chosen, np.roll(chosen, 1, axis=0))
    columns = ["within hash distance", "above correlation", "both"]
    frame = pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("copy")
    frame.insert(0, "pairs", len(chosen))
    return frame


def recompressed(
    image: UInt8[np.ndarray, "side side"], quality: int
) -> UInt8[np.ndarray, "side side"]:
    """`image` as JPEG has it at a `quality` from 1 to 100."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def _neighbors(keys: np.ndarray) -> list[np.ndarray]:
    """Pairs of positions with equal keys, in chunks (m, 2)."""
    order = np.argsort(keys)
    ordered = keys[order]
    chunks, offset, later = [], 1, np.arange(1, len(keys))
    # Sorted, so whoever equals the one `offset` places before equals all between.
    while (later := later[ordered[later] == ordered[later - offset]]).size:
        chunks.append(np.column_stack([order[later - offset], order[later]]))
        offset += 1
        later = later[later >= offset]
    return chunks


def _normalized(images: np.ndarray) -> Float[np.ndarray, "n p"]:
    """Pixels with mean 0 and length 1; all zeros below one gray value of standard deviation."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    spread = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(spread > np.sqrt(flat.shape[1]), flat / np.maximum(spread, 1e-6), 0)


def _correlations(
    normal: np.ndarray, first: np.ndarray, second: np.ndarray, mirrored: np.ndarray, side: int
) -> np.ndarray:
    """Pearson's correlation of each pair, the second image mirrored where it should be."""
    others = normal[second].reshape(-1, side, side)
    others[mirrored] = others[mirrored][:, :, ::-1]
    return np.einsum("np,np->n", normal[first], others.reshape(len(others), side**2))


def _recognized(images: np.ndarray, copies: np.ndarray) -> tuple[float, float, float]:
    bits = np.bitwise_count(perceptual_hashes(images) ^ perceptual_hashes(copies))
    like = np.einsum("np,np->n", _normalized(images), _normalized(copies))
    near, alike = bits <= HASH_DISTANCE, like >= CORRELATION
    return float(near.mean()), float(alike.mean()), float((near & alike).mean())


def _alterations(random: np.random.Generator) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    def cropped(image: np.ndarray) -> np.ndarray:
        inner = Image.fromarray(image[1:-1, 1:-1])
        return np.asarray(inner.resize(image.shape[::-1], Image.Resampling.BILINEAR))

    def clipped(image: np.ndarray) -> np.ndarray:
        return np.clip(image, 0, 255).astype(np.uint8)

    return {
        "recompressed (JPEG quality 30)": lambda image: recompressed(image, 30),
        "brighter by a fifth": lambda image: clipped(image * 1.2 + 10),
        "with noise (8 gray values)": lambda i: clipped(i + random.normal(0, 8, i.shape)),
        "cropped by one pixel all round": cropped,
        "shifted by one pixel": lambda image: np.roll(image, 1, axis=1),
    }

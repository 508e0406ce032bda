"""What the data set holds that a paper should say: counts, copies, leaks, doubtful labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy.ndimage import laplace

from ferbook.core.classes import CLASSES
from ferbook.data import faces as data_faces
from ferbook.data import ferplus, near_duplicates, splits
from ferbook.data.duplicates import Groups, duplicate_groups, with_twin
from ferbook.data.faces import Faces


def describe_dataset(faces: Faces) -> dict[str, Any]:
    """The facts about `faces` that the book needs where the images are absent.

    `leaked_files` are the test images with a pixel-identical copy in the training folder.
    """
    parts = splits.split(faces)
    usages = {usage: int((faces.usages == usage).sum()) for usage in data_faces.USAGES}
    leaked, groups = faces.files[faces.leaked].tolist(), duplicate_groups(faces)
    pairs = near_duplicates.near_duplicates(faces)
    near = {"val_near": len(near_twins(faces, pairs, parts, groups))}
    return {
        "name": faces.name,
        "fingerprint": faces.fingerprint,
        "images": len(faces),
        "usages": usages,
        "splits": {name: len(getattr(parts, name)) for name in ("train", "val", "test")},
        "counts": data_faces.count_table(faces).to_dict(),
        "duplicates": summarize_duplicates(groups),
        "near_duplicates": summarize_near_duplicates(faces, pairs),
        "ferplus": summarize_ferplus(faces),
        "constant_files": faces.files[faces.constant].tolist(),
        "leaked_files": leaked,
        "twins": summarize_twins(parts, leaked, groups) | near,
        "duplicate_groups": groups,
    }


def summarize_twins(parts: splits.Split, leaked: Iterable[str], groups: Groups) -> dict[str, int]:
    """Images with a pixel-identical one among those that train: of validation, of `leaked`."""
    train = parts.train.files
    found = {"val": parts.val.files, "leaked_train": leaked}
    return {name: len(with_twin(files, groups, train)) for name, files in found.items()}


def near_twins(
    faces: Faces, pairs: pd.DataFrame, parts: splits.Split, groups: Groups
) -> frozenset[str]:
    """Validation images with a near duplicate among those that train, and no identical one.

    `pairs` are rows of `faces`, as near_duplicates.near_duplicates gives them.
    """
    files = faces.files[pairs[["first", "second"]].to_numpy()]
    train, val = parts.train.files, parts.val.files
    across = (np.isin(files, val) & np.isin(files[:, ::-1], train)).any(axis=1)
    found = files[across].ravel()
    return frozenset(found[np.isin(found, val)].tolist()) - with_twin(val, groups, train)


def summarize_duplicates(groups: Groups) -> dict[str, int]:
    """Byte-identical images: groups, the images in them, surplus copies, conflicting groups.

    A group conflicts when its images do not all carry the same label.
    """
    images = sum(len(group) for group in groups)
    classes = [{file.split("/")[1] for file in group} for group in groups]
    return {
        "groups": len(groups),
        "images": images,
        "surplus": images - len(groups),
        "conflicting_groups": sum(len(names) > 1 for names in classes),
    }


def leak_table(faces: Faces) -> pd.DataFrame:
    """Test images with a pixel-identical training image, by part of the test set.

    `same_label` is the fraction of them for which a training copy carries the test label.
    """
    digests, training = faces.digests, faces.usages == "Training"
    labeled = np.char.add(digests, faces.labels.astype(str))
    leaked, same = faces.leaked, np.isin(labeled, labeled[training])
    rows = []
    for usage in ("PublicTest", "PrivateTest"):
        part = faces.usages == usage
        hit = part & leaked
        agreeing = pd.Series(same[hit]).mean()  # NaN, without a warning, of none
        rows.append((usage, part.sum(), hit.sum(), hit.sum() / part.sum(), agreeing))
    columns = ["part", "images", "leaked", "leaked_fraction", "same_label"]
    return pd.DataFrame(rows, columns=columns).set_index("part")


def summarize_near_duplicates(faces: Faces, pairs: pd.DataFrame) -> dict[str, Any]:
    """Pairs of equal pictures that are not pixel-identical, and what they leak.

    `pairs` are those of near_duplicates.near_duplicates; `leaked_files` are the test images with
    such a picture in the training folder and no pixel-identical one; `same_label` is the fraction
    of pairs whose labels agree.
    """
    near = pairs[~pairs["identical"]]
    leaked = np.zeros(len(faces), bool)
    leaked[leaked_pairs(faces, near)["test"]] = True
    same = faces.labels[near["first"]] == faces.labels[near["second"]]
    return {
        "pairs": len(near),
        "mirrored": int(near["mirrored"].sum()),
        "same_label": float(same.mean()) if len(near) else None,
        "leaked_files": faces.files[leaked & ~faces.leaked].tolist(),
    }


def leaked_pairs(faces: Faces, pairs: pd.DataFrame) -> pd.DataFrame:
    """Those of `pairs`, as near_duplicates.near_duplicates gives them, that leak a test image.

    Columns: rows `test` and `training` of `faces`, and whether byte-`identical`.
    """
    rows = pairs[["first", "second"]].to_numpy()
    rows = np.where((faces.usages[rows[:, :1]] == "Training"), rows[:, ::-1], rows)
    test, training = rows.T
    found = pd.DataFrame(
        {"test": test, "training": training, "identical": pairs["identical"].to_numpy()}
    )
    across = (faces.usages[test] != "Training") & (faces.usages[training] == "Training")
    return found[across].reset_index(drop=True)


def summarize_ferplus(faces: Faces) -> dict[str, Any]:
    """FER's label against the plurality of FER+'s ten taggers; ties are left out.

    `confusion` counts images by label and plurality (columns: ferplus.VOTES). `by_votes` gives
    images and agreement by the number of taggers behind the plurality. An agreement is None
    where no image is in FER+, as for synthetic faces.
    """
    plurality, votes = ferplus.pluralities(faces.files), ferplus.certainty(faces.files)
    clear = plurality >= 0
    agree = ferplus.as_class(plurality) == faces.labels
    confusion = np.zeros((len(CLASSES), len(ferplus.VOTES)), int)
    np.add.at(confusion, (faces.labels[clear], plurality[clear]), 1)

    def share(part: np.ndarray) -> float | None:
        return float(agree[clear & part].mean()) if (clear & part).any() else None

    return {
        "known": int((votes > 0).sum()),
        "untied": int(clear.sum()),
        "agreement": share(clear),
        "by_class": {name: share(faces.labels == i) for i, name in enumerate(CLASSES)},
        "by_votes": {
            int(k): [int((clear & (votes == k)).sum()), share(votes == k)]
            for k in np.unique(votes[clear])
        },
        "confusion": dict(zip(CLASSES, confusion.tolist(), strict=True)),
        "no_face_files": faces.files[plurality == ferplus.VOTES.index("NF")].tolist(),
    }


def describe_images(faces: Faces, leaked_files: Iterable[str] = ()) -> pd.DataFrame:
    """What is known of each image, by file; no pixel can be had from it.

    `brightness` is the mean gray value, `sharpness` the variance of the Laplacian (Pech-Pacheco et
    al., ICPR 2000), `sha256` that of the pixels, `leaked` whether the file is in `leaked_files`.
    """
    gray = faces.images.astype(np.float32)
    measures = {
        "brightness": gray.mean(axis=(1, 2)).round(1),
        "sharpness": laplace(gray, axes=(1, 2)).var(axis=(1, 2)).round(1),
        "sha256": faces.digests,
        "leaked": np.isin(faces.files, list(leaked_files)),
    }
    return pd.DataFrame(measures, index=pd.Index(faces.files, name="file"))

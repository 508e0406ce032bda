"""One data set in four forms; and what other people's files may hold."""

import io
import struct
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ferbook.core.classes import CLASSES
from ferbook.data import faces as data_faces
from ferbook.data import sources as data_sources
from ferbook.data import splits
from ferbook.data.sources import images


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")  # lossless, under a .jpg name
    return buffer.getvalue()


def write_zip(path, entries):
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in entries:
            archive.writestr(name, content)
    return path


def write_csv(path, faces, order):
    lines = ["emotion,pixels,Usage"]
    for i in order:
        emotion = data_faces.CSV_CLASSES.index(CLASSES[faces.labels[i]])
        pixels = " ".join(map(str, faces.images[i].ravel()))
        lines.append(f"{emotion},{pixels},{faces.usages[i]}")
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def entries(faces):
    return [(file, png(image)) for file, image in zip(faces.files, faces.images, strict=True)]


@pytest.fixture(scope="module")
def sources(tmp_path_factory, faces, entries):
    folder = tmp_path_factory.mktemp("sources")
    for name, content in entries:
        path = folder / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_zip(folder / "archive.zip", entries)
    order = np.random.default_rng(0).permutation(len(faces))
    write_csv(folder / "fer2013.csv", faces, order)
    return folder


def load(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return data_sources.load(path, subset=True)


@pytest.mark.parametrize("name", ["archive.zip", "folder"])
def test_zip_and_folder_give_the_same_arrays(sources, faces, name):
    loaded = load(sources / name)
    np.testing.assert_array_equal(loaded.images, faces.images)
    np.testing.assert_array_equal(loaded.labels, faces.labels)
    assert loaded.files.tolist() == faces.files.tolist() and loaded.name == "other"
    assert loaded.fingerprint == faces.fingerprint


def test_csv_gives_the_same_labels_and_splits(sources, faces):
    def contents(part):
        return sorted(
            (x.tobytes(), y, u)
            for x, y, u in zip(part.images, part.labels, part.usages, strict=True)
        )

    loaded = load(sources / "fer2013.csv")
    assert contents(loaded) == contents(faces)
    ours, theirs = splits.split(load(sources / "archive.zip")), splits.split(loaded)
    for part in ("train", "val", "test"):
        assert contents(getattr(ours, part)) == contents(getattr(theirs, part))


def test_counts_must_be_official_unless_a_subset_is_meant(sources):
    with pytest.raises(data_faces.DataError, match="300 images, but FER-2013 has 35,887"):
        data_sources.load(sources / "archive.zip")
    with pytest.warns(UserWarning, match="The largest difference: happy in Training"):
        data_sources.load(sources / "archive.zip", subset=True)


def test_official_counts_with_other_pixels_warn(sources, faces, monkeypatch):
    counts = data_faces.count_table(faces)
    official = {usage: tuple(counts[usage]) for usage in data_faces.USAGES}
    monkeypatch.setattr(data_sources, "OFFICIAL_COUNTS", official)
    with pytest.warns(UserWarning, match="the pixels are not those of msambare/fer2013"):
        data_sources.load(sources / "archive.zip")
    monkeypatch.setattr(data_sources, "OFFICIAL_FINGERPRINT", faces.fingerprint)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data_sources.load(sources / "archive.zip")


def test_kaggle(sources, monkeypatch):
    import kagglehub

    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: str(sources / "folder"))
    assert len(load("kaggle")) == 300

    def refuse(handle):
        raise PermissionError("no token")

    monkeypatch.setattr(kagglehub, "dataset_download", refuse)
    with pytest.raises(data_faces.DataError, match=r"no token.*kaggle\.json"):
        data_sources.load("kaggle")


GOOD = "train/happy/Training_1.jpg"
GRAY = np.full((48, 48), 100, np.uint8)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (("../evil.jpg", b""), r"unexpected file '\.\./evil\.jpg'"),
        (("/etc/Training_1.jpg", b""), "unexpected file '/etc"),
        (("train/../../Training_1.jpg", b""), "unexpected file"),
        (("train/bored/Training_1.jpg", b""), "unknown class folder 'bored'"),
        (("train/happy/PublicTest_1.jpg", b""), "a PublicTest image in the folder 'train'"),
        (("notes.txt", b""), "unexpected file 'notes.txt'"),
        ((GOOD, png(GRAY[:47])), r"is 48x47 pixels\. Expected 48x48"),
        ((GOOD, png(np.stack([GRAY, GRAY, GRAY + 1], -1))), "mode RGB that are not 8-bit gray"),
        ((GOOD, b"no image"), "not a readable JPEG or PNG"),
        ((GOOD, png(GRAY)[:60]), "not a readable JPEG or PNG"),
        ((GOOD, bytes(images.MAX_IMAGE_BYTES + 1)), "65,537 bytes"),
        ((GOOD, png(GRAY)), "no image of angry in Training"),
    ],
)
def test_bad_entries(tmp_path, entry, message):
    path = write_zip(tmp_path / "bad.zip", [entry])
    with pytest.raises(data_faces.DataError, match=message):
        data_sources.load(path, subset=True)
    assert [p.name for p in tmp_path.iterdir()] == ["bad.zip"]  # nothing was unpacked


def test_duplicate_names(tmp_path):
    path = write_zip(tmp_path / "a.zip", [(GOOD, png(GRAY))] * 2)
    with pytest.raises(data_faces.DataError, match="two entries are called train/happy"):
        data_sources.load(path)


def test_an_entry_larger_than_it_says_is_not_unpacked(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(GOOD, bytes(50_000_000))
    content = bytearray(path.read_bytes())
    announced = struct.pack("<I", 50_000_000)
    while announced in content:  # the central directory and the local header
        at = content.index(announced)
        content[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    with pytest.raises(data_faces.DataError):
        data_sources.load(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", bytes(1000)])
def test_not_a_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(data_faces.DataError, match="Is the download complete"):
        data_sources.load(tmp_path / "a.zip")


def test_truncated_zip(tmp_path, sources):
    whole = (sources / "archive.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(data_faces.DataError, match="not a readable zip"):
        data_sources.load(tmp_path / "a.zip")


def test_damaged_zip(tmp_path, sources):
    whole = bytearray((sources / "archive.zip").read_bytes())
    whole[200:260] = bytes(60)
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(data_faces.DataError):
        data_sources.load(tmp_path / "a.zip", subset=True)


def damage_deflated(whole):
    """The first entry's compressed bytes replaced; names and sizes stay."""
    start = 30 + len(GOOD)
    return whole[:start] + b"\xff" * 40 + whole[start + 40 :]


def with_flag(whole):
    """The first entry marked as encrypted, in the local header and in the central directory."""
    changed, at = bytearray(whole), whole.index(b"PK\x01\x02")
    changed[6] |= 1
    changed[at + 8] |= 1
    return bytes(changed)


def with_method(whole):
    changed, at = bytearray(whole), whole.index(b"PK\x01\x02")
    changed[at + 10 : at + 12] = struct.pack("<H", 77)
    return bytes(changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damage_deflated, "not a readable zip .*decompressing"),
        (with_flag, "not a readable zip .*encrypted"),
        (with_method, "compressed by method 77"),
    ],
)
def test_zip_with_a_bad_entry(tmp_path, change, message):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(GOOD, png(np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(data_faces.DataError, match=message):
        data_sources.load(path, subset=True)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path, method):
    # An LZMA header may ask for gigabytes of dictionary.
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr(GOOD, png(GRAY))
    with pytest.raises(data_faces.DataError, match=f"{GOOD} is compressed by method {method}"):
        data_sources.load(tmp_path / "a.zip", subset=True)


def test_an_entry_of_huge_announced_size(tmp_path):
    path = write_zip(tmp_path / "a.zip", [(GOOD, png(GRAY))])
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 4_000_000)
    path.write_bytes(content)
    with pytest.raises(data_faces.DataError, match="has 4,000,000 bytes"):
        data_sources.load(path)


def test_png_whose_text_unpacks_to_megabytes(tmp_path):
    text = PngInfo()
    text.add_text("comment", "x" * 5_000_000, zip=True)
    buffer = io.BytesIO()
    Image.fromarray(GRAY).save(buffer, "PNG", pnginfo=text)
    assert len(buffer.getvalue()) < images.MAX_IMAGE_BYTES
    path = write_zip(tmp_path / "a.zip", [(GOOD, buffer.getvalue())])
    with pytest.raises(
        data_faces.DataError, match=r"Training_1\.jpg is not a readable JPEG or PNG"
    ):
        data_sources.load(path, subset=True)


def test_a_class_missing_from_one_usage(tmp_path, entries):
    kept = [(n, c) for n, c in entries if not n.startswith("test/sad/PrivateTest")]
    with pytest.raises(data_faces.DataError, match=r"no image of sad in PrivateTest\. Every class"):
        data_sources.load(write_zip(tmp_path / "a.zip", kept), subset=True)


def test_empty_sources(tmp_path):
    with pytest.raises(data_faces.DataError, match="no images"):
        data_sources.load(write_zip(tmp_path / "a.zip", []))
    (tmp_path / "folder").mkdir()
    with pytest.raises(data_faces.DataError, match="no images"):
        data_sources.load(tmp_path / "folder")


def test_missing_path_and_wrong_kind(tmp_path):
    with pytest.raises(FileNotFoundError, match="no file or folder at nowhere"):
        data_sources.load("nowhere.zip")
    for start in (data_sources.load, data_sources.find):
        with pytest.raises(data_faces.DataError, match="Received an empty name"):
            start("")
    (tmp_path / "a.rar").touch()
    with pytest.raises(data_faces.DataError, match=r"expected a \.zip, a \.csv, a \.tar\.gz or"):
        data_sources.load(tmp_path / "a.rar")


PIXELS = " ".join(["7"] * 2304)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"7,{PIXELS},Training", "line 2: emotion is '7'"),
        (f"0,{PIXELS},Test", "line 2: Usage is 'Test'"),
        (f"0,{PIXELS[2:]},Training", "2,303 pixels. Expected 2,304"),
        (f"0,300 {PIXELS[2:]},Training", "a pixel of value 300"),
        (f"0,-1 {PIXELS[2:]},Training", "a pixel of value -1"),
        (f"0,1.5 {PIXELS[2:]},Training", "not a whole number"),
        (f"0,seven {PIXELS[2:]},Training", "not a whole number"),
        ("0", "line 2 has 1 of 3 columns: '0'. Something was cut off or appended"),
        (f"0,{'9' * 30} {PIXELS[2:]},Training", "not a whole number"),
        (f"0,{PIXELS},Training", "no image of disgust in Training"),
        ("", "expected 1 to 100,000 rows"),
    ],
)
def test_bad_rows(tmp_path, row, message):
    (tmp_path / "a.csv").write_text(f"emotion,pixels,Usage\n{row}\n")
    with pytest.raises(data_faces.DataError, match=message):
        data_sources.load(tmp_path / "a.csv", subset=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable csv"),
        (b"\xff\xfe\x00", "a.csv"),
        (np.random.default_rng(0).bytes(5000), "not a readable csv"),
        (bytes(5000), "no column Usage, emotion, pixels"),
        (b"emotion,pixels\n", "no column Usage"),
    ],
)
def test_bad_csv(tmp_path, content, message):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(data_faces.DataError, match=message):
        data_sources.load(tmp_path / "a.csv")


def test_real_archive_is_the_official_one(fer2013):
    assert len(fer2013) == 35_887 and fer2013.name == "fer2013"
    counts = data_faces.count_table(fer2013)
    for usage, expected in data_faces.OFFICIAL_COUNTS.items():
        assert tuple(counts[usage]) == expected
    assert fer2013.fingerprint == data_faces.OFFICIAL_FINGERPRINT


def test_real_archive_leaks_568_test_images(fer2013):
    leaked = fer2013.leaked
    assert leaked.sum() == 568 and set(fer2013.usages[leaked]) == {"PublicTest", "PrivateTest"}


def test_real_archive_splits_as_in_the_paper(fer2013):
    parts = splits.split(fer2013)
    assert (len(parts.train), len(parts.val), len(parts.test)) == (25_120, 3_589, 7_178)

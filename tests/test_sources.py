"""FER-2013 in every form it is handed around in; names follow from pixels."""

import dataclasses
import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image
from test_data import GRAY, load, png, write_csv, write_zip
from typer.testing import CliRunner

from ferbook.cli import app, dataset
from ferbook.data import faces as data_faces
from ferbook.data import ferplus, official, sources
from ferbook.data.faces import DataError
from ferbook.data.sources import containers, table


@pytest.fixture(scope="module")
def entries(faces):
    return [(file, png(image)) for file, image in zip(faces.files, faces.images, strict=True)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory, faces):
    """The bytes of a csv like the contest's."""
    path = tmp_path_factory.mktemp("rows") / "fer2013.csv"
    return write_csv(path, faces, range(len(faces))).read_bytes()


def contents(faces):
    return sorted(
        (x.tobytes(), y, u)
        for x, y, u in zip(faces.images, faces.labels, faces.usages, strict=True)
    )


def unpacked(folder, files):
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def write_tar(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


CLUTTER = [
    ("__MACOSX/fer/._train", b"x"),
    ("__MACOSX/train/angry/._Training_1.jpg", b"x" * 100_000),
    (".DS_Store", b"x"),
    ("fer/train/happy/._Training_1.jpg", b"x"),
    ("train/Thumbs.db", b"x" * 100_000),
    ("train/angry/desktop.ini", b"x"),
    ("train/angry/.ipynb_checkpoints/Training_1.jpg", b"x"),
    (".git/HEAD", b"x"),
]


@pytest.mark.parametrize("depth", ["", "./", "archive/", "archive/fer2013/", "a/b/c/"])
def test_folders_above_are_taken_off(tmp_path, faces, entries, depth):
    deep = [(depth + name, content) for name, content in entries]
    forms = [
        write_zip(tmp_path / "a.zip", deep),
        unpacked(tmp_path / "folder", deep),
        write_tar(tmp_path / "a.tar.gz", deep),
        write_tar(tmp_path / "a.tar", deep, "w"),
    ]
    for form in forms:
        loaded = load(form)
        assert loaded.files.tolist() == faces.files.tolist(), form
        np.testing.assert_array_equal(loaded.images, faces.images)


def test_what_macs_and_windows_add_is_passed_over(tmp_path, faces, entries):
    for form in (write_zip(tmp_path / "a.zip", [*CLUTTER, *entries]),
                 unpacked(tmp_path / "folder", [*CLUTTER, *entries])):  # fmt: skip
        assert load(form).files.tolist() == faces.files.tolist()


def test_backslashes_and_other_cases_of_the_suffix(tmp_path, faces, entries):
    back = [(name.replace("/", "\\"), content) for name, content in entries]
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in back:
            entry = zipfile.ZipInfo("x")
            entry.filename = name  # as Windows' own packer writes it
            archive.writestr(entry, content)
    assert load(path).files.tolist() == faces.files.tolist()
    for suffix in (".JPG", ".jpeg", ".JPEG"):
        other = [(name.replace(".jpg", suffix), content) for name, content in entries]
        path = write_zip(tmp_path / f"{suffix}.ZIP", other)
        assert load(path).files.tolist() == faces.files.tolist()


def test_two_copies_in_one_archive_are_refused(tmp_path, entries):
    both = [*entries, *((f"copy/{name}", content) for name, content in entries)]
    with pytest.raises(DataError, match="two entries are called"):
        load(write_zip(tmp_path / "a.zip", both))


@pytest.mark.parametrize("name", ["fer2013.csv", "FER.tar.gz"])
def test_of_two_tables_none_is_taken(tmp_path, name):
    path = write_zip(tmp_path / "a.zip", [(f"a/{name}", b""), (f"b/{name.lower()}", b"")])
    with pytest.raises(DataError, match=f"holds 'a/{name}' and 'b/{name.lower()}'"):
        load(path)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_gray_stored_as_color_is_gray(tmp_path, faces, mode):
    def stored(image):
        buffer = io.BytesIO()
        Image.fromarray(image).convert(mode).save(buffer, "PNG")
        return buffer.getvalue()

    kept = [(f, stored(i)) for f, i in zip(faces.files, faces.images, strict=True)]
    np.testing.assert_array_equal(load(write_zip(tmp_path / "a.zip", kept)).images, faces.images)


def test_color_and_transparency_are_refused(tmp_path):
    half = np.dstack([GRAY, np.full_like(GRAY, 128)])
    for image in (np.dstack([GRAY, GRAY, GRAY + 1]), half):
        path = write_zip(tmp_path / "a.zip", [("train/happy/Training_1.png", png(image))])
        with pytest.raises(DataError, match="not 8-bit gray"):
            load(path)


# The contest's csv


def as_icml(content):
    """The columns emotion, Usage, pixels, two of them with a leading blank."""
    lines = content.decode().splitlines()[1:]
    moved = [",".join([e, u, p]) for e, p, u in (line.split(",") for line in lines)]
    return "\n".join(["emotion, Usage, pixels", *moved]).encode()


@pytest.mark.parametrize(
    "change",
    [
        as_icml,
        lambda c: b"\xef\xbb\xbf" + c,  # a byte order mark
        lambda c: c.replace(b"\n", b"\r\n"),
        lambda c: c + b"\n\n\n",
        lambda c: c.replace(b"Training", b" Training "),
        lambda c: b'"emotion","pixels","Usage"' + c[len(b"emotion,pixels,Usage") :],
    ],
)
def test_forms_of_the_csv(tmp_path, faces, rows, change):
    (tmp_path / "icml_face_data.csv").write_bytes(change(rows))
    assert contents(load(tmp_path / "icml_face_data.csv")) == contents(faces)


def test_a_folder_that_holds_the_archive_names_it(tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"")
    (tmp_path / "README.md").write_text("x")
    with pytest.raises(DataError, match=r"give the zip itself, .*archive\.zip"):
        load(tmp_path)


def test_the_contests_archive_and_its_download(tmp_path, faces, rows):
    files = [("fer2013/README", b"x"), ("fer2013/fer2013.bib", b"x"), ("fer2013/fer2013.csv", rows)]
    tar = write_tar(tmp_path / "fer2013.tar.gz", files)
    others = [("train.csv", b"emotion,pixels\n"), ("test.csv", b"pixels\n"),
              ("example_submission.csv", b"x")]  # fmt: skip
    whole = [*others, ("fer2013.tar.gz", tar.read_bytes())]
    with_icml = [*whole, ("icml_face_data.csv", as_icml(rows))]
    forms = [
        tar,
        write_zip(tmp_path / "challenges.zip", whole),
        write_zip(tmp_path / "challenges2.zip", with_icml),
        unpacked(tmp_path / "folder", with_icml),
        unpacked(tmp_path / "folder2", whole),
        write_zip(tmp_path / "one.zip", [("my_faces.csv", rows), *CLUTTER]),
    ]
    for form in forms:
        assert contents(load(form)) == contents(faces), form
    twice = write_tar(tmp_path / "twice.tar", [("fer2013.tar.gz", tar.read_bytes())], "w")
    assert contents(load(twice)) == contents(faces)
    with pytest.raises(
        DataError, match=r"'twice\.tar' lies in an archive in an archive|an archive in"
    ):
        load(write_zip(tmp_path / "thrice.zip", [("twice.tar", twice.read_bytes())]))


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        (b"\n</html>", "line 302 has 1 of 3 columns: '</html>'. Something was cut off or appended"),
        (b"\n3,70 80 82", "line 302 has 2 of 3 columns"),
        (b"\n3,70 80 82,Training", "line 302: 3 pixels. Expected 2,304. Is the file complete"),
        (b"\n\x1a", "line 302 has 1 of 3 columns"),
        (b"\n9,70,Training", "line 302: emotion is '9'"),
        (b"\n,70,Training", "line 302: emotion is ''"),
        (b"\n12,70,Training", "line 302: emotion is '12'"),
        (b"\n" + b"\xff" * 9, "not a readable csv"),
        (b'\n3,"70 80', "line 302 has 2 of 3"),
    ],
)
def test_trailing_rubbish_is_told_in_words(tmp_path, rows, tail, message):
    (tmp_path / "fer2013.csv").write_bytes(rows + tail)
    with pytest.raises(DataError, match=message):
        load(tmp_path / "fer2013.csv")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("emotion,pixels", r"contest's train\.csv, which has no test images.*fer2013\.tar\.gz"),
        ("pixels", r"contest's test\.csv, which has no labels"),
        ("Usage,Image name,neutral,happiness", r"FER\+'s votes, which ferbook has"),
        ("emotion,pixel_0,pixel_1", "Expected one column of 2,304 numbers"),
        ("a;b", "found a;b"),
    ],
)
def test_other_tables_are_explained(tmp_path, header, message):
    (tmp_path / "a.csv").write_text(f"{header}\n")
    with pytest.raises(DataError, match=f"no column .*{message}"):
        load(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("images/train/angry/0.jpg", "another division of the images"),
        ("images/validation/happy/10019.jpg", "another division of the images"),
        ("Training/0/123.jpg", "Folders are numbered: the contest's 4 is sad"),
        ("train/3/Training_1.jpg", "unknown class folder '3'|Folders are numbered"),
        ("train/angry/im0.png", "do not say whether an image was of Training"),
        ("train/happiness/Training_1.jpg", "If it means happy, rename it"),
        ("train/Happy/Training_1.jpg", "If it means happy, rename it"),
        ("train/anger/Training_1.jpg", "If it means angry, rename it"),
        ("data/train-00000-of-00001.parquet", "Parquet files are not read.*archive.zip"),
        ("fer2013.npz", "Arrays without the contest's columns"),
        ("archive.zip", "give the zip itself"),
        ("Training/angry/Training_1.jpg", "which part of FER-2013.*Take archive.zip"),
        ("validation/happy/im1.png", "which part of FER-2013.*Take archive.zip"),
        ("train/contempt/Training_1.jpg", r"surprise\.$"),
    ],
)
def test_other_forms_are_explained_and_never_guessed(tmp_path, name, message):
    for form in (write_zip(tmp_path / "a.zip", [(name, png(GRAY))]),
                 unpacked(tmp_path / "folder", [(name, png(GRAY))])):  # fmt: skip
        with pytest.raises(DataError, match=message):
            load(form)


def test_two_csvs_of_the_contest_are_explained(tmp_path):
    both = [("train.csv", b"emotion,pixels\n"), ("test.csv", b"pixels\n")]
    with pytest.raises(DataError, match=r"train\.csv has no test images.*Take archive\.zip"):
        load(write_zip(tmp_path / "a.zip", both))


def test_a_parquet_file_is_explained(tmp_path):
    (tmp_path / "fer.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="Parquet files are not read"):
        load(tmp_path / "fer.parquet")


def test_what_may_not_be_read_is_not_called_damaged(tmp_path, entries, monkeypatch):
    folder = unpacked(tmp_path / "folder", entries)
    file = next(folder.rglob("*.png"), None) or next(folder.rglob("*.jpg"))

    def denied(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:  # as root, permissions hold nothing back
        patch.setattr(containers.Path, "open", denied)
        patch.setattr(containers.Path, "read_bytes", denied)
        with pytest.raises(DataError, match="you are not allowed to read it"):
            load(folder)
    monkeypatch.setattr(sources.os, "access", lambda path, mode: False)
    with pytest.raises(DataError, match="folder: you are not allowed to read it"):
        load(folder)
    assert file.exists()


def test_tars_that_unpack_to_too_much_or_are_damaged(tmp_path, rows, monkeypatch):
    path = write_tar(tmp_path / "a.tar.gz", [("fer2013.csv", rows)])
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(DataError, match=r"not a readable tar archive.*Fetch it again"):
        load(path)
    (tmp_path / "b.tgz").write_bytes(b"no tar")
    with pytest.raises(DataError, match="not a readable tar archive"):
        load(tmp_path / "b.tgz")
    write_tar(path, [("fer2013.csv", bytes(3_000_000))])
    monkeypatch.setattr(containers, "MAX_BYTES", 1_000_000)
    with pytest.raises(DataError, match="unpacks to more than 1,000,000 bytes"):
        load(path)


def test_a_zip_that_announces_too_much_is_not_read(tmp_path, rows, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("fer2013.csv", rows)
    monkeypatch.setattr(containers, "MAX_BYTES", len(rows) - 1)
    with pytest.raises(ValueError, match=r"a\.zip"):
        load(path)
    with path.open("ab") as file:  # a sparse file: nothing of this is on the disk
        file.truncate(10**12)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"a\.zip.*1,000,000,000"):
        load(path)


def test_links_in_a_tar_are_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("fer2013.csv")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(DataError, match="no images"):
        load(tmp_path / "a.tar")


# Identity


def test_rows_of_an_unknown_csv_get_no_name_of_the_archive(tmp_path, rows):
    (tmp_path / "a.csv").write_bytes(rows)
    loaded = load(tmp_path / "a.csv")
    assert not set(loaded.files) & set(official.digests())
    assert all("_row" in file for file in loaded.files)
    assert ferplus.votes(loaded.files).sum() == 0


def test_rows_of_the_contests_csv_get_the_archives_names(tmp_path, rows, monkeypatch):
    """A made-up file whose digest is taken for the published one."""
    (tmp_path / "a.csv").write_bytes(rows)
    counts = {"Training": (300,), "PublicTest": (), "PrivateTest": ()}
    monkeypatch.setattr(table, "OFFICIAL_COUNTS", counts)
    monkeypatch.setattr(table, "archive_names", lambda files: tuple(f"{f}!" for f in files))
    assert not any(file.endswith("!") for file in load(tmp_path / "a.csv").files)
    md5 = hashlib.md5(rows).hexdigest()
    monkeypatch.setattr(table, "PUBLISHED_MD5", {md5: "fer2013.csv"})
    assert all(file.endswith("!") for file in load(tmp_path / "a.csv").files)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.csv", "fer2013.csv")
    assert all(file.endswith("!") for file in load(tmp_path / "a.zip").files)
    (tmp_path / "a.csv").write_bytes(b"\n".join(sorted(rows.splitlines(), reverse=True)))
    assert not any(file.endswith("!") for file in load(tmp_path / "a.csv").files)


@pytest.fixture(scope="module")
def part(archive):
    """About 900 images of the archive: (name, bytes)."""
    with zipfile.ZipFile(archive) as zipped:
        names = sorted(name for name in zipped.namelist() if name.endswith(".jpg"))[::40]
        return [(name, zipped.read(name)) for name in names]


def test_official_digests_are_those_of_the_archive(fer2013):
    known = official.digests()
    assert list(known) == fer2013.files.tolist()
    assert [d[: official.DIGITS] for d in fer2013.digests] == list(known.values())
    assert official.named(fer2013).files.tolist() == fer2013.files.tolist()
    members = official.membership(fer2013)
    assert (members.there, members.missing, members.foreign) == (35_887, (), ())


def test_names_follow_the_pixels_through_a_shuffle(tmp_path, part):
    """Within each part and class the names are dealt out anew, as a renaming by number would."""
    chance, places = np.random.default_rng(0), {}
    for name, content in part:
        places.setdefault(name.rpartition("_")[0], []).append((name, content))
    shuffled = []
    for group in places.values():
        order = chance.permutation(len(group))
        shuffled += [(group[i][0], group[j][1]) for i, j in enumerate(order)]
    loaded, truth = (
        load(write_zip(tmp_path / "a.zip", shuffled)),
        load(write_zip(tmp_path / "b.zip", part)),
    )
    right = dict(zip(truth.digests, truth.files, strict=True))
    known = [file in official.digests() for file in loaded.files]
    assert np.mean(known) > 0.9
    for file, digest, is_known in zip(loaded.files, loaded.digests, known, strict=True):
        assert not is_known or official.digests()[file] == digest[: official.DIGITS]
        assert is_known or ferplus.votes(np.array([file])).sum() == 0
    same = [right[d] == f for f, d, k in zip(loaded.files, loaded.digests, known, strict=True) if k]
    assert np.mean(same) > 0.99


def test_renamed_files_get_their_names_back(tmp_path, part):
    numbered = [(f"{name.rpartition('_')[0]}_{i}.jpg", c) for i, (name, c) in enumerate(part)]
    loaded = load(write_zip(tmp_path / "a.zip", numbered))
    known = np.isin(loaded.files, list(official.digests()))
    assert known.mean() > 0.9  # the others have twins


def test_other_pixels_lose_a_name_of_the_archive(tmp_path, part):
    name = part[0][0]
    changed = [(name, png(GRAY)), *part[1:]]
    loaded = load(write_zip(tmp_path / "a.zip", changed))
    assert loaded.name == "fer2013"
    assert name not in loaded.files and name.replace(".jpg", "-other.jpg") in loaded.files
    members = official.membership(loaded)
    assert members.there == len(part) - 1 and members.foreign == (
        name.replace(".jpg", "-other.jpg"),
    )
    assert name in members.missing and len(members.missing) == 35_887 - members.there


def test_membership_counts_twins():
    known = official.digests()
    digest = next(d for d in known.values() if list(known.values()).count(d) == 2)
    files = [f for f, d in known.items() if d == digest]
    names = np.array([files[0], f"{files[0]}2", f"{files[0]}3"])
    pixels, labels = np.zeros((3, 48, 48), np.uint8), np.zeros(3, np.uint8)
    faces = data_faces.Faces(pixels, labels, names, "fer2013")
    vars(faces)["digests"] = np.array([digest + "0" * 52] * 3)
    members = official.membership(faces)
    assert members.there == 2 and members.foreign == (files[0] + "3",)


def test_an_altered_list_of_digests_is_refused(monkeypatch):
    official.digests.cache_clear()
    monkeypatch.setattr(official, "SHA256", "0" * 64)
    with pytest.raises(DataError, match="altered"):
        official.digests()


def check(*arguments):
    shown = CliRunner().invoke(app, ["data", "check", *map(str, arguments)])
    return shown.exit_code, " ".join(shown.output.split())


def test_data_check_of_nothing_is_not_of_the_current_folder():
    code, words = check("", "--subset")
    assert code == 1 and words.endswith("Received an empty name.")


def test_data_check_says_what_is_there_missing_and_foreign(tmp_path, part):
    changed = [(part[0][0], png(GRAY)), *part[1:]]
    code, words = check(write_zip(tmp_path / "a.zip", changed), "--subset")
    there = len(part) - 1
    assert code == 0 and f"{there:,} of the 35,887 images of Kaggle's archive are there" in words
    assert f"{35_887 - there:,} missing" in words and "1 foreign" in words
    code, words = check(tmp_path / "a.zip")
    assert code == 1 and "--subset" in words and "1 foreign" in words


def test_data_check_says_so_of_a_part_without_some_classes(tmp_path, part):
    some = [(name, content) for name, content in part if name.startswith("train/")]
    code, words = check(write_zip(tmp_path / "a.zip", some), "--subset")
    assert code == 1 and words.endswith("Every class must be there.")
    assert f"{len(some):,} of the 35,887 images of Kaggle's archive are there" in words


def test_an_address_is_no_file():
    code, words = check("https://example.org/archive.zip")
    assert code == 1 and "https://example.org/archive.zip: nothing is fetched" in words


def test_data_check_knows_a_file_of_the_contest(tmp_path, rows, monkeypatch):
    (tmp_path / "a.csv").write_bytes(rows)
    code, words = check(tmp_path / "a.csv", "--subset")
    assert code == 0 and "1 of these 300 images are proven to be of FER-2013" in words
    monkeypatch.setattr(table, "PUBLISHED_MD5", {hashlib.md5(rows).hexdigest(): "fer2013.csv"})
    code, words = check(tmp_path / "a.csv", "--subset")
    assert code == 0 and "the contest's fer2013.csv, byte for byte" in words


def test_a_part_of_an_unknown_csv_is_not_called_another_data_set(tmp_path, fer2013):
    """As the contest's: the archive's images with grays that differ by one."""
    faces = fer2013.thinned(600)
    near = dataclasses.replace(faces, images=faces.images ^ 1)
    code, words = check(write_csv(tmp_path / "a.csv", near, range(len(near))), "--subset")
    assert code == 0 and f"By their pixels, 0 of these {len(near)} images are proven" in words
    assert "another data set" not in words and "have other pixels than the archive's" in words
    assert ferplus.votes(load(tmp_path / "a.csv").files).sum() == 0


def test_data_check_says_when_no_image_gets_votes_of_ferplus(faces):
    others = dataclasses.replace(faces, name="fer2013")  # a whole set that was encoded anew
    assert "No image has a proven name" in [*dataset._members(others)][-1]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_long_header_of_a_tar_is_refused_before_it_is_read(tmp_path, form):
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=form) as archive:
        archive.addfile(tarfile.TarInfo("n" * 2_000_000))
    with pytest.raises(DataError, match=r"a header of 2,000,\d+ bytes in a tar archive"):
        sources.load(tmp_path / "a.tar.gz")

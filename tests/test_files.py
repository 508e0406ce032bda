"""Files: what is read is bounded, what is written is whole."""

import os
import resource
import signal
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ferbook.core import files, structured, writing
from ferbook.core.files import FileError, StoreError


def write(folder, text, name="a.json"):
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("make", ["fifo", "device", "folder", "sparse", "socket"])
def test_only_regular_files_of_a_bounded_size_are_opened(tmp_path, make):
    path, message = tmp_path / "x", "expected a regular file"
    if make == "fifo":
        os.mkfifo(path)
    elif make == "device":
        path.symlink_to("/dev/zero")
    elif make == "folder":
        path.mkdir()
    elif make == "sparse":
        path.touch()
        os.truncate(path, 10**13)
        message = "10,000,000,000,000 bytes. Expected at most 10."
    else:
        os.mknod(path, 0o140644)
        message = "No such device"
    start = time.monotonic()
    with pytest.raises((FileError, OSError), match=message):
        files.read_bytes(path, 10)
    assert time.monotonic() - start < 5


def test_what_fits_is_read_and_what_does_not_is_refused(tmp_path):
    path = write(tmp_path, "12345")
    assert files.read_bytes(path, 5) == b"12345"
    with pytest.raises(FileError, match=r"5 bytes\. Expected at most 4"):
        files.read_bytes(path, 4)
    with pytest.raises(FileNotFoundError):
        files.read_bytes(tmp_path / "nothing", 4)


def test_zips_are_judged_by_what_they_announce(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(100_000))
    with files.open_arrays(path, 1_000_000) as arrays:
        assert arrays["a"].shape == (100_000,)
    with pytest.raises(FileError, match="unpacks to 800,128 bytes, more than 700,000"):
        with files.open_arrays(path, 700_000):
            pass
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(11):
            archive.writestr(str(i), "")
    with pytest.raises(FileError, match=r"11 entries\. Expected at most 10"):
        with files.open_zip(path, 10_000, max_unpacked=10, max_entries=10):
            pass


def test_quoted_is_short_and_on_one_line():
    assert files.quoted("a\nb") == "'a\\nb'" and files.quoted(7) == "7"
    assert len(files.quoted("x" * 10**6)) <= 202
    assert len(files.quoted(["\0" * 100] * 100)) <= 202


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ('{"a": [{"b": 1, "b": 1}]}', "the key 'b' stands twice"),
        ('{"a": NaN}', "NaN is not a finite number"),
        ('{"a": -Infinity}', "-Infinity is not a finite number"),
        ('{"a": 1e400}', "1e400 is not a finite number"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "expected an object. Received: list"),
    ],
)
def test_json_is_strict(tmp_path, text, message):
    with pytest.raises(StoreError, match=message) as error:
        structured.read_json(write(tmp_path, text))
    assert len(str(error.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "the key 'a' stands twice"),
        ("a:\n  b: 1\n  b: 1\n", "the key 'b' stands twice"),
        ("a: .nan\n", "nan is not a finite number"),
        ("a: 0x" + 5000 * "f" + "\n", "a whole number of more than 1,024 bits"),
        ("a: 1e999\n", "not a finite number|expected a mapping|"),
        ("a: -.inf\n", "-inf is not a finite number"),
        ("a: [" + "1, " * 200_000 + "1]\n", r"600,007 bytes\. Expected at most 300,000"),
        ("- a\n", "expected a mapping. Received: list"),
    ],
)
def test_yaml_is_strict(tmp_path, text, message):
    path = write(tmp_path, text, "a.yml")
    if text == "a: 1e999\n":  # YAML 1.1 wants a dot in a float, so this is a word
        assert structured.read_yaml(path) == {"a": "1e999"}
        return
    with pytest.raises(FileError, match=message):
        structured.read_yaml(path)


def test_the_largest_yaml_takes_seconds(tmp_path):
    path = write(tmp_path, "a: [" + "1," * 149_990 + "1]\n", "a.yml")
    start = time.process_time()
    assert len(structured.read_yaml(path)["a"]) == 149_991
    assert time.process_time() - start < 25


def test_numbers_of_a_store_are_not_negative(tmp_path):
    path = tmp_path / "x.json"
    assert structured.require(path, {"a": 1}, {"a": float}) == {"a": 1}
    for value in (-1, -0.5):
        with pytest.raises(StoreError, match=f"a: expected float. Received: {value}"):
            structured.require(path, {"a": value}, {"a": float})


def test_a_link_at_the_target_is_replaced_and_not_written_through(tmp_path):
    victim = write(tmp_path, "precious")
    for link, to in (("target", victim), (".target.12345678.tmp", tmp_path)):
        (tmp_path / link).symlink_to(to)
    writing.write_atomically(tmp_path / "target", b"new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "target").read_bytes() == b"new" and not (tmp_path / "target").is_symlink()


def test_a_full_disk_leaves_the_old_file(tmp_path):
    path = write(tmp_path, "old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        with pytest.raises(OSError):
            writing.write_atomically(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_folder_is_the_old_or_the_new_one(tmp_path):
    folder = tmp_path / "set"
    with writing.whole_folder(folder) as new:
        write(new, "1")
    with pytest.raises(RuntimeError), writing.whole_folder(folder) as new:
        write(new, "2")
        write(new, "2", "b.json")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in folder.iterdir()] == [("a.json", "1")]
    with pytest.raises(FileError, match=r"holds 'a\.json', which would be lost"):
        with writing.whole_folder(folder) as new:
            write(new, "3", "b.json")
    with writing.whole_folder(folder) as new:
        write(new, "4")
        write(new, "4", "b.json")
    found = sorted((p.name, p.read_text()) for p in folder.iterdir())
    assert found == [("a.json", "4"), ("b.json", "4")]
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("name", ["notes.tmp", ".notes.12345678.tmp", ".a.json.1.tmp"])
def test_of_what_a_folder_holds_only_its_own_leftovers_go(tmp_path, name):
    (tmp_path / "set/.a.json.12345678.tmp").mkdir(parents=True)
    with writing.whole_folder(tmp_path / "set") as new:
        write(new, "1")
    write(tmp_path / "set", "a stranger's", name)
    with pytest.raises(FileError, match="which would be lost"):
        with writing.whole_folder(tmp_path / "set") as new:
            write(new, "2")
    assert {p.name for p in (tmp_path / "set").iterdir()} == {name, "a.json"}


def test_another_writers_leftovers_stay(tmp_path):
    left = tmp_path / ".set.b.12345678.tmp"
    left.mkdir()
    writing.write_atomically(tmp_path / "set", b"new")
    assert left.exists()


def test_the_folder_one_is_in_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path / "set")
    for folder in (".", "..", tmp_path):
        with pytest.raises(FileError, match="you are in this folder"):
            with writing.whole_folder(Path(folder)):
                pass


@pytest.mark.parametrize("length", [200, 201, 255])
def test_the_longest_names_are_written(tmp_path, length):
    writing.write_atomically(tmp_path / ("n" * length), b"new")
    assert [len(path.name) for path in tmp_path.iterdir()] == [length]


def test_a_folder_that_a_killed_writer_moved_away_is_put_back(tmp_path):
    left = tmp_path / ".set.12345678.tmp"
    for folder, text in ((left / "set.old", "old"), (left / "set", "half")):
        folder.mkdir(parents=True)
        write(folder, text)
    with pytest.raises(RuntimeError), writing.whole_folder(tmp_path / "set"):
        raise RuntimeError
    assert (tmp_path / "set/a.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["set"]


def test_a_source_is_never_a_target(tmp_path):
    source = write(tmp_path, "{}")
    (tmp_path / "link").symlink_to(source)
    os.link(source, tmp_path / "twin")
    for name in ("a.json", "link", "twin"):
        with pytest.raises(FileError, match="is to be read and to be written"):
            writing.refuse_sources([tmp_path / name], [source])
    writing.refuse_sources([tmp_path / "other"], [source, "camera:0"])


def test_a_zip_of_very_many_entries_is_refused_before_they_are_counted(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(100):
            archive.writestr(f"{i:04}", "")
    with files.open_zip(path, 10**6, max_unpacked=10) as archive:
        assert len(archive.infolist()) == 100 and archive.read("0007") == b""
    monkeypatch.setattr(files, "MAX_DIRECTORY_BYTES", 4999)  # 46 bytes an entry, and its name
    with pytest.raises(FileError, match=r"a directory of 5,000 bytes. Expected at most 4,999"):
        with files.open_zip(path, 10**6, max_unpacked=10):
            pass


def test_a_walk_is_in_order_and_tells_what_it_does_not_enter(tmp_path):
    for name in ("b/2.png", "b/1.png", "a.png", ".git/x", "__MACOSX/y"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "c").symlink_to("b")
    (tmp_path / "d.png").symlink_to("a.png")
    found, unseen = files.walk(tmp_path)
    assert found == [tmp_path / name for name in ("a.png", "b/1.png", "b/2.png", "d.png")]
    assert unseen == [f"{tmp_path / 'c'}: a link to a folder, which is not followed"]


def test_a_folder_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", os.fspath(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert files.walk(tmp_path) == ([], [f"{tmp_path}: not readable (Permission denied)"])


def test_a_target_is_a_file_in_a_folder_that_exists(tmp_path):
    with pytest.raises(FileError, match="a folder"):
        writing.write_atomically(tmp_path, b"")
    with pytest.raises(FileError, match=f"there is no folder {tmp_path / 'nowhere'}"):
        writing.write_atomically(tmp_path / "nowhere/a.txt", b"")

"""Faults of the machine and of its user: what is half done is never taken for done."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

from ferbook.core import lock as core_lock
from ferbook.core import writing
from ferbook.core.structured import read_yaml
from ferbook.core.writing import write_json
from ferbook.results import measurements

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(("stage", "kills"), [("store", 2), ("notebook", 1)])
def test_killed_at_random_moments_it_ends_as_if_left_alone(tmp_path, stage, kills):
    """Trainings that are killed are in test_train.py; `make faults` kills all four stages."""
    command = [sys.executable, "-m", "trials.faults", "--only", stage]
    arguments = ["--kills", str(kills), "--seed", "7", "--into", str(tmp_path)]
    shown = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=ROOT)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    row = measurements.load_facts(tmp_path, "reliability")["faults"]["stages"][stage]
    assert row["kills"] >= kills and row["survived"] == row["trials"] and not row["problems"]


WRITER = """
import sys, time
from pathlib import Path
from ferbook.core.writing import whole_file, whole_folder
with globals()[sys.argv[1]](Path(sys.argv[2])) as new:
    (new / "a" if new.is_dir() else new).write_text("half")
    print("writing", flush=True)
    time.sleep(100)
"""


@contextlib.contextmanager
def writer(kind, path):
    """A process that is amid writing `path`."""
    command = [sys.executable, "-c", WRITER, kind, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "writing\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_the_leftovers_of_killed_writers_alone_are_removed_by_the_next(tmp_path, kind):
    """Killed and not yet waited for, a process still has a number, which `kill -0` finds."""
    (tmp_path / ".other.1.tmp").mkdir()
    with writer(kind, tmp_path / "set") as alive:
        with writer(kind, tmp_path / "set") as killed:
            assert len(list(tmp_path.glob(".set.*.tmp"))) == 2
            killed.kill()
            os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
            os.kill(killed.pid, 0)
            with getattr(writing, kind)(tmp_path / "set") as new:
                assert len(list(tmp_path.glob(".set.*.tmp"))) == 2  # the living one's and its own
                (new / "a" if kind == "whole_folder" else new).write_text("whole")
        assert alive.poll() is None
    left = sorted(path.name for path in tmp_path.iterdir() if not path.match(".set.*.tmp"))
    assert left == [".other.1.tmp", "set"]


def test_many_writers_of_one_file_leave_it_whole_and_nothing_beside_it(tmp_path):
    program = "import sys, pathlib; from ferbook.core.writing import write_atomically\n"
    program += "for _ in range(50): write_atomically(pathlib.Path(sys.argv[1]), bytes(1000))"
    command = [sys.executable, "-c", program, str(tmp_path / "a")]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in writers] == [0] * 3
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == bytes(1000)


def command_line(*arguments, **options):
    command = [sys.executable, "-m", "ferbook", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


@pytest.fixture
def checkout(tmp_path):
    shutil.copytree(ROOT / "results/reference", tmp_path / "results/reference")
    for name in ("executed", "_static"):  # they have manifests too
        (tmp_path / "book" / name).mkdir(parents=True)
    tmp_path.chmod(0o755)
    return tmp_path


def test_a_full_disk_is_told_in_one_line_and_the_old_file_stays(checkout):
    import resource

    (checkout / "_toc.yml").touch()
    assert command_line("verify", "--renew-manifest", "--project", checkout).returncode == 0
    before = (checkout / "results/MANIFEST.sha256").read_bytes()
    (checkout / "results/new.json").write_text("{}")
    shown = command_line(
        "verify", "--renew-manifest", "--project", checkout,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
    )  # fmt: skip
    assert shown.returncode == 1 and shown.stderr.startswith("error: ")
    assert "File too large" in shown.stderr and shown.stderr.count("\n") == 1
    assert (checkout / "results/MANIFEST.sha256").read_bytes() == before
    assert not list((checkout / "results").glob("*.tmp"))


@contextlib.contextmanager
def tmpfs(place, options):
    """A small file system in memory at `place`; skips where none may be mounted."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_indeed(tmp_path):
    with tmpfs(tmp_path, "size=64k"):
        with pytest.raises(OSError, match="No space left"):
            write_json(tmp_path / "a.json", {"a": "x" * 200_000})
        assert list(tmp_path.iterdir()) == []
        write_json(tmp_path / "a.json", {})


def test_a_folder_that_may_not_be_written_to_is_told_in_one_line(tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    elsewhere = command_line("verify", "--renew-manifest", "--project", tmp_path)
    assert elsewhere.returncode == 1 and "_toc.yml: No such file" in elsewhere.stderr
    assert not list(results.iterdir())
    (tmp_path / "_toc.yml").touch()
    with contextlib.ExitStack() as stack:
        if os.getuid() == 0:  # root writes wherever the file system lets it
            stack.enter_context(tmpfs(results, "ro"))
        else:
            results.chmod(0o555)
        shown = command_line("verify", "--renew-manifest", "--project", tmp_path)
    assert shown.returncode == 1 and shown.stderr.count("\n") == 1
    assert "Permission denied" in shown.stderr or "Read-only file system" in shown.stderr


def papermill(notebook, out, *arguments):
    command = [str(BIN / "papermill"), str(notebook), str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_missing_kernel_is_named(tmp_path):
    out = tmp_path / "out.ipynb"
    shown = papermill(ROOT / "notebooks/06_claims.ipynb", out, "-k", "no_such_kernel")
    assert shown.returncode != 0 and "No such kernel named no_such_kernel" in shown.stderr


def test_a_notebook_that_fails_in_its_middle_is_kept_and_the_cell_is_named(tmp_path):
    cells = [nbformat.v4.new_code_cell(text) for text in ("print('first')", "1 / 0", "print(3)")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / "in.ipynb")
    shown = papermill(tmp_path / "in.ipynb", tmp_path / "out.ipynb")
    assert shown.returncode != 0
    assert 'Exception encountered at "In [2]"' in shown.stderr
    assert "ZeroDivisionError: division by zero" in shown.stderr
    kept = json.loads((tmp_path / "out.ipynb").read_text())
    said = [o.get("text", o.get("ename")) for c in kept["cells"] for o in c.get("outputs", [])]
    assert ["first\n"] in said and "ZeroDivisionError" in said
    statuses = [
        c["metadata"]["papermill"]["status"] for c in kept["cells"] if "1 / 0" in c["source"]
    ]
    assert "failed" in statuses


def hold(lock, *command):
    arguments = [sys.executable, "-m", "ferbook.core.lock", str(lock), *command]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_of_two_pipelines_in_one_checkout_the_second_is_told_who_is_there(tmp_path):
    lock = tmp_path / "new/alone.lock"
    first = hold(lock, "sleep", "60")
    while not (lock.exists() and lock.read_text()):
        assert first.poll() is None
        time.sleep(0.01)
    second = hold(lock, "echo", "never")
    out, said = second.communicate()
    assert second.returncode == 1 and out == ""
    assert said.startswith(f"error: this checkout: process {first.pid}, or what it started, is at")
    assert said.endswith(f"Wait for its end, or end it: kill {first.pid}\n")
    assert said.count("\n") == 1
    first.send_signal(signal.SIGKILL)
    first.communicate()
    third = hold(lock, "echo", "free again")
    assert third.communicate()[0] == "free again\n" and third.returncode == 0


def test_a_command_that_is_not_there_is_told(tmp_path):
    process = hold(tmp_path / "lock", "no_such_command")
    assert process.communicate()[1].startswith("error: no_such_command: ")
    assert process.returncode == 1


def test_one_run_is_trained_by_one_process(tmp_path):
    with (
        core_lock.alone(tmp_path / "a.lock", "s/run"),
        pytest.raises(
            core_lock.BusyError, match=rf"s/run: process {os.getpid()}, or what it started, is at"
        ),
    ):
        with core_lock.alone(tmp_path / "a.lock", "s/run"):
            pass


def test_where_a_held_lock_cannot_be_read_from_its_first_byte(tmp_path, monkeypatch):
    """As on Windows; there is no `kill` there, either."""
    read, closed = os.read, []

    def refuse(descriptor, size):
        if os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
            raise PermissionError
        return read(descriptor, size)

    with core_lock.alone(tmp_path / "a.lock", "s/run"), monkeypatch.context() as windows:
        windows.setattr(core_lock.os, "close", closed.append)
        windows.setattr(core_lock.os, "read", refuse)
        windows.setattr(core_lock.os, "name", "nt")
        with pytest.raises(core_lock.BusyError, match=rf"process {os.getpid()}, or .* its end\.$"):
            core_lock.hold(tmp_path / "a.lock", "s/run")
    os.close(*closed)


SLOW = f"""
include: "{ROOT}/workflow/rules/alone.smk"
rule slow:
    output: "done"
    shell: "(sleep 300 & echo $! > child; wait); touch done"
"""


def pipeline(folder):
    command = [str(BIN / "snakemake"), "--nolock", "--cores", "1", "--rerun-incomplete", "slow"]
    (folder / "Snakefile").write_text(SLOW)
    return subprocess.Popen(command, cwd=folder, stderr=subprocess.STDOUT, stdout=subprocess.PIPE,
                            text=True)  # fmt: skip


def child_of(folder, process):
    for _ in range(6000):
        if (folder / "child").exists() and (folder / "child").read_text().strip():
            return int((folder / "child").read_text())
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    raise AssertionError("no job started")


def has_ended(pid):
    """Whether a process is gone, or a zombie that nobody reaps here."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_plain_snakemake_takes_the_lock_and_ends_as_a_whole(tmp_path):
    first = pipeline(tmp_path)
    child = child_of(tmp_path, first)
    (tmp_path / ".snakemake").rename(tmp_path / "gone")  # as make clean would
    second = pipeline(tmp_path)
    said = second.communicate()[0]
    assert second.returncode != 0
    assert f"error: this checkout: process {first.pid}, or what it started, is at work" in said
    assert f"or end it: kill -- -{first.pid}" in said and not has_ended(child)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert wait_for(lambda: has_ended(child)), "a job outlived its killed pipeline"
    with core_lock.alone(tmp_path / core_lock.PIPELINE, "it"):
        pass


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_command_that_the_message_names_ends_all(tmp_path):
    first = pipeline(tmp_path)
    child = child_of(tmp_path, first)
    subprocess.run(["kill", "--", f"-{first.pid}"], check=True)
    first.communicate(timeout=60)
    assert wait_for(lambda: has_ended(child))


def test_the_lock_lasts_as_long_as_what_inherited_it(tmp_path):
    """Its taker is killed; a process that it started still holds it."""
    code = """
import subprocess, sys, time
from pathlib import Path
from ferbook.core import lock
fd = lock.hold(Path(sys.argv[1]), "it")
print(subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, pass_fds=(fd,)).pid, flush=True)
time.sleep(300)
"""
    lock = tmp_path / "lock"
    taker = subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE, text=True)
    child = int(taker.stdout.readline())
    taker.kill()
    taker.wait()
    with pytest.raises(core_lock.BusyError, match="or what it started"):
        with core_lock.alone(lock, "it"):
            pass
    os.kill(child, signal.SIGKILL)
    assert wait_for(lambda: has_ended(child))
    with core_lock.alone(lock, "it"):
        pass


def test_make_clean_waits_its_turn_and_a_half_done_step_is_repaired():
    text = (ROOT / "Makefile").read_text()
    clean = text.partition("\nclean:")[2].partition("define")[0]
    assert "$(ALONE)" in clean and str(core_lock.PIPELINE) not in clean.partition("rm -rf")[2]
    assert f"ferbook.core.lock {core_lock.PIPELINE}\n" in text
    how = read_yaml(ROOT / "workflow/profiles/default/config.yaml")
    assert how == {"nolock": True, "rerun-incomplete": True, "rerun-triggers": ["mtime", "params"]}

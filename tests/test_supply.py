"""Where everything comes from: pinned, licensed, and never from a network behind one's back."""

import csv
import hashlib
import os
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import OFFLINE, ROOT

from ferbook.comparison import peers
from ferbook.data import ferplus
from ferbook.inference import centerface
from ferbook.training import lite_weights
from trials import licences

IMPORT_ALL = """
import importlib, pkgutil, sys, ferbook
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(refuse)
for found in pkgutil.walk_packages(ferbook.__path__, "ferbook."):
    if found.name != "ferbook.__main__":
        importlib.import_module(found.name)
        print(found.name)
"""


def test_importing_any_module_opens_no_connection(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=tmp_path
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert len(shown.stdout.split()) >= 60 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", ["192.0.2.1", "pypi.org"])
def test_a_test_that_reaches_out_fails(place):
    with pytest.raises(PermissionError, match=f"no network in tests: {place}"):
        socket.create_connection((place, 443), timeout=1)
    code = f"import socket; socket.create_connection(({place!r}, 443), timeout=1)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.returncode != 0 and "no network in tests" in shown.stderr
    assert OFFLINE in os.environ["PYTHONPATH"]


def test_datagrams_and_look_ups_are_refused_as_well():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        with pytest.raises(PermissionError, match=r"no network in tests: 192\.0\.2\.1"):
            datagrams.sendto(b"x", ("192.0.2.1", 53))
        with pytest.raises(PermissionError, match="no network in tests"):
            datagrams.sendmsg([b"x"], [], 0, ("192.0.2.1", 53))
    for look_up in (socket.gethostbyname, socket.gethostbyaddr):
        with pytest.raises(PermissionError, match=r"no network in tests: pypi\.org"):
            look_up("pypi.org")
    with pytest.raises(PermissionError, match="no network in tests"):
        socket.getnameinfo(("192.0.2.1", 80), 0)


@pytest.mark.parametrize(
    "command",
    [["npm", "ci"], ["curl", "x"], ["/usr/bin/wget", "x"], [sys.executable, "-I", "-c", ""],
     [sys.executable, "-sEc", ""], [sys.executable, "-B", "-S", "x.py"]],
)  # fmt: skip
def test_programs_that_fetch_and_pythons_without_the_guard_are_not_started(command):
    with pytest.raises(PermissionError, match="no network in tests: "):
        subprocess.run(command, check=False)


def test_other_programs_are_started():
    for options in (["-c", "print('-I')"], ["-m", "ferbook", "--help"], ["-X", "utf8", "-c", ""]):
        subprocess.run([sys.executable, *options], check=True, capture_output=True)


def test_uv_is_installed_by_its_hashes():
    """What make extracts of the lock file is a requirement of uv alone, with all its hashes."""
    recipe = (ROOT / "Makefile").read_text().partition(".venv/ready:")[2]
    program = recipe.partition("awk '")[2].partition("'")[0]
    found = subprocess.run(["awk", program, ROOT / "requirements.lock"], text=True,
                           capture_output=True, check=True).stdout  # fmt: skip
    names = re.findall(r"(?m)^(\S+)==", found)
    assert names == ["uv"] and found.count("--hash=sha256:") == len(locked()["uv"][1]) > 5
    assert "--require-hashes" in recipe


def locked():
    """Name -> (version, hashes) in the lock file."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if "==" in line]
    return {
        line[0].split("==")[0]: (line[0].split("==")[1], [w for w in line if "--hash=" in w])
        for line in lines
    }


def test_every_locked_package_has_a_hash_and_every_dependency_is_locked():
    packages = locked()
    assert len(packages) > 100
    assert all(h and all(x.startswith("--hash=sha256:") for x in h) for _, h in packages.values())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {licences.normal(re.match(r"[\w.-]+", line).group()) for line in wanted}
    known = {licences.normal(name) for name in packages}
    assert {"numpy", "tensorflow", "papermill"} <= names & known


@pytest.mark.parametrize("digest", [
    *(sha256 for _, sha256 in lite_weights.LITE_FILES.values()),
    *(package.sha256 for package in peers.PACKAGES.values()), ferplus.SHA256,
    centerface.SHA256,
])  # fmt: skip
def test_what_was_downloaded_is_pinned(digest):
    assert re.fullmatch(r"[0-9a-f]{64}", digest)


def test_the_votes_are_the_pinned_ones(tmp_path):
    path = Path(ferplus.__file__).parent / "ferplus.csv.gz"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == ferplus.SHA256
    with pytest.raises(ferplus.VotesError, match=r"altered \(SHA-256\)"):
        ferplus._read(path.read_bytes()[:-1] + b"x")


def test_the_list_of_licences_covers_the_lock():
    with open(ROOT / "results/reliability/licences.csv") as file:
        rows = {row["package"]: row for row in csv.DictReader(file)}
    packages = {licences.normal(name) for name in locked()}
    assert packages - set(rows) == set(), "make licences"
    assert all(row["kind"] in licences.KINDS for row in rows.values())
    here = {row["package"]: row for row in licences.rows(ROOT / "requirements.lock")}
    assert here["numpy"]["licence"] == rows["numpy"]["licence"]


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ("MIT", "permissive"), ("BSD-3-Clause AND MIT", "permissive"),
        ("Apache Software License", "permissive"), ("MPL-2.0", "weak copyleft"),
        ("LGPL-2.1-only", "weak copyleft"), ("GPL-3.0-or-later", "copyleft"),
        ("GNU General Public License (GPL)", "copyleft"), ("AGPL-3.0", "copyleft"),
        ("GPL-2.0 OR MIT", "permissive"), ("", "not stated"),
    ],
)  # fmt: skip
def test_licences_are_sorted_by_what_they_ask(licence, kind):
    assert licences.kind(licence) == kind

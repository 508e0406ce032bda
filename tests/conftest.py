"""What several test files share: small synthetic faces, the real archive where it is present."""

import contextlib
import functools
import importlib
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

OFFLINE = str(Path(__file__).parent / "offline")
os.environ["PYTHONPATH"] = os.pathsep.join(
    path for path in (OFFLINE, os.environ.get("PYTHONPATH")) if path
)
if OFFLINE not in sys.path:  # a process that a test started has it already
    sys.path.insert(0, OFFLINE)
    import sitecustomize

    if not hasattr(sitecustomize, "refuse_network"):  # Python found another one at its start
        del sys.modules["sitecustomize"]
        import sitecustomize

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # tests compare bits, and say what a processor is told
importlib.import_module("ferbook.training")  # before TensorFlow, which it tells to use oneDNN
ROOT = Path(__file__).parents[1]


# Those whose tests look at the rendered book.
BOOK = {
    f"tests/test_{name}.py"
    for name in ("accessibility", "book", "browser", "explorer", "recompute")
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests run in one process, those of BOOK in the same, which renders it once."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "book" if file in BOOK else file

    return Scheduling(config, log)


@pytest.fixture(scope="session", autouse=True)
def drawn_once():
    """What "synthetic" names takes seconds to draw; faces of a test's own are drawn anew."""
    from ferbook.data import synthetic

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "draw_faces", functools.cache(synthetic.draw_faces))
        yield


@pytest.fixture(scope="session")
def faces():
    """200 training and 100 test faces drawn by code."""
    from ferbook.data.synthetic import draw_faces

    return draw_faces(200, 100)[0]


@pytest.fixture
def killed_after(monkeypatch):
    """Ends a training in this process once so many more epochs are in its checkpoint."""
    from ferbook.training.checkpoint import Checkpoint

    save = Checkpoint.save

    @contextlib.contextmanager
    def killed(epochs):
        saved = []

        def save_and_end(self, *arguments, **more):
            save(self, *arguments, **more)
            saved.append(1)
            if len(saved) == epochs:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(Checkpoint, "save", save_and_end)
            yield

    return killed


@pytest.fixture(scope="session")
def archive():
    """The real data set, from FERBOOK_DATA or beside the checkout."""
    path = Path(os.environ.get("FERBOOK_DATA", ROOT.parent / "shared" / "data" / "archive.zip"))
    if not path.is_file():
        pytest.skip(f"no FER-2013 at {path}; set FERBOOK_DATA to the Kaggle archive.zip")
    return path


@pytest.fixture(scope="session")
def fer2013(archive):
    """Its 35,887 faces, read once in each process of the tests."""
    from ferbook.data import sources

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # official counts: nothing to warn of
        return sources.load(archive)


@pytest.fixture(scope="session")
def built_book(tmp_path_factory):
    """The published book, rendered once: its folder of pages, and how the build ended."""
    from ferbook.paper import recompute, staging, try_it

    folder = tmp_path_factory.mktemp("book")
    staging.stage(ROOT / "book" / "executed", folder / "source", project=ROOT)
    try_it.add(folder / "source" / try_it.PAGE, project=ROOT)
    recompute.add(folder / "source" / recompute.PAGE, project=ROOT)
    command = [Path(sys.executable).with_name("jupyter-book"), "build", "-W", "--keep-going"]
    shown = subprocess.run(
        [*command, "--path-output", str(folder), str(folder / "source")],
        capture_output=True,
        text=True,
    )
    return folder / "_build" / "html", shown


@pytest.fixture
def without_npm(tmp_path, monkeypatch):
    """A project whose packages nothing can fetch."""
    from ferbook.paper import try_it

    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(try_it.shutil, "which", lambda _: None)
    return tmp_path


@pytest.fixture(scope="session")
def chromium():
    """The module that drives a headless Chromium, where there is one."""
    pytest.importorskip("websocket", reason="needs websocket-client, which comes with jupyter")
    import chromium

    from ferbook.paper import pdf

    if pdf.find_browser() is None:
        pytest.skip(f"no Chromium: none of {', '.join(pdf.BROWSERS)} on the path")
    return chromium


@pytest.fixture(scope="session")
def tab(chromium, built_book, tmp_path_factory):
    """A tab of headless Chromium, and the address at which the rendered book is served."""
    profile, camera = tmp_path_factory.mktemp("profile"), "--use-fake-device-for-media-stream"
    with (
        chromium.serving(built_book[0]) as address,
        chromium.browser(profile, camera) as page,
    ):
        yield page, address


UNITS = {"accuracy": 1e-4, "classes": 1e-2, "overall": 1e-2, "recalls": 1e-3}


def printed_table(matrix, reading="rounded", **changes):
    """What a paper would print for a confusion matrix (true in rows), and the class sizes."""
    from ferbook.claims.published import SCORES, Published

    def cut(value, digits):
        scaled = float(value) * 10**digits
        return (round(scaled) if reading == "rounded" else int(scaled + 1e-9)) / 10**digits

    hits, true, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    columns = hits / predicted, hits / true, 2 * hits / (true + predicted)
    names = ["a", "b", "c"][: len(matrix)]
    classes = {
        name: dict(zip(SCORES, (cut(values[i], 2) for values in columns), strict=True))
        for i, name in enumerate(names)
    }
    values = {"accuracy": cut(hits.sum() / matrix.sum(), 4), "classes": classes}
    values |= {"overall": {}, "recalls": {}} | changes
    supports = dict(zip(names, true.tolist(), strict=True))
    return Published("made", printed_to=UNITS, **values), supports


@pytest.fixture(scope="session")
def text():
    """The sentences of the original's text, from FERBOOK_TEXT or beside the checkout."""
    from ferbook.claims import sentences

    path = Path(os.environ.get("FERBOOK_TEXT", ROOT.parent / "shared" / "paper.txt"))
    if not path.is_file():
        pytest.skip(f"the original's text is not at {path}; set FERBOOK_TEXT to it")
    return sentences.read_sentences(path)

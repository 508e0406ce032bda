"""Mutated real files before every reader: `make fuzz`, and a few cases of each in test_fuzz.py.

    python -m trials.fuzz [--scale 1.0] [--only LOADER ...] [--seed 0] [--into results]

Each case must end in a right result or in the one documented kind of error, within seconds, within
2 GiB, and without writing a file. A loader's cases run in a process of their own, with a limit on
memory and a clock; a case that ends the process is counted, and the rest go on after it.
"""

import argparse
import functools
import gzip
import io
import json
import os
import random
import resource
import shutil
import signal
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from PIL import Image

from ferbook.claims import grading, ledger, table_audit
from ferbook.claims.evidence import gather
from ferbook.claims.field import read_field
from ferbook.claims.references import read_references
from ferbook.claims.verdict import ANSWERED, GRADES
from ferbook.core import classes, structured
from ferbook.core.files import StoreError
from ferbook.data import ferplus, sources
from ferbook.data.faces import CSV_CLASSES, USAGES, DataError
from ferbook.inference import classifier, detector, media
from ferbook.inference.face import InputError
from ferbook.paper import all_runs, executed
from ferbook.paper.chapters.ablations import tables
from ferbook.results import image_measures, manifest, measurements, store
from ferbook.results.study import read_study
from ferbook.training import lite_weights
from trials import mutate

ROOT = Path(__file__).parents[1]
MEMORY_BYTES, SECONDS = 2 * 2**30, 30
RUN = ROOT / "results/reference/paper-efficientnet_lite2-96-s42"


class Loader(NamedTuple):
    """Files to start from, how to read one and what to check of it, and the documented error."""

    seeds: Callable[[], list[bytes]]
    name: str  # of the file that is read
    read: Callable[[Path], None]  # raises Wrong when the result makes no sense
    error: type[Exception] | tuple[type[Exception], ...]
    cases: int
    mutate: Callable[[random.Random, list[bytes]], bytes] = mutate.mutated_bytes


class Wrong(Exception):
    """A file was accepted and its result makes no sense."""


def check(fits, what):
    if not fits:
        raise Wrong(what)


def faces():
    """One gray picture per class and usage: the smallest data set that loads."""
    noise = np.random.default_rng(0).integers(0, 256, (21, 48, 48), np.uint8)
    kinds = [(usage, label) for usage in USAGES for label in classes.CLASSES]
    names = [f"{'train' if usage == 'Training' else 'test'}/{label}/{usage}_{i}.jpg"
             for i, (usage, label) in enumerate(kinds)]  # fmt: skip
    return dict(zip(names, noise, strict=True))


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, **options)
    return buffer.getvalue()


def small_faces():
    image = next(iter(faces().values())) // 32 * 32
    return [encoded(image), encoded(image, "JPEG"), encoded(image, "JPEG", progressive=True)]


def archives():
    def made(method, kind):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, image in faces().items():
                archive.writestr(name, encoded(image // 64 * 64, kind))
        return buffer.getvalue()

    return [made(zipfile.ZIP_STORED, "PNG"), made(zipfile.ZIP_DEFLATED, "JPEG")]


def table_of_pixels():
    lines = ["emotion,pixels,Usage"]
    for name, image in faces().items():
        _, label, file = name.split("/")
        emotion = CSV_CLASSES.index(label)
        lines.append(f"{emotion},{' '.join(map(str, image.ravel()))},{file.split('_')[0]}")
    return ["\n".join(lines).encode()]


def tars():
    """The contest's archive: packed, and not packed, where more changes reach the inside."""
    table, found = table_of_pixels()[0], []
    for mode in ("w:gz", "w:"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:
            entry = tarfile.TarInfo("fer2013/fer2013.csv")
            entry.size = len(table)
            archive.addfile(entry, io.BytesIO(table))
        found.append(buffer.getvalue())
    return found


def read_faces(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = sources.load(path, subset=True)
    check(loaded.images.shape == (len(loaded), 48, 48) and len(loaded) >= 21, "images")
    check(loaded.images.dtype == loaded.labels.dtype == np.uint8, "kinds")
    check(loaded.labels.max() < 7 and len(set(loaded.files)) == len(loaded), "labels or files")


def read_folder(path):
    """The mutated file takes the place of one picture in an extracted folder."""
    folder = path.parent / "folder"
    for name, image in faces().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(encoded(image))
    (folder / "train/happy/Training_3.jpg").write_bytes(path.read_bytes())
    try:
        read_faces(folder)
    finally:
        shutil.rmtree(folder)


def read_config(path):
    plan = read_study(path)
    check(plan.recipes and all(r.run_name == n for n, r in plan.recipes.items()), "recipes")
    check(all(Path(r.run_name).name == r.run_name for r in plan.recipes.values()), "a path")


@functools.cache
def evidence():
    return gather(ROOT / "results", ROOT / "book/original.yml")


def read_claims(path):
    for claim in ledger.read_claims(path)[:6]:
        verdict = grading.grade(claim, evidence())
        check(verdict.grade in (*GRADES, ANSWERED) and verdict.evidence, "verdict")


def ledgers():
    """Five claims each: a whole ledger would hide most changes."""
    entries = structured.read_yaml(ROOT / "book/claims.yml")["claims"]
    kinds = {entry["check"]["kind"]: entry for entry in entries}
    parts = [list(kinds.values())[i : i + 5] for i in range(0, len(kinds), 5)]
    return [yaml.safe_dump({"claims": part}, sort_keys=False).encode() for part in parts]


def read_table(path):
    findings = table_audit.audit_table(path)
    check(all(f.possible in (True, False, None) and f.detail for f in findings), "findings")


def read_original(path):
    found = gather(ROOT / "results", path)
    check(found.published.printed_to, "published")


def run_reader(name):
    """Reads a run of which the file `name` was exchanged, and lists it as `ferbook runs` does."""

    def read(path):
        folder = path.parent / "reference" / RUN.name
        shutil.copytree(RUN, folder)
        (folder / name).write_bytes(path.read_bytes())
        try:
            run = store.load_run(folder)
            listed = [run] if run.is_final else []  # a trial has no test images
            rows = all_runs.ledger_table(listed, frozenset()).formatted()
            check(run.recipe.run_name == RUN.name and len(rows) == len(listed), "run")
        finally:
            shutil.rmtree(folder.parent)

    return read


def of_run(name):
    return lambda: [(RUN / name).read_bytes()]


def small_predictions():
    """The stored file cut to twenty rows, lest most changes fall into compressed names."""
    with np.load(RUN / "predictions.npz") as arrays:
        content = {name: values[:20] for name, values in arrays.items()}
    packed, plain = io.BytesIO(), io.BytesIO()
    np.savez_compressed(packed, **content)
    np.savez(plain, **content)
    return [packed.getvalue(), plain.getvalue()]


def answers_reader(name):
    def read(path):
        source, folder = ROOT / "results/peers/fer", path.parent / "peers/fer"
        shutil.copytree(source, folder)
        (folder / name).write_bytes(path.read_bytes())
        try:
            found = store.load_answers(path.parent, "peers")
            leaked = evidence().dataset["leaked_files"]
            tables.others_table(found, [], frozenset(leaked)).formatted()
        finally:
            shutil.rmtree(folder.parent)

    return read


def read_dataset(path):
    shutil.copy(path, path.parent / "dataset.json")
    facts = store.load_dataset(path.parent)
    found = evidence().__class__(**vars(evidence()) | {"dataset": facts})
    for claim in ledger.read_claims(ROOT / "book/claims.yml")[:8]:
        check(grading.grade(claim, found).grade in GRADES, "grade")


def read_images(path):
    shutil.copy(path, path.parent / "test_images.csv.gz")
    table = image_measures.load_images(path.parent)
    check(list(table.columns) == ["brightness", "sharpness"], "columns")


def images_tables():
    whole = gzip.decompress((ROOT / "results/test_images.csv.gz").read_bytes())
    return [gzip.compress(whole[:2000].rsplit(b"\n", 1)[0])]


def checkpoints():
    from ferbook.training import checkpoint

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        groups = {"model": [np.arange(6.0).reshape(2, 3)], "optimizer": [np.zeros(2, np.float32)]}
        checkpoint._write_state(path, groups, {"identity": {}, "history": []})
        return [path.read_bytes()]


def read_checkpoint(path):
    from ferbook.training import checkpoint

    groups, about = checkpoint._read_state(path)
    check(isinstance(groups, dict) and about is not None, "state")


def state_files():
    sys.path.insert(0, str(ROOT / "tests"))
    import test_lite_weights

    return [
        test_lite_weights.state_file([1, 2, 3, 4, 5, 6]),
        test_lite_weights.state_file(list(range(24)), shape=(2, 3, 4), strides=(12, 4, 1)),
    ]


def read_state(path):
    for array in lite_weights.read_state_dict(path.read_bytes()).values():
        check(isinstance(array, np.ndarray) and array.size <= len(path.read_bytes()), "array")


def pictures():
    from skimage import data as examples

    face = np.ascontiguousarray(examples.astronaut()[:200, 130:330])
    kinds = {"PNG": {}, "JPEG": {}, "BMP": {}, "WEBP": {}, "GIF": {}, "TIFF": {}}
    small = np.ascontiguousarray(face[::4, ::4])
    return [encoded(image, kind) for kind in kinds for image in (face, small)]


def read_picture(path):
    gray = np.asarray(media.read_picture(path).convert("L"))
    for face, cut_out in detector.faces_in(gray, str(path)):
        check(cut_out.shape == (48, 48) and min(face.box) >= 0, "face")


def videos():
    import cv2

    found = []
    for name, code in (("v.avi", "MJPG"), ("v.mp4", "mp4v")):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / name)
            video = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*code), 5, (64, 64))
            for i in range(6):
                video.write(np.full((64, 64, 3), 40 * i, np.uint8))
            video.release()
            found.append(Path(path).read_bytes())
    return found


def read_video(path):
    for number, _, frame in media.frames(str(path), 2):
        check(number % 2 == 0 and frame.ndim == 3 and frame.dtype == np.uint8, "frame")
        if number > 20:
            return


def read_model(path):
    answers = classifier.Classifier(path).probabilities(np.zeros((1, 48, 48), np.uint8))
    check(answers.shape == (1, 7), "answers")


def released(name):
    return lambda: [(classifier.RELEASED / name).read_bytes()]


def read_card(path):
    """The card beside a model, both in a folder that takes the place of the released one."""
    kept, classifier.RELEASED = classifier.RELEASED, path.parent
    try:
        shutil.copy(path, path.parent / "card.json")
        model = path.parent / "model-int8.onnx"
        if not model.exists():
            shutil.copy(kept / model.name, model)
        classifier._read_model(model)
    finally:
        classifier.RELEASED = kept


def read_votes(path):
    ferplus._read(path.read_bytes())


def read_manifest(path):
    shutil.copy(path, path.parent / manifest.NAME)
    check(all(len(digest) == 64 for digest in manifest.read(path.parent).values()), "digests")


def notebooks():
    cell = {"cell_type": "code", "source": "1", "outputs": [],
            "metadata": {"tags": [], "papermill": {"status": "completed"}}}  # fmt: skip
    return [json.dumps({"cells": [cell] * 3, "metadata": {}, "nbformat": 4}).encode()]


def read_notebook(path):
    check(executed.read(path)["cells"], "cells")


def files(*names):
    return lambda: [(ROOT / name).read_bytes() for name in names]


TEXT = mutate.mutated_document
LOADERS = {
    "archive": Loader(archives, "a.zip", read_faces, DataError, 1600, mutate.mutated_zip),
    "folder": Loader(small_faces, "p.jpg", read_folder, DataError, 500),
    "csv": Loader(table_of_pixels, "a.csv", read_faces, DataError, 700),
    "tar": Loader(tars, "a.tar.gz", read_faces, DataError, 500),
    "config": Loader(files("configs/quick.yml", "configs/laptop_ours.yml", "configs/leak.yml"),
                     "c.yml", read_config, ValueError, 2000, TEXT),
    "claims": Loader(ledgers, "c.yml", read_claims, ValueError, 1000, TEXT),
    "published table": Loader(files("book/original.yml", "book/second.yml"), "t.yml", read_table,
                              ValueError, 400, TEXT),
    "field.yml": Loader(files("book/field.yml"), "f.yml", read_field, ValueError, 250, TEXT),
    "original_references.yml": Loader(files("book/original_references.yml"), "r.yml",
                                      read_references, ValueError, 250, TEXT),
    "original.yml": Loader(files("book/original.yml"), "o.yml", read_original, ValueError, 250,
                           TEXT),
    "run.json": Loader(of_run("run.json"), "r.json", run_reader("run.json"), StoreError,
                       1000, TEXT),
    "predictions.npz": Loader(small_predictions, "p.npz", run_reader("predictions.npz"),
                              StoreError, 1500, mutate.mutated_zip),
    "history.csv": Loader(of_run("history.csv"), "h.csv", run_reader("history.csv"),
                          StoreError, 800),
    "about.json": Loader(files("results/peers/fer/about.json"), "a.json",
                         answers_reader("about.json"), StoreError, 400, TEXT),
    "dataset.json": Loader(files("results/dataset.json"), "d.json", read_dataset, ValueError, 400,
                           TEXT),
    "test_images.csv.gz": Loader(images_tables, "t.csv.gz", read_images, StoreError, 600),
    "checkpoint": Loader(checkpoints, "s.npz", read_checkpoint, ValueError, 1000,
                         mutate.mutated_zip),
    "weight file": Loader(state_files, "w.pth", read_state, lite_weights.WeightsError, 3000),
    "picture": Loader(pictures, "p.png", read_picture, InputError, 2000),
    "video": Loader(videos, "v.mp4", read_video, InputError, 400),
    "ONNX model": Loader(released("model-int8.onnx"), "m.onnx", read_model, InputError,
                         150),
    "card.json": Loader(released("card.json"), "c.json", read_card, InputError, 500, TEXT),
    "crosswalk": Loader(lambda: [(Path(ferplus.__file__).parent / "ferplus.csv.gz").read_bytes()],
                        "f.csv.gz", read_votes, ferplus.VotesError, 300),
    "manifest": Loader(files("results/MANIFEST.sha256"), "m.sha256", read_manifest,
                       manifest.ManifestError, 600),
    "executed notebook": Loader(notebooks, "n.ipynb", read_notebook, executed.StaleError, 500,
                                TEXT),
}  # fmt: skip


def fuzz(name, cases, seed, folder):
    """Counts of outcomes, the odd cases in words, and the peak of memory in MB."""
    log, first, counts, odd = folder / "log", 0, Counter(), []
    while first < cases:
        log.write_bytes(b"")
        pid = os.fork()
        if pid == 0:
            try:
                _work(LOADERS[name], range(first, cases), f"{name}/{seed}", folder, log)
            finally:
                os._exit(0)
        _, status, usage = os.wait4(pid, 0)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
        counts.update(line["outcome"] for line in lines if "outcome" in line)
        odd += [f"case {x['case']}: {x['detail']}" for x in lines if x.get("outcome") == "other"]
        first = (lines[-1]["case"] if lines else first) + 1
        if os.WIFSIGNALED(status):
            kind = "hang" if os.WTERMSIG(status) == signal.SIGALRM else "crash"
            counts[kind] += 1
            odd.append(f"case {first - 1}: {kind}, signal {os.WTERMSIG(status)}")
        elif not lines:
            raise RuntimeError(f"{name}: the worker could not start")
    return counts, odd, usage.ru_maxrss // 1024


def _work(loader, cases, seed, folder, log):
    seeds = loader.seeds()
    limit = _memory_now() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    target = folder / "inside"
    opened = _watch_writes(target, log)
    with open(os.devnull, "wb") as null:  # OpenCV and others report at length
        os.dup2(null.fileno(), 2)
    with open(log, "w", buffering=1) as report:
        for case in cases:
            print(json.dumps({"case": case}), file=report)
            outcome, detail = _try(loader, random.Random(f"{seed}/{case}"), seeds, target)
            if opened:
                outcome, detail = "other", f"wrote {opened.pop()}"
            line = {"case": case, "outcome": outcome, "detail": detail}
            print(json.dumps(line), file=report)


def _try(loader, chance, seeds, target):
    path = target / loader.name
    target.mkdir(exist_ok=True)
    path.write_bytes(loader.mutate(chance, seeds))
    signal.alarm(SECONDS)
    try:
        loader.read(path)
        return "right", ""
    except loader.error as error:
        if type(error) is ValueError and path.name not in str(error):  # some library's own
            return "other", f"an error that names no file: {error!r}"[:300]
        return "refused", ""
    except Exception as error:
        return "other", f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.alarm(0)


def _watch_writes(target, log):
    """Paths opened for writing outside `target`, as they happen."""
    opened, inside, ours = [], str(target), str(log)

    def hook(event, arguments):
        if event == "open" and isinstance(arguments[0], str):
            flags = arguments[2] if isinstance(arguments[2], int) else 0
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            place = os.path.realpath(arguments[0])
            if writes and not place.startswith((inside, "/dev/", "/proc/")) and place != ours:
                opened.append(place)

    sys.addaudithook(hook)
    return opened


def _memory_now():
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0, help="share of the cases")
    parser.add_argument("--only", nargs="*", choices=LOADERS, default=list(LOADERS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path, help="result store for reliability/fuzz.json")
    given = parser.parse_args()
    rows = {}
    for name in given.only:
        with tempfile.TemporaryDirectory() as folder:
            start, cases = time.monotonic(), max(1, round(LOADERS[name].cases * given.scale))
            counts, odd, peak = fuzz(name, cases, given.seed, Path(folder).resolve())
        other = sum(counts.values()) - counts["refused"] - counts["right"]
        rows[name] = {"cases": cases, "refused": counts["refused"], "right": counts["right"],
                      "other": other, "odd": odd[:20], "peak_megabytes": peak,
                      "seconds": round(time.monotonic() - start, 1)}  # fmt: skip
        print(json.dumps({name: rows[name]}), flush=True)
        if given.into:
            jobs = measurements.load_facts(given.into, "reliability")
            known = jobs.get("fuzz", {}).get("loaders", {})
            facts = {"seed": given.seed, "megabytes_allowed": MEMORY_BYTES // 2**20,
                     "seconds_allowed": SECONDS, "loaders": known | rows}  # fmt: skip
            measurements.write_facts(given.into, "reliability", "fuzz", facts)
    sys.exit(any(row["other"] for row in rows.values()))


if __name__ == "__main__":
    main()

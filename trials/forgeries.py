"""Forgeries of a checkout, one at a time, and whether `ferbook verify` finds them.

    python -m trials.forgeries --into results        # make forgeries

After each change the forger renews manifests and stamps with the project's own functions.
"""

import argparse
import base64
import copy
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
from PIL import Image

from ferbook.paper import chapters, verification
from ferbook.paper.verification import outputs, release
from ferbook.results import manifest, measurements, metrics, store
from ferbook.results.run import run_scores
from trials import forged
from trials.forged import ROOT

RUN = "results/reference/paper-efficientnet_lite2-96-s42"
OURS = "results/ours/ours-efficientnet_lite2-96-s42"
# Most of the store, and no other kind of file.
LEFT_OUT = (
    "leak", "ours_changes", "paper_changes", "remedies",
    "short_ours_changes", "short_paper_changes", "short_scratch",
)  # fmt: skip
NOTEBOOKS = ("06_claims", "07_performance")  # without a figure, and with one


CARRIED_OUT = "the forged text was carried out"


class Forgery(NamedTuple):
    """A change to a checkout, and what a finding then says; None where nothing can."""

    what: str
    change: Callable[[Path], None]
    message: str | None


def checkout(folder: Path) -> Path:
    """What verify reads, but most of the grids, with manifests of its own and no notebook."""
    left_out = shutil.ignore_patterns(*LEFT_OUT, "executed")
    for name in ("results", "book", "configs", "notebooks", release.RELEASED):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("_toc.yml", "README.md"):
        shutil.copy(ROOT / name, folder)
    (folder / "book/executed").mkdir()
    sign(folder)
    return folder


def with_notebooks(project: Path) -> Path:
    """`project` with the executed notebooks that its store gives."""
    for name in NOTEBOOKS:
        forged.write(name, project)
    sign(project)
    return project


def sign(project: Path) -> None:
    """Manifests that agree with whatever is there."""
    for name in verification.FOLDERS:
        manifest.renew(project / name)


def rewrite(path: Path, change: Callable[[dict], Any]) -> None:
    """Change a JSON file in place."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def arrays(path: Path, change: Callable[[dict], Any]) -> None:
    """Change the arrays of an npz in place."""
    with np.load(path) as stored:
        content = dict(stored)
    change(content)
    np.savez_compressed(path, **content)


# ------------------------------------------------------------------- the store, signed anew


def _make_right(content: dict) -> None:
    """Fifty answers on test images that were whatever they were are right now."""
    content["test_prob"][:50] = np.eye(7)[content["test_label"][:50]]


def _score_anew(project: Path, *runs: str) -> None:
    dataset = store.load_dataset(project / "results")
    for name in runs:
        scores = run_scores(store.load_run(project / name), dataset)
        rewrite(project / name / "run.json", lambda v, scores=scores: v.update(metrics=scores))


def exchange(project: Path) -> None:
    """Exchange the answers of two runs, and score both anew."""
    paths = [project / name / "predictions.npz" for name in (RUN, OURS)]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    _score_anew(project, RUN, OURS)


def _leave_out(project: Path) -> None:
    arrays(project / RUN / "predictions.npz", _right_alone)
    _score_anew(project, RUN)


def _right_alone(content: dict) -> None:
    right = content["test_prob"].argmax(axis=1) == content["test_label"]
    content.update({name: a[right] for name, a in content.items() if name.startswith("test_")})


def _always_right(project: Path) -> None:
    path = next((project / "results/baselines").glob("*/answers.npz"))
    arrays(path, lambda v: v.update(test_label=v["test_prob"].argmax(axis=1).astype(np.uint8)))


def _other_answers(project: Path) -> None:
    before = store.load_run(project / RUN).info["metrics"]
    arrays(project / RUN / "predictions.npz", _make_right)
    _score_anew(project, RUN)
    after = store.load_run(project / RUN).info["metrics"]
    for path in (project / "README.md", project / "configs/laptop.yml"):
        text = path.read_text()
        for name in before:
            old, new = (f"{scores[name]['accuracy']:.2%}" for scores in (before, after))
            text = text.replace(old, new)
        path.write_text(text)


def _of_run(change: Callable[[dict], Any]) -> Callable[[Path], None]:
    return lambda project: rewrite(project / RUN / "run.json", change)


def _of_arrays(change: Callable[[dict], Any]) -> Callable[[Path], None]:
    return lambda project: arrays(project / RUN / "predictions.npz", change)


def _of_text(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        text = (project / path).read_text()
        if old not in text:
            raise ValueError(f"{path}: no {old!r} to forge.")
        (project / path).write_text(text.replace(old, new, 1))

    return change


def _share(project: Path) -> None:
    path = next((project / "results/deployment").iterdir())
    rewrite(path, lambda v: v["exports"]["onnx-int8"].update(accuracy=0.7))


def _export(project: Path) -> None:
    path = next((project / "results/deployment").iterdir())
    names = ("accuracy_low", "accuracy_high")

    def change(value: dict) -> None:
        row = value["exports"]["keras-float32"]
        interval = metrics.accuracy_interval(6000, row["total"])
        row.update(zip(names, interval, strict=True), correct=6000, accuracy=6000 / row["total"])

    rewrite(path, change)


def _card(project: Path) -> None:
    files = {"correct": 5500}
    path = project / release.RELEASED / "card.json"
    rewrite(path, lambda v: v["files"]["model-int8.onnx"].update(files))


def _other_recipe(project: Path) -> None:
    for path in (project / "configs").glob("*.yml"):
        text = path.read_text()
        if "study: reference" in text and "dropout:" not in text:
            path.write_text(text + "dropout: 0.4\n")


def _one_label(content: dict) -> None:
    content["val_label"][0] = (content["val_label"][0] + 1) % 7


def _no_folder(content: dict) -> None:
    content["test_file"][0] = "plain.jpg"


def _six_right(project: Path) -> None:
    def change(content: dict) -> None:
        wrong = np.flatnonzero(content["val_prob"].argmax(axis=1) != content["val_label"])[:6]
        content["val_prob"][wrong] = np.eye(7)[content["val_label"][wrong]]

    arrays(project / RUN / "predictions.npz", change)
    _score_anew(project, RUN)


def _next(scores: dict) -> float:
    return scores["log_loss"] * (1 + 1e-8)


def _interval(project: Path) -> None:
    path = next((project / "results/deployment").iterdir())
    rewrite(path, lambda v: v["exports"]["onnx-int8"].update(accuracy_low=0.68))


STORE = [
    Forgery("a score of a run", _of_run(lambda v: v["metrics"]["clean"].update(log_loss=1.0)),
            "metrics: clean: log_loss: shown 1.0, recomputed 1."),
    Forgery("fifty answers of a run made right", _of_arrays(_make_right),
            "metrics: test: correct: shown"),
    Forgery("the answers of two runs exchanged and scored anew", exchange, "best epoch at "),
    Forgery("the images a run got wrong, left out and scored anew", _leave_out,
            "test images left out, 0 others in their place"),
    Forgery("the labels of a baseline, made its answers", _always_right,
            "a label disagrees with the folder of its file"),
    Forgery("a label", _of_arrays(_one_label), "a label disagrees with the folder of its file"),
    Forgery("a file name", _of_arrays(_no_folder), "a label disagrees with the folder of its file"),
    Forgery("the data set of a run", _of_run(lambda v: v["dataset"].update(fingerprint="0")),
            "dataset: fingerprint: shown '0'"),
    Forgery("the seconds of a training", _of_run(lambda v: v.update(seconds=60.0)),
            "60 seconds, but 4165 in its history"),
    Forgery("seconds of a training that took no longer than that",
            _of_run(lambda v: v.update(seconds=5185.0)), "5185 seconds, but 4165 in its history"),
    Forgery("the images seen in training", _of_run(lambda v: v.update(images_seen=251201)),
            "251201 images seen in 10 epochs"),
    Forgery("the parameters of a network",
            _of_run(lambda v: v.update(parameters={"total": 4878136, "trainable": 4761943})),
            "parameters.json says otherwise"),
    Forgery("one more parameter that was trained",
            _of_run(lambda v: v["parameters"].update(trainable=v["parameters"]["trainable"] + 1)),
            "parameters.json says otherwise"),
    Forgery("six answers on validation made right and scored anew", _six_right, "best epoch at "),
    Forgery("the ninth digit of a score",
            _of_run(lambda v: v["metrics"]["test"].update(log_loss=_next(v["metrics"]["test"]))),
            "metrics: test: log_loss: shown"),
    Forgery("a score that no one asked for",
            _of_run(lambda v: v["metrics"]["test"].update(mood=1.0)),
            "metrics: test: mood: shown 1.0, recomputed None"),
    Forgery("an interval around the accuracy of an exported file", _interval,
            "onnx-int8: accuracy_low: shown"),
    Forgery("a key that stands twice", _of_text(f"{RUN}/run.json", '"total": 3589',
            '"total": 3589, "total": 3588'), "stands twice"),
    Forgery("a number that is none", _of_text(f"{RUN}/run.json", '"seconds": ',
            '"seconds": NaN, "s": '), "not a finite number"),
    Forgery("the recipe that a run is said to have", _other_recipe,
            "its recipe is not that of configs/"),
    Forgery("the accuracy of an exported file", _share,
            "onnx-int8: accuracy: shown 0.7, recomputed 0.69"),
    Forgery("the right answers of an exported file, with their share", _export,
            "keras-float32: 6000 right, the run has 4973"),
    Forgery("the accuracy on the released model's card", _card,
            "card.json: model-int8.onnx: correct: shown 5500, recomputed 49"),
    Forgery("the released model", lambda p: (p / release.RELEASED / "model-int8.onnx").write_bytes(
            b"another"), "not the file of its card"),
    Forgery("a number in the README", _of_text("README.md", "59.32%", "69.32%"),
            "README.md: 69.32% is no number of the store"),
    Forgery("a number typed into a page",
            _of_text("book/method.md", "# Method", "# Method\n\nWe reach 75 %."),
            "typed by hand: 75"),
]  # fmt: skip
NOT_FOUND = Forgery(
    "fifty answers made right, scored anew, every page executed anew", _other_answers, None
)

# ----------------------------------------------------- an executed notebook, stamped anew


def cell_with(notebook: dict, text: str) -> dict:
    """The first cell whose source holds `text`."""
    return next(cell for cell in notebook["cells"] if text in "".join(cell["source"]))


def _injected(notebook: dict) -> dict:
    return next(c for c in notebook["cells"] if "injected-parameters" in c["metadata"]["tags"])


def _glue(notebook: dict) -> list:
    return cell_with(notebook, "glue(key, value")["outputs"]


def _line(notebook: dict, line: str) -> None:
    _injected(notebook)["source"][1] = f"{line}\n"


def other_store(notebook: dict) -> None:
    """Another result store as parameter."""
    _line(notebook, 'results_dir = "elsewhere"')
    notebook["metadata"]["papermill"]["parameters"] = {"results_dir": "elsewhere"}


def markdown_as_parameters(notebook: dict) -> None:
    """Text tagged as injected parameters."""
    text = {"cell_type": "markdown", "id": "x", "source": ["We reach 75 %."]}
    notebook["cells"].insert(2, {**text, "metadata": {**_injected(notebook)["metadata"]}})


def code_changed(notebook: dict) -> None:
    """Other code in a cell."""
    cell_with(notebook, "import os")["source"] = ["import os; open('evil', 'w')"]


def other_value(notebook: dict) -> None:
    """A number that the text shows."""
    data = _glue(notebook)[0]["data"]
    data.update(dict.fromkeys(data, "999"))


def other_prefix(notebook: dict) -> None:
    """A number under another prefix."""
    output = _glue(notebook)[0]
    output["metadata"]["scrapbook"]["mime_prefix"] = "x/"
    output["data"] = {"x/text/plain": "999", **output["data"]}


def stream(notebook: dict) -> None:
    """Text that a cell is said to have printed."""
    said = {"output_type": "stream", "name": "stdout", "text": ["We reach 75 %."]}
    cell_with(notebook, "import os")["outputs"].append(said)


def display(notebook: dict) -> None:
    """Another display beside a table."""
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/markdown": "75 %"}}
    cell_with(notebook, "tables.")["outputs"].append(shown)


def script(notebook: dict) -> None:
    """A script in a table."""
    cell_with(notebook, "tables.")["outputs"][0]["data"]["text/html"] += "<script>alert(1)</script>"


def javascript(notebook: dict) -> None:
    """A script beside a table."""
    cell_with(notebook, "tables.")["outputs"][0]["data"]["application/javascript"] = "alert(1)"


def synthetic_stamp(notebook: dict) -> None:
    """A stamp that names the store of a smoke run."""
    notebook["metadata"]["ferbook"]["results"] = "_build/quick/results"


def _foreign_kind(notebook: dict) -> None:
    _glue(notebook)[0]["data"][f"{outputs.PREFIX}text/html"] = "<b>999</b>"


def _glued_elsewhere(notebook: dict) -> None:
    cell_with(notebook, "import os")["outputs"].append(forged.glued("claims_total", 999))


def _table_metadata(notebook: dict) -> None:
    cell_with(notebook, "tables.")["outputs"][0]["metadata"] = {"text/markdown": {"x": 1}}


def _hidden(notebook: dict) -> None:
    cell_with(notebook, "tables.")["metadata"]["tags"] = ["remove-output"]


def _caption(notebook: dict) -> None:
    cell_with(notebook, "tables.")["metadata"]["mystnb"] = {"figure": {"caption": "75 %"}}


def _failed(notebook: dict) -> None:
    notebook["cells"][0]["metadata"]["papermill"]["exception"] = True


_INJECTED = "expected one cell of injected parameters, found 2"
_NOT_THE_SOURCES = "its metadata are not those of the source"
NOTEBOOK: list[tuple[str, Callable[[dict], Any], str]] = [
    ("a foreign line in the parameters",
     lambda n: _injected(n)["source"].append('open("evil", "w")\n'), "more than literals: open("),
    ("a call as the value of a parameter",
     lambda n: _line(n, 'results_dir = open("evil", "w")'), "more than literals: results_dir"),
    ("a comment in the parameters", lambda n: _line(n, 'results_dir = "results"  # 72 %'),
     "is not papermill's"),
    ("the parameters twice", lambda n: n["cells"].insert(4, copy.deepcopy(_injected(n))),
     _INJECTED),
    ("a number under another kind", _foreign_kind, "claims_total: not glued as expected"),
    ("a number glued twice", lambda n: _glue(n).append(forged.glued("claims_total", 999)),
     "22 outputs ("),
    ("a number glued elsewhere", _glued_elsewhere, "1 outputs (display_data), expected 0"),
    ("metadata of a table", _table_metadata, "not the metadata of its value"),
    ("a tag that hides a table", _hidden, _NOT_THE_SOURCES),
    ("a caption", _caption, _NOT_THE_SOURCES),
    ("a picture attached to text",
     lambda n: n["cells"][0].update(attachments={"a.png": {"image/png": ""}}),
     "a key is unknown or missing"),
    ("metadata of the notebook", lambda n: n["metadata"].update(mystnb={"execution_mode": "force"}),
     "the notebook's metadata are not those of its source"),
    ("a cell that failed", _failed, "not executed to its end"),
    ("another result store as parameter", other_store,
     "parameter results_dir: 'elsewhere', the profile gives 'results'"),
    ("text tagged as injected parameters", markdown_as_parameters, _INJECTED),
    ("other code in a cell", code_changed, "its text is not that of the source"),
    ("a number that the text shows", other_value, "claims_total: shown 999, recomputed 1"),
    ("a number under another prefix", other_prefix, "claims_total: not glued as expected"),
    ("text that a cell is said to have printed", stream, "1 outputs (stream), expected 0"),
    ("another display beside a table", display, "2 outputs (execute_result, display_data)"),
    ("a script in a table", script, "shown '</table><script>alert(1)</script>'"),
    ("a script beside a table", javascript, "application/javascript; expected"),
    ("a stamp that names the store of a smoke run", synthetic_stamp,
     "it was not executed with results/"),
]  # fmt: skip


def picture(notebook: dict) -> dict:
    """The data of the first figure."""
    shown = [o for cell in notebook["cells"] for o in cell.get("outputs", [])]
    return next(o["data"] for o in shown if "image/png" in o["data"])


def encoded(pixels: np.ndarray) -> str:
    """A PNG as a notebook holds it."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def _moved(notebook: dict) -> None:
    data = picture(notebook)
    pixels = outputs._pixels(data["image/png"]).copy()
    pixels[100:104, 200:204] = (255, 0, 0, 255)
    data["image/png"] = encoded(pixels)


def _brighter(notebook: dict) -> None:
    """By one step more than rounding at the edge of a line explains."""
    data = picture(notebook)
    pixels = outputs._pixels(data["image/png"]).copy()
    dark = pixels[..., :3] < 200
    pixels[..., :3][dark] += 9
    data["image/png"] = encoded(pixels)


PICTURE: list[tuple[str, Callable[[dict], Any], str]] = [
    ("a point of a figure", _moved, "16 pixels of its figure are not those drawn anew"),
    ("another picture",
     lambda n: picture(n).update({"image/png": encoded(np.zeros((9, 9, 4), np.uint8))}),
     "a picture of (9, 9, 4), drawn anew"),
    ("no picture", lambda n: picture(n).update({"image/png": "AAAA"}), "not a PNG"),
    ("a second picture", lambda n: picture(n).update({"image/svg+xml": "<svg/>"}),
     "expected one PNG"),
    ("all lines of a figure somewhat brighter", _brighter, "pixels of its figure are not those"),
]  # fmt: skip


def in_notebook(name: str, change: Callable[[dict], Any]) -> Callable[[Path], None]:
    """`change` to an executed notebook of a project, which is then stamped anew."""

    def forge(project: Path) -> None:
        path = project / "book/executed" / f"{name}.ipynb"
        rewrite(path, change)
        if change is not synthetic_stamp:
            forged.restamp(path, project)

    return forge


def all_forgeries() -> list[tuple[str, Forgery]]:
    """(what kind of thing is forged, forgery)."""
    cells, pictures = (
        [Forgery(what, in_notebook(name, change), message) for what, change, message in rows]
        for name, rows in zip(NOTEBOOKS, (NOTEBOOK, PICTURE), strict=True)
    )
    kinds = {"result store": STORE, "executed notebook": cells, "figure": pictures,
             "the whole repository": [NOT_FOUND]}  # fmt: skip
    return [(kind, forgery) for kind, some in kinds.items() for forgery in some]


def attempt(forgery: Forgery, honest: Path, folder: Path) -> list[str]:
    """The findings of verify on a copy of `honest` with one forgery, signed anew."""
    project = folder / "forged"
    shutil.copytree(honest, project)
    forgery.change(project)
    if forgery is NOT_FOUND:
        with_notebooks(project)
    sign(project)
    found = verification.verify(project).findings
    if (project / "evil").exists():
        found.append(CARRIED_OUT)
    return found


def main() -> None:
    """Try all, and write what was found into a result store."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--into", type=Path, help="result store to write to")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, \
            mock.patch.object(chapters, "NOTEBOOKS", NOTEBOOKS):  # fmt: skip
        honest = with_notebooks(checkout(Path(folder, "honest")))
        if found := verification.verify(honest).findings:
            raise SystemExit(f"an honest checkout has findings: {found}")
        for kind, forgery in all_forgeries():
            with tempfile.TemporaryDirectory() as place:
                found = attempt(forgery, honest, Path(place))
            rows.append({"kind": kind, "forgery": forgery.what, "found": bool(found),
                         "as_expected": _as_expected(forgery, found)})  # fmt: skip
            print(json.dumps(rows[-1] | {"first": found[:1]}), flush=True)
    if given.into:
        measurements.write_facts(given.into, "reliability", "forgeries", {"forgeries": rows})
    raise SystemExit(not all(row["as_expected"] for row in rows))


def _as_expected(forgery: Forgery, found: list[str]) -> bool:
    if forgery.message is None:
        return not found
    return any(forgery.message in line for line in found) and CARRIED_OUT not in found


if __name__ == "__main__":
    main()

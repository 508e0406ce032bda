"""Ten crops of each image before the released model: corners and center, and their mirrors.

Source: Krizhevsky et al., NeurIPS 2012, where a crop is seven eighths of the image's side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from ferbook.core.files import StoreError
from ferbook.core.predictions import Predictions
from ferbook.data.faces import Faces
from ferbook.data.splits import Split
from ferbook.inference.classifier import BATCH, RELEASED, Classifier
from ferbook.inference.face import InputError
from ferbook.results import store
from ferbook.results.metrics import accuracy
from ferbook.results.run import Run

SIDES = (42, 45)  # px of 48; validation chooses
NAMES = ("ten_crops",)
NEEDS = ("onnx", "tensorflow")
MODEL = RELEASED / "model-float16.onnx"


def evaluate(name: str, parts: Split, results_dir: str | Path = "results") -> Path:
    """Write the released model's answers by ten crops to `results/test_time_augmentation/<name>`.

    The side of the crops is chosen on validation images without a twin in training, by the split
    of the released run.
    Raises FileNotFoundError when the store does not hold that run, StoreError when `parts` split
    otherwise.
    """
    run = released_run(results_dir)
    if set(run.val.files) != set(parts.val.files):
        raise StoreError(f"{name}: {run.name} was chosen on other validation images.")
    answer = whole_answerer(MODEL, run.recipe.image_size)
    clean = parts.val.select(~parts.val.copied_in(parts.train))
    chosen_on = {side: accuracy(_predictions(clean, answer, side)) for side in SIDES}
    side = max(chosen_on, key=lambda side: chosen_on[side])
    info = {
        "run": f"{run.study}/{run.name}",
        "file": MODEL.name,
        "crop_side": side,
        "val_clean_accuracy": {str(side): value for side, value in chosen_on.items()},
        "parameters": run.info["parameters"]["total"],
        "dataset": parts.test.name,
    }
    folder = Path(results_dir) / "test_time_augmentation" / name
    store.write_answers(folder, info, _predictions(parts.test, answer, side))
    return folder


def released_run(results_dir: str | Path) -> Run:
    """The run of the released model. Raises FileNotFoundError for a store that does not hold it."""
    folder = Path(results_dir) / Classifier(MODEL).about["run"]
    if not (folder / "run.json").exists():
        raise FileNotFoundError(f"{folder}: ten crops are of this run, which is not there.")
    return store.load_run(folder)


def ten_crops(
    images: UInt8[np.ndarray, "n h w"], side: int
) -> Iterator[UInt8[np.ndarray, "n side side"]]:
    """Four corners and the center of `images`, each followed by its mirror."""
    down, across = (length - side for length in images.shape[1:])
    for y, x in ((0, 0), (0, across), (down, 0), (down, across), (down // 2, across // 2)):
        crop = images[:, y : y + side, x : x + side]
        yield crop
        yield crop[:, :, ::-1]


def whole_answerer(model: Path, side: int) -> Callable[[np.ndarray], Float[np.ndarray, "n 7"]]:
    """An exported ONNX `model` for faces of any size, which are resized once to its `side` px.

    The model's own resizing, from 48 px, is cut off. Raises InputError without the package onnx.
    """
    import onnxruntime

    from ferbook.training.augment import resize

    try:
        import onnx
    except ImportError as error:
        raise InputError(
            "ten crops need the package onnx: pip install '.[export]' in a checkout."
        ) from error
    graph = onnx.load(model)
    resized = next(node.output[0] for node in graph.graph.node if node.op_type == "Resize")
    cut = onnx.utils.Extractor(graph).extract_model([resized], ["probabilities"])
    session = onnxruntime.InferenceSession(
        cut.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    half = session.get_inputs()[0].type == "tensor(float16)"

    def answer(faces: np.ndarray) -> np.ndarray:
        gray = resize(faces, side).numpy().transpose(0, 3, 1, 2)
        return session.run(None, {resized: gray.astype(np.float16 if half else np.float32)})[0]

    return answer


def _predictions(part: Faces, answer: Callable, side: int) -> Predictions:
    """The mean answer over the ten crops of each image of `part`."""
    batches = (part.images[i : i + BATCH] for i in range(0, len(part), BATCH))
    answers = [np.mean([answer(crop) for crop in ten_crops(b, side)], axis=0) for b in batches]
    return Predictions(part.files, part.labels, np.concatenate(answers))

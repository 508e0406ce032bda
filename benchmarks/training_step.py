"""The training step under the clock: what feeds it, what is in it, what the processor could do."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import tensorflow as tf
from keras import layers

from benchmarks import interleaved
from benchmarks.interleaved import Budget
from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.data import splits
from ferbook.data.faces import Faces
from ferbook.training import input_pipeline, lite_network, models, optimization, train

MATRIX_SIDE = 2048
FILLING = 5  # steps
_TIMM = "tf_{}"  # timm's name of a backbone with TensorFlow's padding


def step_times(budget: Budget, torch: str) -> dict[str, Any]:
    """Seconds of a step under each condition, shares of it by operation, and the peak of a product.

    `torch` is the interpreter to look for PyTorch in.
    """
    recipe, faces = budget.recipe(), interleaved.random_faces(4000)
    train.set_up(recipe)
    data = input_pipeline.training_dataset(faces, recipe, range(99))
    constant = tf.data.Dataset.from_tensors(next(iter(data))).repeat()
    whole, frozen = _compiled(recipe, "finetune"), _compiled(recipe, "warmup")
    trained = budget.recipe(train_batch_norm=True)
    one_channel = _compiled(recipe, "finetune", build=_one_channel)
    peer = _Peer(torch, recipe, budget.steps)
    with tempfile.TemporaryDirectory() as folder:
        files = _gray_files(faces, Path(folder), recipe)
        rounds = interleaved.interleave(budget.rounds, {
            "constant batch": _bare(whole, constant, budget.steps),
            "fit on our input": _fitted(whole, data, budget.steps),
            "fit on the generator": _fitted(whole, files, budget.steps),
            "Keras's layers": _step(recipe, "finetune", constant, budget, build=_kerass),
            "BatchNorm trained": _step(trained, "finetune", constant, budget),
            "BatchNorm trained, Keras's layers": _step(
                trained, "finetune", constant, budget, build=_kerass
            ),
            "phase 1": _bare(frozen, constant, budget.steps),
            "phase 1, Keras's layers": _step(recipe, "warmup", constant, budget, build=_kerass),
            "forward alone": _forward(frozen, constant, budget.steps),
            "one-channel stem": _bare(one_channel, constant, budget.steps),
            **peer.measures(),
            "matrix product": _product,
        })  # fmt: skip
    return {
        "unit": "seconds",
        "backbone": recipe.backbone,
        "image_size": recipe.image_size,
        "batch_size": recipe.batch_size,
        "rounds": rounds,
        "operations": _operations(whole, constant),
        "multiply_adds": models.count_multiply_adds(whole),
        "product_multiply_adds": MATRIX_SIDE**3,
        "torch": peer.about,
    }


def first_step(backbone: str, image_size: int, *, made_before: bool) -> float:
    """Seconds of building `backbone` and of its first step of phase 2.

    With `made_before` the metric exists before the step, as in `train`; else the step makes it, as
    Keras does for a metric that is given as a function, and is traced twice.
    """
    recipe = Recipe(backbone=backbone, image_size=image_size, weights="none")
    images = tf.zeros((recipe.batch_size, image_size, image_size, 1))
    batch = images, tf.one_hot(tf.zeros(recipe.batch_size, tf.int32), len(CLASSES))
    data = tf.data.Dataset.from_tensors(batch).repeat()
    started = time.perf_counter()
    model = _compiled(recipe, "finetune")
    if not made_before:
        metric = keras.metrics.categorical_accuracy
        model.compile(model.optimizer, model.loss, metrics=[metric], jit_compile=model.jit_compile)
    _bare(model, data, 1)()
    return time.perf_counter() - started


def train_some(budget: Budget, faces: Faces) -> None:
    """A training as `train.train` sets it up, cut short: some steps, then a whole validation."""
    recipe = budget.recipe()
    train.set_up(recipe)
    parts = splits.split(faces)
    model = _compiled(recipe, "finetune")
    data = input_pipeline.training_dataset(parts.train, recipe, range(1))
    model.fit(data, steps_per_epoch=budget.steps, verbose=0, shuffle=False,
              validation_data=input_pipeline.evaluation_dataset(parts.val, recipe))  # fmt: skip


def _compiled(
    recipe: Recipe, phase: str, build: Callable[[Recipe], keras.Model] = models.build_model
) -> keras.Model:
    model = build(recipe)
    if phase == "warmup":
        models.freeze_backbone(model)
    else:
        models.unfreeze(model, recipe)
    optimization.compile_model(model, recipe, phase, 100)
    model.optimizer.build(model.trainable_variables)
    return model


def _step(
    recipe: Recipe, phase: str, data: tf.data.Dataset, budget: Budget, **how: Any
) -> Callable[[], float]:
    return _bare(_compiled(recipe, phase, **how), data, budget.steps)


def _kerass(recipe: Recipe) -> keras.Model:
    """As `models.build_model`, of Keras's own layers where an EfficientNet-Lite has faster ones."""
    plain = {
        "FusedBatchNormalization": layers.BatchNormalization,
        "FastDepthwiseConv2D": layers.DepthwiseConv2D,
        "PointwiseConv2D": layers.Conv2D,
    }
    with mock.patch.multiple(lite_network, **plain):
        return models.build_model(recipe)


def _one_channel(recipe: Recipe) -> keras.Model:
    """As `models.build_model`, without the repetition of gray to three channels."""
    inputs = keras.Input((recipe.image_size, recipe.image_size, 1))
    pooled = layers.GlobalAveragePooling2D()(models.build_backbone(recipe, channels=1)(inputs))
    dropped = layers.Dropout(recipe.dropout, seed=recipe.seed)(pooled)
    return keras.Model(inputs, layers.Dense(len(CLASSES), "softmax")(dropped))


def _bare(model: keras.Model, data: tf.data.Dataset, steps: int) -> Callable[[], float]:
    """Seconds of a step that Keras's training loop does not surround."""
    model.make_train_function()
    batches = iter(data)
    return lambda: (
        interleaved.seconds(lambda: _repeat(model.train_function, batches, steps)) / steps
    )


def _forward(model: keras.Model, data: tf.data.Dataset, steps: int) -> Callable[[], float]:
    images = next(iter(data))[0]
    call = tf.function(lambda x: model(x, training=True))
    return lambda: interleaved.seconds(lambda: _repeat(call, images, steps)) / steps


def _repeat(call: Callable, argument: Any, times: int) -> None:
    for _ in range(times):
        call(argument)


def _fitted(model: keras.Model, data: Any, steps: int) -> Callable[[], float]:
    """Seconds from step to step of `fit`, without the first few, in which the buffers fill."""

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            times.append(time.perf_counter())

    times: list[float] = []

    def fit() -> float:
        times.clear()
        model.fit(
            data, steps_per_epoch=steps + FILLING, verbose=0, shuffle=False, callbacks=[Clock()]
        )
        return (times[-1] - times[FILLING - 1]) / steps

    return fit


def _gray_files(faces: Faces, folder: Path, recipe: Recipe) -> Any:
    """The original's generator on a folder, gray, as the network takes it."""
    return interleaved.keras_generator().flow_from_directory(
        interleaved.write_folder(faces, folder),
        target_size=(recipe.image_size, recipe.image_size),
        color_mode="grayscale",
        batch_size=recipe.batch_size,
        seed=1,
    )


def _product() -> float:
    """Seconds of one product of two square float32 matrices."""
    matrix = tf.random.stateless_uniform((MATRIX_SIDE, MATRIX_SIDE), [1, 2])
    return interleaved.seconds(lambda: (matrix @ matrix).numpy())


def _operations(model: keras.Model, data: tf.data.Dataset) -> dict[str, float]:
    """Milliseconds of a step by kind of operation, after TensorFlow's profiler; the largest."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    run, steps = _bare(model, data, 5), 5
    run()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            run()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    found: Counter[str] = Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            place, colon, kind = name.rpartition(":")  # "path/of/the/node:Kind"
            if colon and "/" in place and kind.lstrip("_").isalnum():
                name = kind.lstrip("_").removeprefix("Mkl").removeprefix("Native")
                found[name] += event.duration_ps / 1e9 / steps
    return dict(found.most_common(12))


class _Peer:
    """PyTorch in a process of its own, which waits while others are measured."""

    def __init__(self, python: str, recipe: Recipe, steps: int):
        name = _TIMM.format(recipe.backbone)
        self.about = {"model": name}
        script = Path(__file__).with_name("torch_step.py")
        sizes = map(str, (recipe.image_size, recipe.batch_size, steps))
        try:
            self.process = subprocess.Popen(
                # -P: the modules beside the script are not its own.
                [python, "-P", str(script), name, *sizes], text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            self.about["not_run"] = str(error)
            return
        versions = self.process.stdout.readline().strip()
        if versions:
            self.about["versions"] = versions
        else:
            self.about["not_run"] = self.process.stderr.read().strip().rpartition("\n")[2]

    def measures(self) -> dict[str, Callable[[], float]]:
        """PyTorch's step, if it is there."""
        return {} if "not_run" in self.about else {"PyTorch": self._step}

    def _step(self) -> float:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

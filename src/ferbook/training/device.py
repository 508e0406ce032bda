"""What a training computes on: a GPU or a processor, its precision, its pace, its memory."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import importlib.metadata
import platform
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ferbook.core.errors import FerbookError
from ferbook.core.recipe import Recipe, RecipeError
from ferbook.training import input_pipeline, models, optimization

PACED_STEPS = 100  # after which the pace of a phase is told
TOLD_SECONDS = 600  # between two lines on the same epoch
TRAINING_IMAGES = 25_120  # of FER-2013, without validation
_NEWER = (
    "This TensorFlow was built for older cards: it may take minutes to start, or fail; a newer one "
    "may be needed."
)
_SAMPLE = 4  # images of the step that is timed on a processor
_NVIDIA_SMI = "nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"


class DeviceError(FerbookError, RuntimeError):
    """A configuration asks for a GPU that TensorFlow does not see, or needs more memory."""


def precision() -> str:
    """Keras's dtype policy of a training: "mixed_float16" on a GPU, "float32" on a processor."""
    return "mixed_float16" if optimization.has_gpu() else "float32"


def set_precision() -> None:
    """Make `precision` that of the networks that are built from now on."""
    keras.config.set_dtype_policy(precision())


def facts(*, deterministic: bool = False) -> dict[str, Any]:
    """The device of this process for run.json: kind, precision, XLA; of a GPU what it is.

    Keras uses no XLA where ops must be `deterministic`. `memory_mib` and `driver` are those of
    nvidia-smi, `cuda` and `cudnn` the versions that TensorFlow was built with; each is None where
    it cannot be found out, memory also where nvidia-smi lists other cards than TensorFlow.
    """
    found: dict[str, Any] = {"kind": "gpu" if optimization.has_gpu() else "cpu"}
    found |= {"precision": precision(), "xla": optimization.uses_xla() and not deterministic}
    if not optimization.has_gpu():
        return found
    gpus = tf.config.list_physical_devices("GPU")
    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    cards, build = _cards(), tf.sysconfig.get_build_info()
    return found | {
        "count": len(gpus),
        "names": [about.get("device_name", "unknown") for about in details],
        "memory_mib": [mib for _, mib, _ in cards] if 0 < len(cards) == len(gpus) else None,
        "driver": cards[0][2] if cards else None,
        "cuda": build.get("cuda_version"),
        "cudnn": build.get("cudnn_version"),
    }


def in_words(about: dict[str, Any]) -> str:
    """`facts` in one line."""
    arithmetic = f"precision {about['precision']}, XLA {'on' if about['xla'] else 'off'}"
    if about["kind"] == "cpu":
        return f"device: processor, {arithmetic}"
    memory = [f"{mib / 1024:.0f} GB" for mib in about["memory_mib"] or ()]
    software = ", ".join(
        f"{name} {about[key]}"
        for name, key in (("driver", "driver"), ("CUDA", "cuda"), ("cuDNN", "cudnn"))
        if about[key]
    )
    parts = f"{about['count']} x {about['names'][0]}", *memory[:1], software, arithmetic
    return f"device: {', '.join(part for part in parts if part)}"


def check(wanted: str, recipe: Recipe, *, allow_cpu: bool = False) -> str:
    """The device in words, before a training of `recipe`.

    Raises DeviceError when `wanted` is "gpu" and TensorFlow sees none, unless `allow_cpu`; the
    message gives the reason, the way out, and the hours that this processor would take at most for
    the training images of FER-2013.
    """
    if wanted == "gpu" and not optimization.has_gpu() and not allow_cpu:
        images = recipe.train_images or TRAINING_IMAGES
        hours = seconds_per_image(recipe) * images * _epochs(recipe) / 3600
        raise DeviceError(
            f"device: the configuration asks for a GPU, and TensorFlow sees none: {_reason()} "
            f"On this processor the training would take up to {hours:,.1f} hours; to train on it "
            "all the same, give --allow-cpu (make: ALLOW_CPU=1; papermill: -p allow_cpu True)."
        )
    return in_words(facts()) + f". {_NEWER}" * optimization.has_newer_gpu()


def seconds_per_image(recipe: Recipe) -> float:
    """Seconds for one image of a full training step, timed on a few images without compilation."""
    model = models.build_model(dataclasses.replace(recipe, weights="none", small_epochs=0))
    models.unfreeze(model, recipe)
    images = np.zeros((_SAMPLE, recipe.image_size, recipe.image_size, 1), np.float32)
    for _ in range(2):  # the first makes the kernels
        started = time.perf_counter()
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(images, training=True))
        tape.gradient(loss, model.trainable_variables)
    return (time.perf_counter() - started) / _SAMPLE


def check_replicas(recipe: Recipe, devices: int, training: int, validation: int) -> None:
    """Raises RecipeError for what cannot be done on several devices at once.

    `training` and `validation` are numbers of images. Later batches may have unequal parts; the
    first one, by which Keras builds the network, may not. Where batch normalization is trained, no
    device may be left without an image.
    """
    for name, off in (("sam_radius", 0), ("accumulate", 1), ("co_teaching_share", 0)):
        if devices > 1 and getattr(recipe, name) > off:
            raise RecipeError(f"{name}: on one device only. Received: {devices} devices.")
    first = {
        "batch_size": recipe.batch_size,
        "validation images": min(validation, input_pipeline.EVALUATION_BATCH),
    }
    for name, size in first.items():
        if size % devices:
            raise RecipeError(
                f"{name}: a batch of {size} has no equal parts for {devices} devices. "
                "CUDA_VISIBLE_DEVICES=0 leaves one of them, 0,1 two."
            )
    rest = training % recipe.batch_size
    if recipe.train_batch_norm and 0 < rest <= -(-rest // devices) * (devices - 1):
        raise RecipeError(
            f"train_images: the last batch, of {rest}, leaves one of {devices} devices without an "
            f"image. Give a number that leaves none, such as {training - rest}."
        )


@contextlib.contextmanager
def enough_memory(recipe: Recipe) -> Iterator[None]:
    """Raises DeviceError, with what to change, when a batch of `recipe` does not fit."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        half, way = recipe.batch_size // 2, "use a smaller image_size"
        if half and recipe.may_accumulate and not optimization.has_several_gpus():
            steps = 2 * recipe.accumulate
            way = f"use batch_size {half} and accumulate {steps}: the same mean gradient"
            if recipe.train_batch_norm:
                way += ", but for BatchNorm, which then normalizes half as many images at a time"
        raise DeviceError(
            f"a batch of {recipe.batch_size} images of {recipe.image_size} px does not fit into "
            f"the memory of the device, or another process uses it: {way}."
        ) from error


class Pace(keras.callbacks.Callback):
    """Tells images per second after the first hundred steps of a phase, and when it will end.

    `first` is the epoch, counted over both phases, at which `fit` starts, `steps` are those of an
    epoch. Neither the first step, which compiles, nor the time between epochs is counted.
    """

    def __init__(self, recipe: Recipe, first: int, steps: int):
        super().__init__()
        self.recipe, self.epoch, self.steps = recipe, first - 1, steps

    def on_train_begin(self, logs=None):
        """Nothing is timed yet."""
        self.done, self.told = -1, None

    def on_epoch_begin(self, epoch, logs=None):
        """Start an epoch."""
        self.epoch += 1

    def on_train_batch_end(self, batch, logs=None):
        """Count a step, and tell the pace after the first hundred and every ten minutes."""
        now = time.perf_counter()
        self.done += 1
        if self.done == 0:
            self.started = now
        elif batch == 0:  # validation, and the first step after it
            self.started += now - self.last
            self.done -= 1
        self.last = now
        enough = self.done > 0 and self.done in (PACED_STEPS, self.steps - 1)
        if enough if self.told is None else now - self.told > TOLD_SECONDS:
            self.told = now
            print(self._line(batch + 1, self.done / (now - self.started)), flush=True)

    def _line(self, step: int, steps_per_second: float) -> str:
        """Where the training is and when it ends, at the latest."""
        whole = [_work(self.recipe, epoch) for epoch in range(self.epoch, _epochs(self.recipe))]
        left = (sum(whole) / whole[0] * self.steps - step) / steps_per_second
        end = datetime.datetime.now() + datetime.timedelta(seconds=left)
        return (
            f"epoch {self.epoch + 1} of {_epochs(self.recipe)}, step {step:,} of {self.steps:,}: "
            f"{steps_per_second * self.recipe.batch_size:,.1f} images/s; ends about "
            f"{end:%Y-%m-%d %H:%M}, in {left / 3600:,.1f} hours, or earlier if stopped"
        )


def _epochs(recipe: Recipe) -> int:
    return recipe.warmup_epochs + recipe.finetune_epochs


def _work(recipe: Recipe, epoch: int) -> int:
    """Of an epoch, relative: its pixels, threefold where gradients pass through the backbone."""
    after = epoch - recipe.warmup_epochs
    side = recipe.small_image_size if 0 <= after < recipe.small_epochs else recipe.image_size
    return side**2 * (1 if after < 0 else 3)


def _cards() -> list[tuple[str, int, str]]:
    """(name, MiB, driver) of each card that nvidia-smi lists; none without it."""
    try:
        shown = subprocess.run(_NVIDIA_SMI, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split(", ") for line in shown.stdout.splitlines() if line.count(", ") == 2]
    # A card that shares the processor's memory has "[N/A]".
    known = [row for row in rows if row[1].split()[0].isdecimal()]
    return [(name, int(memory.split()[0]), driver) for name, memory, driver in known]


def _reason() -> str:
    """Why there may be no GPU, and what to do."""
    if platform.system() != "Linux":
        return f"its wheels have no CUDA for {platform.system()}; on Windows, use WSL2."
    if not _cards():
        return "nvidia-smi does not find a card; install NVIDIA's driver, or move to a GPU machine."
    try:
        importlib.metadata.version("nvidia-cudnn-cu12")
    except importlib.metadata.PackageNotFoundError:
        return "the CUDA packages are not installed; run make GPU=1 paper, or install ferbook[gpu]."
    return (
        "card and CUDA packages are there; TF_CPP_MIN_LOG_LEVEL=0 python -c 'import tensorflow as "
        'tf; tf.config.list_physical_devices("GPU")\' shows what it misses.'
    )

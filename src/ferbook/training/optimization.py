"""How a phase learns: loss, optimizer, schedule, stopping, and steps that look around."""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import tensorflow as tf

from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.training import auxiliary


def compile_model(model: keras.Model, recipe: Recipe, phase: str, steps: int) -> None:
    """Give `model` loss, accuracy and optimizer of `phase`, "warmup" or "finetune".

    It has so many `steps` an epoch, of the batches that `input_pipeline` makes.
    """
    n, rule = len(CLASSES), optimizer(phase, recipe, steps)
    steps *= recipe.warmup_epochs if phase == "warmup" else recipe.finetune_epochs

    def loss(wanted: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        share = recipe.co_teaching_share
        if not share:
            return auxiliary.loss(wanted, answers, recipe)
        one, two = (auxiliary.loss(wanted, half, recipe) for half in tf.split(answers, 2, axis=1))
        progress = tf.cast(rule.iterations, tf.float32) / steps
        return auxiliary.co_teaching_loss(one, two, share, progress)

    def accuracy(wanted: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
        return keras.metrics.categorical_accuracy(wanted[:, :n], answers[:, :n])

    # A bare function would become a metric within the first step, which is then traced twice.
    metric = keras.metrics.MeanMetricWrapper(accuracy, name="accuracy")
    model.compile(_scaled(rule), loss, metrics=[metric], jit_compile=uses_xla())


def optimizer(phase: str, recipe: Recipe, steps: int) -> keras.optimizers.Optimizer:
    """The optimizer of `phase`, "warmup" or "finetune", with so many `steps` an epoch."""
    how: dict[str, Any] = {"use_ema": recipe.ema_momentum > 0, "ema_momentum": recipe.ema_momentum}
    if recipe.accumulate > 1:
        how["gradient_accumulation_steps"] = recipe.accumulate
    if phase == "warmup":
        return keras.optimizers.Adam(recipe.warmup_learning_rate, **how)
    rate = recipe.finetune_learning_rate
    if recipe.schedule == "cosine":
        steps *= recipe.finetune_epochs
        rise = min(round(recipe.lr_warmup_fraction * steps), steps - 1)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, steps - rise, warmup_target=rate, warmup_steps=rise
        )
    if recipe.finetune_optimizer == "adam":
        return keras.optimizers.Adam(rate, **how)
    return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, **how)


class SharedLossScale(keras.optimizers.LossScaleOptimizer):
    """Keras's loss scale for several devices: all skip a step that overflowed on one of them.

    Keras asks the first device alone, before the gradients are added up.
    """

    def apply(self, grads, trainable_variables=None):
        """Spoil the gradients of each device if those of any are spoiled."""
        spoiled = tf.where(self.check_finite(grads), 0.0, float("inf"))
        context = tf.distribute.get_replica_context()
        spoiled = context.all_reduce(tf.distribute.ReduceOp.SUM, spoiled)
        grads = [g if g is None else g + tf.cast(spoiled, g.dtype) for g in grads]
        super().apply(grads, trainable_variables)


def _scaled(rule: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """`rule`, with a loss scale where Keras's own would not do."""
    mixed = keras.config.dtype_policy().compute_dtype == "float16"
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    return SharedLossScale(rule) if mixed and several else rule


def stoppers(recipe: Recipe) -> list[keras.callbacks.Callback]:
    """Of the schedule "plateau": early stopping, and a lower rate where validation stands still."""
    patience = recipe.early_stopping_patience, recipe.plateau_patience
    return [
        keras.callbacks.EarlyStopping("val_loss", mode="min", patience=patience[0]),
        keras.callbacks.ReduceLROnPlateau(
            "val_loss", mode="min", factor=recipe.plateau_factor, patience=patience[1]
        ),
    ]


class SharpnessAware(keras.Model):
    """`model`, which learns from the gradient where the loss is highest within `radius`.

    That place is one step up the gradient, its length `radius` over all weights together.
    BatchNorm counts both passes, and each draws its own dropped units and paths; the authors' code
    draws once and counts the first. On one device only.
    Source: Foret et al., "Sharpness-Aware Minimization", ICLR 2021.
    """

    def __init__(self, model: keras.Model, radius: float):
        super().__init__(model.input, model.output, name=f"{model.name}_sharpness_aware")
        self.radius = radius

    def train_step(self, data):
        """Up, the gradient there, back, and down by the optimizer."""
        variables = self.trainable_variables
        before = [tf.identity(variable) for variable in variables]
        loss, answers, gradients = self._gradients(*data)
        norm = tf.linalg.global_norm(gradients)
        # Where the loss scale was too high, nothing may reach the statistics of BatchNorm.
        length = tf.where(tf.math.is_finite(norm), self.radius / (norm + 1e-12), 0.0)
        for variable, gradient in zip(variables, gradients, strict=True):
            variable.assign_add(tf.math.multiply_no_nan(gradient, length))
        _, _, gradients = self._gradients(*data)
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        self.optimizer.apply(gradients, variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
        images, wanted, weights = data
        return self.compute_metrics(images, wanted, answers, weights)

    def _gradients(self, images, wanted, weights):
        with tf.GradientTape() as tape:
            answers = self(images, training=True)
            loss = self.compute_loss(images, wanted, answers, weights)
            scaled = self.optimizer.scale_loss(loss)
        return loss, answers, tape.gradient(scaled, self.trainable_variables)


def uses_xla() -> bool:
    """Whether steps are compiled by XLA: on one GPU.

    On a processor it is several times slower, and it cannot reach the variables of other devices.
    Of a card newer than those that TensorFlow was built for, it ends the process.
    """
    return has_gpu() and not has_several_gpus() and not has_newer_gpu()


def has_several_gpus() -> bool:
    """Whether a batch is shared by several GPUs; a GPU may be divided into logical ones."""
    return len(tf.config.list_logical_devices("GPU")) > 1


@functools.cache
def strategy() -> tf.distribute.Strategy:
    """Several GPUs share each batch; one GPU or a processor has it for itself.

    One for all trainings of a process: what devices exchange is numbered anew in each, and
    TensorFlow takes equal numbers for the same.
    """
    if has_several_gpus():
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def has_newer_gpu() -> bool:
    """Whether a card is of a later generation than the newest that TensorFlow was built for."""
    known = tf.sysconfig.get_build_info().get("cuda_compute_capabilities", ())
    newest = max((int(name.split("_")[1]) // 10 for name in known), default=math.inf)  # "sm_89"
    gpus = tf.config.list_physical_devices("GPU")
    details = map(tf.config.experimental.get_device_details, gpus)
    return any(about.get("compute_capability", (0, 0))[0] > newest for about in details)


def has_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))

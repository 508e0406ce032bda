"""What Keras calls while it fits: for checkpoints, and for averaged weights."""

from __future__ import annotations

import math
import time

import keras

from ferbook.core.errors import FerbookError
from ferbook.training.checkpoint import Checkpoint, assign, values

_LOGGED = ("loss", "accuracy", "val_loss", "val_accuracy")


class DivergedError(FerbookError, ArithmeticError):
    """A training has no finite loss any more."""


class EpochEnd(keras.callbacks.Callback):
    """Saves each epoch; at the start, brings the other callbacks to where they were."""

    def __init__(
        self,
        phase: str,
        epochs: int,
        checkpoint: Checkpoint,
        stateful: list[keras.callbacks.Callback],
    ):
        super().__init__()
        self.phase, self.epochs, self.checkpoint = phase, epochs, checkpoint
        self.stateful = stateful

    def on_train_begin(self, logs=None):
        """Go on where the checkpoint ends."""
        # Their state is a function of the history, so replaying it restores them.
        for row in self.checkpoint.rows(self.phase):
            for callback in self.stateful:
                callback.on_epoch_end(row["epoch"], dict(row))
        self.model.optimizer.build(self.model.trainable_variables)
        self.checkpoint.restore(self.model, self.phase)

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clocks; note the learning rate before anything lowers it."""
        self.started, self.cpu_started = time.perf_counter(), time.process_time()
        self.learning_rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch, logs=None):
        """Write the epoch's row and state. Raises DivergedError without a finite loss."""
        if not all(math.isfinite(logs[name]) for name in _LOGGED):
            raise DivergedError(
                f"{self.phase}, epoch {epoch + 1}: loss {logs['loss']:g}, {logs['val_loss']:g} on "
                "validation images: it diverged. A lower learning rate, or less of what else the "
                "recipe weighs, may help."
            )
        row = {
            "phase": self.phase,
            "epoch": epoch,
            **{name: float(logs[name]) for name in _LOGGED},
            "learning_rate": self.learning_rate,
            "seconds": time.perf_counter() - self.started,
            "cpu_seconds": time.process_time() - self.cpu_started,
        }
        last = epoch + 1 == self.epochs or self.model.stop_training
        self.checkpoint.save(self.model, row, last=last)


class RawWeights(keras.callbacks.Callback):
    """Puts the last step's weights back where `fit` ends with their averages.

    The next part of a training then starts where one that was killed between the two goes on.
    """

    def on_epoch_end(self, epoch, logs=None):
        """Note the weights of the last step."""
        self.raw = values(self.model.trainable_variables)

    def on_train_end(self, logs=None):
        """Undo what `fit` did after its last epoch."""
        assign(self.model.trainable_variables, self.raw)

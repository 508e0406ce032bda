"""The state of an unfinished training, after every epoch, and of its best epoch.

It holds every variable of the model and of the optimizer, so that a resumed run is the run that
was never interrupted. With several devices, each has statistics of batch normalization of its own,
and those of the first are kept.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ferbook.core.errors import FerbookError
from ferbook.core.files import open_arrays
from ferbook.core.provenance import provenance
from ferbook.core.recipe import Recipe
from ferbook.core.writing import write_atomically
from ferbook.results.run import Run
from ferbook.training import auxiliary, device, models
from ferbook.training.identity import agree, differences, identity

MAX_BYTES = 4 * 10**9  # twice what VGG16 for ImageNet needs with its optimizer


class CheckpointError(FerbookError, ValueError):
    """A checkpoint is damaged or belongs to another run."""


def load_network(run: Run, weights: Path) -> keras.Model:
    """The network of `run` with its best epoch, kept in `runs/<study>/<run>/best.npz`.

    Raises CheckpointError when the file cannot be read or belongs to another run.
    """
    recipe = models.without_loading(run.recipe)
    model = models.build_model(recipe)
    restore_weights(auxiliary.with_auxiliaries(model, recipe), weights, run)
    return model


class Checkpoint:
    """The state of an unfinished run in `folder`: `state.npz` after each epoch, `best.npz`.

    Raises CheckpointError when the folder holds the state or weights of another recipe or data set.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, dataset: dict[str, str], *, deterministic: bool = False
    ):
        self.folder = folder
        start = provenance() | {
            "device": device.facts(deterministic=deterministic),
            "deterministic": deterministic,
        }
        self._about = {
            "identity": identity(recipe, dataset),
            "provenance": start,
            "history": [],
            "finished_phases": [],
        }
        self._arrays: dict[str, list[np.ndarray]] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "best.npz").exists():
            self._read("best.npz")
        if (folder / "state.npz").exists():
            self._arrays, self._about = self._read("state.npz")
            _resumed(self._about["provenance"], start)

    @property
    def history(self) -> list[dict[str, Any]]:
        """One row per finished epoch, over both phases."""
        return self._about["history"]

    @property
    def provenance(self) -> dict[str, Any]:
        """Commit, packages, hardware and device of the run's first start.

        `resumed_with`: of each later start, what differed; `deterministic`: whether every one was.
        """
        return self._about["provenance"]

    def rows(self, phase: str) -> list[dict[str, Any]]:
        """The finished epochs of `phase`."""
        return [row for row in self.history if row["phase"] == phase]

    def has_finished(self, phase: str) -> bool:
        """Whether `phase` reached its last epoch or was stopped early."""
        return phase in self._about["finished_phases"]

    def save(self, model: keras.Model, row: dict[str, Any], *, last: bool) -> None:
        """Append an epoch and write its state; keep the best by validation accuracy."""
        best = max((r["val_accuracy"] for r in self.history), default=-1.0)
        self.history.append(row)
        if last:
            self._about["finished_phases"].append(row["phase"])
        variables = values(model.variables)
        # The best first: killed between the two, the epoch is trained again to the same end.
        if row["val_accuracy"] > best:
            best_of, about = _evaluated(model, variables), {"identity": self._about["identity"]}
            _write_state(self.folder / "best.npz", {"model": best_of}, about)
        state = {"model": variables}
        state |= {name: values(some) for name, some in _learning(model.optimizer).items()}
        _write_state(self.folder / "state.npz", state, self._about)

    def restore(self, model: keras.Model, phase: str) -> None:
        """Put what was read at the start, if anything, into a compiled and built model."""
        if self._arrays is None:
            return
        assign(model.variables, self._arrays["model"])
        if self.rows(phase):  # else the optimizer belonged to the phase before
            for name, variables in _learning(model.optimizer).items():
                # None of the scale where the epochs before were computed in float32.
                assign(variables, self._arrays.get(name, values(variables)))
        self._arrays = None

    def restore_best(self, model: keras.Model) -> None:
        """Put the epoch of the highest validation accuracy into the model."""
        assign(model.variables, _read_state(self.folder / "best.npz")[0]["model"])

    def finish(self) -> None:
        """Keep the best epoch only, for exports: the run is in the result store."""
        (self.folder / "state.npz").unlink(missing_ok=True)

    def _read(self, name: str) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
        try:
            arrays, about = _read_state(self.folder / name)
        except CheckpointError as error:
            raise CheckpointError(f"{error} Delete {self.folder} to start anew.") from error
        if unlike := _unlike(self.folder / name, about, self._about["identity"]):
            raise CheckpointError(
                f"{self.folder}: a checkpoint of another run is in the way, {unlike}. Delete the "
                "folder to start anew, or give the recipe another name."
            )
        return arrays, about


def _resumed(first: dict[str, Any], start: Mapping[str, Any]) -> None:
    """Add to the provenance of a run's first start how another one differs from it."""
    first["deterministic"] &= start["deterministic"]
    others = {name: value for name, value in start.items() if name != "deterministic"}
    if changed := {name: value for name, value in others.items() if first.get(name) != value}:
        first.setdefault("resumed_with", []).append(changed)


def restore_weights(trained: keras.Model, weights: Path, run: Run) -> None:
    """Put the best epoch of `run`, as it was trained, into its network `trained`.

    Raises CheckpointError when the file cannot be read or belongs to another run.
    """
    try:
        arrays, about = _read_state(weights)
        if unlike := _unlike(weights, about, identity(run.recipe, run.info["dataset"])):
            raise ValueError(f"a checkpoint {unlike}")
        if (its := len(arrays["model"])) != (own := len(trained.variables)):
            raise ValueError(f"{its} arrays, for a network with {own}: its heads are others")
        assign(trained.variables, arrays["model"])
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{weights}: no weights of {run.study}/{run.name} ({error}). Training left them where "
            "it ran; to train again, delete the run's folder in the result store."
        ) from error


def _unlike(path: Path, about: dict[str, Any], wanted: dict[str, Any]) -> str:
    """In what the run of a checkpoint is not `wanted`; empty if in nothing.

    Weights of older versions do not say whose they are.
    """
    try:
        found = about.get("identity", wanted)
        if agree(found, wanted):
            return ""
        its, ours = differences(found, wanted)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: does not say whose it is. Delete {path.parent} to start anew."
        ) from error
    return f"with {its}, and not {ours}"


def _learning(optimizer: keras.optimizers.Optimizer) -> dict[str, list[Any]]:
    """The variables of an optimizer, and apart from them those of what scales its loss."""
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is None:
        return {"optimizer": optimizer.variables}
    own = {id(variable) for variable in inner.variables}
    scale = [variable for variable in optimizer.variables if id(variable) not in own]
    return {"optimizer": inner.variables, "scale": scale}


def values(variables: list[Any]) -> list[np.ndarray]:
    """The arrays that Keras's variables hold."""
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _evaluated(model: keras.Model, variables: list[np.ndarray]) -> list[np.ndarray]:
    """The values that validation saw: averaged over steps where the recipe asks for it."""
    # In mixed precision the optimizer that averages is inside the one that scales the loss.
    if not getattr(model.optimizer, "inner_optimizer", model.optimizer).use_ema:
        return variables
    model.optimizer.finalize_variable_values(model.trainable_variables)
    averaged = values(model.variables)
    assign(model.variables, variables)
    return averaged


def assign(variables: list[Any], arrays: list[np.ndarray]) -> None:
    """Put `arrays` into as many of Keras's variables."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _write_state(path: Path, groups: dict[str, list[np.ndarray]], about: dict[str, Any]) -> None:
    arrays = {f"{name}/{i}": a for name, group in groups.items() for i, a in enumerate(group)}
    buffer = io.BytesIO()
    np.savez(buffer, about=np.array(json.dumps(about)), **arrays)
    write_atomically(path, buffer.getvalue())


def _read_state(path: Path) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    groups: dict[str, list[np.ndarray]] = {}
    try:
        with open_arrays(path, MAX_BYTES) as file:
            for key in file.files:
                if key != "about":
                    groups.setdefault(key.split("/")[0], []).append(file[key])
            return groups, json.loads(file["about"].item())
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many kinds for damaged files
        raise CheckpointError(f"{path}: not a readable checkpoint ({error}).") from error

"""Runs and images to the figures of the book, one function each; every one returns a Figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ferbook import ferplus
from ferbook.data import Faces
from ferbook.edge import thinned
from ferbook.metrics import calibration, confusion_matrix, fit_temperature, with_temperature
from ferbook.predict import Classifier
from ferbook.schema import CLASSES, Run

# Okabe & Ito's colours, told apart with any colour vision.
COLOURS = {"training": "#0072B2", "validation": "#D55E00"}


def use_style() -> None:
    """The one style of the book; white ground, since dark pages show figures on white."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    plt.rcParams |= {
        "figure.figsize": (8.0, 4.0),  # inches
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


def class_counts(dataset: Mapping[str, Any]) -> Figure:
    """Images per class, one bar per part of the data set."""
    frame = pd.DataFrame(dataset["counts"]).loc[list(CLASSES)]
    return _finished(_class_bars(frame, "images"))


def montage(faces: Faces, *, per_class: int = 6, seed: int = 0) -> Figure:
    """Random images of each class in a row, drawn with `seed`."""
    random = np.random.default_rng(seed)
    rows = [
        random.choice(np.flatnonzero(faces.labels == label), per_class, replace=False)
        for label in range(len(CLASSES))
    ]
    return _picture_grid([faces.images[chosen] for chosen in rows], list(CLASSES))


def augmentations(original: np.ndarray, augmented: np.ndarray) -> Figure:
    """Images (k, h, w) above their augmented versions (rounds, k, h, w)."""
    names = ["as it is", *(f"drawn {i + 1}" for i in range(len(augmented)))]
    return _picture_grid([original, *augmented], names)


def learning_curves(run: Run, column: str) -> Figure:
    """`column` ("accuracy" or "loss") over the epochs of both phases, training and validation."""
    history = run.history
    epochs = np.arange(1, len(history) + 1)
    figure, axes = plt.subplots()
    for name, prefix in (("training", ""), ("validation", "val_")):
        axes.plot(epochs, history[prefix + column], "o-", color=COLOURS[name], label=name)
    warmup = int((history["phase"] == "warmup").sum())
    if 0 < warmup < len(history):
        axes.axvline(warmup + 0.5, color="grey", linestyle="--", linewidth=1)
        axes.text(warmup + 0.55, axes.get_ylim()[1], "phase 2", va="top", color="grey")
    axes.set(xlabel="epoch", ylabel=column, title=run.label, xticks=epochs)
    axes.legend()
    return _finished(figure)


def confusion(run: Run, *, normalised: bool) -> Figure:
    """Confusion matrix on all test images: counts, or fractions of each true class."""
    matrix = confusion_matrix(run.test)
    shown = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1) if normalised else matrix
    figure, axes = _heatmap(shown, CLASSES, ".2f" if normalised else "d", (6.5, 5.5))
    axes.set(xlabel="predicted", ylabel="true", title=run.label)
    return _finished(figure)


def reliability(run: Run) -> Figure:
    """Accuracy against confidence on all test images, as trained and with a fitted temperature."""
    figure, axes = plt.subplots(figsize=(5.5, 5))
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1, label="perfect")
    for name, temperature in (
        ("as trained", 1.0),
        ("temperature fitted", fit_temperature(run.val)),
    ):
        rows = calibration(with_temperature(run.test, temperature))["rows"]
        sizes, confidence, accuracy = zip(*rows, strict=True)
        axes.plot(confidence, accuracy, "-", label=name)
        axes.scatter(confidence, accuracy, s=np.sqrt(sizes) * 3)
    axes.set(xlabel="confidence", ylabel="accuracy", title=run.label, xlim=(0, 1), ylim=(0, 1))
    axes.legend()
    return _finished(figure)


def failures(faces: Faces, run: Run, pairs: list[tuple[str, str]], *, count: int = 6) -> Figure:
    """The most confident errors from one class to another, a row per pair (true, predicted)."""
    rows, names = [], []
    answers, place = run.test.probabilities.argmax(axis=1), _places(faces, run.test.files)
    for true, predicted in pairs:
        t, p = CLASSES.index(true), CLASSES.index(predicted)
        wrong = np.flatnonzero((run.test.labels == t) & (answers == p) & (place >= 0))
        worst = wrong[np.argsort(-run.test.probabilities[wrong, p], kind="stable")][:count]
        blank = np.full((count, *faces.images.shape[1:]), 255, np.uint8)
        blank[: len(worst)] = faces.images[place[worst]]
        rows.append(blank)
        names.append(f"{true} taken\nfor {predicted}")
    return _picture_grid(rows, names)


def ferplus_confusion(dataset: Mapping[str, Any]) -> Figure:
    """FER-2013's labels (rows) against the plurality of FER+, as fractions of each row."""
    counts = np.array([dataset["ferplus"]["confusion"][name] for name in CLASSES])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _heatmap(shares, ferplus.VOTES, ".2f", (8, 5))
    axes.set(xlabel="plurality of ten taggers (FER+)", ylabel="label in FER-2013")
    return _finished(figure)


def _heatmap(
    values: np.ndarray, columns: Sequence[str], spec: str, size: tuple[float, float]
) -> tuple[Figure, Axes]:
    """A row per class; fractions share one scale."""
    figure, axes = plt.subplots(figsize=size)
    sns.heatmap(
        values, annot=True, fmt=spec, cmap="Blues", xticklabels=columns, yticklabels=CLASSES,
        vmin=0, vmax=None if spec == "d" else 1, square=True, annot_kws={"size": 9},
        cbar_kws={"shrink": 0.8}, ax=axes,
    )  # fmt: skip
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    return figure, axes


def finalists(runs: Sequence[Run]) -> Figure:
    """Validation accuracy of several runs over their epochs."""
    figure, axes = plt.subplots()
    for run in runs:
        values = run.history["val_accuracy"]
        axes.plot(np.arange(1, len(values) + 1), values, "o-", markersize=4, label=run.label)
    axes.set(xlabel="epoch", ylabel="accuracy on validation")
    axes.legend()
    return _finished(figure)


def pareto(frame: pd.DataFrame, cost: str) -> Figure:
    """Test accuracy against `cost`, a column of `frame`; `name` stands beside a point.

    Column `kind` gives colour and marker. The line joins the points that no cheaper one surpasses.
    """
    shown = frame.dropna(subset=[cost]).sort_values([cost, "accuracy"], ascending=[True, False])
    best = shown[shown["accuracy"] > shown["accuracy"].cummax().shift(fill_value=0)]
    figure, axes = plt.subplots(figsize=(8, 4.5))
    axes.step(best[cost], best["accuracy"], where="post", color="grey", linewidth=1, zorder=0)
    kinds = sorted(frame["kind"].unique())  # the same in each figure, whatever is missing there
    colours = dict(zip(kinds, sns.color_palette(), strict=False))
    for kind, marker in zip(kinds, "osX^", strict=False):
        some = shown[shown["kind"] == kind]
        if len(some):
            axes.plot(some[cost], some["accuracy"], marker, color=colours[kind], label=kind)
    for i, (_, row) in enumerate(shown[shown["name"] != ""].iterrows()):
        # By turns above and below, so that neighbours do not cover each other.
        axes.annotate(row["name"], (row[cost], row["accuracy"]), xytext=(0, -13 if i % 2 else 7),
                      textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes.set(xscale="log", xlabel=cost, ylabel="accuracy on all test images")
    axes.legend(title="", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4, frameon=False)
    return _finished(figure)


def growth(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Seconds of the search for near copies against n, beside n log n through the last point."""
    n = np.array([row["n"] for row in rows])
    found = np.array([np.median(row["seconds"]) for row in rows])
    figure, axes = plt.subplots()
    axes.plot(n, found, "o-", label="measured")
    axes.plot(n, found[-1] * n * np.log(n) / (n[-1] * np.log(n[-1])), ":", label="n log n")
    axes.plot(n, found[-1] * (n / n[-1]) ** 2, "--", label="n squared")
    axes.set(xscale="log", yscale="log", xlabel="hashes", ylabel="seconds")
    axes.legend()
    return _finished(figure)


def robustness(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Accuracy against the severity of each corruption; see edge.corrupt."""
    frame = pd.DataFrame(rows)
    frame["accuracy"] = frame["correct"] / frame["total"]
    whole = frame[frame["corruption"] == "none"]
    kinds = [name for name in frame["corruption"].unique() if name != "none"]
    starts = pd.concat([whole.assign(corruption=name) for name in kinds])
    shown = pd.concat([starts, frame[frame["corruption"] != "none"]])
    figure, axes = plt.subplots(figsize=(8, 4.5))
    sns.lineplot(shown, x="severity", y="accuracy", hue="corruption", style="corruption",
                 markers=True, dashes=False, ax=axes)  # fmt: skip
    axes.set(ylim=(0, None), xticks=sorted(shown["severity"].unique()))
    axes.legend(title="", bbox_to_anchor=(1, 1), loc="upper left", frameon=False)
    return _finished(figure)


def evidence(faces: Faces, model: Classifier) -> Figure:
    """The logit of the answer at each place, over one right and one wrong answer per class."""
    some = thinned(faces, 700)
    answers = model.probabilities(some.images).argmax(axis=1)
    figure, grid = plt.subplots(2, len(CLASSES), figsize=(11, 4.1))
    for row, right in zip(grid, (True, False), strict=True):
        for label, axes in enumerate(row):
            axes.set_axis_off()
            found = np.flatnonzero((some.labels == label) & ((answers == label) == right))
            if len(found):
                _overlay(axes, some.images[found[0]], model, int(answers[found[0]]), label)
    figure.tight_layout(pad=0.3, h_pad=1.2)
    return _finished(figure)


def _overlay(axes: Axes, picture: np.ndarray, model: Classifier, answer: int, label: int) -> None:
    places = model.evidence(picture[None])[0, ..., answer]
    limit, side = np.abs(places).max(), len(picture)
    axes.imshow(picture, cmap="gray", vmin=0, vmax=255)
    axes.imshow(places, cmap="RdBu_r", vmin=-limit, vmax=limit, alpha=0.45,
                extent=(-0.5, side - 0.5, side - 0.5, -0.5), interpolation="bilinear")  # fmt: skip
    right = answer == label
    title = CLASSES[label] if right else f"{CLASSES[label]}:\n{CLASSES[answer]}?"
    axes.set_title(title, fontsize=9)


def _places(faces: Faces, files: np.ndarray) -> np.ndarray:
    """The row of each file in `faces`, -1 where it is not there."""
    rows = {file: row for row, file in enumerate(faces.files)}
    return np.array([rows.get(file, -1) for file in files])


def recalls(runs: Sequence[Run], original: Mapping[str, Any]) -> Figure:
    """Recall by class on all test images, the original's beside those of the runs."""
    columns = {"original": [original["table_2"][name]["recall"] for name in CLASSES]}
    for run in runs:
        matrix = confusion_matrix(run.test)
        columns[run.label] = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    frame = pd.DataFrame(columns, index=list(CLASSES))
    figure = _class_bars(frame, "recall")
    figure.axes[0].set_ylim(0, 1)
    figure.axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return _finished(figure)


def _class_bars(frame: pd.DataFrame, unit: str) -> Figure:
    """A group of bars per class (row of `frame`), a bar per column."""
    figure, axes = plt.subplots()
    frame.plot.bar(ax=axes, width=0.8, rot=0)
    axes.set(xlabel="", ylabel=unit)
    axes.grid(axis="x", visible=False)
    return figure


def _finished(figure: Figure) -> Figure:
    """Closed, so that a notebook shows it once: as the value of its cell."""
    plt.close(figure)
    return figure


def _picture_grid(rows: list[np.ndarray], names: list[str]) -> Figure:
    columns = len(rows[0])
    figure, grid = plt.subplots(
        len(rows), columns, figsize=(columns + 1.2, len(rows)), squeeze=False
    )
    for axes, pictures, name in zip(grid, rows, names, strict=True):
        for cell, picture in zip(axes, pictures, strict=True):
            cell.imshow(picture, cmap="gray", vmin=0, vmax=255)
            cell.set(xticks=[], yticks=[])
            cell.grid(visible=False)
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center")
    figure.subplots_adjust(wspace=0.04, hspace=0.04)
    return _finished(figure)

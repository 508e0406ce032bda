"""The style of the book's figures, and the forms that several chapters share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from matplotlib_inline.config import InlineBackend
from seaborn.utils import relative_luminance
from sklearn.isotonic import IsotonicRegression

from ferbook.core.classes import CLASSES
from ferbook.results import names

# A color for each actor. Contrast of at least 3 to 1 on white and on the dark theme's ground, and
# a distance of at least 15 in CIE Lab between any two, seen normally or with protanopia,
# deuteranopia or tritanopia (Machado et al. 2009): computed in tests/test_plots.py.
_RED, _PINK, _BLUE, _GREEN, _AMBER = "#cf3a10", "#dd55c8", "#0b62d0", "#189a4f", "#cc8314"
COLORS = dict(zip(names.ACTORS, (_RED, _PINK, _BLUE, _GREEN, _AMBER, "#777777"), strict=True))
NEUTRALS = ("#3d3d3d", "#8c8c8c", "#c9c9c9")  # for what belongs to no actor
_MARKERS = ("o", "s", "^", "D", "v")


def use_style() -> None:
    """The one style of the book; white ground, since dark pages show figures on white."""
    sns.set_theme(context="notebook", style="whitegrid", palette="colorblind")
    InlineBackend.instance().figure_formats = {"retina"}  # two pixels for each that is shown
    plt.rcParams |= {
        "figure.figsize": (8.0, 4.0),  # inches
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "axes.spines.top": False,
        "axes.spines.right": False,
    }


def styles(actors: Sequence[str]) -> list[dict[str, str]]:
    """Color and marker of each series; a second series of one actor has another marker."""
    actors = list(actors)
    return [
        {"color": COLORS[actor], "marker": _MARKERS[actors[:i].count(actor) % len(_MARKERS)]}
        for i, actor in enumerate(actors)
    ]


def readable_logarithms(axis: Axis) -> None:
    """Ticks of a logarithmic axis at 1, 2 and 5 times powers of ten, written as "0.5" or "5M"."""
    large = EngFormatter(sep="")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axis.set_major_formatter(lambda value, _: f"{value:g}" if value < 1000 else large(value))
    axis.set_minor_formatter(NullFormatter())


def name_points(
    axes: Axes, x: Sequence[float], y: Sequence[float], labels: Sequence[str], *, size: float = 10
) -> None:
    """A name beside each point, at the first of several places where it covers nothing.

    It keeps off points, other names and upright or level lines.

    Where there is none beside the point, it stands farther off, joined to the point by a line. It
    may pass the right border, where nothing else is drawn.

    Call it when scales and limits are final; `size` in typographic points.
    """
    axes.figure.draw_without_rendering()
    points = axes.transData.transform(np.column_stack([x, y]))  # (n, 2) pixels
    taken = [Bbox.from_bounds(across - 5, up - 5, 10, 10) for across, up in points]
    taken += _strokes(axes)
    inside = axes.get_window_extent()
    for across, up, label in zip(x, y, labels, strict=True):
        note = axes.annotate(label, (across, up), (0, 0), textcoords="offset points", fontsize=size,
                             path_effects=[_HALO])  # fmt: skip
        boxes = {place: _box(note, *place) for place in _PLACES}
        free = (
            place for place, box in boxes.items()
            if not any(box.overlaps(other) for other in taken)
            and inside.x0 <= box.x0 and inside.y0 <= box.y0 and box.y1 <= inside.y1
        )  # fmt: skip
        place = next(free, _PLACES[0])
        taken.append(_box(note, *place))
        if place not in _BESIDE:
            axes.annotate("", (across, up), place[:2], textcoords="offset points", arrowprops=_LINE)


def name_at_right(
    axes: Axes, x: Sequence[float], y: Sequence[float], labels: Sequence[str],
    colors: Sequence[str], *, size: float = 10,
) -> None:  # fmt: skip
    """Names right of the axes in the order of their points, each joined to its own by a line.

    Call it when scales and limits are final; `size` in typographic points.
    """
    if not len(x):
        return
    axes.figure.draw_without_rendering()
    pixel = 1 / abs(np.diff(axes.transData.transform([(1, 0), (1, 1)])[:, 1])[0])
    heights = _apart(np.asarray(y, float), 1.45 * size * axes.figure.dpi / 72 * pixel)
    for across, up, label, color, height in zip(x, y, labels, colors, heights, strict=True):
        axes.annotate(
            label, (across, up), (1.04, height), textcoords=("axes fraction", "data"),
            va="center", fontsize=size, annotation_clip=False,
            arrowprops=_LINE | {"color": color, "relpos": (0, 0.5), "shrinkB": 4},
        )  # fmt: skip


def _apart(values: np.ndarray, gap: float) -> np.ndarray:
    """Moved as little as it takes for no two to be closer than `gap`, in their order."""
    order = np.argsort(values, kind="stable")
    steps = gap * np.arange(len(values))
    moved = np.empty_like(values)
    moved[order] = IsotonicRegression().fit_transform(steps, values[order] - steps) + steps
    return moved


def _strokes(axes: Axes) -> list[Bbox]:
    """The box around each part of each line, in pixels."""
    corners = [
        axes.transData.transform(line.get_xydata())
        for line in axes.lines if line.get_linestyle() != "None"
    ]  # fmt: skip
    return [Bbox(ends) for line in corners for ends in itertools.pairwise(line)]


def covered(axes: Axes, x: Sequence[float], y: Sequence[float], *, within: float = 4) -> list[int]:
    """For each point, how many of those before it a dot drawn there would hide.

    Call it when scales and limits are final; `within` in typographic points.
    """
    axes.figure.draw_without_rendering()
    pixels = axes.transData.transform(np.column_stack([x, y]))  # (n, 2)
    reach = within * axes.figure.dpi / 72
    return [
        int((np.hypot(*(pixels[:i] - point).T) < reach).sum()) for i, point in enumerate(pixels)
    ]


# Horizontal and vertical distance in points, and the side of the text that faces the point.
_BESIDE = (
    (5, -5, "left", "top"), (-5, 5, "right", "bottom"),
    (7, 0, "left", "center"), (-7, 0, "right", "center"),
    (0, 7, "center", "bottom"), (0, -7, "center", "top"),
    (5, 5, "left", "bottom"), (-5, -5, "right", "top"),
)  # fmt: skip
_PLACES = tuple(
    (far * across, far * up, *sides) for far in (1, 3, 5, 7) for across, up, *sides in _BESIDE
)
_HALO = withStroke(linewidth=2, foreground="white")  # where a name crosses a line
_LINE = {"arrowstyle": "-", "color": NEUTRALS[1], "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}


def _box(note: Annotation, across: float, up: float, side: str, level: str) -> Bbox:
    """Where `note` stands, in pixels, once it is put there, and a pixel around it."""
    note.set(position=(across, up), horizontalalignment=side, verticalalignment=level)
    return note.get_window_extent().padded(1)


def heatmap(
    values: np.ndarray, columns: Sequence[str], spec: str, size: tuple[float, float], **how: Any
) -> tuple[Figure, Axes]:
    """A row per class; fractions share one scale, unless `how`, for seaborn, says otherwise."""
    figure, axes = plt.subplots(figsize=size)
    usual = {"annot": True, "cmap": "Blues", "vmin": 0, "vmax": None if spec == "d" else 1,
             "cbar": False}  # fmt: skip
    sns.heatmap(values, fmt=spec, xticklabels=columns, yticklabels=CLASSES, square=True,
                annot_kws={"size": 9}, ax=axes, **usual | how)  # fmt: skip
    figure.canvas.draw()  # gives the cells their colors
    for text, ground in zip(axes.texts, axes.collections[0].get_facecolors(), strict=True):
        # Where black and white have the same contrast.
        text.set_color("black" if relative_luminance(ground) > 0.18 else "white")
    plt.setp(axes.get_xticklabels(), rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="y", rotation=0)
    return figure, axes


def class_bars(
    frame: pd.DataFrame,
    unit: str,
    colors: Sequence[str],
    bounds: Sequence[Sequence[tuple[float, float]]] | None = None,
) -> Figure:
    """A group of bars per class (row of `frame`), a bar per column; `bounds` as whiskers.

    `bounds` holds for each column an interval (low, high) per row.
    """
    figure, axes = plt.subplots()
    whiskers = None
    if bounds is not None:
        low, high = np.moveaxis(np.array(bounds, float), -1, 0)  # (columns, rows) each
        values = frame.to_numpy().T
        whiskers = np.stack([values - low, high - values], axis=1)  # (columns, 2, rows)
    frame.plot.bar(
        ax=axes, width=0.8, rot=0, color=list(colors), edgecolor="white", yerr=whiskers,
        error_kw={"ecolor": "#222222", "elinewidth": 1},
    )  # fmt: skip
    axes.set(xlabel="", ylabel=unit)
    axes.grid(axis="x", visible=False)
    return figure


def finished(figure: Figure) -> Figure:
    """Closed, so that a notebook shows it once: as the value of its cell."""
    plt.close(figure)
    return figure


def statement(text: str) -> Figure:
    """One line of text where there is nothing to draw, so that the figure keeps its number."""
    figure, axes = plt.subplots(figsize=(8, 0.5))  # Jupyter shows no figure without axes
    axes.set_axis_off()
    axes.text(0, 0.5, text, va="center", fontsize=11)
    return finished(figure)


def picture_grid(
    rows: list[np.ndarray], names: list[str], notes: list[list[str]] | None = None
) -> Figure:
    """Rows of gray pictures, each (k, h, w) in [0, 255] behind its name and above its `notes`."""
    columns = len(rows[0])
    figure, grid = plt.subplots(
        len(rows),
        columns,
        figsize=(columns + 1.2, len(rows) * (1.4 if notes else 1)),
        squeeze=False,
    )
    for axes, pictures, name in zip(grid, rows, names, strict=True):
        for cell, picture in zip(axes, pictures, strict=True):
            cell.imshow(picture, cmap="gray", vmin=0, vmax=255)
            cell.set(xticks=[], yticks=[])
            cell.grid(visible=False)
            cell.spines[:].set_visible(False)
        axes[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for cell, note in zip(grid.flat, itertools.chain(*notes or []), strict=False):
        cell.set_xlabel(note, fontsize="small", labelpad=2)
    figure.subplots_adjust(wspace=0.04, hspace=0.45 if notes else 0.08)
    return finished(figure)

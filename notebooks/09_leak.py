# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     notebook_metadata_filter: jupytext,kernelspec,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The leak
#
# **{glue:text}`data_n_leaked` of {glue:text}`data_n_test:,` test images ({glue:text}`data_leaked_percent:.1f`%) have
# a pixel-identical copy in the training folder. On these, a small network trained without copies scores
# {glue:text}`copies_alone_leaked:.1f` ± {glue:text}`copies_alone_leaked_both:.1f` points lower than the same network
# trained on equally many images of each class, drawn at random. This loss alone lowers its accuracy on all test
# images by {glue:text}`copies_part_leaked:.1f` points.** This chapter counts the copies, shows some of them, and
# compares the same training with and without them.
#
# *Input:* the data set and the result store. *Run time:* about a minute.

# %% tags=["parameters", "hide-cell"]
data = "synthetic"  # "synthetic", "kaggle", or the path of archive.zip, its folder or fer2013.csv
subset = False  # True: accept counts other than the official ones, with a warning
seed = 42  # of the pictures shown and of the alterations
results_dir = "results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths, structured
from ferbook.core.parameters import settle
from ferbook.data import audit, near_duplicates
from ferbook.data.sources import load
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.leak import figures, prose, tables
from ferbook.results import store, study

os.chdir(paths.project_root())
settle(globals(), "09_leak")
plots.use_style()

# %% tags=["hide-input"]
faces = load(data, subset=subset)
runs, dataset = store.load_all(results_dir), store.load_dataset(results_dir)
leak = study.read_study("configs/leak.yml")
leaked_files = frozenset(dataset["leaked_files"])
table.Notice(synthetic=faces.name == "synthetic")

# %% [markdown]
# ## Exact copies
#
# {glue:text}`data_n_leaked` test images have a copy in the training folder, nearly always with the same label
# ({numref}`tab-leaks`); {numref}`fig-twins` shows some of the pairs, drawn at random. A model may remember
# these images instead of recognizing the expression. The accuracies of our runs are therefore also given on the
# {glue:text}`data_n_clean:,` test images without such a copy. Copies are counted in the whole training folder:
# {glue:text}`data_n_leaked_train` of the {glue:text}`data_n_leaked` have one among the training images of our split,
# {glue:text}`data_n_leaked_val_only` only among the validation images.

# %% tags=["hide-input"]
tables.leak_table(audit.leak_table(faces))

# %% mystnb={"figure": {"caption": "Test images and, below each, the same picture in the training folder, with their labels. Upper two rows: pixel-identical copies; lower two: near duplicates, which include mirrored ones.", "name": "fig-twins"}, "image": {"alt": "Four rows of faces: test images above the same pictures in training, then test images above slightly altered or mirrored versions of them in training."}} tags=["hide-input"]
figures.twins(faces, seed=seed)

# %% [markdown]
# ## Copies among the validation images
#
# The split of the training folder leaks as well. {glue:text}`data_n_val_twins` of the
# {glue:text}`data_n_val:,` validation images ({glue:text}`data_val_twins_percent:.1f`%) are
# pixel-identical with a training image, so validation accuracy is too high. The reproduction keeps
# this split, since the original's description leads to it. Each run also reports validation accuracy
# without these images, on the {glue:text}`data_n_val_clean:,` that remain; {glue:text}`data_n_val_near` of those have a
# near duplicate among the training images. Our recipe was chosen before this was
# introduced. The option `grouped_split`, which our second recipe, the longer versions of our first and the grids of
# [](04_ablations.ipynb) use, moves the copies into the training part.
#
# ## Near duplicates
#
# A picture that was recompressed, brightened or mirrored is still the same picture. Such near duplicates are found by
# a perceptual hash and confirmed by the correlation of their pixels. {numref}`tab-copies` shows which alterations the
# two thresholds detect when we alter real images ourselves, and how many random pairs of images they accept. A sample
# this small cannot rule out a rate of false matches that would still matter among the hundreds of millions of pairs
# in the data set.

# %% tags=["hide-input"]
tables.altered_table(near_duplicates.planted_copies(faces.images, seed=seed))

# %% [markdown]
# Nearly all recompressed, brightened and noisy copies are found, most of the cropped ones and fewer of the shifted
# ones, so the counts below miss some. {glue:text}`data_near_pairs:,` pairs of images are near duplicates without
# being pixel-identical, {glue:text}`data_near_mirrored` of them mirrored. By our visual check,
# {glue:text}`data_near_same` of {glue:text}`data_near_seen` randomly drawn pairs that are not mirrored
# ({glue:text}`data_near_same_low:.0f` to {glue:text}`data_near_same_high:.0f`%), and
# {glue:text}`data_near_mirrored_same` of the mirrored pairs, show the same photograph; `book/near_pairs.yml` names
# the rest. Labels agree in {glue:text}`data_near_same_label_percent:.1f`% of all pairs; in most of the others, the
# same face was given two different labels. {glue:text}`data_near_leaked` more test images have a near duplicate in
# the training folder, which leaves {glue:text}`data_n_pristine:,` test images with neither kind of copy.

# %% [markdown]
# ## Accuracy with and without copies
#
# {numref}`fig-leak-scores` divides the test images of each run on all training images by whether they have a copy.
# Accuracy is higher on images with a copy in every run.

# %% mystnb={"figure": {"caption": "Accuracy of each run on all training images, first seed: on test images without a pixel-identical copy in the training folder, on all, and on those with a copy.", "name": "fig-leak-scores"}, "image": {"alt": "A row for each run with three marks on one axis: without a copy lowest, all test images close to it, with a copy far to the right."}} tags=["hide-input"]
figures.scores(study.finals(runs) or runs, leaked_files)

# %% [markdown]
# ## What the copies are worth
#
# These differences do not separate memorization from difficulty: the copied pictures may also be easier. One recipe
# is therefore trained in several ways ({numref}`tab-leak`), with {glue:text}`copies_seeds` seeds each: on all
# training images; and without copies, which leaves out {glue:text}`copies_removed` images, by seed. With the first
# seed, {glue:text}`copies_removed_test` of these have a copy among the test images, {glue:text}`copies_removed_val`
# in validation, and {glue:text}`copies_removed_train` are further copies of an image that stays. Of the images left
# out, {glue:text}`copies_removed_surprise:.0f`% are labeled surprise, and a network that has seen fewer such images
# recognizes that class less often, whether or not the image has a copy. The control is therefore trained on equally
# many images of each class, drawn at random.
#
# {numref}`tab-losses` has what training without copies loses. Against this control, it is
# {glue:text}`copies_alone_leaked:.1f` ± {glue:text}`copies_alone_leaked_both:.1f` points on the test images with a
# pixel-identical copy (by seed: {glue:text}`copies_alone_leaked_seeds`), and these contribute
# {glue:text}`copies_part_leaked:.1f` of the {glue:text}`copies_alone_test:.1f` points on all test images. The control
# lacks some copies as well, so these losses are slightly too small. Against as many images drawn without regard to
# class, the loss is larger, which the class mix may explain; the difference between the two controls was not tested.
# The smaller number of images alone accounts for {glue:text}`copies_count_test:.1f` ±
# {glue:text}`copies_count_test_both:.1f` points on all test images.
#
# Trained without pixel-identical copies, the network still scores {glue:text}`copies_gap_without:.1f` points higher on
# the copied pictures than on the others; trained on all training images, {glue:text}`copies_gap_with:.1f`, so the gap
# shrinks by {glue:text}`copies_gain_gap:.1f` ± {glue:text}`copies_gain_gap_error:.1f` points. Against the control with
# as many images of each class it shrinks by {glue:text}`copies_alone_gap:.1f` ±
# {glue:text}`copies_alone_gap_error:.1f` (both intervals over seeds alone). What remains may be due to easier pictures
# or to near duplicates, which stayed in the training images. The mix of classes is not the reason, although surprise
# is {glue:text}`copies_surprise_leaked:.0f`% of the copied pictures and {glue:text}`copies_surprise_clean:.0f`% of the
# others: reweighted to the class mix of the whole test set, the gaps are {glue:text}`copies_gap_without_like:.1f` and
# {glue:text}`copies_gap_with_like:.1f` points, and the gap shrinks by {glue:text}`copies_gain_gap_like:.1f` ±
# {glue:text}`copies_gain_gap_like_error:.1f`. These values are less certain, because the reweighting gives classes
# with few copies more influence. In the runs of complete recipes ({numref}`fig-leak-scores`) accuracy is
# {glue:text}`copies_gap_finals` points higher on the copied pictures ({glue:text}`copies_gap_finals_like` at that
# mix); how much of these differences is memory was not measured.

# %% tags=["hide-input"]
copies = prose.copies_numbers(leak, runs, dataset)
tables.losses_table(copies)

# %% tags=["hide-input"]
tables.grid_table(leak, runs, dataset)

# %% [markdown]
# How much a network memorizes depends on its recipe. Without augmentation, our recipe on the same network gains
# {glue:text}`04_ablations.ipynb::ours_changes_no_augmentation_leaked:.1f` points on the images with a copy or near
# duplicate and changes by {glue:text}`04_ablations.ipynb::ours_changes_no_augmentation_clean:+.2f` on the others
# ({numref}`fig-ours_changes`).
#
# ## Limits
#
# Counts of pixel-identical copies are exact. Counts of near duplicates depend on two thresholds; they miss altered
# copies and include a few false matches, as seen above. The effect of the copies was measured on one recipe with
# EfficientNet-Lite0 at {glue:text}`copies_image_size` pixels, {glue:text}`copies_epochs` epochs and
# {glue:text}`copies_seeds` seeds; it may differ for others.
#
# ```{admonition} What we found
# :class: tip
# - {glue:text}`data_n_leaked` test images, {glue:text}`data_leaked_percent:.1f`% of all, have a
#   pixel-identical copy in the training folder; {glue:text}`data_near_leaked` more have a near duplicate.
# - {glue:text}`data_val_twins_percent:.1f`% of the validation images of our split, drawn as the original describes, are
#   copies of training images, so validation accuracy is too high.
# - At an equal number of training images of each class, a small network without copies scores
#   {glue:text}`copies_alone_leaked:.1f` ± {glue:text}`copies_alone_leaked_both:.1f` points lower on the test images
#   with a pixel-identical copy and {glue:text}`copies_alone_neither:.1f` ± {glue:text}`copies_alone_neither_both:.1f`
#   lower on those with neither such a copy nor a near duplicate ({glue:text}`copies_seeds` seeds).
# - Against the same control, the gap between images with and without a copy shrinks without copies in training by
#   {glue:text}`copies_alone_gap:.1f` ± {glue:text}`copies_alone_gap_error:.1f` points, or
#   {glue:text}`copies_alone_gap_like:.1f` ± {glue:text}`copies_alone_gap_like_error:.1f` at the class mix of the test
#   set (intervals over seeds alone), and does not vanish. What part of the gaps of complete recipes is memory was not
#   measured.
# ```

# %% tags=["remove-cell"]
values = key_numbers.dataset_numbers(dataset) | prose.twin_numbers(dataset)
values |= prose.seen_numbers(structured.read_yaml("book/near_pairs.yml"), dataset)
values |= copies
for key, value in values.items():
    glue(key, value, display=False)

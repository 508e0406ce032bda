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
# # Data
#
# **The seven classes are very unequal, and their labels are disputed: the plurality of ten new taggers agrees
# with {glue:text}`data_ferplus_agreement:.1f`% of them.** FER-2013 consists of small gray pictures of real
# faces. This chapter describes what a reader needs to know to interpret accuracies measured on it. Images that
# occur more than once have a chapter of their own, [](09_leak.ipynb).
#
# *Input:* the data set, in any of its forms. *Output:* `dataset.json` in the result store.
# *Run time:* about half a minute.

# %% tags=["parameters", "hide-cell"]
data = "synthetic"  # "synthetic", "kaggle", or the path of archive.zip, its folder or fer2013.csv
subset = False  # True: accept counts other than the official ones, with a warning
seed = 42  # of the split, and of the pictures shown
results_dir = "_build/quick/results"  # where dataset.json goes; paths are relative to the project

# %% tags=["remove-cell"]
import os

import numpy as np
from myst_nb import glue

from ferbook.core import classes, paths, recipe
from ferbook.core.parameters import settle
from ferbook.data import audit, splits
from ferbook.data.sources import load
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.data import figures, prose, tables
from ferbook.results import image_measures, store

os.chdir(paths.project_root())
settle(globals(), "01_data")
plots.use_style()

# %% tags=["hide-input"]
faces = load(data, subset=subset)
dataset = audit.describe_dataset(faces)
store.write_dataset(results_dir, dataset)
test_images = faces.select(faces.usages != "Training")
image_measures.write_images(
    results_dir, audit.describe_images(test_images, dataset["leaked_files"])
)
table.Notice(synthetic=faces.name == "synthetic")

# %% [markdown]
# ## Seven unequal classes
#
# The official data set consists of a training folder and two test parts: PublicTest, on which the contest of 2013
# kept its leaderboard, and PrivateTest, which decided the contest. By the arithmetic of {numref}`tab-audit`, the
# original's numbers fit only one of three candidate sets: the folder layout, in which both parts form one test set of
# {glue:text}`data_n_test:,` images. {numref}`tab-counts` and {numref}`fig-counts` give the number of images in each
# class; disgust is by far the rarest.

# %% tags=["hide-input"]
tables.count_table(dataset)

# %% mystnb={"figure": {"caption": "Images per class in each official part of the data set; disgust is by far the rarest in all three.", "name": "fig-counts"}, "image": {"alt": "Bar chart of image counts for seven expressions in three parts; happy is the largest class, disgust the smallest by far."}} tags=["hide-input"]
figures.class_counts(dataset)
# %% [markdown]
# Some faces in {numref}`fig-montage` clearly show the expression of their row, and others would fit
# two or three rows.

# %% mystnb={"figure": {"caption": "Six images of each class, chosen at random. Some would fit two or three classes.", "name": "fig-montage"}, "image": {"alt": "Grid of small gray faces, one row per labeled expression."}} tags=["hide-input"]
figures.montage(faces, seed=seed)
# %% [markdown]
# ## Training, validation and test images
#
# The training folder is split once more, stratified by class, into training images ({glue:text}`data_n_train:,`) and
# validation images ({glue:text}`data_n_val:,`), on which epochs, recipes and thresholds are chosen; [](../method.md)
# lists the exceptions, and which rules of the analysis were changed with test scores known. Before the split, images
# are sorted by the SHA-256 of their pixels, so that the split depends on the pixels and the seed alone. The pictures
# of Kaggle's archive are JPEG files, whose pixels differ slightly from those of the contest's csv file, which
# therefore yields another split; this book uses the archive. In this split
# {glue:text}`09_leak.ipynb::data_n_val_twins:d` validation images are copies of training images. Most grids of
# [](04_ablations.ipynb), the longer versions of our recipe and our second recipe use another split, which moves such
# images into the training part ([](09_leak.ipynb)).
#
# Class weights compensate for the imbalance in the loss: the rarer a class, the larger its weight, up
# to the clip of the recipe ({numref}`tab-weights`).

# %% tags=["hide-input"]
parts = splits.split(faces, seed=seed)
counts = np.bincount(parts.train.labels, minlength=len(classes.CLASSES))
clip = recipe.Recipe().class_weight_clip
tables.weight_table(counts, splits.class_weights(parts.train.labels, clip), clip)

# %% [markdown]
# Some pictures occur more than once: {glue:text}`data_duplicate_images:,` images belong to
# {glue:text}`data_duplicate_groups:,` groups of pixel-identical pictures, in
# {glue:text}`data_conflicting_groups` of which the labels contradict each other. Where the copies lie on both
# sides of a split, they inflate accuracies; [](09_leak.ipynb) counts these and measures the effect.
# {glue:text}`data_constant_images` images are a single shade of gray.

# %% [markdown]
# ## A second set of labels
#
# For FER+, ten people labeled each image again. {glue:text}`data_ferplus_known:,` of our images
# were matched to their votes, and on {glue:text}`data_ferplus_untied:,` of them one expression received
# more votes than any other. This plurality agrees with the label of FER-2013 for
# {glue:text}`data_ferplus_agreement:.1f`% of the images: {glue:text}`data_ferplus_agreement_happy:.1f`%
# for happy, {glue:text}`data_ferplus_agreement_fear:.1f`% for fear ({numref}`fig-ferplus`). The
# more the taggers agree with each other, the more they agree with FER-2013
# ({numref}`tab-certainty`). According to the plurality, {glue:text}`data_ferplus_no_face` of the matched images
# show no face at all. For {glue:text}`data_ferplus_unnamed` more, all ten taggers saw no face; FER+ lists no
# file name for them, so that they count as images without votes here.

# %% mystnb={"figure": {"caption": "FER-2013's label (row) against the plurality of ten taggers (column), as fractions of each row; ties left out. The diagonal is agreement; right of the line are answers for which FER-2013 has no class.", "name": "fig-ferplus"}, "image": {"alt": "Heat map: happy and neutral agree mostly; fear is spread over surprise, neutral and sadness."}} tags=["hide-input"]
figures.ferplus_confusion(dataset)
# %% tags=["hide-input"]
tables.certainty_table(dataset)

# %% [markdown]
# ## Limits
#
# FER+ is a second opinion and not the truth: its taggers saw the same small pictures.
# The facts of this chapter are in `dataset.json` of the result store; later chapters
# read them from there and need no images.
#
# ```{admonition} What we found
# :class: tip
# - The largest class, {glue:text}`data_largest_class`, has {glue:text}`data_largest_ratio:.0f` times as many images
#   as the smallest, {glue:text}`data_smallest_class`.
# - {glue:text}`data_duplicate_images:,` images have a pixel-identical copy;
#   {glue:text}`data_conflicting_groups` groups of copies have contradictory labels.
# - The plurality of ten new taggers agrees with the label of FER-2013 on {glue:text}`data_ferplus_agreement:.1f`% of the
#   images on which these do not tie, and on {glue:text}`data_ferplus_agreement_fear:.1f`% of those labeled fear.
# ```

# %% tags=["remove-cell"]
numbers = key_numbers.dataset_numbers(dataset) | prose.class_numbers(dataset)
for key, value in numbers.items():
    glue(key, value, display=False)

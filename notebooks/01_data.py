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
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Data
#
# **What is in FER-2013, and what does a reader of its accuracies need to know about it?**
# Seven classes, very unequal, in small grey pictures of real faces; and part of the test set
# stands, pixel for pixel, in the training folder too.
#
# *In:* the data set, in any of its forms. *Out:* `dataset.json` in the result store.
# *Takes* about half a minute.

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
from ferbook.data import audit, near_duplicates, splits
from ferbook.data.sources import load
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.data import figures, prose, tables
from ferbook.results import store

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
faces = load(data, subset=subset)
dataset = audit.describe_dataset(faces)
store.write_dataset(results_dir, dataset)
test_images = faces.select(faces.usages != "Training")
store.write_images(results_dir, audit.describe_images(test_images))
table.Notice(synthetic=faces.name == "synthetic")

# %% [markdown]
# ## Seven classes, unequal
#
# The official division has a training folder and two test parts: PublicTest, on which the
# contest of 2013 kept its leader board, and PrivateTest, which decided it. The original paper
# used the folder layout, where both parts form one test set of {glue:text}`data_n_test:,`
# images. {numref}`tab-counts` counts them; look for the smallest class, disgust.

# %% tags=["hide-input"]
tables.count_table(dataset)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Images per class in each official part of the data set.", "name": "fig-counts"}, "image": {"alt": "Bar chart of image counts for seven expressions in three parts; happy is the largest class, disgust the smallest by far."}}
figures.class_counts(dataset)
# %% [markdown]
# In {numref}`fig-montage` some faces answer to their row's name at once, and others could stand
# in two or three rows. That is a property of the labels as much as of the faces.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Six images of each class, chosen at random.", "name": "fig-montage"}, "image": {"alt": "Grid of small grey faces, one row per labelled expression."}}
figures.montage(faces, seed=seed)
# %% [markdown]
# ## Who trains, who chooses, who judges
#
# The training folder is split once more, stratified by class, into a part that trains
# ({glue:text}`data_n_train:,` images) and a part on which every choice is made
# ({glue:text}`data_n_val:,`). The test images choose nothing. The images are put in the order of
# their pixels' SHA-256 before the split, so that it depends on the pictures and the seed, and
# not on whether a zip or a csv delivered them.

# %% tags=["hide-input"]
parts = splits.split(faces, seed=seed)
counts = np.bincount(parts.train.labels, minlength=len(classes.CLASSES))
clip = recipe.Recipe().class_weight_clip
tables.weight_table(counts, splits.class_weights(parts.train.labels, clip), clip)

# %% [markdown]
# The weights make up for the imbalance in the loss: a class weighs the more, the rarer it is, up
# to the clip of the recipe ({numref}`tab-weights`).

# %% [markdown]
# ## Copies, and a leak
#
# {glue:text}`data_duplicate_images:,` images belong to {glue:text}`data_duplicate_groups:,`
# groups of byte-identical pictures, and in {glue:text}`data_conflicting_groups` of these groups
# the labels contradict each other. {glue:text}`data_constant_images` images are a single shade
# of grey. What matters most for a reported accuracy: {glue:text}`data_n_leaked` test images
# ({glue:text}`data_leaked_percent:.1f` % of them) have a twin in the training folder, nearly
# always with the same label ({numref}`tab-leaks`). A model may remember these instead of
# reading them. Every accuracy of this book is therefore also given on the
# {glue:text}`data_n_clean:,` test images that have none. The count is that of the whole training
# folder: {glue:text}`data_n_leaked_train` of these images have a twin among those that train,
# {glue:text}`data_n_leaked_val_only` among the validation images only.
#
# The split of the training folder leaks as well. {glue:text}`data_n_val_twins` of the
# {glue:text}`data_n_val:,` validation images ({glue:text}`data_val_twins_percent:.1f` %) are
# byte-identical with an image that trains, so validation accuracy is too high. The reproduction keeps
# this split, since the original's description leads to it; each run reports validation accuracy
# without these twins too, and recipes are now compared on the {glue:text}`data_n_val_clean:,` images
# that remain. The option `grouped_split` moves the twins into the training part.

# %% tags=["hide-input"]
tables.leak_table(audit.leak_table(faces))

# %% [markdown]
# ## The same picture, other bytes
#
# A picture that was recompressed, brightened or mirrored is still the same picture. Such near
# copies are found by a perceptual hash and confirmed by the correlation of their pixels.
# {numref}`tab-copies` says what the two thresholds recognise when we alter real images
# ourselves, and what they take for a copy when two images are put side by side at random.

# %% tags=["hide-input"]
tables.copies_table(near_duplicates.planted_copies(faces.images, seed=seed))

# %% [markdown]
# Recompressed, brighter and noisy copies are found nearly all, shifted ones in part: what follows
# is a lower bound. {glue:text}`data_near_pairs:,` pairs of images are near copies without being
# byte-identical, {glue:text}`data_near_mirrored` of them mirrored. Their labels agree in
# {glue:text}`data_near_same_label_percent:.1f` % of the pairs: the same face, labelled twice,
# differently, in the rest. {glue:text}`data_near_leaked` more test images have such a twin in
# training, which leaves {glue:text}`data_n_pristine:,` that have neither kind.

# %% [markdown]
# ## Ten more opinions
#
# For FER+, ten people labelled each image again. {glue:text}`data_ferplus_known:,` of our images
# could be matched to their votes, and on {glue:text}`data_ferplus_untied:,` of them one answer got
# more votes than any other. It is the label of FER-2013 in
# {glue:text}`data_ferplus_agreement:.1f` % of the cases: {glue:text}`data_ferplus_agreement_happy:.1f` %
# for happy, {glue:text}`data_ferplus_agreement_fear:.1f` % for fear ({numref}`fig-ferplus`). The
# more of the taggers agree among themselves, the more they agree with FER-2013
# ({numref}`tab-certainty`). {glue:text}`data_ferplus_no_face` images show, by plurality, no face
# at all.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "FER-2013's label (row) against the plurality of ten taggers (column), as fractions of each row; ties left out.", "name": "fig-ferplus"}, "image": {"alt": "Heat map: happy and neutral agree mostly; fear is spread over surprise, neutral and sadness."}}
figures.ferplus_confusion(dataset)
# %% tags=["hide-input"]
tables.certainty_table(dataset)

# %% [markdown]
# ## Summary and limits
#
# Counts and byte-identical copies are exact. Near copies are those that two thresholds find, a
# lower bound. FER+ is a second opinion, not the truth: its taggers saw the same small pictures.
# The facts of this page are in `dataset.json` of the result store; the chapters after this one
# read them from there and need no image.

# %% tags=["remove-cell"]
numbers = key_numbers.dataset_numbers(dataset) | prose.split_numbers(parts, dataset)
for key, value in numbers.items():
    glue(key, value, display=False)

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
# # Speed, memory and finding faces
#
# **Training does not measurably wait for its input: fed by our pipeline, a training step takes
# {glue:text}`bench_fed` times as long as on a constant batch.** The original feeds its
# network from the generator of Keras, which warps one image at a time. Here each image is
# resampled once, in a compiled loop, from the bytes in memory to the input size. This chapter measures the
# cost of that and of the rest of the code.
#
# *Input:* the result store, where the benchmark put its measurements: `make bench DATA=archive.zip`. *Run time:* seconds.
# In a smoke run the benchmark is cut short and its numbers mean nothing.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.core.parameters import settle
from ferbook.paper import plots, table
from ferbook.paper.chapters.performance import detection, figures, prose, tables
from ferbook.results import measurements, store

os.chdir(paths.project_root())
settle(globals(), "07_performance")
plots.use_style()

# %% tags=["hide-input"]
measured = measurements.load_facts(results_dir, "bench")
table.Notice(synthetic=store.load_dataset(results_dir)["name"] == "synthetic")

# %% [markdown]
# All times were measured on {glue:text}`bench_hardware`. The benchmark should run alone on the machine;
# other work increases the spread. Competing variants were measured in interleaved rounds, those of a training step in
# {glue:text}`bench_rounds`. A ratio is the
# median over rounds, with its minimum and maximum in parentheses. Random pixels replace faces, since no time
# depends on the content of the images.
#
# ## Images per second of the input pipeline
#
# Our pipeline and the original's generator draw from the same distribution; tests compare the geometry
# with Keras, and our compiled loop with TensorFlow's own operation, bit for bit. At
# {glue:text}`bench_size_large`, ours delivers {glue:text}`bench_input_large_folder` times as many images as
# the generator that reads a folder, and {glue:text}`bench_input_large_arrays` times as many as the
# generator on arrays that were decoded and resized beforehand. At {glue:text}`bench_size_small` the factors
# are {glue:text}`bench_input_small_folder` and {glue:text}`bench_input_small_arrays`
# ({numref}`tab-input`).

# %% tags=["hide-input"]
tables.input_table(measured)

# %% [markdown]
# ## The training step
#
# {numref}`tab-step` times the same step of {glue:text}`bench_backbone`, phase 2, under different
# conditions. Fed by our pipeline and driven by Keras's `fit`, it takes {glue:text}`bench_fed` times as long as
# on one constant batch without `fit`. Fed by the original's generator from a folder,
# an epoch takes {glue:text}`bench_epoch` times as long as with ours. On a GPU, where steps are shorter,
# the factor would be larger; that was **not run**.
#
# On a processor, an EfficientNet trains with layers that compute what Keras's own do, only faster: batch
# normalization in one operator, convolutions with a filter of one pixel as matrix products, and the gradient of
# larger depthwise filters in parts for which there is a fast kernel. Tests compare their values and gradients with
# Keras's. Keras's own layers take {glue:text}`bench_kerass` times as long for this step,
# {glue:text}`bench_kerass_trained` times where batch normalization is trained, as in our recipe, and
# {glue:text}`bench_kerass_phase_1` times in phase 1.
#
# In phase 1, Keras computes no gradient through the frozen layers: the step takes
# {glue:text}`bench_phase_1` of the time of a step of phase 2 and {glue:text}`bench_forward` times that of the
# forward pass alone. The features cannot be cached from epoch to epoch, since each epoch draws new
# augmentations.
#
# A network for one gray channel, without repeating it three times, would take
# {glue:text}`bench_stem` of the time. Training keeps the repetition so that recorded runs stay reproducible
# bit by bit; exported files fold it away. The same architecture and size in PyTorch with timm takes
# {glue:text}`bench_torch` times as long as our step.

# %% tags=["hide-input"]
tables.step_table(measured)

# %% [markdown]
# ## How much of the processor is used
#
# Counted as three forward passes, the multiplications and additions of the step run at
# {glue:text}`bench_peak` of the rate of a large matrix product on the same cores. {numref}`tab-operations` has where the
# time goes: besides matrix products, to depthwise convolutions, which do few multiplications per number moved, and to
# operations that only move numbers.

# %% tags=["hide-input"]
tables.operation_table(measured)

# %% [markdown]
# ## Start-up, audit and pages
#
# `import ferbook` and `ferbook --help` do not load TensorFlow. The first training step is slow because
# the network is traced in Python, operation by operation. When a metric is passed as a function, as is
# customary, Keras creates its variables during the first trace and then traces everything again. Our metric
# is created beforehand; previously {glue:text}`bench_first_backbone` took {glue:text}`bench_first_step` times
# as long to its first step.
#
# The search for near duplicates compares only hashes that agree in several bands of bits, and uses more
# and longer bands as the number of hashes grows ({numref}`fig-growth`). The last point has
# {glue:text}`bench_hashes:,` random hashes. At the right end of the figure the time grows as the number of
# hashes to the power of {glue:text}`bench_growth:.2f`, which is less than quadratic and more than n log n.

# %% tags=["hide-input"]
tables.seconds_table(measured)

# %% mystnb={"figure": {"caption": "Seconds of the search for near duplicates among random hashes, beside two laws of growth through the last point.", "name": "fig-growth"}, "image": {"alt": "Line of measured seconds against the number of hashes on logarithmic axes, with dotted and dashed lines for n log n and n squared."}} tags=["hide-input"]
figures.growth(measured["audit"]["growth"])
# %% [markdown]
# ## Memory
#
# For each byte of pixels, the peak memory of a training run grows by {glue:text}`bench_copies_held:.1f` bytes: the
# images as loaded, the training part of them, and a copy for TensorFlow. A copy of all images as floats
# alone would multiply them by the size of a float, and more at the input size; no such copy is made.
# {numref}`tab-memory` gives the peak.

# %% tags=["hide-input"]
tables.memory_table(measured)

# %% [markdown]
# ## Finding faces
#
# `ferbook predict` and the page [](../try_it.md) find faces with CenterFace {cite:p}`xu2019`, a network that
# its authors trained on photographs. It searches the picture at several scales. Each candidate is examined
# again at a larger scale, turned upright by its eyes, and mirrored. OpenCV's Haar cascade is the usual
# alternative. Both searched the same **synthetic scenes**, which show faces from tiny to almost as tall as the
# picture. All thresholds were chosen on other scenes, made from training images, and on a few photographs.
#
# CenterFace finds {glue:text}`bench_faces_centerface_upright` of upright faces
# ({glue:text}`bench_faces_centerface_seen` with those whose box has another size or place),
# {glue:text}`bench_faces_centerface_less` of those turned by {glue:text}`bench_faces_turned_less` degrees and
# {glue:text}`bench_faces_centerface_more` by {glue:text}`bench_faces_turned_more` degrees; the cascade
# {glue:text}`bench_faces_haar_upright`, {glue:text}`bench_faces_haar_less` and {glue:text}`bench_faces_haar_more`. In
# {glue:text}`bench_faces_empty:,` scenes without a face, the count of false alarms is
# {glue:text}`bench_faces_centerface_false` for CenterFace and {glue:text}`bench_faces_haar_false` for the cascade.
# {numref}`tab-detection` has the other scenes, and how many false alarms lie on a face but differ from it in size or
# place. In all scenes together, those that lie on no face are {glue:text}`bench_faces_centerface_beside` for
# CenterFace and {glue:text}`bench_faces_haar_beside` for the cascade. The score from which a place counts as a face
# was chosen on scenes made from training images; a lower one finds more faces and costs more false alarms.

# %% tags=["hide-input"]
detection.detection_table(measured["detection"])

# %% [markdown]
# A new process that searches one picture without a face takes
# {glue:text}`bench_faces_first_answer` s of processor time in all; {numref}`tab-detection-times` has the search
# alone, and {numref}`tab-seconds` the first answers of other packages, as far as they were timed.

# %% tags=["hide-input"]
detection.time_table(measured["detection"])

# %% [markdown]
# Rotated faces are turned upright before they are classified. On the faces that were found, this changes accuracy
# by {glue:text}`bench_faces_gain_less` points at {glue:text}`bench_faces_turned_less` degrees and by
# {glue:text}`bench_faces_gain_more` points at {glue:text}`bench_faces_turned_more` degrees
# ({numref}`tab-turned-back`); these differences were not tested for significance. Of upright faces that CenterFace cuts out of the
# scenes, the released model classifies {glue:text}`bench_faces_right_upright`% correctly, fewer than of the test
# images themselves ({numref}`tab-exports`): cutting out probably costs accuracy.

# %% tags=["hide-input"]
detection.turn_table(measured["detection"])

# %% [markdown]
# ## Limits
#
# The scenes are synthetic: a detector may do better or worse on photographs.
# All measurements come from one machine with few cores; on a GPU
# the benchmark was **not run**. The comparison with PyTorch covers its eager mode with channels
# last and default threads, and only the training step.
#
# ```{admonition} What we found
# :class: tip
# - A step fed by our pipeline takes {glue:text}`bench_fed` times as long as on a constant batch.
# - Our pipeline delivers {glue:text}`bench_input_large_folder` times as many images as the original's
#   generator at {glue:text}`bench_size_large`; on this machine, where the step itself is slow, an epoch with the
#   generator takes {glue:text}`bench_epoch` times as long.
# - Peak memory grows by {glue:text}`bench_copies_held:.1f` bytes for each byte of pixels.
# ```

# %% tags=["remove-cell"]
for key, value in prose.bench_numbers(measured).items():
    glue(key, value, display=False)

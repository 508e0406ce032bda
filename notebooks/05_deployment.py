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
# # Deployment
#
# **On two processor cores, our model classifies a face in {glue:text}`deployment_int8_ms_single:.1f` ms as the
# released ONNX file in int8, and in {glue:text}`deployment_ms_single:.1f` ms in float32. The two int8 files score
# {glue:text}`deployment_int8_onnx:.1f`% (ONNX) and {glue:text}`deployment_int8_litert:.1f`% (LiteRT), against
# {glue:text}`deployment_float32:.1f`% in float32.** The original mentions real-time use on small devices and measures
# neither latency nor file size. Here the run of our recipe with FER+ is exported as single files. Each is evaluated on
# all test images, and its size, accuracy and latency are measured beside published packages, one after the other on
# the same machine.
#
# *Input:* the result store, where `ferbook export` put its measurements, and the data set for the
# pictures at the end. *Run time:* a minute.

# %% tags=["parameters", "hide-cell"]
data = "synthetic"  # "synthetic", "kaggle", or the path of archive.zip, its folder or fer2013.csv
results_dir = "_build/quick/results"  # the result store; paths are relative to the project
subset = False  # True: accept counts other than the official ones, with a warning
study = "smoke"  # folder in the result store; its first run is that whose exports were measured

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.core.parameters import settle
from ferbook.data import splits
from ferbook.data.sources import load
from ferbook.inference import classifier
from ferbook.paper import plots, table
from ferbook.paper.chapters.deployment import figures, prose, tables
from ferbook.results import measurements, store

os.chdir(paths.project_root())
settle(globals(), "05_deployment")
plots.use_style()

# %% tags=["hide-input"]
run = store.load_study(results_dir, study)[0]
faces = load(data, subset=subset)
table.Notice(synthetic=run.is_synthetic)

# %% mystnb={"code_prompt_show": "Code that reads the measurements"} tags=["hide-cell"]
measured = measurements.load_facts(results_dir, "deployment")[run.name]
peers = store.load_answers(results_dir, "peers")

# %% [markdown]
# ## One model, seven files
#
# Each of our files in {numref}`tab-exports` contains resizing, scaling and the temperature that was fitted on
# validation images: its input is a gray picture of 48 by 48 bytes, its output seven calibrated probabilities. The
# int8 files are calibrated on training images. Their first convolutions stay in float: they hold few weights but
# process most of the pixels, and in int8 they would lower validation accuracy. On this processor
# ({glue:text}`deployment_hardware`) the float32 ONNX file needs {glue:text}`deployment_ms_single:.1f` ms for one
# image, that is {glue:text}`deployment_frames:.0f` images per second. The classifier alone is thus fast enough for
# video. Finding the faces takes far longer ({numref}`tab-detection-times`), so "real-time" is a question of the
# detector and of the size of the picture. Neither was run on a phone or a microcontroller.

# %% tags=["hide-input"]
tables.exports_table(measured, peers, run.label)

# %% [markdown]
# Quantization to int8 changes the accuracy by {glue:text}`deployment_int8_points:+.2f` points in ONNX and by
# {glue:text}`deployment_int8_litert_points:+.2f` in LiteRT; these differences were not tested for significance. The
# ONNX file gives the same answer as in float32 on {glue:text}`deployment_int8_same:.1f`% of the images.
# {numref}`tab-exports` has the times on this processor; on another, with or without instructions for eight-bit
# products, the order may differ.
#
# ## Size, latency and accuracy
#
# {numref}`fig-cost` sets our files beside published packages. All were measured in the same session with the
# same two threads.

# %% mystnb={"figure": {"caption": "Size of each file against its latency on one image, with its accuracy on all test images beside its name; left and below is cheaper. Blue: ours; gray: models of others.", "name": "fig-cost"}, "image": {"alt": "Scatter plot on logarithmic axes of megabytes against milliseconds, a dot for each file; packaged models of others are smaller and less accurate than ours."}} tags=["hide-input"]
figures.cost(tables.cost_frame(measured, peers))
# %% [markdown]
# ## Pruning
#
# The original names pruning as future work. {numref}`tab-pruning` sets the smallest weights of the
# whole network to zero without retraining, those of the classifier among them. Retraining afterward is among the
# remedies of {numref}`fig-remedies`, on a smaller network.

# %% tags=["hide-input"]
tables.pruning_table(measured)

# %% [markdown]
# ## Corrupted images
#
# FER-2013's pictures are already small and gray. {numref}`fig-robustness` degrades them further with the
# corruptions of {cite:t}`hendrycks2019`, at the severities used for small images, on
# {glue:text}`deployment_robustness_images:,` test images, an evenly spaced part of all, as for pruning; so the accuracy
# of the unaltered model differs a little from that on all.

# %% mystnb={"figure": {"caption": "Accuracy on corrupted test images against the severity of the corruption; 0 is the unaltered picture. The steeper a line falls, the more the model depends on what is disturbed.", "name": "fig-robustness"}, "image": {"alt": "Lines of accuracy falling with severity for eight kinds of corruption."}} tags=["hide-input"]
figures.robustness(measured["robustness"])
# %% [markdown]
# ## Which part of the face decides
#
# The network ends with an average over positions and one dense layer. Each position of its last feature map
# therefore has its own logits, and their mean gives the answer. {numref}`fig-evidence` overlays the logit of
# the predicted class on test images, one correct and one wrong for each expression. For such a network this is
# Grad-CAM up to a factor {cite:p}`selvaraju2017`. The map has few positions: it shows which part of the face
# contributes to the answer, not which pixel.

# %% mystnb={"figure": {"caption": "Evidence for the answer given (red for, blue against), one right and one wrong answer per class; above each picture, its label and, if wrong, the answer with a question mark. Evidence at the lower edge may come from the padding; see the limits of this chapter.", "name": "fig-evidence"}, "image": {"alt": "Two rows of seven faces with colored overlays."}} tags=["hide-input"]
figures.evidence(splits.split(faces).test, classifier.Classifier())
# %% [markdown]
# ## Limits
#
# Latency is a median on one shared machine and differs elsewhere. `ferbook predict` uses the released int8
# file. The evidence maps show what the network uses, whether right or wrong. In these examples the evidence
# lies low in the picture; whether that is due to the mouth or to the padding at the borders was not
# examined.
#
# ```{admonition} What we found
# :class: tip
# - Quantization to int8 changes the accuracy by {glue:text}`deployment_int8_points:+.2f` points in ONNX, in a file of
#   {glue:text}`deployment_int8_megabytes:.1f` MB, and by {glue:text}`deployment_int8_litert_points:+.2f` in LiteRT;
#   in ONNX, the answer to {glue:text}`deployment_int8_same:.1f`% of the images stays the same.
# - One face takes {glue:text}`deployment_int8_ms_single:.1f` ms as the released int8 file and
#   {glue:text}`deployment_ms_single:.1f` ms as float32, both in ONNX and without the search for faces.
# - Speed on phones and microcontrollers was **not measured**.
# ```

# %% tags=["remove-cell"]
for key, value in prose.deployment_numbers(measured).items():
    glue(key, value, display=False)

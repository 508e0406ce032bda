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
# # Deployment
#
# **How small and how fast can the model be, and what does that cost?** The original speaks of
# real-time use on small devices and measures neither. Here our best run is written as single
# files, each is put before all test images, and its size, accuracy and latency are measured beside the
# packaged models of others, one after the other on the same machine.
#
# *In:* the result store, where `ferbook export` put its measurements, and the data set for the
# pictures at the end. *Takes* a minute.

# %% tags=["parameters", "hide-cell"]
data = "synthetic"  # "synthetic", "kaggle", or the path of archive.zip, its folder or fer2013.csv
results_dir = "_build/quick/results"  # the result store; paths are relative to the project
study = "smoke"  # folder in the result store; its first run is exported

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.data import splits
from ferbook.data.sources import load
from ferbook.inference import classifier
from ferbook.paper import plots, table
from ferbook.paper.chapters.deployment import figures, prose, tables
from ferbook.results import store

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
run = store.load_study(results_dir, study)[0]
faces = load(data)
table.Notice(synthetic=run.is_synthetic)

# %% tags=["hide-cell"]
measured = store.load_facts(results_dir, "deployment")[run.name]

# %% [markdown]
# ## One model, seven files
#
# Resizing, scaling and the temperature found on validation are inside each file of {numref}`tab-exports`:
# a grey picture of 48 by 48 bytes goes in, seven calibrated probabilities come out. The int8
# files are calibrated on training images; their first convolutions, which hold few
# weights and most of the pixels, stay in float, since in int8 they would cost points on validation. On this processor
# ({glue:text}`deployment_hardware`) one answer of the float32 ONNX file takes
# {glue:text}`deployment_ms_single:.1f` ms, {glue:text}`deployment_frames:.0f` pictures a second, detection of faces not
# included. "Real-time" is therefore true on such a machine; on a phone or a microcontroller it was
# **not run**.

# %% tags=["hide-input"]
tables.exports_table(measured)

# %% [markdown]
# int8 changes the accuracy by {glue:text}`deployment_int8_points:+.2f` points against float32 and gives the same
# answer on {glue:text}`deployment_int8_same:.1f` % of the images. Whether it is faster depends on the
# processor: without instructions for eight-bit products it is not.
#
# ## Beside the packages of others
#
# {numref}`tab-deployment-peers` was measured in the same session, with the same two threads.

# %% tags=["hide-input"]
tables.peers_table(measured, store.load_answers(results_dir, "peers"))

# %% [markdown]
# ## Pruning
#
# The original names pruning as future work. {numref}`tab-pruning` sets the smallest weights of the
# whole network to zero, without training again. Retraining afterwards was
# **not run**.

# %% tags=["hide-input"]
tables.pruning_table(measured)

# %% [markdown]
# ## Worse pictures
#
# FER-2013's pictures are small and grey already. {numref}`fig-robustness` makes them worse in the ways
# of {cite:t}`hendrycks2019`, at the strengths used for small images, on
# {glue:text}`deployment_robustness_images:,` test images.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy on corrupted test images against the severity of the corruption; 0 is the picture as it is.", "name": "fig-robustness"}, "image": {"alt": "Lines of accuracy falling with severity for eight kinds of corruption."}}
figures.robustness(measured["robustness"])
# %% [markdown]
# ## Where it looks
#
# The network ends in an average over places and one dense layer, so each place of its last feature map
# has its own logits, and their mean is the answer. {numref}`fig-evidence` lays the logit of the answer over
# test images, one right and one wrong for each expression. For such a network this is what Grad-CAM shows, up to a
# factor {cite:p}`selvaraju2017`. The map has few places: it says which part of the face
# speaks for the answer, and not which pixel.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Evidence for the answer given (red for, blue against), one right and one wrong answer per class; the title names label and answer.", "name": "fig-evidence"}, "image": {"alt": "Two rows of seven faces with coloured overlays."}}
figures.evidence(splits.split(faces).test, classifier.Classifier())
# %% [markdown]
# ## Summary and limits
#
# Latency is a median on one shared machine and differs elsewhere. The released int8 file is the one
# that `ferbook predict` uses. The evidence shows what the network uses, right or wrong; in the examples it lies
# low in the picture, and whether that is the mouth or the way the network pads its borders was not
# examined.

# %% tags=["remove-cell"]
for key, value in prose.deployment_numbers(measured).items():
    glue(key, value, display=False)

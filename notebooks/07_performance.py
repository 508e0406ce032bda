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
# # Performance
#
# **Does the input ever starve the model, and what does all of it cost?** The original feeds its
# network from a generator that reads a folder and warps one image at a time. Here each image is
# resampled once, in a compiled loop, from the bytes in memory to the size of the input. What that
# and the rest of the code cost is measured below, side by side.
#
# *In:* the result store, where the benchmark put its measurements: `make bench`. *Takes* seconds.
# In a smoke run the benchmark was cut short and says nothing.

# %% tags=["parameters", "hide-cell"]
results_dir = "_build/quick/results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.core import paths
from ferbook.paper import plots, table
from ferbook.paper.chapters.performance import figures, prose, tables
from ferbook.results import store

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
measured = store.load_facts(results_dir, "bench")
table.Notice(synthetic=store.load_dataset(results_dir)["name"] == "synthetic")

# %% [markdown]
# All times are of {glue:text}`bench_hardware`. The benchmark is meant to have the machine for itself;
# other work widens the spread. What is compared was measured in turns, round by round; a ratio is the median over the rounds, with its lowest and highest
# round in brackets. Random pixels stand for faces, since no time depends on what the images show.
#
# ## Input
#
# Ours and the original's generator draw from the same distribution; the test suite holds the geometry
# against Keras, and our compiled loop against TensorFlow's own operation, bit for bit. At
# {glue:text}`bench_size_large` ours delivers {glue:text}`bench_input_large_folder` times the images of
# the generator that reads a folder, and {glue:text}`bench_input_large_arrays` times those of the
# generator on arrays that were decoded and resized before; at {glue:text}`bench_size_small`
# {glue:text}`bench_input_small_folder` and {glue:text}`bench_input_small_arrays` times
# ({numref}`tab-input`).

# %% tags=["hide-input"]
tables.input_table(measured)

# %% [markdown]
# ## The training step
#
# {numref}`tab-step` times the same step of {glue:text}`bench_backbone`, phase 2, under different
# conditions. Fed by our input and driven by Keras's `fit`, it keeps {glue:text}`bench_fed` of the
# speed that it has on one constant batch without `fit`. Fed by the original's generator from a folder,
# an epoch takes {glue:text}`bench_epoch` times as long as with ours; on a GPU, whose steps are shorter,
# it would be more, and that was **not run**.
#
# In phase 1, Keras computes no gradient through the frozen layers: its step takes
# {glue:text}`bench_phase_1` of a step of phase 2 and {glue:text}`bench_forward` times the forward pass
# alone. The features cannot be kept from epoch to epoch, since each draws another augmentation.
#
# A network for one grey channel, without the repetition to three, would take
# {glue:text}`bench_stem` of the time. Training therefore keeps the repetition, and with it every bit
# of the recorded runs; exports fold it away. The same architecture and size in PyTorch with timm, by
# the same measure: {glue:text}`bench_torch` times our step.

# %% tags=["hide-input"]
tables.step_table(measured)

# %% [markdown]
# ## What the processor could do
#
# Counted as three forward passes, the step's multiplications and additions run at
# {glue:text}`bench_peak` of the rate of a large matrix product on the same cores. The rest is the
# price of depthwise convolutions, which multiply little for each number they move, and of element-wise
# operations, which only move numbers ({numref}`tab-operations`).

# %% tags=["hide-input"]
tables.operation_table(measured)

# %% [markdown]
# ## Start-up, audit and pages
#
# `import ferbook` and `ferbook --help` do without TensorFlow. The first training step is slow because
# the network is traced in Python, operation by operation; given its metric as a function, as is
# customary, Keras makes the metric's variables during that trace and then traces all again. Ours is
# made before; {glue:text}`bench_first_backbone` used to take {glue:text}`bench_first_step` times as
# long to its first step.
#
# The search for near copies compares only hashes that agree in several bands of bits, and takes more
# and longer bands as the hashes become many ({numref}`fig-growth`). The last point has
# {glue:text}`bench_hashes:,` random hashes.

# %% tags=["hide-input"]
tables.seconds_table(measured)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Seconds of the search for near copies among random hashes, beside two laws of growth through the last point.", "name": "fig-growth"}, "image": {"alt": "Line of measured seconds against the number of hashes on logarithmic axes, with dotted and dashed lines for n log n and n squared."}}
figures.growth(measured["audit"]["growth"])
# %% [markdown]
# ## Memory
#
# For each byte of pixels the peak of a training grows by {glue:text}`bench_copies_held:.1f` bytes: the
# images as loaded, those of them that train, and the same for TensorFlow. A copy of all as floats
# would by itself add as many bytes as a float has, and more at the size of the input; none is
# held. {numref}`tab-memory` has the peak.

# %% tags=["hide-input"]
tables.memory_table(measured)

# %% [markdown]
# ## Summary and limits
#
# The input is not what a training waits for. All of this is one machine with few cores; on a GPU
# the benchmark was **not run**. The comparison with PyTorch is of its eager mode with channels
# last and default threads, and only of the step.

# %% tags=["remove-cell"]
for key, value in prose.bench_numbers(measured).items():
    glue(key, value, display=False)

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
# # Results
#
# **How close does the original's recipe come to the original's numbers?** The tables and figures
# below set our run of it beside them, class by class, and on the test images that have no copy in
# training as well. The run of our own recipe, which the next chapter explains, stands beside both.
#
# *In:* the result store, nothing else: no images, no network, no GPU. *Takes* seconds.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project
study = "reference"  # folder in the result store; its first run is the subject

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.claims import field, table_audit
from ferbook.claims import published as claims_published
from ferbook.core import files, paths
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.results import audit_tables, field_table, figures, prose, tables
from ferbook.results import metrics, store
from ferbook.results.study import finals

os.chdir(paths.project_root())
plots.use_style()

# %% tags=["hide-input"]
run = store.load_study(results_dir, study)[0]
others = [other for other in finals(store.load_all(results_dir)) if other.name != run.name]
runs = [run, *others]
dataset = store.load_dataset(results_dir)
original = files.read_yaml("book/original.yml")
table.Notice(synthetic=run.is_synthetic)

# %% [markdown]
# ## Accuracy, on each reading of the test set
#
# Which images an accuracy was measured on matters as much as its value. {numref}`tab-accuracy`
# gives ours on all test images (as the original), on the contest's PrivateTest (as most other
# papers), and on those with and without a byte-identical copy in the training folder. The
# interval says what a test set of this size can tell apart, not what another training run would
# give: that spread would need more seeds.

# %% tags=["hide-input"]
tables.accuracy_table(run, dataset)

# %% [markdown]
# The original reports {glue:text}`original_accuracy:.2f` % on {glue:text}`data_n_test:,` images,
# an interval of {glue:text}`original_accuracy_low:.2f` to
# {glue:text}`original_accuracy_high:.2f` %. Our run differs from it by
# {glue:text}`reference_difference:+.2f` points.

# %% [markdown]
# ## Which images the original can have seen
#
# An accuracy is a whole number of right answers over a number of images, and so is every recall.
# {numref}`tab-audit` tries, in part with {cite:t}`fazekas2024`'s software, the original's printed numbers on the three sets that papers call the
# test set of FER-2013, as if rounded and as if cut off after the last digit. Only one of the sets
# allows them all, if they were rounded; the accuracy is possible on neither half of it, either way. On
# it, an integer programme finds
# answers that satisfy every cell of the original's Table II and the accuracy at once, so the table is consistent
# with itself; {numref}`tab-hits` says how tightly. Its row "Overall" is the mean weighted by class
# size; the unweighted mean of the classes' F1 is {glue:text}`original_macro_f1:.2f`.

# %% tags=["hide-input"]
(published,), _ = claims_published.read_table("book/original.yml")
audit_tables.audit_table(table_audit.audit_result(published))

# %% tags=["hide-input"]
audit_tables.hits_table(published, claims_published.TEST_SETS["PublicTest + PrivateTest"])

# %% [markdown]
# The same check runs on any table: `ferbook audit table.yml`. {numref}`tab-audit-second` is that
# of another article, which evaluates two known networks on FER-2013 with parts of the face
# hidden. Some of its accuracies are possible on no usual test set if they were rounded, but on all test
# images if they were cut off after the last digit; for others it is the reverse. Either the table is
# printed in both ways, or not all of it was measured on these images: arithmetic does not tell which.
# Its F1 scores were computed from averaged precision and recall.

# %% tags=["hide-input"]
audit_tables.audit_summary(table_audit.audit_table("book/second.yml"), label="tab-audit-second")

# %% [markdown]
# ## Class by class
#
# {numref}`tab-classes` is the original's Table II with our columns beside each of its own, and
# {numref}`fig-recalls` draws the recalls. Each actor has one color in the whole book.

# %% tags=["hide-input"]
tables.class_table(runs, original)

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Recall of each class on all test images, the original's and ours.", "name": "fig-recalls"}, "image": {"alt": "Bars of recall for seven expressions, the original's and those of our runs."}}
figures.recalls(runs, original)
# %% [markdown]
# ## How it learned
#
# The original's Figures 1 and 2 show accuracy and loss over the epochs; {numref}`fig-accuracy`
# and {numref}`fig-loss` are ours. The dashed line marks the end of phase 1, in which only the
# head learned. The model shown in all tables is that of the epoch with the highest validation
# accuracy, epoch {glue:text}`reference_best_epoch` of {glue:text}`reference_epochs`.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy over the epochs of both phases (the original's Figure 1).", "name": "fig-accuracy"}, "image": {"alt": "Training and validation accuracy per epoch."}}
plots.learning_curves(run, "accuracy")
# %% tags=["hide-input"] mystnb={"figure": {"caption": "Loss over the epochs of both phases, with label smoothing; the training loss is weighted by class as well (the original's Figure 2).", "name": "fig-loss"}, "image": {"alt": "Training and validation loss per epoch."}}
plots.learning_curves(run, "loss")
# %% [markdown]
# ## What is taken for what
#
# The original's Figures 3 and 4 are confusion matrices, in counts and normalised by row;
# {numref}`fig-confusion` and {numref}`fig-confusion-normalised` are ours on the same images. The
# original names fear and surprise, fear and sad, and sad and neutral as the pairs most confused.

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Confusion matrix on all test images, in counts (the original's Figure 3).", "name": "fig-confusion"}, "image": {"alt": "Seven by seven confusion matrix in counts."}}
figures.confusion(run, normalised=False)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same matrix as fractions of each true class (the original's Figure 4); the diagonal holds the recalls.", "name": "fig-confusion-normalised"}, "image": {"alt": "Seven by seven confusion matrix, each row summing to one."}}
figures.confusion(run, normalised=True)
# %% tags=["hide-input"] mystnb={"figure": {"caption": "The same fractions for the best of our runs.", "name": "fig-confusion-best"}, "image": {"alt": "Seven by seven confusion matrix of the best run, each row summing to one."}}
figures.confusion(max(runs, key=lambda each: metrics.accuracy(each.val)), normalised=True)
# %% [markdown]
# ## How sure it is
#
# A probability is worth its name if it says how often such answers are right {cite:p}`guo2017`.
# {numref}`fig-reliability` shows how far this holds. The expected calibration error is
# {glue:text}`reference_ece:.1f` %, and {glue:text}`reference_ece_fitted:.1f` % after dividing the
# logits by a temperature of {glue:text}`reference_temperature:.2f`, found on validation images
# ({numref}`tab-calibration`).

# %% tags=["hide-input"] mystnb={"figure": {"caption": "Accuracy against confidence on all test images, in fifteen bins; the area of a dot grows with the images in it.", "name": "fig-reliability"}, "image": {"alt": "Reliability diagram with two curves near the diagonal."}}
figures.reliability(run)
# %% tags=["hide-input"]
tables.calibration_table(runs)

# %% [markdown]
# ## A second truth
#
# Where a label is doubtful, so is an error. {numref}`tab-second-truth` judges the same answers by
# the plurality of FER+'s taggers. A network that has learned FER-2013's labels well should agree with
# them more than with FER+; where it does not, the labels may be as much to blame as the network.
# What counts most is how many of its errors are none in FER+. One warning: a run whose column says
# so learned from the votes of FER+ on the training images. That it agrees with FER+ on test images is what
# it was trained for, and says little about FER-2013's labels.

# %% tags=["hide-input"]
tables.second_truth_table(runs)

# %% [markdown]
# Confident learning {cite:p}`northcutt2021` asks which labels a model doubts more than its own average doubt allows, on
# images that it was not trained on. It doubts {glue:text}`reference_doubted:,` labels of
# validation and test ({numref}`tab-issues`). FER+ has a clear opinion on
# {glue:text}`reference_doubted_known:,` of them and gives another label than FER-2013 to
# {glue:text}`reference_doubted_confirmed_percent:.0f` %.

# %% tags=["hide-input"]
tables.issue_table(run)

# %% [markdown]
# ## Slices
#
# There are no labels of age, sex or skin tone in the data, and we make up none.
# {numref}`tab-slices` divides the test images by what can be measured without them.

# %% tags=["hide-input"]
tables.slice_table(runs, store.load_images(results_dir))

# %% [markdown]
# ## Beside the field
#
# A published accuracy means little without its protocol: the test images, what the checkpoint was
# chosen on, how many views of an image are averaged, and what else the network learned from.
# {numref}`tab-comparison` gives what papers, released code and its threads say of each. The facts
# are in `book/field.yml`; {numref}`tab-field-sources` names the file or the thread of each. Three things
# stand out.
#
# - **Some checkpoints were chosen on the images of their own accuracy.** Of
#   {glue:text}`field_methods` accuracies, {glue:text}`field_on_test` are of this kind by their released
#   code, which calls these images validation and keeps the epoch that is best on them. Such an accuracy
#   is a maximum over epochs and too high by an amount that nobody measured.
# - **Most average several views.** A single view of ResMaskingNet was measured
#   at {glue:text}`field_one_view:.2f` %, several at {glue:text}`field_several_views:.2f` %.
# - **Others measure something else.** Users who trained or tested {glue:text}`field_repeated` of these
#   networks again mostly report less than was printed. For ResEmoteNet their figures go from about
#   {glue:text}`field_widest_low:.0f` to more than {glue:text}`field_widest_high:.0f` %, the highest on
#   the images that its author shares.
#
# EmoNeXt's is the cleanest protocol with released code: chosen on PublicTest, reported on
# PrivateTest. The rows of the original's Table III carry its own figures;
# {numref}`tab-parameters` has the sizes that we counted, which differ.

# %% tags=["hide-input"]
methods = field.read_field("book/field.yml")
views = store.load_answers(results_dir, "test_time_augmentation")
field_table.comparison_table(runs, original, methods, views)

# %% tags=["hide-input"]
field_table.sources_table(methods)

# %% [markdown]
# ## Summary and limits
#
# Each table shows one run of a recipe; {numref}`tab-seeds` has those with other seeds. The intervals
# above do not cover the luck of training. EfficientNetB2 at the original's input size was not run here,
# for want of a GPU and of its ImageNet weights; nothing on this page says what it would reach.

# %% tags=["remove-cell"]
values = (
    key_numbers.dataset_numbers(dataset)
    | key_numbers.original_numbers(original, dataset)
    | key_numbers.parameter_numbers(store.load_parameters(results_dir))
    | key_numbers.run_numbers(run, dataset, original)
    | prose.audit_numbers(published)
    | prose.field_numbers(methods)
)
for key, value in values.items():
    glue(key, value, display=False)

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
# # Results
#
# **The original's recipe reaches {glue:text}`reference_accuracy_test:.2f`% on {glue:text}`reference_backbone` at
# {glue:text}`reference_image_size` pixels, a difference of {glue:text}`reference_difference:+.1f` ±
# {glue:text}`original_difference_error:.1f` points from the reported accuracy (one seed; 95% interval over test images
# alone).** This chapter compares this run with the original class by class, on all test images and on those without a
# copy in training. Runs of our own recipes, explained in [](../method.md), are shown beside it.
#
# *Input:* the result store, nothing else: no images, no internet connection, no GPU. *Run time:* seconds.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project
study = "reference"  # folder in the result store; of its runs of the original's recipe, that of the largest input is the subject

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.claims import field, table_audit
from ferbook.claims import published as claims_published
from ferbook.core import paths, structured
from ferbook.core.parameters import settle
from ferbook.paper import key_numbers, plots, table
from ferbook.paper.chapters.results import audit_tables, field_table, figures, prose, slices, tables
from ferbook.results import image_measures, store
from ferbook.results.study import finals, largest_input, of_original, sizes_of

os.chdir(paths.project_root())
settle(globals(), "03_results")
plots.use_style()

# %% tags=["hide-input"]
of_study = store.load_study(results_dir, study)
sizes = sizes_of(of_original(of_study), of_study)
run = largest_input(sizes)
complete = finals(store.load_all(results_dir))
runs = [run, *(other for other in complete if other.name not in {each.name for each in sizes})]
dataset = store.load_dataset(results_dir)
original = structured.read_yaml("book/original.yml")
table.Notice(synthetic=run.is_synthetic, recipe=run.recipe.name)

# %% [markdown]
# ## Accuracy on each set of test images
#
# The value of an accuracy depends on the images it was measured on. {numref}`tab-accuracy`
# gives ours on all test images (as in the original), on the contest's PrivateTest (as in most other
# papers), and on those with and without a pixel-identical copy in the training folder. The
# intervals describe the sampling of test images. They do not describe how much another training run would differ:
# the run at {glue:text}`reference_image_size` pixels has one seed, as some runs of ours have, and {numref}`tab-seeds`
# shows the spread of recipes with several.

# %% tags=["hide-input"]
tables.accuracy_table(run, dataset)

# %% [markdown]
# The original reports {glue:text}`original_accuracy:.2f`%, by the arithmetic of {numref}`tab-audit` on the same
# {glue:text}`data_n_test:,` images; Wilson's interval would then be {glue:text}`original_accuracy_low:.2f` to
# {glue:text}`original_accuracy_high:.2f`% (the original gives none). Our run differs from it by
# {glue:text}`reference_difference:+.1f` points.
#
# {numref}`fig-sizes` has the same recipe, unchanged, on the same network at smaller inputs as well: from
# {glue:text}`sizes_smallest_px` to {glue:text}`sizes_largest_px` pixels, accuracy goes from
# {glue:text}`sizes_smallest_accuracy:.2f`% (seeds: {glue:text}`sizes_smallest_seeds`) to
# {glue:text}`sizes_largest_accuracy:.2f`% (seeds: {glue:text}`sizes_largest_seeds`), a difference of
# {glue:text}`sizes_gain:.1f` ± {glue:text}`sizes_gain_error:.1f` points (95% interval, as if runs at both sizes varied
# as those with several seeds do). The rest of this chapter uses the
# run at {glue:text}`reference_image_size` pixels, the largest input.

# %% mystnb={"figure": {"caption": "The original's recipe on one network at several input sizes: accuracy on all test images, one dot per seed and a line through the means. The diamond is the original as reported, at its own network and input size.", "name": "fig-sizes"}, "image": {"alt": "Accuracy against the side of the input in pixels, a line that rises, and a diamond for the original at 260 pixels."}} tags=["hide-input"]
figures.sizes(sizes, original)

# %% [markdown]
# ## Which test images the original used
#
# An accuracy is a whole number of correct answers divided by a number of images, and so is every recall.
# {numref}`tab-audit` checks the original's printed numbers against three sets of images: all test images of FER-2013,
# and each half of them. Each number is read both as rounded and as truncated. Some of the checks use the software of
# {cite:t}`fazekas2024`. Only one of the sets is compatible with all of them, as rounded numbers; the accuracy is
# impossible on either half of it, rounded or truncated. A possible accuracy is weak evidence:
# {glue:text}`audit_attainable_test:.0f`% of all percentages with two decimals are possible on
# {glue:text}`data_n_test:,` images, and {glue:text}`audit_attainable_private:.0f`% on each half. An impossible one
# rules the set out. Other sets, such as a part of the images, were not tried. For the compatible set, an integer
# program finds answers that satisfy every cell of the original's Table II and the accuracy at once, so the table is
# internally consistent; {numref}`tab-hits` shows how tightly they are determined. The row "Overall" is the mean
# weighted by class size; the unweighted mean of the F1 scores is {glue:text}`original_macro_f1:.2f`.

# %% tags=["hide-input"]
(published,), _ = claims_published.read_table("book/original.yml")
audit_tables.audit_table(table_audit.audit_result(published))

# %% tags=["hide-input"]
audit_tables.hits_table(published, claims_published.TEST_SETS[claims_published.FOLDER_TEST])

# %% [markdown]
# The same check works on any table: `ferbook audit table.yml`. {numref}`tab-audit-second` applies it to
# a table of another article, named there, which evaluates two known networks on FER-2013 with parts of the face
# hidden. As rounded numbers, some of its accuracies are impossible on every usual test set but possible on all
# test images if truncated; for others it is the reverse. Either the table mixes both ways of printing,
# or not all of it was measured on these images; arithmetic cannot tell which.
# All of its F1 scores but one agree with the harmonic mean of the average precision and recall, in the last column; the
# average of the classes' F1 is in general another number.

# %% tags=["hide-input"]
second = structured.read_yaml("book/second.yml")["title"]
findings = table_audit.audit_table("book/second.yml")
audit_tables.audit_summary(findings, source=second, label="tab-audit-second")

# %% [markdown]
# ## Class by class
#
# {numref}`tab-classes` shows the scores of the original's Table II with ours beside them, and {numref}`fig-recalls`
# shows the recalls. These are two networks, and at a smaller input the seeds of one recipe differ by many points of
# recall, so no cause can be read from them, and another seed may put another class last. In this run, recall lies
# furthest below the reported one on {glue:text}`reference_fallen_class`: the original reports
# {glue:text}`reference_fallen_from:.0f`%; our run reaches {glue:text}`reference_fallen_to:.0f`%. F1 lies furthest
# below on {glue:text}`reference_fallen_f1_class`, {glue:text}`reference_fallen_f1_from:.2f` against
# {glue:text}`reference_fallen_f1_to:.2f`.

# %% tags=["hide-input"]
tables.class_table(runs, original)

# %% mystnb={"figure": {"caption": "Recall of each class on all test images, with 95% intervals: the original's, and those of our runs that learned from the labels of FER-2013 alone, first seed of each recipe.", "name": "fig-recalls"}, "image": {"alt": "Bars of recall for seven expressions, the original's and those of our runs."}} tags=["hide-input"]
figures.recalls([one for one in runs if not one.recipe.ferplus_loss_weight] or runs, original)
# %% [markdown]
# ## Learning curves
#
# The original's Figures 1 and 2 show accuracy and loss over the epochs; {numref}`fig-accuracy`
# and {numref}`fig-loss` are ours. The vertical line marks the end of phase 1, in which only the
# head is trained. All tables show the model of the epoch with the highest validation
# accuracy, epoch {glue:text}`reference_best_epoch` of {glue:text}`reference_epochs`.

# %% mystnb={"figure": {"caption": "Accuracy over the epochs of both phases, run of the original's recipe at the largest input, one seed (as the original's Figure 1).", "name": "fig-accuracy"}, "image": {"alt": "Training and validation accuracy per epoch."}} tags=["hide-input"]
figures.learning_curves(run, "accuracy")
# %% mystnb={"figure": {"caption": "Loss over the epochs of both phases, same run, with label smoothing; the training loss is weighted by class as well (as the original's Figure 2).", "name": "fig-loss"}, "image": {"alt": "Training and validation loss per epoch."}} tags=["hide-input"]
figures.learning_curves(run, "loss")
# %% [markdown]
# ## Confusions
#
# The original's Figures 3 and 4 are confusion matrices, in counts and normalized by row;
# {numref}`fig-confusion` and {numref}`fig-confusion-normalized` are ours on the same images. The
# original names sad and neutral, fear and sad, and fear and surprise as frequent or dominant confusions. By the number
# of errors they are, in our run, number {glue:text}`reference_confusion_rank_sad_neutral`,
# {glue:text}`reference_confusion_rank_fear_sad` and {glue:text}`reference_confusion_rank_fear_surprise` of
# {glue:text}`reference_confusion_pairs` pairs.

# %% mystnb={"figure": {"caption": "Confusion matrix on all test images, in counts, run of the original's recipe at the largest input (as the original's Figure 3).", "name": "fig-confusion"}, "image": {"alt": "Seven by seven confusion matrix in counts."}} tags=["hide-input"]
figures.confusion(run, normalized=False)
# %% mystnb={"figure": {"caption": "The same matrix as fractions of each true class (as the original's Figure 4); the diagonal holds the recalls.", "name": "fig-confusion-normalized"}, "image": {"alt": "Seven by seven confusion matrix, each row summing to one."}} tags=["hide-input"]
figures.confusion(run, normalized=True)
# %% [markdown]
# {numref}`fig-confusion-difference` subtracts this matrix from that of our run with the highest accuracy on
# validation images without copies; negative values on the diagonal are losses of recall.

# %% mystnb={"figure": {"caption": "Difference of two row-normalized confusion matrices, in points: our run with the highest accuracy on validation images without copies minus the run of the original's recipe. The two differ in recipe and input size, and in labels where the first uses FER+.", "name": "fig-confusion-difference"}, "image": {"alt": "Seven by seven matrix of differences in points; the diagonal holds the change in recall of each class."}} tags=["hide-input"]
pair = figures.subject_and_best(runs)
figures.confusion_difference(pair[0], pair[-1])
# %% [markdown]
# ## Calibration
#
# A model is calibrated if, among answers given with a certain probability, that share is correct {cite:p}`guo2017`.
# {numref}`fig-reliability` shows how far this holds. For the run of the original's recipe, the expected calibration
# error is
# {glue:text}`reference_ece:.1f`%, and {glue:text}`reference_ece_fitted:.1f`% after dividing the logits by a
# temperature of {glue:text}`reference_temperature:.2f`, fitted on validation images. The temperature minimizes the
# log loss, not the calibration error, so the latter can grow. Differences this small also depend on the number of
# bins.

# %% mystnb={"figure": {"caption": "Accuracy against confidence on all test images, in fifteen bins; the more images in a bin, the larger its dot. The text in each panel gives the temperature T and the expected calibration error.", "name": "fig-reliability"}, "image": {"alt": "Reliability diagrams of two runs, each with two curves near the diagonal."}} tags=["hide-input"]
figures.reliability(pair)

# %% [markdown]
# ## Errors under a second set of labels
#
# {numref}`tab-second-truth` evaluates the same answers by
# the plurality of FER+'s taggers. A network that has learned FER-2013's labels well should agree with
# them more than with FER+; where it does not, the labels may be as much to blame as the network.
# The third row counts the errors that are correct according to FER+. The run of the original's recipe agrees with the
# labels on {glue:text}`reference_agrees_labels:.1f`% of these images and with FER+ on
# {glue:text}`reference_agrees_ferplus:.1f`%. Runs whose
# column says so were trained on the votes of FER+ for the training images. Their agreement with FER+ on test
# images is what they were trained for and says little about FER-2013's labels.

# %% tags=["hide-input"]
tables.second_truth_table(runs)

# %% [markdown]
# Confident learning {cite:p}`northcutt2021` finds images for which a model gives another class at least the confidence
# that it has on average in images of that class. The model should not have been trained on them; of those with a copy
# in training it doubts too few. It doubts {glue:text}`reference_doubted:,` labels of validation and test images
# ({numref}`tab-issues`). FER+ has a plurality on {glue:text}`reference_doubted_known:,` of them and contradicts
# FER-2013 on {glue:text}`reference_doubted_confirmed_percent:.0f`%. Of all labels of these images, FER+ contradicts
# {glue:text}`reference_contradicted_percent:.0f`%, or {glue:text}`reference_contradicted_like_percent:.0f`% after
# reweighting to the classes of the doubted labels, which are more often fear and sad. A plurality may be as few as
# three of ten taggers.

# %% tags=["hide-input"]
tables.issue_table(run)

# %% [markdown]
# ## Accuracy by brightness, sharpness and agreement
#
# The data have no labels of age, sex or skin tone, and we do not invent any. {numref}`fig-slices` divides the test
# images by what can be measured without them. Accuracy is {glue:text}`reference_accuracy_disputed:.0f`% where at most
# half of the taggers agree and {glue:text}`reference_accuracy_unanimous:.0f`% where all of them do. Part of this is
# the mix of classes: happy, which is recognized best, is {glue:text}`reference_disputed_happy:.0f`% of the former and
# {glue:text}`reference_unanimous_happy:.0f`% of the latter. Reweighted to the class mix of all test images, the two
# accuracies are {glue:text}`reference_accuracy_disputed_like:.0f`% and
# {glue:text}`reference_accuracy_unanimous_like:.0f`%.

# %% mystnb={"figure": {"caption": "Accuracy of the run of the original's recipe and of our run with the highest accuracy on validation images without copies, which learned from FER+, with 95% intervals, on slices of the test images that need no personal label.", "name": "fig-slices"}, "image": {"alt": "Dots with intervals for twelve slices by brightness, sharpness and agreement of taggers; accuracy rises with agreement."}} tags=["hide-input"]
slices.slices(pair, image_measures.load_images(results_dir))

# %% [markdown]
# ## Published accuracies
#
# A published accuracy means little without its protocol: the test images, what the checkpoint was
# chosen on, how many views of an image are averaged, and what else the network learned from.
# {numref}`fig-field` shows published accuracies by test set, and
# {numref}`tab-comparison` gives what papers, released code and its threads say of each. The facts
# are in `book/field.yml`; {numref}`tab-field-sources` names the file or the thread of each. Three things
# stand out.
#
# - **Some checkpoints were chosen on the images that they were then scored on.** Of
#   {glue:text}`field_methods` accuracies, {glue:text}`field_on_test` are of this kind according to their
#   released code, which calls these images validation and keeps the epoch that is best on them. Such an accuracy
#   is a maximum over epochs and too high by an amount that nobody measured.
# - **Many average several views.** A single view of ResMaskingNet was measured
#   at {glue:text}`field_one_view:.2f`%, several at {glue:text}`field_several_views:.2f`%.
# - **Others measure different values.** For {glue:text}`field_repeated` of these networks there are accuracies
#   measured by others, two of them of a smaller version or without the additional data; most are lower than
#   what was printed. For ResEmoteNet their accuracies range from about
#   {glue:text}`field_widest_low:.0f` to more than {glue:text}`field_widest_high:.0f`%; the highest were measured on
#   images that its author shares, which {numref}`tab-comparison` leaves out.
#
# EmoNeXt states its protocol most clearly: chosen on PublicTest, reported on PrivateTest. The rows of the original's
# Table III repeat its own numbers; {numref}`tab-parameters` has the sizes that we counted, which differ.

# %% mystnb={"figure": {"caption": "Published accuracies by the test images that they were measured on, gray; the original's and ours, one view for each image and the first seed of each recipe, in their colors. Open: the checkpoint was chosen on the same images. A line spans what others measured with the same code, for EmoNeXt-XL with its smaller version Tiny, and without what was measured on images that an author shares.", "name": "fig-field"}, "image": {"alt": "Dot plot in panels for PrivateTest, all test images and images that were not stated; published accuracies from 67 to 82 percent, with lines to the lower values that others measured."}} tags=["hide-input"]
methods = field.read_field("book/field.yml")
figures.field(methods, runs, original)

# %% tags=["hide-input"]
views = store.load_answers(results_dir, "test_time_augmentation")
field_table.comparison_table(runs, original, methods, views)

# %% tags=["hide-input"]
field_table.sources_table(methods)

# %% [markdown]
# ## Limits
#
# Each table shows one run of a recipe; {numref}`tab-seeds` lists recipes with several. The intervals
# above do not include the variation between seeds. EfficientNetB2 with its ImageNet weights was not run
# here, because there was no GPU and its ImageNet weights could not be fetched; nothing in this chapter predicts
# what it would reach.
#
# ```{admonition} What we found
# :class: tip
# - {glue:text}`reference_accuracy_test:.2f`% on all test images and
#   {glue:text}`reference_accuracy_clean:.2f`% on those without a copy in training, at
#   {glue:text}`reference_image_size` pixels; {glue:text}`sizes_smallest_accuracy:.2f`% at
#   {glue:text}`sizes_smallest_px`.
# - Accuracy is higher where taggers agree: reweighted to one class mix,
#   {glue:text}`reference_accuracy_disputed_like:.0f`% where at most half of them do and
#   {glue:text}`reference_accuracy_unanimous_like:.0f`% where all do.
# ```

# %% tags=["remove-cell"]
values = (
    key_numbers.dataset_numbers(dataset)
    | key_numbers.original_numbers(original, dataset)
    | key_numbers.parameter_numbers(store.load_parameters(results_dir))
    | key_numbers.run_numbers(run, dataset, original)
    | prose.audit_numbers(published)
    | prose.size_numbers(sizes)
    | prose.finding_numbers(run, original)
    | prose.doubt_numbers(run)
    | prose.field_numbers(methods)
)
for key, value in values.items():
    glue(key, value, display=False)

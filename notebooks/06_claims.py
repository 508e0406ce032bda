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
# # Claims
#
# **Of {glue:text}`claims_total` checkable statements that we drew from the original,
# {glue:text}`claims_fact_confirmed` are confirmed as facts, {glue:text}`claims_consistent_by_arithmetic` are
# consistent by arithmetic, {glue:text}`claims_contradicted` are contradicted, on the basis of
# {glue:text}`claims_contradicted_facts` distinct facts, and {glue:text}`claims_replicated` are replicated, which
# requires a run of the original's own configuration.** Each is listed below with the words of the original that it
# rests on, and with a grade that a program computes from the result store, from the counts of the data, and by
# arithmetic. Their number depends on how finely we divided the text: each score of a table is one, and a sentence may
# yield several.
#
# *Input:* the result store, the ledger `book/claims.yml` and `book/sentences.yml`, which maps each
# sentence of the original to its claims. *Run time:* seconds.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.claims import grading, references
from ferbook.core import paths
from ferbook.core.parameters import settle
from ferbook.paper import grades, table
from ferbook.paper.chapters.claims import prose, tables
from ferbook.results import store

os.chdir(paths.project_root())
settle(globals(), "06_claims")

# %% tags=["hide-input"]
graded = grading.grade_all(results_dir, "book/claims.yml", "book/original.yml")
table.Notice(synthetic=store.load_dataset(results_dir)["name"] == "synthetic")

# %% mystnb={"code_prompt_show": "Code of this bar"} tags=["hide-input"]
grades.grade_bar(graded)

# %% [markdown]
# In the original's configuration, {glue:text}`claims_replicated` statements are replicated and
# {glue:text}`claims_not_replicated` are not. On a stand-in, {glue:text}`claims_seen_on_a_stand_in` are seen and
# {glue:text}`claims_not_seen_on_a_stand_in` are not; of these, {glue:text}`claims_seen_by_a_run` and
# {glue:text}`claims_not_seen_by_a_run` are judged in each run of the recipe, and all runs agree.
# {glue:text}`claims_undecided` are undecided. {glue:text}`claims_not_run` were not run, and
# {glue:text}`claims_not_testable_here` cannot be tested here. {glue:text}`claims_questions` recommendations are
# treated as questions and listed at the end.
#
# ## What the grades mean

# %% tags=["hide-input"]
tables.grade_table(graded)

# %% [markdown]
# The evidence names the stand-in of each claim. Its results neither confirm nor refute the original's numbers. A
# score is graded only by a run of the original's own configuration. It is replicated if it differs by no more than
# another seed would change it: Student's t times the standard deviation over seeds of the same recipe, for the
# difference of two runs. If this tolerance exceeds {glue:text}`claims_widest:.0f` points, as it would with our few
# seeds, a score within it is undecided; otherwise having few seeds would make almost any score count as replicated.
# What a curve or a ranking shows is judged in every run of the recipe, on whatever network and input size, and is
# undecided where they disagree. A threshold that does not follow from the original's words is marked as ours. The
# effect of a part of the recipe is graded by runs of the original's recipe with and without it, never of ours, and
# counts as seen only if it exceeds the variation between seeds, by the test of [](../method.md) without a correction
# for many claims. An effect may therefore count as seen here although [](04_ablations.ipynb), which corrects p for
# all planned changes, cannot distinguish it from the variation between seeds. If an experiment was run at several
# scales, a scale with several seeds decides, and the evidence also gives the differences at the others. If one of
# these has the opposite sign, the effect is undecided, as is that of label smoothing on accuracy. An effect is also
# undecided if either side has only one seed, or classifies fewer than half of the test images correctly on average,
# and so is the claim that a part prevents something, such as overfitting, which did not occur without it. Where all
# answers agree bit for bit, as with Adam in place of Keras's AdamW, float32 leaves nothing of the part, and the
# original may have used another implementation: it is not testable here.
#
# A printed number may have been rounded or truncated. Both readings are tried, and a number
# is contradicted only if it is impossible under both.
#
# ## What is contradicted

# %% tags=["hide-input"]
tables.contradicted_table(graded)

# %% [markdown]
# ## The ledger
#
# [Search it, or select a grade.]{.on-screen} "More" leads to the table or figure that shows the evidence.

# %% mystnb={"code_prompt_show": "Code of the ledger"} tags=["hide-input"]
tables.claims_table(graded)

# %% [markdown]
# ## What the original cites, and for what
#
# {numref}`tab-references` is the original's list of references with its errors corrected: of
# {glue:text}`references_total` entries, {glue:text}`references_corrected` had some. The text cites
# {glue:text}`references_cited` of them; the others appear in the list alone. For those cited, the table
# shows for what, and whether the work supports it, as far as we could read it. The works themselves, with
# their addresses, are in {doc}`../references`.

# %% tags=["hide-input"]
works = references.read_references("book/original_references.yml")
tables.references_table(works)

# %% [markdown]
# ## Limits
#
# A test compares each quote with the original's text and checks that each of its sentences is mapped to claims or
# to the reason why it has none. What is checkable, by which check and against which limit was our judgment; given
# these, a program computes the grade. Statements about the literature were not tested, because
# that would require a survey of it. The command `ferbook claims` prints the same grades. A run of the original's
# configuration, added to the result store, replaces "not run" by a grade.
#
# ```{admonition} What we found
# :class: tip
# - {glue:text}`claims_contradicted` statements are contradicted by counts, arithmetic or the named source. Because
#   the original repeats some of them, they rest on only {glue:text}`claims_contradicted_facts` distinct facts.
# - {glue:text}`claims_seen_on_a_stand_in` statements were seen on a stand-in and
#   {glue:text}`claims_not_seen_on_a_stand_in` were not.
# - {glue:text}`claims_not_run` statements were **not run**: {glue:text}`claims_not_run_configuration` need a run of the
#   original's configuration, {glue:text}`claims_not_run_other` other experiments, such as its recipe with one part less.
# ```

# %% tags=["remove-cell"]
numbers = prose.claim_numbers(graded) | prose.reference_numbers(works)
for key, value in numbers.items():
    glue(key, value, display=False)

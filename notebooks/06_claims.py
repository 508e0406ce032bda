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
# # Claims
#
# **Which statements of the original hold?** Every one that can be checked is listed below, in the
# original's own words, with a grade that a program gave: from the result store, from the counts of
# the data, and by arithmetic. No score of the original has been replicated, since its network was
# not trained here; most of what can be counted or worked out holds, but not its number of
# parameters, nor its promise of scripts.
#
# *In:* the result store, the ledger `book/claims.yml` and `book/sentences.yml`, which leads from each
# sentence of the original to its claims. *Takes* seconds.

# %% tags=["parameters", "hide-cell"]
results_dir = "results"  # the result store; paths are relative to the project

# %% tags=["remove-cell"]
import os

from myst_nb import glue

from ferbook.claims import grading, references
from ferbook.core import paths
from ferbook.paper import grades, table
from ferbook.paper.chapters.claims import prose, tables
from ferbook.results import store

os.chdir(paths.project_root())

# %% tags=["hide-input"]
graded = grading.grade_all(results_dir, "book/claims.yml", "book/original.yml")
table.Notice(synthetic=store.load_dataset(results_dir)["name"] == "synthetic")

# %% tags=["hide-input"]
grades.grade_bar(graded)

# %% [markdown]
# Of {glue:text}`claims_total` claims, {glue:text}`claims_fact_confirmed` are confirmed as facts,
# {glue:text}`claims_consistent_by_arithmetic` are consistent by arithmetic and
# {glue:text}`claims_contradicted` are contradicted. {glue:text}`claims_replicated` are replicated and
# {glue:text}`claims_not_replicated` are not, in the original's configuration. On a stand-in,
# {glue:text}`claims_seen_on_a_stand_in` are seen and {glue:text}`claims_not_seen_on_a_stand_in` are
# not. {glue:text}`claims_not_run` were not run, and {glue:text}`claims_not_testable_here` cannot be
# tested here. {glue:text}`claims_questions` recommendations are questions and stand at the end.
#
# ## What the grades mean

# %% tags=["hide-input"]
tables.grade_table(graded)

# %% [markdown]
# A *stand-in* is the original's recipe on another network, at another input size or on fewer images;
# the evidence names it. What it shows is no verdict on the original. A score is graded by a run of the
# original's own configuration and by no other. It is replicated if it differs by no more than another
# seed would change it: Student's t times the deviation over seeds of the same recipe, for the
# difference of two runs. A limit that the words of the original do not give is marked as ours. What a
# part of the recipe is worth is graded by runs with and without it, and is seen only if it is more
# than other seeds change.
#
# A printed number may have been rounded or cut off after its last digit. Both are tried, and a number
# is contradicted only if neither allows it.
#
# ## The ledger
#
# Search it, choose a grade, follow "more" to the table or figure that shows the evidence.

# %% tags=["hide-input"]
tables.claims_table(graded)

# %% [markdown]
# ## What the original cites, and for what
#
# {numref}`tab-references` is the original's list of references with its mistakes put right: of
# {glue:text}`references_total` entries, {glue:text}`references_corrected` needed it. Its text cites
# {glue:text}`references_cited` of them; the others stand in the list alone. For those cited, the table
# says what for, and whether the work says so, as far as we could read it. The works themselves, with
# their addresses, are in the chapter {doc}`../references`.

# %% tags=["hide-input"]
works = references.read_references("book/original_references.yml")
tables.references_table(works)

# %% [markdown]
# ## Summary and limits
#
# A test compares each quote with the original's text and finds each of its sentences in the map, with
# its claims or with the reason why it has none. What counts as checkable, and which check is fair, is
# our judgement; the grades are not. Statements about the literature were not tested, for want of
# counting it. The command `ferbook claims` prints the same grades. A run of the original's
# configuration, put into the result store, turns "not run" into an answer.

# %% tags=["remove-cell"]
numbers = prose.claim_numbers(graded) | prose.reference_numbers(works)
for key, value in numbers.items():
    glue(key, value, display=False)

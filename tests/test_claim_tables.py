"""The tables of the chapter Claims and of audits, and its numbers: worked out by hand."""

import re

import numpy as np
import pytest
from conftest import printed_table

from ferbook.claims.grading import counted, facts
from ferbook.claims.ledger import QUESTIONS, Claim
from ferbook.claims.published import SCORES, Published
from ferbook.claims.table_audit import HARMONIC, Finding, audit_result
from ferbook.claims.verdict import ANSWERED, CONTRADICTED, FACT, NOT_RUN, SEEN, Verdict
from ferbook.core.classes import CLASSES
from ferbook.core.recipe import Recipe
from ferbook.paper import grades
from ferbook.paper.chapters.claims import prose, tables
from ferbook.paper.chapters.results import audit_tables
from ferbook.paper.chapters.training.tables import recipe_table


def graded(grade, name="a", group="data", fact="", **check):
    claim = Claim(
        name, group, "III.A", "has 3 < 4 images", "It says.", {"kind": "dataset", **check}, "p",
        printed=0.5, printed_to=0.01, fact=fact,
    )  # fmt: skip
    return claim, Verdict(grade, "3 & 4", "Counted <here>.", "01_data#tab-counts")


def cells():
    return [graded(NOT_RUN, f"{name}-{score}", "table 2", kind="score")
            for name in CLASSES for score in SCORES]  # fmt: skip


LEDGER = [graded(FACT), graded(FACT, "b"), graded(CONTRADICTED, "c"), *cells(),
          graded(ANSWERED, "q", QUESTIONS)]  # fmt: skip


def test_numbers():
    numbers = prose.claim_numbers(LEDGER)
    assert numbers["claims_total"] == 24 and numbers["claims_questions"] == 1
    assert numbers["claims_fact_confirmed"] == 2 and numbers["claims_not_run"] == 21
    assert numbers["claims_seen_on_a_stand_in"] == numbers["claims_replicated"] == 0
    assert sum(counted(LEDGER).values()) == 24


def test_contradicted_statements_that_rest_on_one_fact_count_as_one():
    ledger = [
        graded(CONTRADICTED, "a", fact="x"), graded(CONTRADICTED, "b", fact="x"),
        graded(CONTRADICTED, "c"), graded(FACT, "d", fact="y"),
        graded(CONTRADICTED, "e", QUESTIONS, fact="z"),
    ]  # fmt: skip
    assert facts(ledger, CONTRADICTED) == 2  # x, c
    numbers = prose.claim_numbers(ledger)
    assert (numbers["claims_contradicted"], numbers["claims_contradicted_facts"]) == (3, 2)
    assert "rest on 2 distinct facts" in tables.grade_table(ledger).caption
    assert (
        tables.contradicted_table(ledger).formatted().to_numpy().tolist()
        == [["It says.", "3 & 4", "Counted <here>."]] * 2
    )


def test_statements_not_run_by_what_they_need():
    """21 scores need the original's configuration; an effect and a latency do not."""
    others = [graded(NOT_RUN, kind, kind=kind) for kind in ("ablation", "not_run")]
    ledger = [*LEDGER, *others, graded(SEEN, "s", kind="trend")]
    numbers = prose.claim_numbers(ledger)
    assert numbers["claims_not_run"] == 23
    assert numbers["claims_not_run_configuration"] == 21 and numbers["claims_not_run_other"] == 2
    assert numbers["claims_seen_by_a_run"] == 1 and numbers["claims_not_seen_by_a_run"] == 0


def test_grade_table_counts_claims_and_no_questions():
    shown = tables.grade_table(LEDGER).formatted().set_index("grade")["claims"]
    assert shown[FACT] == "2" and shown[NOT_RUN] == "21" and shown[SEEN] == "0"
    assert ANSWERED not in shown


def test_grade_bar_is_as_wide_as_the_counts():
    bar = grades.grade_bar(LEDGER).data
    assert re.findall(r'style="flex: (\d+)" title="([^"]*)"', bar) == [
        ("2", FACT), ("1", CONTRADICTED), ("21", NOT_RUN),
    ]  # fmt: skip
    assert 'aria-label="2 fact confirmed, 1 contradicted, 21 not run"' in bar


def test_claims_table_has_a_row_a_claim_and_one_block_of_cells():
    shown = tables.claims_table(LEDGER).data
    assert len(re.findall("<tr data-grades=", shown)) == 3 + 1 + 1
    groups = re.findall(r'class="ledger-group"><th colspan="5">([^<]*)<', shown)
    assert groups == ["data", "table 2", QUESTIONS]
    kinds = re.findall(r'<tbody class="([^"]*)"', shown)
    assert kinds == ["ledger-statements", "ledger-statements", "ledger-questions"]
    assert f'data-grades="{"|".join([NOT_RUN] * 21)}"' in shown  # each is counted
    assert shown.count("ledger-cells") == 1 and shown.count("<td>0.50 <small>") == 21
    row = re.search(r'<tr data-grades="contradicted">(.*?)</tr>', shown)[1]
    assert row == (
        "<td>It says.</td><td>“has 3 &lt; 4 images” <small>III.A</small></td><td>3 &amp; 4</td>"
        '<td><span class="grade grade-contradicted">contradicted</span></td>'
        '<td>Counted &lt;here&gt;. <a href="01_data.html#tab-counts">more</a></td>'
    )


def test_readers_see_no_names_of_code():
    assert "<td>a</td>" not in tables.claims_table(LEDGER).data
    frame = tables.claims_frame(LEDGER[:1])
    assert frame.loc[0, ["claim", "section", "grade"]].tolist() == ["a", "III.A", FACT]


def test_audit_table_is_a_grid_of_ticks():
    result, supports = printed_table(np.array([[2, 1], [1, 2]]))  # 0.67: rounded
    sets = {"six": supports, "nine": dict.fromkeys(supports, 5)}
    shown = audit_tables.audit_table(audit_result(result, sets)).formatted()
    readings = [f"{name}, {how}" for name in sets for how in ("rounded", "truncated")]
    assert list(shown) == ["check", *readings, "detail"]
    first = shown.iloc[0].tolist()
    assert first[0].startswith("accuracy") and first[1:3] == ["✓", "✗"]
    assert first[-1] == "4 of 6 right"
    result, _ = printed_table(np.array([[2, 1], [1, 2]]), reading="truncated")
    first = audit_tables.audit_table(audit_result(result, {"six": supports})).formatted().iloc[0]
    assert first.tolist()[1:] == ["✗", "✓", "4 of 6 right"]


def test_audit_table_of_several_results_names_them(findings):
    shown = audit_tables.audit_table(findings).formatted().set_index(["result", "check"])
    check = "accuracy is a whole number of images"
    assert shown.loc[("cut", check)].tolist() == ["✗", "✓", "✗", "✓", "2 of 3 right"]
    assert shown.loc[("none", check), "detail"] == ""
    assert shown.loc[("cut", "note")].tolist() == ["-", "-", "-", "-", "a note"]


@pytest.fixture
def findings():
    """66.66 % of three images is 2, truncated; 66.67 % rounded; 70 % is neither."""

    def row(name, accuracy):
        return Published(name, accuracy, {}, {}, {}, {"accuracy": 1e-4})

    rows = [row("cut", 0.6666), row("round", 0.6667), row("none", 0.7)]
    found = [f for r in rows for f in audit_result(r, {"three": {"a": 3}, "nine": {"a": 9}})]
    return [*found, Finding("cut", "note", "any", "any", None, "a note")]


def test_audit_summary_ticks_the_sets_under_each_reading(findings):
    harmonic = Finding("cut", HARMONIC, "any", "any", None, "2PR / (P + R)")
    shown = audit_tables.audit_summary([*findings, harmonic], source="x", label="tab-x").formatted()
    assert list(shown)[1:] == ["three, rounded", "three, truncated", "nine, rounded",
                               "nine, truncated", "F1 of averages"]  # fmt: skip
    assert shown.to_numpy().tolist() == [
        ["cut", "✗", "✓", "✗", "✓", "yes"],
        ["round", "✓", "✗", "✓", "✗", "no"],
        ["none", "✗", "✗", "✗", "✗", "no"],
    ]


def test_homeless_results_fail_everywhere_under_both_readings(findings):
    assert audit_tables.homeless_results(findings) == ["none"]


def test_recipe_table_attributes_to_the_original_what_it_states():
    recipes = {
        "one": Recipe(dropout=0.3, mixup_alpha=0.2),
        "two": Recipe(schedule="cosine", warmup_epochs=0, backbone="vgg_small", weights="none"),
    }
    stated = {"dropout": 0.5, "batch_size": 32, "plateau_factor": 0.3, "train_batch_norm": False}
    shown = recipe_table(recipes, stated).formatted()
    assert list(shown.columns) == ["hyperparameter", "original", "one", "two"]
    rows = {str(row[0]): row[1:] for row in shown.to_numpy().tolist()}
    assert rows["`dropout`"] == ["0.5", "0.3", "same"]
    assert rows["`batch_size`"] == ["32", "same", "same"]
    assert rows["`train_batch_norm`"] == ["no", "same", "same"]
    assert rows["`mixup_alpha`"] == ["not stated", "0.2", "off"]
    assert rows["`backbone`"] == ["not stated", "EfficientNetB2", "small VGG"]
    assert rows["`weights`"] == ["not stated", "ImageNet", "random"]
    assert rows["`plateau_factor`"] == ["0.3", "same", "off"]  # of no effect with a cosine
    assert rows["`lr_warmup_fraction`"] == ["not stated", "off", "0.1"]
    assert rows["`warmup_learning_rate`"] == ["not stated", "1e-3", "off"]
    assert (
        "`teachers`" not in rows and "`distillation_share`" not in rows
    )  # off, like what needs it
    assert "`erasing_probability`" not in rows and "`name`" not in rows


def test_quotes_are_shown_as_the_original_prints_them():
    shown = tables._as_printed("*fear* is 2 * 3 of **all**")
    assert shown == "<em>fear</em> is 2 * 3 of <em>all</em>"
    assert tables._as_printed(r"$\approx 9.2\text{M}$, $\pm 25^\circ$") == "≈ 9.2M, ± 25°"
    assert tables._as_printed("Adam at $1e-3$, or $5") == "Adam at 1e\u22123, or $5"


def test_a_link_leads_to_the_anchor_as_sphinx_writes_it():
    assert tables._link("04_ablations#fig-paper_changes") == (
        '<a href="04_ablations.html#fig-paper-changes">more</a>'
    )

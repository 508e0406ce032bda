"""The original's claims, graded by what is in the result store. No grade is written by hand.

`book/claims.yml` says what is claimed and which check decides; each kind of check is a function
here, named after it. A check measures and grades; the arithmetic of `feasibility` is done on every
claim about a printed score, whether or not a run bears on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ferbook.claims import feasibility
from ferbook.claims import published as claims_published
from ferbook.claims.published import TEST_SETS, Published
from ferbook.core.classes import CLASSES
from ferbook.core.errors import FerbookError
from ferbook.core.files import read_yaml
from ferbook.core.recipe import Recipe
from ferbook.results import store
from ferbook.results.metrics import accuracy_interval, confusion_matrix, paired_test, score
from ferbook.results.run import Run
from ferbook.results.study import paired

REPRODUCED, WITHIN, CONTRADICTED, NOT_REPRODUCED, NOT_RUN = GRADES = (
    "reproduced",
    "within tolerance",
    "contradicted",
    "not reproduced",
    "not run",
)
_FOLDER_TEST = "PublicTest + PrivateTest"
_PLACES = ("name", "backbone", "image_size", "seed", "weights")  # may differ under one recipe


class ClaimError(FerbookError, ValueError):
    """The ledger of claims is not as it should be."""


@dataclass(frozen=True)
class Claim:
    """One checkable statement of the original."""

    id: str
    section: str
    statement: str
    quote: str
    value: float
    unit: str
    tolerance: float
    test: Mapping[str, Any]


class Verdict(NamedTuple):
    """A grade, what was measured (None: nothing), why, and where in the book to look."""

    grade: str
    measured: float | None
    evidence: str
    page: str


@dataclass(frozen=True)
class Evidence:
    """Everything a check may look at."""

    runs: list[Run]
    dataset: Mapping[str, Any]
    parameters: Mapping[str, Mapping[str, int]]
    original: Mapping[str, Any]
    published: Published = field(repr=False)

    def exact(self) -> Run | None:
        """A run of the original's configuration: backbone, input size, weights and recipe."""
        wanted = replace(Recipe(), name="any", seed=0)
        found = (r for r in self.runs if replace(r.recipe, name="any", seed=0) == wanted)
        return next(found, None)

    def stand_in(self) -> Run | None:
        """The original's recipe on any backbone and size; the original's own if there is one."""
        wanted = _recipe_alone(Recipe())
        runs = [run for run in self.runs if _recipe_alone(run.recipe) == wanted]
        largest = max(runs, key=lambda run: run.recipe.image_size, default=None)
        return self.exact() or largest


def read_claims(path: str | Path) -> list[Claim]:
    """The ledger. Raises ClaimError, naming the claim, when an entry is incomplete or unknown."""
    claims, entries = [], read_yaml(path).get("claims") or []
    if not isinstance(entries, list):
        raise ClaimError(f"{path}: expected a list of claims. Received: {entries!r:.80}.")
    for entry in entries:
        try:
            claim = Claim(**entry)
            float(claim.value), float(claim.tolerance)
            known = claim.test["kind"] in CHECKS
        except (TypeError, ValueError, KeyError) as error:
            raise ClaimError(f"{path}: not a claim: {entry!r} ({error}).") from error
        if not known:
            raise ClaimError(
                f"{path}: {claim.id}: expected a kind of test among {', '.join(sorted(CHECKS))}. "
                f"Received: {claim.test['kind']!r}."
            )
        claims.append(claim)
    twice = {c.id for c in claims if [d.id for d in claims].count(c.id) > 1}
    if twice or not claims:
        raise ClaimError(
            f"{path}: ids given twice: {sorted(twice)}." if twice else f"{path}: empty."
        )
    return claims


def gather(results_dir: str | Path, original: str | Path) -> Evidence:
    """The evidence in a result store and in the original's own file.

    Synthetic runs are no evidence and are left out.
    """
    (published,), _ = claims_published.read_table(original)
    return Evidence(
        [run for run in store.load_all(results_dir) if not run.is_synthetic],
        store.load_dataset(results_dir),
        store.load_parameters(results_dir),
        read_yaml(original),
        published,
    )


def grade(claim: Claim, evidence: Evidence) -> Verdict:
    """Carry out the claim's check.

    Raises ClaimError when the ledger or the evidence does not hold what the check asks for.
    """
    arguments = {name: value for name, value in claim.test.items() if name != "kind"}
    try:
        return CHECKS[claim.test["kind"]](claim, evidence, **arguments)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise ClaimError(f"{claim.id}: {claim.test} cannot be carried out ({error!r}).") from error


def compare(claim: Claim, measured: float) -> str:
    """Reproduced to the printed digit, within tolerance, or not reproduced."""
    unit = 0.5 * 10.0 ** -_decimals(claim) + 1e-9
    distance = abs(measured - float(claim.value))
    if distance <= unit:
        return REPRODUCED
    return WITHIN if distance <= claim.tolerance else NOT_REPRODUCED


def _dataset(claim: Claim, evidence: Evidence, path: str) -> Verdict:
    facts = evidence.dataset
    derived = {"classes": len(facts["counts"]["Training"]), "leaked": len(facts["leaked_files"])}
    measured: Any = derived.get(path, facts)
    for name in () if path in derived else path.split("."):
        measured = measured[name]
    return _exactly(claim, measured, f"counted in the data: {measured:,}", "01_data")


def _smallest_class(claim: Claim, evidence: Evidence, expression: str) -> Verdict:
    counts = evidence.dataset["counts"]["Training"]
    smallest = min(counts, key=counts.get)
    text = f"{smallest} has {counts[smallest]:,} training images"
    return _exactly(claim, smallest == expression, text, "01_data#tab-counts")


def _clipped_classes(claim: Claim, evidence: Evidence) -> Verdict:
    counts = evidence.dataset["counts"]["Training"]
    balance = {c: sum(counts.values()) / (len(counts) * n) for c, n in counts.items()}
    clipped = [c for c, weight in balance.items() if weight > Recipe().class_weight_clip]
    text = ", ".join(f"{c} ({balance[c]:.2f} unclipped)" for c in clipped) or "none"
    return _exactly(claim, len(clipped), text, "01_data#tab-weights")


def _parameters(claim: Claim, evidence: Evidence, backbone: str, which: str) -> Verdict:
    counted = evidence.parameters[backbone][which]
    close = abs(counted - float(claim.value)) <= claim.tolerance
    totals = {name: c["total"] for name, c in evidence.parameters.items() if name != backbone}
    near = [n for n, total in totals.items() if abs(total - float(claim.value)) <= claim.tolerance]
    text = f"{counted:,} counted on the built model"
    text += f"; {near[0]} has {totals[near[0]]:,}" if near else ""
    return Verdict(WITHIN if close else CONTRADICTED, counted, text, "02_training#tab-parameters")


def _cheaper(claim: Claim, evidence: Evidence, model: str, than: str, column: str) -> Verdict:
    ours, theirs = (evidence.parameters[name][column] for name in (model, than))
    text = f"{ours:,} against {theirs:,} ({column.replace('_', '-')})"
    return _exactly(claim, ours < theirs, text, "02_training#tab-parameters")


def _accuracy_possible(claim: Claim, evidence: Evidence, test_set: str) -> Verdict:
    total = sum(TEST_SETS[test_set].values())
    unit = evidence.published.printed_to["accuracy"]
    counts = feasibility.possible_counts(float(claim.value), total, unit)
    if not counts:
        return Verdict(CONTRADICTED, None, f"no k of {total:,} gives it", "03_results#tab-audit")
    others = {name: sum(n.values()) for name, n in TEST_SETS.items() if name != test_set}
    elsewhere = [
        name for name, n in others.items()
        if feasibility.possible_counts(float(claim.value), n, unit)
    ]  # fmt: skip
    text = f"{counts[0]:,} of {total:,}; " + (
        f"also possible on {', '.join(elsewhere)}" if elsewhere else "impossible on either half"
    )
    return Verdict(REPRODUCED, counts[0] / total, text, "03_results#tab-audit")


def _table_possible(claim: Claim, evidence: Evidence, test_set: str) -> Verdict:
    found = feasibility.solve(evidence.published, TEST_SETS[test_set])
    text = "whole numbers satisfy all cells at once" if found else "no whole numbers satisfy all"
    return _exactly(claim, bool(found), text, "03_results#tab-audit")


def _average(claim: Claim, evidence: Evidence, score: str) -> Verdict:
    supports = TEST_SETS[_FOLDER_TEST]
    fits = feasibility.matching_averages(evidence.published, supports)[score]
    means = {how: feasibility.average(evidence.published, supports, how)[score]
             for how in ("weighted", "macro")}  # fmt: skip
    text = ", ".join(f"{how} mean of the rows {mean:.3f}" for how, mean in means.items())
    page = "03_results#tab-classes"
    return Verdict(REPRODUCED if fits else CONTRADICTED, means["weighted"], text, page)


def _experiment(claim: Claim, evidence: Evidence, score: str) -> Verdict:
    """A score of the original's own configuration, and whether arithmetic allows it at all."""
    impossible = _impossible(evidence, score)
    if impossible:
        return Verdict(CONTRADICTED, None, impossible, "03_results#tab-audit")
    run, page = evidence.exact(), "03_results#tab-classes"
    if run is not None:
        measured = _score(run, score)
        return Verdict(compare(claim, measured), measured, run.label, page)
    nearest = evidence.stand_in()
    if nearest is None:
        return Verdict(NOT_RUN, None, "no run of this recipe in the store", page)
    text = f"needs a GPU and ImageNet weights; {nearest.label} gives {_score(nearest, score):.3f}"
    return Verdict(NOT_RUN, None, text, page)


def _extreme(claim: Claim, evidence: Evidence, expression: str, which: str) -> Verdict:
    def verdict(run: Run) -> Verdict:
        f1 = {name: _score(run, f"classes.{name}.f1") for name in CLASSES}
        found = (max if which == "highest" else min)(f1, key=f1.get)
        text = f"{which} F1 is that of {found}, {f1[found]:.2f} ({run.label})"
        return _observed(found == expression, None, text, "03_results#tab-classes")

    return _with_stand_in(evidence, verdict)


def _confusion_rank(claim: Claim, evidence: Evidence, pair: list[str]) -> Verdict:
    def verdict(run: Run) -> Verdict:
        counts = confusion_matrix(run.test)
        both = counts + counts.T
        pairs = sorted(((both[i, j], i, j) for i in range(7) for j in range(i)), reverse=True)
        wanted = {CLASSES.index(name) for name in pair}
        rank = next(k for k, (_, i, j) in enumerate(pairs, 1) if {i, j} == wanted)
        text = f"rank {rank} of {len(pairs)} with {pairs[rank - 1][0]} errors ({run.label})"
        return _observed(rank <= claim.value, rank, text, "03_results#fig-confusion")

    return _with_stand_in(evidence, verdict)


def _curve_gap(claim: Claim, evidence: Evidence) -> Verdict:
    def verdict(run: Run) -> Verdict:
        tuned = run.history[run.history["phase"] == "finetune"]
        gap = float((tuned["accuracy"] - tuned["val_accuracy"]).abs().max())
        text = f"greatest gap in phase 2: {gap:.3f} ({run.label})"
        return _observed(gap <= float(claim.value), gap, text, "03_results#fig-accuracy")

    return _with_stand_in(evidence, verdict)


def _loss_rise(claim: Claim, evidence: Evidence) -> Verdict:
    def verdict(run: Run) -> Verdict:
        loss = run.history["val_loss"].to_numpy()
        rise = float(np.max(np.diff(loss) / loss[:-1], initial=0.0))
        text = f"greatest rise from one epoch to the next: {rise:.1%} ({run.label})"
        return _observed(rise <= float(claim.value), rise, text, "03_results#fig-loss")

    return _with_stand_in(evidence, verdict)


def _baseline_split(claim: Claim, evidence: Evidence, model: str, split: str) -> Verdict:
    row = {row["model"]: row for row in evidence.original["table_3"]}[model]
    text = f"its source ({row['source']}) calls it a {row['split']} accuracy"
    return _exactly(claim, row["split"] == split, text, "../related_work")


def _beats(claim: Claim, evidence: Evidence, theirs: float, images: int) -> Verdict:
    """Whether the two Wilson intervals are apart."""
    total = sum(TEST_SETS[_FOLDER_TEST].values())
    low, _ = accuracy_interval(round(evidence.published.accuracy * total), total)
    _, high = accuracy_interval(round(theirs * images), images)
    text = f"original from {low:.2%}, VGG16 (on {images:,} images) up to {high:.2%}"
    grade = REPRODUCED if low > high else NOT_REPRODUCED
    return Verdict(grade, None, text, "03_results#tab-comparison")


def _prior_best(claim: Claim, evidence: Evidence, family: str) -> Verdict:
    peers = [p for p in evidence.original["peers"] if p["model"].startswith(family)]
    best = max(peers, key=lambda peer: peer["accuracy"])
    measured = float(best["accuracy"].rstrip("%")) / 100
    text = f"{best['model']} reached {best['accuracy']} on {best['split']}"
    grade = CONTRADICTED if measured > float(claim.value) else REPRODUCED
    return Verdict(grade, measured, text, "03_results#tab-comparison")


def _not_measured(claim: Claim, evidence: Evidence, reason: str) -> Verdict:
    return Verdict(NOT_RUN, None, reason, "../discussion")


def _ablation(claim: Claim, evidence: Evidence, study: str, changed: str, expected: str) -> Verdict:
    """A recipe with one change against the recipe "base" of `study`, seed by seed."""
    page = f"04_ablations#tab-{study}"
    found = paired([run for run in evidence.runs if run.study == study], "base", changed)
    pairs = [(one, two) for one, two in found if one.recipe.backbone == two.recipe.backbone]
    if not pairs:
        return Verdict(NOT_RUN, None, "recommended by the original; not in the store", page)
    tests = [paired_test(base.test, run.test) for base, run in pairs]
    gain = sum(t["only_second"] - t["only_first"] for t in tests) / sum(t["total"] for t in tests)
    p_value = float(np.max([t["p_value"] for t in tests]))
    as_expected = (gain > 0) == (expected == "better") and p_value < 0.05
    text = f"{100 * gain:+.2f} points over {len(pairs)} seed(s), McNemar p at most {p_value:.2g}"
    return _observed(as_expected, gain, text, page)


CHECKS: dict[str, Callable[..., Verdict]] = {
    check.__name__.removeprefix("_"): check
    for check in (
        _dataset, _smallest_class, _clipped_classes, _parameters, _cheaper, _accuracy_possible,
        _table_possible, _average, _experiment, _extreme, _confusion_rank, _curve_gap, _loss_rise,
        _baseline_split, _beats, _prior_best, _not_measured, _ablation,
    )
}  # fmt: skip


def _exactly(claim: Claim, measured: Any, text: str, page: str) -> Verdict:
    grade = REPRODUCED if measured == claim.value else CONTRADICTED
    return Verdict(grade, float(measured), text, page)


def _observed(holds: bool, measured: float | None, text: str, page: str) -> Verdict:
    return Verdict(REPRODUCED if holds else NOT_REPRODUCED, measured, text, page)


def _with_stand_in(evidence: Evidence, verdict: Callable[[Run], Verdict]) -> Verdict:
    run = evidence.stand_in()
    if run is None:
        return Verdict(NOT_RUN, None, "no run of this recipe in the store", "03_results")
    return verdict(run)


def _impossible(evidence: Evidence, score: str) -> str:
    """Why a recall cannot come from the folder's test set; empty when it can."""
    supports, parts = TEST_SETS[_FOLDER_TEST], score.split(".")
    if parts[-1] != "recall":
        return ""
    hits = feasibility.possible_hits(evidence.published, supports)[parts[1]]
    return "" if hits else f"no whole number of {supports[parts[1]]:,} images gives this recall"


def _score(run: Run, path: str) -> float:
    value: Any = score(run.test)
    for name in path.split("."):
        value = value[name]
    return value


def _recipe_alone(recipe: Recipe) -> Recipe:
    original = Recipe()
    return replace(recipe, **{name: getattr(original, name) for name in _PLACES})


def _decimals(claim: Claim) -> int:
    """Decimals of the claimed value as its quote prints it; a percent sign shifts by two."""
    digits = claim.quote.split()[0].rstrip("%") if claim.quote else ""
    shown = len(digits.partition(".")[2]) if digits.replace(".", "").isdigit() else 0
    return shown + 2 * ("%" in claim.quote)

"""The numbers that prose may show, by the key under which a notebook glues them.

Values are plain Python: percentages and points as floats (68.78 for 68.78 %), counts as int.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ferbook.arithmetic import TEST_SETS, Published, possible_hits
from ferbook.audit import label_issues
from ferbook.bench_tables import copies_held, ratio, share_of_peak
from ferbook.claims import GRADES, Verdict
from ferbook.metrics import (
    accuracy,
    accuracy_interval,
    calibration,
    fit_temperature,
    merged,
    named_test_sets,
    score,
    score_sets,
    with_temperature,
)
from ferbook.schema import CLASSES, Answers, Recipe, Run
from ferbook.study import Study, finals, gains, of_study, paired


def dataset_numbers(dataset: Mapping[str, Any]) -> dict[str, int | float]:
    """`data_*`: what is in `dataset.json`."""
    splits, usages = dataset["splits"], dataset["usages"]
    duplicates, leaked = dataset["duplicates"], len(dataset["leaked_files"])
    return {
        "data_n_images": dataset["images"],
        "data_n_official_train": usages["Training"],
        "data_n_train": splits["train"],
        "data_n_val": splits["val"],
        "data_n_test": splits["test"],
        "data_n_private": usages["PrivateTest"],
        "data_n_public": usages["PublicTest"],
        "data_n_leaked": leaked,
        "data_n_clean": splits["test"] - leaked,
        "data_leaked_percent": 100 * leaked / splits["test"],
        "data_duplicate_groups": duplicates["groups"],
        "data_duplicate_images": duplicates["images"],
        "data_surplus_copies": duplicates["surplus"],
        "data_conflicting_groups": duplicates["conflicting_groups"],
        "data_constant_images": len(dataset["constant_files"]),
        **_near_duplicate_numbers(dataset, splits["test"] - leaked),
        **_ferplus_numbers(dataset["ferplus"]),
    }


def _near_duplicate_numbers(dataset: Mapping[str, Any], clean: int) -> dict[str, int | float]:
    near = dataset["near_duplicates"]
    return {
        "data_near_pairs": near["pairs"],
        "data_near_mirrored": near["mirrored"],
        "data_near_same_label_percent": _percent(near["same_label"]),
        "data_near_leaked": len(near["leaked_files"]),
        "data_n_pristine": clean - len(near["leaked_files"]),
    }


def _ferplus_numbers(second: Mapping[str, Any]) -> dict[str, int | float]:
    return {
        "data_ferplus_known": second["known"],
        "data_ferplus_untied": second["untied"],
        "data_ferplus_agreement": _percent(second["agreement"]),
        "data_ferplus_no_face": len(second["no_face_files"]),
        **{f"data_ferplus_agreement_{k}": _percent(v) for k, v in second["by_class"].items()},
    }


def original_numbers(original: Mapping[str, Any], dataset: Mapping[str, Any]) -> dict[str, Any]:
    """`original_*`: what the original paper reports, and its interval on our test images."""
    total = dataset["splits"]["test"]
    correct = round(original["accuracy"] * total)
    low, high = accuracy_interval(correct, total)
    table, recipe = original["table_2"], Recipe()
    return {
        "original_finetune_epochs": recipe.finetune_epochs,
        "original_finetune_learning_rate": recipe.finetune_learning_rate,
        "original_image_size": recipe.image_size,
        "original_accuracy": 100 * original["accuracy"],
        "original_correct": correct,
        "original_accuracy_low": 100 * low,
        "original_accuracy_high": 100 * high,
        **claimed_parameters(original),
        "original_macro_f1": sum(table[name]["f1"] for name in CLASSES) / len(CLASSES),
        "original_weighted_f1": table["overall"]["f1"],
        **{f"original_recall_{k}": 100 * v for k, v in original["text_recalls"].items()},
    }


def audit_numbers(published: Published) -> dict[str, int]:
    """`original_hits_*`: right answers per class where the printed recalls leave one number."""
    hits = possible_hits(published, TEST_SETS["PublicTest + PrivateTest"])
    return {f"original_hits_{name}": k[0] for name, k in hits.items() if len(k) == 1}


def claim_numbers(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """`claims_total` and `claims_<grade>`: how many claims got each grade."""
    grades = [verdict.grade for verdict in verdicts]
    counts = {f"claims_{grade.replace(' ', '_')}": grades.count(grade) for grade in GRADES}
    return {"claims_total": len(grades), **counts}


def claimed_parameters(original: Mapping[str, Any]) -> dict[str, float]:
    """`original_parameters_millions`: what the original says its model has."""
    return {"original_parameters_millions": original["parameters_claimed"] / 1e6}


def parameter_numbers(parameters: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """`paper_model_*` and `<backbone>_parameters`: counted on the built models."""
    paper = parameters["efficientnet_b2"]
    return {
        "paper_model_parameters": paper["total"],
        "paper_model_trainable": paper["trainable"],
        **{f"{name}_parameters": count["total"] for name, count in parameters.items()},
    }


def run_numbers(
    run: Run,
    dataset: Mapping[str, Any],
    original: Mapping[str, Any],
    *,
    prefix: str = "reference",
) -> dict[str, Any]:
    """`<prefix>_*`: everything that prose says about one run."""
    info, history = run.info, run.history
    scores = score_sets(run.val, run.test, frozenset(dataset["leaked_files"]))
    accuracies = {
        f"{key}_{name}": 100 * part[key]
        for name, part in scores.items()
        for key in ("accuracy", "accuracy_low", "accuracy_high")
    }
    test = scores["test"]
    best = int(history["val_accuracy"].argmax())
    values = {
        **accuracies,
        **_calibration_numbers(run),
        **_doubt_numbers(run),
        "label": run.label,
        "backbone": info["backbone"],
        "image_size": info["image_size"],
        "seed": info["seed"],
        "correct": test["correct"],
        "difference": 100 * (test["accuracy"] - original["accuracy"]),
        "macro_f1": test["macro"]["f1"],
        "weighted_f1": test["weighted"]["f1"],
        **{f"recall_{k}": 100 * test["classes"][k]["recall"] for k in CLASSES},
        "epochs": len(history),
        "best_epoch": best + 1,
        "best_phase": str(history["phase"].iloc[best]),
        "train_accuracy_last": 100 * float(history["accuracy"].iloc[-1]),
        "val_accuracy_last": 100 * float(history["val_accuracy"].iloc[-1]),
        "hours": info["seconds"] / 3600,
        "images_seen": info["images_seen"],
        "images_per_second": info["images_seen"] / info["seconds"],
        "parameters": info["parameters"]["total"],
        "trainable_parameters": info["parameters"]["trainable"],
        "hardware": _hardware(info),
    }
    return {f"{prefix}_{key}": value for key, value in values.items()}


def study_numbers(
    runs: Sequence[Run], plan: Study, dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    """`ours_*`: the run of our recipe; `grid_*`: the base of the grid; and what to set beside."""
    base = [run for run in of_study(plan, runs) if run.recipe.name == "base"]
    whole = finals(runs) or list(runs)
    ours = next((run for run in whole if run.study == "ours"), whole[-1])
    reference = next((run for run in whole if run.study == "reference"), ours)
    recipe = next(iter(plan.recipes.values()))
    return {
        "data_n_test": dataset["splits"]["test"],
        "original_accuracy": 100 * original["accuracy"],
        "grid_image_size": recipe.image_size,
        "grid_train_images": recipe.train_images,
        "grid_base_accuracy": _percent(accuracy(base[0].test) if base else None),
        **gain_numbers(plan, runs, "grid"),
        "ours_gain": 100 * (accuracy(ours.test) - accuracy(reference.test)),
        **_ours_numbers(ours, dataset, original),
    }


def gain_numbers(plan: Study, runs: Iterable[Run], prefix: str) -> dict[str, float]:
    """`<prefix>_gain_*`: points on test of each change of the base, mean over seeds, or NaN."""
    grid = of_study(plan, runs)
    pairs = {name: paired(grid, "base", name) for name in plan.changes}
    return {f"{prefix}_gain_{name}": _mean(gains(found)) for name, found in pairs.items()}


def copies_numbers(
    plan: Study, runs: Iterable[Run], leaked_files: frozenset[str]
) -> dict[str, float]:
    """`copies_*`: points that the copies among the training images are worth, mean over seeds.

    `copies_gain_<set>` for the test images with a copy ("leaked"), without ("clean"), and all.
    """
    pairs = paired(of_study(plan, runs), "distinct", "base")
    sets = [[named_test_sets(run.test, leaked_files) for run in pair] for pair in pairs]
    return {
        f"copies_gain_{part}": _mean(
            [100 * (accuracy(base[part]) - accuracy(distinct[part])) for distinct, base in sets]
        )
        for part in ("test", "clean", "leaked")
    }


def view_numbers(views: Mapping[str, Answers]) -> dict[str, float]:
    """`ten_crops_accuracy`: of the released run, or NaN."""
    crops = views.get("ten_crops")
    return {"ten_crops_accuracy": _percent(accuracy(crops.test) if crops else None)}


def scratch_numbers(plan: Study) -> dict[str, int]:
    """`scratch_*`: the budget of the architectures that start from random weights."""
    recipe = next(iter(plan.recipes.values()))
    return {"scratch_epochs": recipe.finetune_epochs, "scratch_images": recipe.train_images}


def _ours_numbers(
    run: Run, dataset: Mapping[str, Any], original: Mapping[str, Any]
) -> dict[str, Any]:
    averaged = score(run.test.with_augmentation())
    return {
        **run_numbers(run, dataset, original, prefix="ours"),
        "ours_parameters_millions": run.info["parameters"]["total"] / 1e6,
        "ours_tta_accuracy": 100 * averaged["accuracy"],
        "ours_tta_correct": averaged["correct"],
    }


def edge_numbers(measured: Mapping[str, Any]) -> dict[str, Any]:
    """`edge_*`: what prose says of the exports."""
    float32, int8 = (measured["exports"][f"onnx-{p}"] for p in ("float32", "int8"))
    return {
        "edge_hardware": _hardware(measured),
        "edge_ms_single": float32["ms_single"],
        "edge_frames": 1000 / float32["ms_single"],
        "edge_int8_points": 100 * (int8["accuracy"] - float32["accuracy"]),
        "edge_int8_same": 100 * int8["same_answer"],
        "edge_int8_megabytes": int8["bytes"] / 1e6,
        "edge_robustness_images": measured["robustness"][0]["total"],
    }


def holds_numbers(
    jobs: Mapping[str, Mapping[str, Any]], licences: Sequence[str], noise: float
) -> dict[str, int | float]:
    """`holds_*`: cases tried, faults survived, mutants noticed, advisories looked up.

    `jobs` are the files of results/holds by name, `licences` the kinds of all packages, `noise`
    the deviation of test accuracy over seeds, in points.
    """
    loaders = list(jobs["fuzz"].get("loaders", {}).values())
    stages = [row for row in jobs["faults"].get("stages", {}).values() if "kills" in row]
    modules = list(jobs["mutants"].get("modules", {}).values())
    packages = jobs["advisories"].get("dependencies", [])
    return {
        "holds_readers": len(loaders),
        "holds_files": sum(row["cases"] for row in loaders),
        "holds_files_other": sum(row["other"] for row in loaders),
        "holds_kills": sum(row["kills"] for row in stages),
        "holds_restarts": sum(row["trials"] for row in stages),
        "holds_restarts_same": sum(row["survived"] for row in stages),
        "holds_modules": len(modules),
        "holds_mutants": sum(row["mutants"] for row in modules),
        "holds_mutants_noticed": sum(row["killed"] for row in modules),
        "holds_mutants_survived": sum(len(row["survived"]) for row in modules),
        "holds_packages": len(licences),
        "holds_copyleft": licences.count("copyleft"),
        "holds_audited": sum("skip_reason" not in package for package in packages),
        "holds_not_audited": sum("skip_reason" in package for package in packages),
        "holds_vulnerable": sum(bool(package.get("vulns")) for package in packages),
        "holds_seed_noise": noise,
    }


def bench_numbers(measured: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`bench_*`: ratios with their spread in words, as text; see `bench_tables.Ratio`."""
    step, first = measured["step"], measured["first_step"]["rounds"]
    rounds, plain = step["rounds"], step["rounds"]["constant batch"]
    large, small = measured["input"]["sizes"].values()
    torch = rounds.get("PyTorch")
    ratios = {
        **{f"input_{name}_{source}": ratio(part["ours, arrays"], part[f"generator, {source}"])
           for name, part in (("large", large), ("small", small))
           for source in ("folder", "arrays")},
        "fed": ratio(plain, rounds["fit on our input"]),
        "epoch": ratio(rounds["fit on the generator"], rounds["fit on our input"]),
        "phase_1": ratio(rounds["phase 1"], plain),
        "forward": ratio(rounds["phase 1"], rounds["forward alone"]),
        "stem": ratio(rounds["one-channel stem"], plain),
        "peak": share_of_peak(step),
        "first_step": ratio(first["traced twice"], first["traced once"]),
        "torch": ratio(torch, plain) if torch else "not run",
    }  # fmt: skip
    sizes = dict(zip(("large", "small"), measured["input"]["sizes"], strict=True))
    return {
        **{f"bench_{key}": str(value) for key, value in ratios.items()},
        **{f"bench_size_{key}": value for key, value in sizes.items()},
        "bench_backbone": step["backbone"],
        "bench_first_backbone": measured["first_step"]["backbone"],
        "bench_copies_held": copies_held(measured["memory"]),
        "bench_hashes": measured["audit"]["growth"][-1]["n"],
        "bench_hardware": _hardware(step),
    }


def _calibration_numbers(run: Run) -> dict[str, float]:
    temperature = fit_temperature(run.val)
    return {
        "ece": 100 * calibration(run.test)["ece"],
        "temperature": temperature,
        "ece_fitted": 100 * calibration(with_temperature(run.test, temperature))["ece"],
    }


def _doubt_numbers(run: Run) -> dict[str, int | float]:
    issues = label_issues(merged(run.val, run.test))
    known = issues[issues["ferplus"].notna()]
    return {
        "doubted": len(issues),
        "doubted_known": len(known),
        "doubted_confirmed_percent": _percent((known["ferplus"] != known["label"]).mean()),
    }


def _hardware(info: Mapping[str, Any]) -> str:
    return f"{info['hardware']['cpu']}, {info['hardware']['cores']} cores"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _percent(fraction: float | None) -> float:
    return float("nan") if fraction is None else 100 * float(fraction)

"""Do the tests notice a wrong program? One small error at a time: `make mutants`.

    python -m trials.mutants [--only MODULE ...] [--share 1.0] [--into results]
    python -m trials.mutants --again --only MODULE ... --into results    # after tests were added
    python -m trials.mutants --only --into results    # after EQUIVALENT was changed

Each mutant is a module with one operator, number, condition, return value or call of `min`, `max`,
`any` or `all` changed. Its tests run in a forked process; a mutant that they pass has survived, and
is listed with its line. EQUIVALENT names the survivors that no test can kill, with the reason.
"""

import argparse
import ast
import contextlib
import importlib.abc
import importlib.util
import json
import os
import signal
import sys
from pathlib import Path

import hypothesis  # noqa: F401  what follows is imported once, before the forks
import matplotlib.pyplot  # noqa: F401
import mlscorecheck.check.binary  # noqa: F401
import pandas  # noqa: F401
import pytest
import scipy.optimize  # noqa: F401
import sklearn.model_selection  # noqa: F401
import statsmodels.stats.contingency_tables  # noqa: F401
import typer.testing  # noqa: F401
import yaml  # noqa: F401

ROOT = Path(__file__).parents[1]
TESTS = {
    "results.metrics": ["metrics"],
    "data.splits": ["splits"],
    "data.audit": ["audit"],
    "claims.feasibility": ["feasibility", "table_audit"],
    "claims.ledger": ["ledger", "claim_counts"],
    "claims.evidence": ["claim_runs", "claim_sources"],
    "claims.effects": ["claim_runs"],
    "claims.checks.counts": ["claim_counts"],
    "claims.checks.sizes": ["claim_counts"],
    "claims.checks.scores": ["claim_runs"],
    "claims.checks.sources": ["claim_sources"],
    "results.seeds": ["reliability"],
    "paper.chapters.ablations.changes": ["plots"],
}
SECONDS = 120
SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip
OTHERS = {"min": "max", "max": "min", "any": "all", "all": "any"}
_MCNEMAR = "McNemar's exact test depends only on the images that one run alone gets right."
_STRICT = "strict=True is a guard: the lengths are equal at every call."
METRICS, AUDIT = "results.metrics", "data.audit"
FEASIBILITY, LEDGER = "claims.feasibility", "claims.ledger"
EVIDENCE, EFFECTS = "claims.evidence", "claims.effects"
CHANGES, SCORES = "paper.chapters.ablations.changes", "claims.checks.scores"
SEEDS = "results.seeds"
_ONES = "multiplying by one and dividing by one give the same."
_REPR = "repr=False only keeps a long field out of error messages."
_NONE = "the value is None already."
_NEVER_EQUAL = "no value equals the limit exactly."
_ANY_SEED = "recipes are compared with equal seeds; which number it is does not matter."
EQUIVALENT = {
    f"{METRICS}: True -> False": _STRICT,
    f"{AUDIT}: True -> False": _STRICT,
    f"{CHANGES}: True -> False": _STRICT,
    f"{CHANGES}: p < ALPHA -> p <= ALPHA": _NEVER_EQUAL,
    f"{CHANGES}: p >= ALPHA -> p > ALPHA": _NEVER_EQUAL,
    f"{CHANGES}: rows['difference, points'] > 0 -> "
    "rows['difference, points'] >= 0": "no difference has no p below the limit.",
    f"{CHANGES}: 1.0 -> 2.0": "what was not run comes last in Holm's order with either.",
    f"{METRICS}: a & b -> a | b": _MCNEMAR,
    f"{METRICS}: ~a & ~b -> ~a | ~b": _MCNEMAR,
    f"{FEASIBILITY}: 20.0 -> 21.0": "one second more of a time limit that no program reaches.",
    f"{FEASIBILITY}: 1 -> 2": "only its sign counts, all weights scale, or another bound is lower.",
    f"{FEASIBILITY}: h * np.ones(k) -> h / np.ones(k)": _ONES,
    f"{FEASIBILITY}: p * np.ones(k) -> p / np.ones(k)": _ONES,
    f"{FEASIBILITY}: min(b, high) - max(a, low) > EPSILON -> "
    "min(b, high) - max(a, low) >= EPSILON": _NEVER_EQUAL,
    f"{LEDGER}: low <= measured <= high -> low < measured <= high": _NEVER_EQUAL,
    f"{SCORES}: distance <= allowed -> distance < allowed": _NEVER_EQUAL,
    f"{SCORES}: return '' -> return None": "its caller asks only whether there is a reason.",
    f"{EVIDENCE}: False -> True": _REPR,
    f"{EVIDENCE}: return None -> return None": _NONE,
    f"{EFFECTS}: return None -> return None": _NONE,
    f"{EVIDENCE}: 0 -> 1": _ANY_SEED,
    f"{EFFECTS}: 0 -> 1": _ANY_SEED,
    f"{SEEDS}: chances[widest] * len(left) >= OUTLYING -> "
    "chances[widest] * len(left) > OUTLYING": _NEVER_EQUAL,
    f"{SEEDS}: 1.0 -> 2.0": "what is certain and what is more than certain are both no outlier.",
}


def mutants(source):
    """(line number, what was changed, the changed tree) of every mutant of a module."""
    for number in range(len(list(_sites(ast.parse(source))))):
        tree = ast.parse(source)
        node, change = list(_sites(tree))[number]
        before = ast.unparse(node)
        change()
        yield node.lineno, f"{before} -> {ast.unparse(node)}"[:160], tree


def _sites(tree):
    """(node, what changes it) of all places; messages, annotations and docstrings are none."""
    for node in _relevant(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            yield node, _setter(node.ops, 0, SWAPS[type(node.ops[0])]())
        elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
            yield node, _setter(vars(node), "op", SWAPS[type(node.op)]())
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            value = not node.value if isinstance(node.value, bool) else node.value + 1
            yield node, _setter(vars(node), "value", value)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in OTHERS:
            yield node, _setter(vars(node.func), "id", OTHERS[node.func.id])
        elif isinstance(node, (ast.If, ast.IfExp)):
            yield node.test, _setter(vars(node), "test", ast.UnaryOp(ast.Not(), node.test))
        elif isinstance(node, ast.Return) and node.value is not None:
            yield node, _setter(vars(node), "value", ast.Constant(None))
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
            yield node, _setter(vars(node), "op", ast.UAdd())


def _setter(place, key, value):
    return lambda: place.__setitem__(key, value)


def _relevant(node):
    skipped = {"annotation", "returns", "decorator_list"}
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in skipped:
                if not isinstance(child, (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom)):
                    yield child
                    yield from _relevant(child)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutant in place of the module."""

    def __init__(self, name, code):
        self.name, self.code = name, code

    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module):
        exec(self.code, vars(module))


def start(module, tree):
    """A process that ends well if the module's tests pass with the mutant in its place."""
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            signal.alarm(SECONDS)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1), os.dup2(null, 2)
            code = compile(ast.fix_missing_locations(tree), f"{module}.py", "exec")
            sys.meta_path.insert(0, Finder(f"ferbook.{module}", code))
            tests = [str(ROOT / "tests" / f"test_{name}.py") for name in TESTS[module]]
            # jaxtyping's import hook would read the module from its file.
            options = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
            os._exit(int(pytest.main([*options, *tests])))
        os._exit(1)
    return pid


def torment(module, share=1.0, among=None):
    """Counts of a module's mutants, or of those named in `among`, and the survivors."""
    source = (ROOT / "src/ferbook" / module.replace(".", "/")).with_suffix(".py").read_text()
    if any(name.split(".")[0] == "ferbook" for name in sys.modules):
        raise RuntimeError("ferbook is imported already: a mutant could not take its place")
    if os.waitpid(start(module, ast.parse(source)), 0)[1]:
        raise SystemExit(f"{module}: its tests fail without any mutant")
    os.environ["FERBOOK_DATA"] = "nowhere"  # what only the real data would notice is not tested
    tried, running, survivors = 0, {}, []

    def reap():
        pid, status = os.wait()
        mutant = running.pop(pid)
        if status == 0:
            survivors.append(mutant)
            print(f"{module}: {mutant}", flush=True)

    for number, (line, what, tree) in enumerate(mutants(source)):
        name = f"line {line}: {what}"
        chosen = int((number + 1) * share) > int(number * share) if among is None else name in among
        if chosen:
            tried += 1
            running[start(module, tree)] = name
        if len(running) == os.cpu_count():
            reap()
    while running:
        reap()
    survivors.sort(key=lambda text: int(text.split()[1][:-1]))
    return explained(module, {"mutants": tried, "killed": tried - len(survivors),
                              "equivalent": {}, "survived": survivors})  # fmt: skip


def torment_survivors(module, row):
    """The row after its survivors met the tests of today."""
    left = torment(module, among={*row["equivalent"], *row["survived"]})
    return explained(module, {**left, "mutants": row["mutants"]})


def explained(module, row):
    """The row with its survivors divided anew by what EQUIVALENT says now."""
    survivors = [*row["equivalent"], *row["survived"]]
    keys = {s: (f"{module}: {s}", f"{module}: {s.split(': ', 1)[1]}") for s in survivors}
    reasons = {s: [EQUIVALENT[key] for key in keys[s] if key in EQUIVALENT] for s in survivors}
    equivalent = {s: found[0] for s, found in reasons.items() if found}
    return {**row, "killed": row["mutants"] - len(survivors), "equivalent": equivalent,
            "survived": [s for s in survivors if s not in equivalent]}  # fmt: skip


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=TESTS, default=list(TESTS))
    parser.add_argument("--share", type=float, default=1.0, help="of the mutants")
    parser.add_argument(
        "--into", type=Path, help="result store to write reliability/mutants.json to"
    )
    parser.add_argument("--again", action="store_true", help="only those that survived before")
    given = parser.parse_args()
    for module in given.only:
        if given.again:
            known = json.loads((given.into / "reliability/mutants.json").read_text())["modules"]
            row = torment_survivors(module, known[module])
        else:
            row = torment(module, given.share)
        print(json.dumps({module: row}), flush=True)
        if given.into:
            record(given.into, {module: row})
    if given.into and not given.only:
        record(given.into, {})


def record(results, rows):
    """Write rows beside those of other modules, all with the reasons that hold now.

    In a process of its own: what imports ferbook could no longer be given a mutant.
    """
    pid = os.fork()
    if pid == 0:
        from ferbook.results import measurements

        jobs = measurements.load_facts(results, "reliability")
        known = jobs.get("mutants", {}).get("modules", {})
        rows = {name: explained(name, row) for name, row in (known | rows).items()}
        measurements.write_facts(results, "reliability", "mutants", {"modules": rows})
        os._exit(0)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()

# What a smoke run measures for the chapters Deployment and Performance. The measurements of the
# published book are in results/, made by `ferbook export` and `make bench`.
from benchmarks.runner import PIECES

MEASURED = []
if SMOKE:
    (RUN,) = read_study(CONFIG).recipes
    MEASURED = [f"{RESULTS}/bench/{piece}.json" for piece in PIECES]
    MEASURED += [f"{RESULTS}/deployment/{RUN}.json"]

    rule bench_smoke:
        input:
            sorted(str(path) for path in Path("benchmarks").glob("*.py")),
        output:
            f"{RESULTS}/bench/{{piece}}.json",
        log:
            f"{LOGS}/bench_{{piece}}.log",
        threads: 2
        shell:
            "exec &> {log}; "
            "python -m benchmarks --budget smoke --only {wildcards.piece} --results {RESULTS}"

    rule export_smoke:
        input:
            f"{EXECUTED}/02_training.ipynb",
        output:
            f"{RESULTS}/deployment/{RUN}.json",
        log:
            f"{LOGS}/export.log",
        threads: 2
        shell:
            "exec &> {log}; "
            "ferbook export {RESULTS}/{STUDY}/{RUN} --data {DATA} --results {RESULTS} --runs {RUNS}"

# A rule for each chapter: its notebook, executed by papermill under the profile.

# What a chapter may take from the profile, as options of papermill.
OPTIONS = {
    "config": f"-f {CONFIG}"
    + (f" -r runs_dir {RUNS}" if SMOKE else "")
    + (" -p allow_cpu True" if ALLOW_CPU else ""),
    "data": f"-r data {shlex.quote(DATA)}",
    "subset": f"-p subset {PARAMETERS.get('subset', False)}",
    "study": f"-r study {STUDY}",
    "deployed": f"-r study {STUDY if SMOKE else 'ours'}",  # the run whose exports were measured
}


def executed_before(chapter):
    """The chapters that write what `chapter` reads, and the measurements of a smoke run."""
    before = [f"{EXECUTED}/{name}.ipynb" for name in chapter.after]
    return before + (MEASURED if "02_training" in chapter.after else [])


for each in CHAPTERS:

    rule:
        name:
            each.name
        input:
            [str(path) for path in (*modules(each.name), *inputs(each.name, RESULTS))],
            executed_before(each),
            config=CONFIG,
            notebook=f"notebooks/{each.name}.ipynb",
            text=f"notebooks/{each.name}.py",
        output:
            f"{EXECUTED}/{each.name}.ipynb",
        log:
            f"{LOGS}/{each.name}.log",
        params:
            options=" ".join(OPTIONS[name] for name in each.takes),
            # A notebook that fails leaves its half-done copy there, with the error in it.
            partial=f"_build/{PROFILE}/partial/{each.name}.ipynb",
        # Two kernels that start at once may pick one port (jupyter_client), and one of them dies.
        retries: 0 if "config" in each.takes else 1
        threads: 2 if "data" in each.takes else 1
        resources:
            mem_mb=8000 if "config" in each.takes else 4000,
            runtime=360 if "config" in each.takes else 30,
            gpu=int("config" in each.takes and PROFILE.startswith("gpu")),
        shell:
            "exec &> {log}; "
            "mkdir -p $(dirname {params.partial}) && "
            "papermill --no-request-save-on-cell-execute --log-output {input.notebook} "
            "{params.partial} -r results_dir {RESULTS} {params.options} && "
            "python -m ferbook.paper.staging stamp {params.partial} {PROFILE} {RESULTS} && "
            "mv {params.partial} {output}"

# The one orchestrator: data -> run -> results -> book. Each step is a papermill notebook.
#
#   snakemake --cores 2                                              quick, synthetic faces
#   snakemake --cores 2 --config profile=laptop data=archive.zip     the real data
#   snakemake --cores 2 published                                    what is committed
#   snakemake --cores 2 study --config study=ablations data=archive.zip   the runs of a grid
#
# The same rules run on a cluster through an executor plugin: see the chapter Reproducibility.
import os
import yaml
from pathlib import Path

from ferbook.book import NOTEBOOKS, inputs, modules
from ferbook.study import read_study

PROFILE = config.get("profile", "quick")
PARAMETERS = yaml.safe_load(Path(f"configs/{PROFILE}.yml").read_text())
DATA = config.get("data") or PARAMETERS["data"]
STUDY = PARAMETERS["study"]
# Runs on synthetic faces never enter results/.
RESULTS = f"_build/{PROFILE}/results" if DATA == "synthetic" else "results"
EXECUTED = f"_build/{PROFILE}/executed"


def glob_files(pattern):
    return sorted(str(path) for path in Path(".").glob(pattern) if path.is_file())


# Without it, TensorFlow reports at length that there is no GPU.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
PROSE = ["_config.yml", "_toc.yml", *glob_files("book/*.*"), *glob_files("book/_static/**/*")]


# The book of a profile, from notebooks executed here.
rule paper:
    input:
        f"_build/{PROFILE}/html/index.html",
    default_target: True


# The book from the executed notebooks in the repository: no data set, no training.
rule published:
    input:
        "_build/published/html/index.html",


# Every run of configs/<study>.yml that results/ does not hold yet.
GRID = read_study(f"configs/{config['study']}.yml") if "study" in config else None


rule study:
    input:
        [f"results/{GRID.name}/{run}/run.json" for run in GRID.recipes] if GRID else [],


# Who teaches a run is trained before it; a newer file of a teacher is no reason to train again.
def teachers(wildcards):
    recipe = GRID.recipes.get(wildcards.run) if GRID else None
    names = recipe.teacher_runs if recipe else []
    return [f"results/{wildcards.study}/{name}/run.json" for name in names]


rule run:
    input:
        ancient(teachers),
    output:
        "results/{study}/{run}/run.json",
    params:
        data=config.get("data") or (GRID.data if GRID else ""),
    threads: 2
    resources:
        mem_mb=8000,
        runtime=360,
    shell:
        "ferbook train configs/{wildcards.study}.yml --run {wildcards.run} --data {params.data:q}"


# A notebook that fails leaves its half-done copy in partial/, with the error in it.
EXECUTE = (
    "mkdir -p _build/{PROFILE}/partial && "
    "papermill --no-request-save-on-cell-execute --log-output {input.notebook} "
    "_build/{PROFILE}/partial/$(basename {output}) -r results_dir {RESULTS} "
)
KEEP = (
    " && python -m ferbook.book stamp _build/{PROFILE}/partial/$(basename {output}) "
    "{PROFILE} {RESULTS} && mv _build/{PROFILE}/partial/$(basename {output}) {output}"
)


def sources(name):
    return [str(path) for path in (*modules(name), *inputs(name, RESULTS))]


rule data:
    input:
        sources("01_data"),
        notebook="notebooks/01_data.ipynb",
        config=f"configs/{PROFILE}.yml",
    output:
        f"{EXECUTED}/01_data.ipynb",
    params:
        data=DATA,
        subset=PARAMETERS.get("subset", False),
    threads: 2
    resources:
        mem_mb=4000,
        runtime=15,
    shell:
        EXECUTE + "-r data {params.data:q} -p subset {params.subset}" + KEEP


rule training:
    input:
        sources("02_training"),
        f"{EXECUTED}/01_data.ipynb",
        notebook="notebooks/02_training.ipynb",
        config=f"configs/{PROFILE}.yml",
    output:
        f"{EXECUTED}/02_training.ipynb",
    params:
        data=DATA,
    threads: 2
    resources:
        mem_mb=8000,
        runtime=360,
        gpu=int(PROFILE.startswith("gpu")),
    shell:
        EXECUTE + "-f {input.config} -r data {params.data:q}" + KEEP


# Notebooks that read the result store and nothing else.
rule from_store:
    input:
        lambda wildcards: sources(wildcards.name),
        f"{EXECUTED}/02_training.ipynb",
        notebook="notebooks/{name}.ipynb",
    output:
        EXECUTED + "/{name}.ipynb",
    wildcard_constraints:
        name="03_results|04_ablations|06_claims|07_performance|08_holds",
    params:
        more=lambda wildcards: f"-r study {STUDY}" if wildcards.name == "03_results" else "",
    resources:
        mem_mb=2000,
        runtime=15,
    shell:
        EXECUTE + "{params.more}" + KEEP


# Of the real runs, the one whose weights were kept.
rule edge:
    input:
        sources("05_edge"),
        f"{EXECUTED}/02_training.ipynb",
        notebook="notebooks/05_edge.ipynb",
    output:
        f"{EXECUTED}/05_edge.ipynb",
    params:
        data=DATA,
        study=STUDY if DATA == "synthetic" else "ours",
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    shell:
        EXECUTE + "-r data {params.data:q} -r study {params.study}" + KEEP


def executed(wildcards):
    folder = "book/executed" if wildcards.profile == "published" else EXECUTED
    return [f"{folder}/{name}.ipynb" for name in NOTEBOOKS]


rule book:
    input:
        PROSE,
        "CITATION.cff",
        "package-lock.json",
        expand("src/ferbook/{module}.py", module=["book", "browser", "citation", "explorer"]),
        notebooks=executed,
    output:
        "_build/{profile}/html/index.html",
    params:
        folder=lambda wildcards, input: Path(input.notebooks[0]).parent,
    shell:
        "python -m ferbook.book stage {params.folder} _build/{wildcards.profile}/source && "
        "python -m ferbook.browser _build/{wildcards.profile}/source && "
        # Sphinx would take the half-written page of a killed build for a finished one.
        "rm -rf _build/{wildcards.profile}/render && "
        "jupyter-book build -W --keep-going --path-output _build/{wildcards.profile}/render "
        "_build/{wildcards.profile}/source && "
        "rm -rf _build/{wildcards.profile}/html && "
        "mv _build/{wildcards.profile}/render/_build/html _build/{wildcards.profile}/html"


# The same book on paper; its staged sources lie where the rule above left them.
rule pdf:
    input:
        "_build/published/html/index.html",
        "src/ferbook/printing.py",
    output:
        "_build/ferbook.pdf",
    shell:
        "jupyter-book build -W --keep-going --builder singlehtml "
        "--path-output _build/published/single _build/published/source && "
        "python -m ferbook.printing _build/published/single/_build/singlehtml {output}"

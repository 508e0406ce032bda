# Every run of a configuration that results/ does not hold yet. Several may belong to one study.
import shlex
import shutil

GRID_FILE = f"configs/{config['study']}.yml" if "study" in config else "configs/{wildcards.study}.yml"
if "study" in config and not Path(GRID_FILE).is_file():
    raise WorkflowError(f"STUDY: there is no {GRID_FILE}. Known: {KNOWN}.")
GRID = read_study(GRID_FILE) if "study" in config else None
GRID_DATA = config.get("data") or (GRID.data if GRID else "")
GRID_QUOTED = shlex.quote(GRID_DATA).replace("{", "{{").replace("}", "}}")
if GRID and GRID_DATA == "synthetic":
    raise WorkflowError("STUDY: runs on synthetic faces never enter results/. Give DATA=archive.zip.")


# Trials choose a recipe: they never see test images.
with open("configs/queue.txt", encoding="utf-8") as queue:
    TRIALS = [line.split()[1] for line in queue if line.startswith("trial ")]
GRID_FINAL = "" if config.get("study") in TRIALS else " --final"


def planned():
    if GRID is None:
        raise WorkflowError(f"STUDY: give one with --config study=NAME. Known: {KNOWN}.")
    return [f"results/{GRID.name}/{run}/run.json" for run in GRID.recipes]


rule study:
    input:
        lambda _: planned(),


# Runs to learn from are trained first; a newer file of theirs is no reason to train again.
def earlier(wildcards):
    recipe = GRID.recipes.get(wildcards.run) if GRID else None
    names = [*recipe.teacher_runs, *recipe.start_runs] if recipe else []
    return [f"results/{wildcards.study}/{name}/run.json" for name in names]


rule run:
    input:
        ancient(earlier),
    output:
        "results/{study}/{run}/run.json",
    log:
        "_build/log/{study}/{run}.log",
    threads: 2
    resources:
        mem_mb=8000,
        runtime=360,
        gpu=int(shutil.which("nvidia-smi") is not None),  # one training has it for itself
    # Not as params: other ones would take a finished run away and train it again.
    shell:
        "exec &> {log}; "
        f"ferbook train {GRID_FILE} --run {{wildcards.run}} --data {GRID_QUOTED}{GRID_FINAL}"

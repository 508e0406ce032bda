# Every run of configs/<study>.yml that results/ does not hold yet.
GRID = read_study(f"configs/{config['study']}.yml") if "study" in config else None


rule study:
    input:
        [f"results/{GRID.name}/{run}/run.json" for run in GRID.recipes] if GRID else [],


# Runs to learn from are trained first; a newer file of theirs is no reason to train again.
def earlier(wildcards):
    recipe = GRID.recipes.get(wildcards.run) if GRID else None
    names = recipe.earlier_runs if recipe else []
    return [f"results/{wildcards.study}/{name}/run.json" for name in names]


rule run:
    input:
        ancient(earlier),
    output:
        "results/{study}/{run}/run.json",
    log:
        "_build/log/{study}/{run}.log",
    params:
        data=config.get("data") or (GRID.data if GRID else ""),
    threads: 2
    resources:
        mem_mb=8000,
        runtime=360,
    shell:
        "exec &> {log}; "
        "ferbook train configs/{wildcards.study}.yml --run {wildcards.run} --data {params.data:q} "
        "--final"

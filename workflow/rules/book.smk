# From executed notebooks to pages: HTML, and the same on paper.
def files_in(folder):
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())


def executed(wildcards):
    folder = "book/executed" if wildcards.profile == "published" else EXECUTED
    return [f"{folder}/{name}.ipynb" for name in NOTEBOOKS]


# What renders the pages, and what they show beside the notebooks: the model, and the result store,
# which its manifest stands for, since its runs are outputs of another rule.
SHOWN = [
    path
    for folder in ("src/ferbook/paper", "src/ferbook/inference", "src/ferbook/results")
    for path in files_in(folder)
    if "__pycache__" not in path
] + [str(path) for path in Path("results").glob("MANIFEST.sha256")]
PROSE = [path for path in files_in("book") if not path.startswith("book/executed/")]


rule book:
    input:
        PROSE,
        "_config.yml",
        "_toc.yml",
        "CITATION.cff",
        "CHANGELOG.md",
        "package-lock.json",
        SHOWN,
        notebooks=executed,
    output:
        "_build/{profile}/html/index.html",
    log:
        "_build/{profile}/log/book.log",
    params:
        folder=lambda wildcards, input: Path(input.notebooks[0]).parent,
    shell:
        "exec &> {log}; "
        "python -m ferbook.paper.staging stage {params.folder} "
        "_build/{wildcards.profile}/source && "
        "python -m ferbook.paper.try_it _build/{wildcards.profile}/source && "
        "python -m ferbook.paper.recompute _build/{wildcards.profile}/source && "
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
        "src/ferbook/paper/pdf.py",
        "src/ferbook/paper/one_page.py",
    output:
        "_build/ferbook.pdf",
    log:
        "_build/published/log/pdf.log",
    shell:
        "exec &> {log}; "
        "jupyter-book build -W --keep-going --builder singlehtml "
        "--path-output _build/published/single _build/published/source && "
        "python -m ferbook.paper.pdf _build/published/single/_build/singlehtml {output}"

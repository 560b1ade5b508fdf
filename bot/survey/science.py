"""What scientists publish: Julia and R packages, notebooks and LaTeX documents."""

import re

from bot.domain import Evidence, Unit
from bot.survey import declared
from bot.survey.other_ci.model import OtherCi
from bot.survey.parsing import string, table
from bot.survey.taking import take
from bot.survey.tree import Folder

_MAIN = re.compile(r"^[ \t]*\\documentclass", re.MULTILINE)
# Both to the log and for GitLab; testthat runs inside tests/testthat, so the path is made first.
_REPORTER = (
    "testthat::MultiReporter$new(list(testthat::ProgressReporter$new(), "
    'testthat::JunitReporter$new(file = file.path(getwd(), "junit.xml"))))'
)
# Notebooks that cannot be run can still be read: one broken by a merge is found.
_FORMAT = (
    "git ls-files -z '*.ipynb' | xargs -0 python -c "
    '"import sys, nbformat; [nbformat.validate(nbformat.read(path, 4)) for path in sys.argv[1:]]"'
)
_TEX = ("latexmk", "texlive-latex-extra", "texlive-fonts-recommended", "lmodern")


def survey_julia(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a Julia package: a Project.toml with a name."""
    project = folder.toml("Project.toml")
    if not (string(project.get("uuid")) or string(project.get("name"))):
        return None
    facts = declared.opened(folder, "Project.toml", "julia", "pkg", "Manifest.toml")
    where = folder.evidence("Project.toml", "julia =", "name")
    needs = string(table(project, "compat").get("julia"))
    spec = " || ".join(f"^{part.strip().lstrip('^')}" for part in needs.split(",") if re.match(r"\s*\^?\d", part))
    declared.add_version(facts, folder, "julia", ci, spec=(spec, where) if spec else ("", None))
    line = "julia --project=. --color=yes -e 'using Pkg; Pkg.instantiate()'"
    facts.add("install", line, "Pkg installs what the project names", where)
    if folder.has("test/runtests.jl"):
        facts.add(
            "test", "julia --project=. --color=yes -e 'using Pkg; Pkg.test()'", "there is a test/runtests.jl", where
        )
        facts.add("test_tool", "pkg-test", "of the test command", where)
    return facts.unit(folder.root, "julia")


def survey_r(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of an R package: a DESCRIPTION that names one."""
    text = folder.text("DESCRIPTION")
    if not re.search(r"^Package:", text, re.MULTILINE):
        return None
    facts = declared.opened(folder, "DESCRIPTION", "r", "renv" if folder.has("renv.lock") else "cran", "renv.lock")
    where = folder.evidence("DESCRIPTION", "Depends:", "Package:")
    declared.add_version(facts, folder, "r", ci)
    for package in ("libcurl4-openssl-dev", "libssl-dev", "libxml2-dev", "libfontconfig1-dev"):
        facts.add("system_package", package, "common R packages compile against it", where, confidence=0.8)
    facts.add(
        "install",
        'Rscript -e \'dir.create(Sys.getenv("R_LIBS_USER"), FALSE, TRUE); install.packages("remotes")\'',
        "remotes reads DESCRIPTION",
        where,
    )
    facts.add(
        "install", "Rscript -e 'remotes::install_deps(dependencies = TRUE)'", "DESCRIPTION names the packages", where
    )
    facts.add("build", "R CMD build .", "R packs the package", where)
    facts.add("artifact", "*.tar.gz", "R CMD build writes it", where)
    if folder.under(r"tests/testthat/.*\.[rR]"):
        line = f"Rscript -e 'testthat::test_local(reporter = {_REPORTER})'"
        facts.add("test", line, "there are tests of testthat", where, confidence=0.9)
        facts.add("test_tool", "testthat", "of the test command", where)
    elif folder.under(r"tests/.*\.[rR]"):
        facts.add("test", "R CMD check --no-manual --no-build-vignettes .", "there are tests", where, confidence=0.8)
        facts.add("test_tool", "r-cmd-check", "of the test command", where)
    if folder.has(".lintr"):
        facts.add(
            "lint",
            "Rscript -e 'install.packages(\"lintr\"); q(status = length(print(lintr::lint_package())) > 0)'",
            "there is a .lintr",
            Evidence(path=folder.full(".lintr")),
        )
        facts.add("lint_tool", "lintr", "of the lint command", where)
    return facts.unit(folder.root, "r")


def survey_notebooks(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder of notebooks that no package owns: each is run from top to bottom."""
    found = [path for path in folder.under(r"(?:[\w. -]+/){0,2}[\w. -]+\.ipynb") if ".ipynb_checkpoints" not in path]
    if not found or folder.first("pyproject.toml", "setup.py"):
        return None
    facts = declared.opened(folder, found[0], "python", "pip")
    where = Evidence(path=folder.full(found[0]))
    declared.add_version(facts, folder, "python", ci, exact=declared.pinned(folder, "python", ".python-version"))
    file = folder.first("requirements.txt", "binder/requirements.txt")
    if file:
        facts.add("install", f"pip install -r {file}", "it names the packages", Evidence(path=folder.full(file)))
    taken = take(facts, "test", ci.runs("python", "", folder.root), r"pytest --nbmake .*")
    if not (file or taken):
        facts.add("install", "pip install nbformat==5.10.4", "it knows the format of notebooks", where)
        facts.add("test", _FORMAT, "nothing names the packages they need, so they are not run", where, confidence=0.6)
        return facts.unit(folder.root, "notebooks")
    facts.add("install", "pip install nbmake==1.5.5 pytest==9.2.0 ipykernel", "nbmake runs notebooks as tests", where)
    top = sorted({path.rpartition("/")[0] or "." for path in found})
    places = " ".join(
        f'"{place}"' if " " in place else place
        for place in top
        if not any(other != place and place.startswith(f"{other}/") for other in top)
    )
    if not taken:
        facts.add(
            "test", f"pytest --nbmake {'.' if '.' in top else places}", "there are notebooks", where, confidence=0.7
        )
    facts.add("test_tool", "nbmake", "of the test command", where)
    return facts.unit(folder.root, "notebooks")


def survey_latex(folder: Folder, ci: OtherCi) -> Unit | None:
    """Return the unit of a folder with a LaTeX document."""
    del ci
    documents = [name for name in folder.names(r"[\w.-]+\.tex") if _MAIN.search(folder.text(name))]
    if not documents:
        return None
    main = next((name for name in documents if name in {"main.tex", "thesis.tex", "paper.tex"}), documents[0])
    facts = declared.opened(folder, main, "latex", "latexmk")
    where = folder.evidence(main, "\\documentclass")
    text = "\n".join(folder.text(name) for name in folder.names(r"[\w.-]+\.tex"))
    engine = "-xelatex" if re.search(r"fontspec|xeCJK|polyglossia", text) else "-pdf"
    for package in _TEX:
        facts.add("system_package", package, "latexmk builds the document", where)
    for package, pattern in (
        ("texlive-xetex", "fontspec|xeCJK|polyglossia"),
        ("biber", "biblatex"),
        ("texlive-bibtex-extra", "biblatex|bibliography"),
        ("texlive-science", "siunitx|algorithm|amsmath"),
        ("texlive-pictures", "tikz|pgfplots"),
        ("texlive-publishers", r"\{(?:IEEEtran|acmart|llncs|elsarticle)\}"),
        ("texlive-lang-european", r"\[[^\]]*(?:german|ngerman|french|spanish)"),
    ):
        facts.add(
            "system_package", package if re.search(pattern, text) else "", "the document uses it", where, confidence=0.8
        )
    line = "latexmk" if folder.first(".latexmkrc", "latexmkrc") else f"latexmk {engine}"
    facts.add(
        "build", f"{line} -interaction=nonstopmode -halt-on-error {main}", "it is a document", where, confidence=0.9
    )
    facts.add("artifact", main.removesuffix(".tex") + ".pdf", "latexmk writes it", where)
    return facts.unit(folder.root, "latex")

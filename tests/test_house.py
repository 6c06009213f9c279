"""The layout: what is installed, what the README promises, what the command imports."""

import configparser
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch

import ccvae

from .layout import HOUSE, IMPORTS, MODULES, floor, package_of, picture

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/ccvae"

TEXTS = {".py", ".md", ".cfg", ".toml", ".html", ".js", ".css", ".json", ""}


@pytest.fixture(scope="module")
def setup():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def test_tables_folders_and_links_agree(setup):
    packages = setup["options"]["packages"].split()
    folders = dict(
        line.split(" = ") for line in setup["options"]["package_dir"].strip().splitlines()
    )
    assert sorted(folders) == sorted(packages)
    links = {link.name: link.resolve() for link in SOURCE.iterdir() if link.is_symlink()}
    for name, target in links.items():
        assert target == ROOT / folders[f"ccvae.{name}"]
    assert {package_of(path) for path in MODULES} == set(packages)
    assert {folder.name for folder in HOUSE} == set(links)
    for package in packages:
        top, _, room = package.removeprefix("ccvae").removeprefix(".").partition(".")
        assert folders[package] == ("/".join(filter(None, (top, room))) or "src/ccvae")


def test_version_is_stated_once(setup):
    assert setup["metadata"]["version"] == ccvae.__version__
    assert f"version: {ccvae.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_imports_across_folders_are_relative():
    for path in MODULES:
        assert not re.search(r"^\s*(from|import) ccvae", path.read_text(), re.M), path


def test_a_wheel_installs_nothing_but_ccvae(tmp_path):
    # --no-isolation: setuptools from the environment, no network needed.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", tmp_path, ROOT]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {
        "ccvae",
        f"ccvae-{ccvae.__version__}.dist-info",
    }
    assert "ccvae/models/ccvae.py" in names
    assert "ccvae/studies/report/report.html" in names
    assert {f"ccvae/web/{name}" for name in ("static/style.css", "templates/faces.html")} <= set(
        names
    )
    assert "ccvae/web/pretrained/checkpoint.safetensors" in names


def test_the_readme_quick_start_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    lines = [line for line in code.splitlines() if line.strip() and "import" not in line]
    assert len(lines) <= 12
    building, training = code.split("for batch in")
    names = {}
    for _ in range(2):  # as a cell of a notebook, whose new pair is to be trained too
        torch.manual_seed(0)
        exec(building, names)
        pair = (names["model"], names["guide"])
        before = [p.detach().clone() for program in pair for p in program.parameters()]
        exec(f"for batch in{training}", names)
        after = [p for program in pair for p in program.parameters()]
        assert not any(torch.equal(p, q) for p, q in zip(before, after, strict=True))
        assert "log p(x|z)" in capsys.readouterr().out


def test_data_flows_one_way():
    """No module imports from a floor above its own."""
    wrong = [
        (module, imported)
        for module, imports in IMPORTS.items()
        for imported in imports
        if floor(imported) > floor(module)
    ]
    assert not wrong


def test_no_module_imports_itself_through_others():
    rest = {module: set(imports) for module, imports in IMPORTS.items()}
    while free := {module for module, imports in rest.items() if not imports & rest.keys()}:
        rest = {module: imports - free for module, imports in rest.items() if module not in free}
    assert not rest, rest


def test_rooms_have_their_size():
    """Heaps become rooms: few modules beside the rooms of a folder, and none too long to read."""
    beside = {
        folder: [*(ROOT / folder).glob("[!_]*.py")]
        for folder in ("inference", "inspection", "studies")
    }
    assert len(beside["inference"]) <= 2, beside
    assert len(beside["inspection"]) <= 8, beside
    assert len(beside["studies"]) <= 16, beside
    assert {
        path.name: n for path in MODULES if (n := len(path.read_text().split("\n"))) > 301
    } == {}


def test_inference_is_typed():
    lines = [
        line
        for path in MODULES
        if (ROOT / "inference") in path.resolve().parents
        for line in path.read_text().splitlines()
    ]
    loose = [line for line in lines if re.search(r"\bAny\b", line) and " import " not in line]
    assert 0 < len(loose) <= 45


def test_the_picture_of_the_floors_is_of_these_imports():
    assert (ROOT / "docs/images/floors.svg").read_text() == picture(), "run make figures"


FACES = {
    "ccvae",
    "ccvae.cli",
    "ccvae.config",
    "ccvae.exercises",
    "ccvae.files",
    "ccvae.loading",
    "ccvae.data",
    "ccvae.data.spec",
    "ccvae.data.faces",
    "ccvae.data.digits",
    "ccvae.data.rotated",
    "ccvae.guides",
    "ccvae.inference",
    "ccvae.inference.catalogue",
    "ccvae.inference.checks",
    "ccvae.inference.evaluation",
    "ccvae.inference.objectives",
    "ccvae.inference.runs",
    "ccvae.inference.training",
    "ccvae.inspection",
    "ccvae.inspection.drawing.figure",
    "ccvae.models",
    "ccvae.networks",
    "ccvae.studies",
    "ccvae.studies.comparing",
    "ccvae.studies.reading",
}
"""What the documentation and the lessons import from: packages, the names of the command line, and
the embedded data sets."""


def test_the_documentation_imports_from_faces_alone():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "lessons").glob("*.py")]
    wrong = [
        (page.name, module)
        for page in pages
        for module in re.findall(r"^\s*(?:from|import) (ccvae[\w.]*)", page.read_text(), re.M)
        if module not in FACES and "generated" not in page.parts
    ]
    assert not wrong


def test_help_imports_no_torch():
    program = (
        "import sys; from ccvae.cli import build_parser; build_parser().format_help();"
        "assert not {'torch', 'numpy', 'rich'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_no_machine_path_in_the_repository():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.suffix in TEXTS and path.is_file():
            assert "/" + "work/" not in path.read_text(), name

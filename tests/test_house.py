"""The layout: what is installed, what the README promises, what the command imports."""

import configparser
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pyro
import pytest
import torch

import ccvae

ROOT = Path(__file__).parent.parent

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
    links = [link for link in (ROOT / "src/ccvae").iterdir() if link.is_symlink()]
    linked = {link.name: link.resolve() for link in links}
    assert {f"ccvae.{name}" for name in linked} | {"ccvae"} == set(packages)
    for name, target in linked.items():
        assert target == ROOT / folders[f"ccvae.{name}"]
    importable = {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"
    }
    assert importable == set(linked)


def test_version_is_stated_once(setup):
    assert setup["metadata"]["version"] == ccvae.__version__
    assert f"version: {ccvae.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_imports_across_folders_are_relative():
    for folder in sorted(path.parent.name for path in ROOT.glob("*/__init__.py")):
        for path in (ROOT / folder).glob("*.py"):
            assert not re.search(r"^(from|import) ccvae", path.read_text(), re.M), path


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
    assert "ccvae/studies/report.html" in names
    assert {f"ccvae/web/{name}" for name in ("static/style.css", "templates/faces.html")} <= set(
        names
    )
    assert "ccvae/web/pretrained/checkpoint.safetensors" in names


def test_the_readme_quick_start_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    lines = [line for line in code.splitlines() if line.strip() and "import" not in line]
    assert len(lines) <= 12
    torch.manual_seed(0)
    with pyro.get_param_store().scope():
        exec(code, {})
    assert "log p(x|z)" in capsys.readouterr().out


def test_data_flows_one_way():
    """No folder imports from one that comes after it."""
    order = ("data", "networks", "models", "guides", "inference", "inspection", "studies")
    order += ("benchmarks", "web")
    for position, folder in enumerate(order):
        later = "|".join(order[position + 1 :])
        for path in (ROOT / folder).glob("*.py"):
            found = (
                re.findall(rf"^\s*from \.\.({later})\b", path.read_text(), re.M) if later else []
            )
            assert not found, (path, found)


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

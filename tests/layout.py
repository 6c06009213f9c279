"""What imports what, read from the source and without running it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/ccvae"

HOUSE = sorted(p.parent for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests")
"""The folders of the package that stand at the root."""

MODULES = [*(path for folder in HOUSE for path in folder.rglob("*.py")), *SOURCE.glob("*.py")]

FLOORS = (
    ("", "config", "files", "loading"),
    ("data",),
    ("networks",),
    ("models",),
    ("guides",),
    ("inference.objectives",),
    ("inference.checks", "inference.evaluation", "inference.catalogue"),
    ("inference.training",),
    ("inference.runs",),
    ("inference",),
    ("inspection",),
    ("studies.reading", "studies.drawing"),
    ("studies", "studies.matching"),
    ("studies.report", "studies.comparisons"),
    ("benchmarks", "web"),
    ("texts",),
    ("commands", "cli", "__main__"),
)
"""From the ground up: a module imports from its own floor and from those below."""


def name_of(path):
    """A module's name below ``ccvae``; the package itself is empty."""
    base = SOURCE if path.is_relative_to(SOURCE) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def package_of(path):
    """The package that a module belongs to, by its full name."""
    name = name_of(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return f"ccvae.{package}" if package else "ccvae"


def imports_of(path, names):
    """The modules of the package that a module imports, wherever in it."""
    package = package_of(path).split(".")[1:]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{target}.{alias.name}" if target else alias.name
                found.add(whole if whole in names else target)
    return found


def floor(name):
    """Which floor a module is on: that of the closest of its folders which has one."""
    while not any(name in floor for floor in FLOORS):
        if not name:
            raise LookupError(name)
        name = name.rpartition(".")[0]
    return next(level for level, floor in enumerate(FLOORS) if name in floor)


NAMES = {name_of(path) for path in MODULES}
IMPORTS = {name_of(path): imports_of(path, NAMES) - {name_of(path)} for path in MODULES}

"""What imports what, read from the source and without running it."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src/ccvae"

HOUSE = sorted(p.parent for p in ROOT.glob("*/__init__.py") if p.parent.name != "tests")
"""The folders of the package that stand at the root."""

MODULES = [*(path for folder in HOUSE for path in folder.rglob("*.py")), *SOURCE.glob("*.py")]

FLOORS = (
    (
        "",
        "asking",
        "config",
        "faults",
        "files",
        "loading",
        "lock",
        "ranges",
        "schedules",
        "seeds",
        "specification",
        "words",
    ),
    ("data",),
    ("models", "networks"),
    ("guides",),
    ("inference.objectives",),
    (
        "inference.checks",
        "inference.evaluation",
        "inference.foreign",
        "inference.catalogue",
        "inference.programs",
    ),
    ("inference.training",),
    ("inference.runs",),
    ("inference",),
    ("inspection.recording",),
    ("inspection.graphs",),
    ("inspection.writing",),
    ("inspection.drawing",),
    ("inspection.notebook",),
    ("inspection.asking",),
    ("inspection", "studies.reading", "studies.drawing"),
    ("studies", "studies.matching"),
    ("studies.report",),
    ("studies.comparing",),
    ("studies.comparisons",),
    ("web",),
    (
        "texts",
        "options",
        "comparing",
        "flags",
        "listing",
        "importing",
        "looking",
        "bars",
        "trained",
        "flat",
        "commands",
        "cli",
        "__main__",
    ),
    ("benchmarks",),
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


ROOMS = [
    room
    for floor in FLOORS
    for room in floor
    if room not in ("", "asking", "comparing", "importing", "bars", "trained", "flat")
    and room not in ("texts", "options", "flags", "listing", "looking", "cli", "__main__")
]
"""What the picture of the floors shows, from the ground up."""


def room_of(name):
    """The room that a module belongs to."""
    while name and name not in ROOMS:
        name = name.rpartition(".")[0]
    return name


def arrows():
    """Which room imports from which, without those that follow from others."""
    direct = {room: set() for room in ROOMS}
    for module, imports in IMPORTS.items():
        if room_of(module):
            direct[room_of(module)] |= {room_of(name) for name in imports}
    direct = {room: found - {room, ""} for room, found in direct.items()}
    reach = {}
    for room in sorted(ROOMS, key=floor):
        below = {name for name in direct[room] if floor(name) < floor(room)}
        reach[room] = below.union(*(reach[name] for name in below))
    return sorted(
        (room, name)
        for room, found in direct.items()
        for name in found
        if not any(name in reach[other] for other in found - {name} if other in reach)
    )


WIDTH, HEIGHT, ROW, LEFT = 176, 30, 58, 10


def picture():
    """The floors as an SVG: an arrow leads from a room to what it imports."""
    rows = [[room for room in found if room in ROOMS] for found in FLOORS]
    across = LEFT + max(map(len, rows)) * (WIDTH + 24)
    tall = 20 + len(rows) * ROW
    place = {
        room: ((across - len(row) * (WIDTH + 24) + 24) / 2 + i * (WIDTH + 24), tall - (n + 1) * ROW)
        for n, row in enumerate(rows)
        for i, room in enumerate(row)
    }
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {tall}" '
        f'width="{across}" font-family="sans-serif" font-size="13">',
        "<title>What imports what: an arrow leads from a folder to one that it imports</title>",
        '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="#5b6b7a"/></marker>',
        f'<rect width="{across}" height="{tall}" fill="white"/>',
    ]
    for room, name in arrows():
        (x1, y1), (x2, y2) = place[room], place[name]
        ends = (x1 + WIDTH / 2, y1 + HEIGHT, x2 + WIDTH / 2, y2)
        if y1 == y2:
            right = x1 < x2
            ends = (x1 + WIDTH * right, y1 + HEIGHT / 2, x2 + WIDTH * (not right), y2 + HEIGHT / 2)
        parts.append(
            '<line x1="{:g}" y1="{:g}" x2="{:g}" y2="{:g}" stroke="#5b6b7a" '
            'marker-end="url(#tip)"/>'.format(*ends)
        )
    for room, (x, y) in place.items():
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{WIDTH}" height="{HEIGHT}" rx="4" fill="#eef3f8" '
            f'stroke="#5b6b7a"/><text x="{x + WIDTH / 2:g}" y="{y + 20:g}" '
            f'text-anchor="middle">{room}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    (ROOT / "docs/images/floors.svg").write_text(picture())

"""The gallery's programs against densities by hand, and what it states against networkx."""

import itertools
import random
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import pytest

from ccvae.benchmarks.inspection import load_corpus
from ccvae.inspection.asking.blankets import variables
from ccvae.inspection.drawing.layout import lay_out
from ccvae.inspection.drawing.legibility import flaws

DOCS = Path(__file__).parents[2] / "docs"
sys.path.append(str(DOCS))
import gallery  # noqa: E402

corpus = load_corpus()

STEPS = range(1, 6)

KNOWN = {
    "linear_regression": {
        "density": "p(w) p(b) p(sigma) p(y|predictors,w,b,sigma)",
        "observed": "y",
        "plates": "rows 5: y",
    },
    "eight_schools": {
        "density": "p(mu) p(tau) p(theta|mu,tau) p(y|theta,errors)",
        "observed": "y",
        "plates": "schools 8: theta y",
    },
    "change_point": {
        "density": "p(lambda_1) p(lambda_2) p(c) p(n|lambda_1,lambda_2,c)",
        "observed": "n",
        "plates": "years 8: n",
    },
    "item_response": {
        "density": "p(a) p(d) p(k) p(y|a,d,k)",
        "observed": "y",
        "plates": "students 4: a y; items 6: d k y",
    },
    "matrix_factorisation": {
        "density": "p(u) p(v) p(r|u,v)",
        "observed": "r",
        "plates": "users 4: u r; films 5: v r",
    },
    "naive_bayes": {
        "density": "p(pi) p(theta) p(y|pi) p(x|y,theta)",
        "observed": "x y",
        "plates": "vocabulary 5: theta x; classes 2: theta; messages 4: y x",
    },
    "mixture": {
        "density": "p(pi) p(mu) p(c|pi) p(x|c,mu)",
        "observed": "x",
        "plates": "components 3: mu; rows 6: c x",
    },
    "factor_analysis": {
        "density": "p(W) p(sigma) p(z) p(x|z,W,sigma)",
        "guide_density": "q(W) q(sigma) q(z|x)",
        "observed": "x",
        "plates": "rows 5: z x",
    },
    "lda": {
        "density": "p(phi) p(theta) p(t|theta) p(w|t,phi)",
        "observed": "w",
        "plates": "topics 3: phi; documents 4: theta t w; words 6: t w",
    },
    "hmm": {
        "density": "p(A) p(B) p(z_1|A) p(x_1|z_1,B)"
        + "".join(f" p(z_{t}|z_{t - 1},A) p(x_{t}|z_{t},B)" for t in STEPS[1:]),
        "observed": " ".join(f"x_{t}" for t in STEPS),
        "plates": "states 2: A B; sequences 4: " + " ".join(f"z_{t} x_{t}" for t in STEPS),
    },
    "kalman": {
        "density": "p(s) p(r) p(z_1|s) p(x_1|z_1,r)"
        + "".join(f" p(z_{t}|z_{t - 1},s) p(x_{t}|z_{t},r)" for t in STEPS[1:]),
        "observed": " ".join(f"x_{t}" for t in STEPS),
        "plates": "tracks 4: " + " ".join(f"z_{t} x_{t}" for t in STEPS),
    },
    "alarm": {
        "density": "p(burglar) p(earthquake) p(radio|earthquake) p(alarm|burglar,earthquake) "
        "p(call|alarm)",
    },
    "front_door": {
        "density": "p(g) p(s|g) p(t|s) p(c|t,g)",
        "observed": "s t c",
        "plates": "people 5: g s t c",
    },
    "instrument": {
        "density": "p(beta) p(z) p(u) p(t|z,u) p(y|beta,t,u)",
        "observed": "z t y",
        "plates": "people 5: z u t y",
    },
    "collider": {
        "density": "p(a) p(b) p(s|a,b) p(f|s)",
        "observed": "s f",
        "plates": "people 5: a b s f",
    },
    "vae": {
        "density": "p(z) p(x|z)",
        "guide_density": "q(z|x)",
        "observed": "x",
        "plates": "images 4: z x",
    },
    "m2": {
        "density": "p(y) p(z) p(x|y,z)",
        "guide_density": "q(y|x) q(z|x,y)",
        "observed": "x",
        "partly": "y",
        "plates": "images 4: y z x",
    },
    "diva": {
        "density": "p(d) p(y) p(z_d|d) p(z_y|y) p(z_x) p(x|z_d,z_y,z_x)",
        "guide_density": "q(z_d|x) q(z_y|x) q(z_x|x)",
        "observed": "x y d",
        "plates": "images 4: d y z_d z_y z_x x",
    },
    "ccvae": {
        "density": "p(y) p(z_c|y) p(z_s) p(x|z_c,z_s)",
        "guide_density": "q(z_c|x) q(y|z_c) q(z_s|x)",
        "observed": "x",
        "partly": "y",
        "plates": "images 4: y z_c z_s x; labels 3: y z_c",
    },
    "scanvi": {
        "density": "p(y) p(u) p(z|y,u) p(l) p(x|z,l)",
        "guide_density": "q(z|x) q(l|x) q(y|z) q(u|z,y)",
        "observed": "x",
        "partly": "y",
        "plates": "cells 4: y u z l x",
    },
}
"""What each program is, by hand."""

NAMES = [name for names in gallery.GROUPS.values() for name in names]


@pytest.fixture(scope="module")
def portraits():
    made = {}

    def look(name):
        if name not in made:
            made[name] = gallery.portrait(name)
        return made[name]

    return look


def case(name):
    program = gallery.portrait(name).program
    known = dict(KNOWN[name])
    return corpus.Case(name, "gallery", program.model, known.pop("density"), **known)


class WrittenOut:
    """A density with all cells of its plates, as a graph of networkx."""

    def __init__(self, known):
        factors = corpus.parse(known["density"])
        boxes = corpus.Case("", "", None, known["density"], plates=known.get("plates", "")).boxes
        self.cells, self.graph = {}, nx.DiGraph()
        for name in (name for factor in factors for name in factor.of):
            own = {plate: size for plate, (size, members) in boxes.items() if name in members}
            places = itertools.product(*(range(1, size + 1) for size in own.values()))
            self.cells[name] = [(name, tuple(zip(own, place, strict=True))) for place in places]
            self.graph.add_nodes_from(self.cells[name])
        for factor in factors:
            for child, parent in itertools.product(factor.of, factor.given & set(self.cells)):
                for v, u in itertools.product(self.cells[child], self.cells[parent]):
                    if all(dict(v[1]).get(plate, n) == n for plate, n in u[1]):
                        self.graph.add_edge(u, v)

    def meant(self, text):
        """The cells of ``x`` or of ``x[rows=1]``."""
        name, plate, number = re.fullmatch(r"(\w+)(?:\[(\w+)=(\d+)\])?", text).groups()
        return {c for c in self.cells[name] if not plate or (plate, int(number)) in c[1]}

    def separates(self, first, second, given):
        known = {cell for name in given for cell in self.meant(name)}
        return nx.is_d_separator(self.graph, self.meant(first), self.meant(second), known)

    def pairs(self):
        """All pairs of variables, and two cells of each in each of its plates."""
        yield from itertools.combinations(self.cells, 2)
        for name, cells in self.cells.items():
            for plate, _ in cells[0][1]:
                yield f"{name}[{plate}=1]", f"{name}[{plate}=2]"


def named(text, graph):
    """A variable with its plate by name: ``x[1]`` as ``x[rows=1]``."""
    cell = re.fullmatch(r"(\w+)\[(\d+)\]", text)
    return f"{cell[1]}[{graph.nodes[cell[1]].plates[-1]}={cell[2]}]" if cell else text


def test_there_are_twenty():
    files = {path.stem for path in (DOCS / "gallery").glob("*.py")}
    assert len(NAMES) == 20
    assert set(NAMES) == files == set(KNOWN)


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_what_it_is_known_to_be(name, portraits):
    of = portraits(name)
    assert corpus.faults(case(name), of.found) == []
    assert of.found.problems == of.found.notes == ()
    assert flaws(lay_out(of.found.graph)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_the_graph_states_is_what_networkx_says(name, portraits):
    """Given nothing, each other variable alone, and sets at random."""
    graph, truth, draw = portraits(name).found.graph, WrittenOut(KNOWN[name]), random.Random(0)
    answers = []
    for pair in truth.pairs():
        mine = {text.partition("[")[0] for text in pair}
        others = [other for other in truth.cells if other not in mine]
        chosen = [tuple(o for o in others if draw.random() < 0.5) for _ in range(5)]
        for given in dict.fromkeys([(), *((other,) for other in others), *chosen]):
            answers.append(bool(graph.independent(*pair, given)))
            assert answers[-1] == truth.separates(*pair, given), (pair, given)
    assert {*answers} == {True, False} or name == "vae"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_states_what_holds(name, portraits):
    """Each statement that is printed, and that nothing fewer would do."""
    graph, truth = portraits(name).found.graph, WrittenOut(KNOWN[name])
    printed = gallery.independences(graph)
    for answer in printed:
        pair = [named(text, graph) for text in (*answer.first, *answer.second)]
        assert truth.separates(*pair, answer.given)
        for left_out in answer.given:
            fewer = [other for other in answer.given if other != left_out]
            assert not truth.separates(*pair, fewer)
    data = [node.name for node in graph.nodes.values() if node.role == "observed"]
    for answer in gallery.explained(graph):
        assert truth.separates(*answer.first, *answer.second, ())
        assert not truth.separates(*answer.first, *answer.second, data)
    shown = ET.fromstring(f"<div>{gallery.statements_html(graph)}</div>".replace("&emsp;", " "))
    signs = [sign.text for sign in shown.iter("mo")]
    assert signs.count("⊥") == len([*gallery.early(graph, printed)])
    assert signs.count("⊥̸") == len([*gallery.early(graph, gallery.explained(graph))])
    late = [n for series in graph.series for n in series.nodes[gallery.STEPS :]]
    assert ("are left out" in "".join(shown.itertext())) == bool(late)


def test_lines_end_behind_commas_and_cells_are_numbered(portraits):
    text = gallery.statements_html(portraits("hmm").found.graph)
    assert "Statements about the times 4 and 5 are left out" in text
    shown = ET.fromstring(f"<div>{text}</div>".replace("&emsp;", " "))
    for line in shown.iterfind("div[@class='formula']"):
        spans = line.findall("span")
        assert [(span[0].tail or "") for span in spans] == [*[","] * (len(spans) - 1), ""]
        assert not "".join(span.tail or "" for span in spans).strip()
    cells = next(line for line in shown.iter("div") if "A[1]⊥A[2]" in "".join(line.itertext()))
    assert "′" not in "".join(cells.itertext())


def test_crossed_plates_are_in_the_order_of_the_program(portraits):
    """A student's answer to an item has the indices of the tensor's rows and columns."""
    assert portraits("item_response").found.graph.nodes["y"].plates == ("students", "items")


def test_a_section_has_its_parts(portraits):
    text = gallery.section(portraits("instrument"))
    assert text.startswith("### An instrumental variable\n\nThe distance z to a clinic")
    assert text.count('<svg class="plates"') >= 1
    assert "literalinclude} gallery/instrument.py" in text
    assert set(variables(portraits("instrument").found.graph)) == {"beta", "z", "u", "t", "y"}

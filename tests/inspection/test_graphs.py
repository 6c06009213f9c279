"""The whole graph of every program, beside the paper's figure.

Solid arrows are the model's (p), dashed ones the guide's (q). A half-filled node (◐) is observed
where its label is known, ● is observed, ○ latent.
"""

import pytest

from ccvae.inspection import Edge

PATTERNS = ("none", "all", "some")


def edges(side, *arrows):
    """``"x → z"``; ``"y(observed) → z"`` where only the known labels are meant."""
    found = set()
    for arrow in arrows:
        parent, child = arrow.split(" → ")
        parent, _, given = parent.rstrip(")").partition("(")
        found.add(Edge(parent, child, side, given))
    return found


def places(graph):
    """Role and plates of every node."""
    return {name: (node.role, "/".join(node.plates)) for name, node in graph.nodes.items()}


LABEL = {"none": "latent", "all": "observed", "some": "partly observed"}


@pytest.mark.parametrize("labels", PATTERNS)
def test_vae(inspected, labels):
    """Kingma and Welling 2014, figure 1.

    ┌ data ─────────┐
    │  ○ z ──► ● x  │
    │    ▲┄┄┄┄┄┘    │
    └───────────────┘
    """
    graph = inspected("vae", labels=labels).graph
    assert graph.edges == edges("p", "z → x") | edges("q", "x → z")
    assert places(graph) == {"z": ("latent", "data"), "x": ("observed", "data")}
    assert graph.guided == ("z",)


@pytest.mark.parametrize("objective", ["m2", "m2-score"])
@pytest.mark.parametrize("labels", PATTERNS)
def test_m2(inspected, labels, objective):
    """Kingma et al. 2014, figure 1 (right); the three labels are one event, in no plate of labels.

    ┌ data ─────────────────┐
    │  ◐ y ──► ● x ◄── ○ z  │       q: x ┄► y where missing, x ┄► z, y ┄► z
    └───────────────────────┘
    """
    graph = inspected("m2", objective, labels).graph
    q = {"x → z", "y → z"} | ({"x → y"} if labels != "all" else set())
    assert graph.edges == edges("p", "y → x", "z → x") | edges("q", *q)
    assert places(graph) == {
        "y": (LABEL[labels], "data"),
        "z": ("latent", "data"),
        "x": ("observed", "data"),
    }
    assert graph.nodes["y"].finite
    assert graph.guided == (("z",) if labels == "all" else ("y", "z"))


@pytest.mark.parametrize("labels", PATTERNS)
def test_diva(inspected, labels):
    """Ilse et al. 2020, figure 1, with z_y partitioned by label.

    ┌ data ──────────────────────────────────┐
    │              ┌ labels ──────┐          │
    │  ◐ d ─► ○ z_d│ ◐ y ─► ○ z_y │  ○ z_x   │   q: x ┄► z_d, z_y, z_x;  z_d ┄► d, z_y ┄► y
    │          │   └─────────┼────┘    │     │      where missing
    │          └─────────► ● x ◄───────┘     │
    └────────────────────────────────────────┘
    """
    graph = inspected("diva", labels=labels).graph
    p = edges("p", "d → z_d", "y → z_y", "z_d → x", "z_x → x", "z_y → x")
    q = {"x → z_d", "x → z_x", "x → z_y"}
    q |= {"z_y → y"} if labels != "all" else set()
    q |= {"z_d → d"} if labels == "some" else set()
    assert graph.edges == p | edges("q", *q)
    assert places(graph) == {
        "d": ("partly observed" if labels == "some" else "observed", "data"),
        "y": (LABEL[labels], "data/labels"),
        "z_d": ("latent", "data"),
        "z_x": ("latent", "data"),
        "z_y": ("latent", "data/labels"),
        "x": ("observed", "data"),
    }


CCVAE_MODEL = edges("p", "y → z_c", "z_c → x", "z_style → x")


@pytest.mark.parametrize("objective", ["adapted-diva", "our-adapted-diva", "ccvae-authors"])
@pytest.mark.parametrize("labels", PATTERNS)
def test_adapted_diva(inspected, labels, objective):
    """Joy et al. 2021, figure 2, the guide as it stands: no label enters it.

    ┌ data ───────────────────────────┐
    │  ┌ labels ───────┐              │
    │  │  ◐ y ──► ○ z_c│    ○ z_style │   q: x ┄► z_c, z_style;  z_c ┄► y where missing
    │  └───────────┼───┘    │         │
    │              └► ● x ◄─┘         │
    └─────────────────────────────────┘
    """
    graph = inspected("ccvae", objective, labels).graph
    q = {"x → z_c", "x → z_style"} | ({"z_c → y"} if labels != "all" else set())
    assert graph.edges == CCVAE_MODEL | edges("q", *q)
    assert places(graph) == {
        "y": (LABEL[labels], "data/labels"),
        "z_c": ("latent", "data/labels"),
        "z_style": ("latent", "data"),
        "x": ("observed", "data"),
    }


@pytest.mark.parametrize(
    ("objective", "labels", "arrows"),
    [
        ("ccvae", "none", {"z_c → y"}),
        ("ccvae", "all", {"y → z_c"}),
        ("ccvae", "some", {"z_c → y", "y(observed) → z_c"}),
        ("marginal", "none", set()),
        ("marginal", "all", {"y → z_c"}),
        ("marginal", "some", {"y(observed) → z_c"}),
        ("importance-weighted", "some", {"y(observed) → z_c"}),
    ],
)
def test_ccvae(inspected, objective, labels, arrows):
    """The same programs, the guide conditioned on its labels by Bayes' rule: y ┄► z_c as well.

    The marginal bound sums the labels out in the model and does without q(y|z_c).
    """
    graph = inspected("ccvae", objective, labels).graph
    assert graph.edges == CCVAE_MODEL | edges("q", "x → z_c", "x → z_style", *arrows)


def test_kinds_of_edges(inspected):
    graph = inspected("ccvae").graph
    assert {(e.parent, e.child, graph.kind(e)) for e in graph.edges} == {
        ("y", "z_c", "conditional prior"),
        ("z_c", "x", "generative"),
        ("z_style", "x", "generative"),
        ("x", "z_c", "inference"),
        ("x", "z_style", "inference"),
        ("y", "z_c", "inference"),
        ("z_c", "y", "label classifier"),
    }


def test_plates_of_both_kinds_of_labels_are_one(inspected):
    plates = inspected("ccvae").graph.plates
    assert {name: plate.sizes for name, plate in plates.items()} == {
        "data": (13,),
        "labels": (2, 1),
    }


def test_a_label_depends_on_its_own_block_only(inspected):
    """Before they are merged, the kinds of labels are separate: no arrow leads across."""
    sites = inspected("ccvae").guide.sites
    assert sites["z_c"].inputs == {"=x", ("=y", 0), ("=y", 1)}
    assert sites["z_c_5"].inputs == {"=x", ("=y", 2)}
    assert sites["y_5_unobserved"].parents == ("z_c_5",)
    assert sites["z_c_5"].networks == ("classifier", "encoder")

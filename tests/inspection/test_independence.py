"""Independence read off graphs, beside networkx's d-separation on the graphs written out."""

import itertools
import random

import networkx as nx
import pytest

from ccvae.inspection import Edge, Graph, Node, Plate
from ccvae.inspection.dag import Dag
from ccvae.inspection.unroll import Cell, select

RANDOM = 1500


def graph(text, *, plates="", roles=""):
    """A model from ``"a>s b>s"``, ``"a:i,j"`` for plates, and ``"x:observed"`` for roles."""
    where = dict(part.split(":") for part in plates.split())
    role = dict(part.split(":") for part in roles.split())
    pairs = [part.split(">") for part in text.split()]
    names = dict.fromkeys(name for pair in pairs for name in pair)
    nodes = {
        name: Node(
            name, role.get(name, "latent"), tuple(where[name].split(",") if name in where else ())
        )
        for name in names
    }
    inside = {plate: Plate(plate, (3,)) for node in nodes.values() for plate in node.plates}
    edges = frozenset(Edge(pair[0], pair[1], "p") for pair in pairs if len(pair) == 2)
    return Graph(nodes, edges, inside, ())


def written_out(found, size=3):
    """The same graph with all its cells, made by networkx."""
    dag = nx.DiGraph()
    cells = {}
    for node in found.nodes.values():
        places = itertools.product(range(1, size + 1), repeat=len(node.plates))
        cells[node.name] = [
            Cell(node.name, tuple(zip(node.plates, place, strict=True))) for place in places
        ]
        dag.add_nodes_from(cells[node.name])
    for edge in found.edges:
        for u, v in itertools.product(cells[edge.parent], cells[edge.child]):
            if all(dict(v.at).get(plate, n) == n for plate, n in u.at):
                dag.add_edge(u, v)
    return dag, cells


def random_dag(draw, size, density):
    return {i: tuple(j for j in range(i) if draw.random() < density) for i in range(size)}


def blocking(dag, path, given):
    """Every node of a path that lets nothing pass, and why."""
    above = dag.ancestors(given)
    for before, node, after in zip(path, path[1:], path[2:], strict=False):
        collider = {before, after} <= set(dag.parents[node])
        if collider and node not in above:
            yield node, "collider"
        if not collider and node in given:
            yield node, "given"


def test_random_graphs_agree_with_networkx():
    """The answer is the oracle's, an open path is one, and blocks block every path there is."""
    draw = random.Random(0)
    answers = []
    for _ in range(RANDOM):
        dag = Dag(random_dag(draw, draw.randint(2, 8), draw.choice([0.2, 0.35, 0.5])))
        oracle = nx.DiGraph([(u, v) for v, parents in dag.parents.items() for u in parents])
        oracle.add_nodes_from(dag.parents)
        a, b = draw.sample(list(dag.parents), 2)
        given = {c for c in dag.parents if c not in (a, b) and draw.random() < 0.3}
        trail = dag.trail({a}, {b}, given)
        answers.append(trail is None)
        assert answers[-1] == nx.is_d_separator(oracle, a, b, given)
        if trail is not None:
            assert len(set(trail)) == len(trail)
            assert all(oracle.to_undirected().has_edge(*pair) for pair in itertools.pairwise(trail))
            assert not list(blocking(dag, trail, given))
            continue
        blocks = {(block.node, block.why) for block in dag.blocks({a}, {b}, given)}
        for path in nx.all_simple_paths(oracle.to_undirected(), a, b):
            assert blocks & set(blocking(dag, path, given))
    assert 0.2 < sum(answers) / RANDOM < 0.8


def random_graph(draw):
    """Six variables in up to two plates, nested or crossed."""
    choices = [(), (), ("i",), ("i",), ("j",), ("i", "j")]
    nodes = {n: Node(n, "latent", draw.choice(choices)) for n in "abcdef"}
    edges = {Edge(u, v, "p") for u, v in itertools.combinations(nodes, 2) if draw.random() < 0.35}
    plates = {plate: Plate(plate, (3,)) for plate in "ij"}
    return Graph(nodes, frozenset(edges), plates, ())


def cell_of(found, name, draw):
    """A variable, or one of its cells."""
    plates = found.nodes[name].plates
    if not plates or draw.random() < 0.5:
        return name
    return f"{name}[{','.join(str(draw.randint(1, 3)) for _ in plates)}]"


def test_plates_agree_with_networkx_on_all_cells():
    """Two cells and one more say what all three cells of every plate say."""
    draw = random.Random(1)
    answers = []
    for _ in range(RANDOM):
        found = random_graph(draw)
        dag, cells = written_out(found)
        names = draw.sample(list(found.nodes), 4)
        first, second = (cell_of(found, name, draw) for name in names[:2])
        if draw.random() < 0.3 and found.nodes[names[0]].plates:
            second = f"{names[0]}[2]"
            first = f"{names[0]}[1]"
        given = {cell_of(found, name, draw) for name in names[2:] if draw.random() < 0.6}
        every = [cell for own in cells.values() for cell in own]
        a, b = (set(select(found, name).among(every)) for name in (first, second))
        c = {cell for name in given for cell in select(found, name).among(every)}
        answers.append(bool(found.independent(first, second, given)))
        assert answers[-1] == nx.is_d_separator(dag, a, b, c), (found, first, second, given)
    assert 0.2 < sum(answers) / RANDOM < 0.8


def test_pairs_are_given_the_fewest_variables_that_separate_them():
    draw = random.Random(2)
    for _ in range(150):
        found = random_graph(draw)
        dag, cells = written_out(found)
        every = [cell for own in cells.values() for cell in own]
        for answer in found.independences():
            (first,), (second,) = answer.first, answer.second
            a, b = (set(select(found, name).among(every)) for name in (first, second))
            c = {cell for name in answer.given for cell in cells[name]}
            assert bool(answer) == nx.is_d_separator(dag, a, b, c)
            if not answer:
                names = {select(found, n).name for n in (first, second)}
                others = sorted(set(found.nodes) - names)
                assert not any(
                    found.independent(first, second, given)
                    for size in range(len(others) + 1)
                    for given in itertools.combinations(others, size)
                )


def test_the_blanket_is_the_smallest_set_that_separates_from_all_others():
    draw = random.Random(3)
    for _ in range(150):
        found = random_graph(draw)
        dag, cells = written_out(found)
        for name in found.nodes:
            own, blanket = set(cells[name]), found.blanket(name)
            around = {c for child in own for c in dag.successors(child)}
            around |= {c for cell in around | own for c in dag.predecessors(cell)}
            assert blanket == {cell.name for cell in around} - {name}


def test_ccvae(inspected):
    graph = inspected("ccvae").graph
    assert graph.independent("z_c", "z_style")
    answer = graph.independent("z_c", "z_style", given={"x"})
    assert not answer
    assert answer.path == ("z_c", "x", "z_style")
    assert answer.sentence == (
        "z_c and z_style are not independent given x: the path z_c → x ← z_style is open, for x is "
        "given."
    )
    assert graph.independent("y", "x", given="z_c").blocked == (("z_c", "given"),)
    assert graph.independent("y[1]", "y[2]")
    assert graph.independent("y[1]", "y[2]", given="x").arrows == (
        "y[1] → z_c[1] → x ← z_c[2] ← y[2]"
    )
    assert graph.independent("y[1]", "z_c[2]", given={"x", "z_c[1]"}).statement == (
        "y[1] ⊥ z_c[2] | x,z_c[1]"
    )
    assert graph.independent("x[1]", "x[2]").sentence.endswith("no path joins them.")
    assert graph.blanket("z_c") == {"y", "x", "z_style"}
    assert graph.blanket("z_c[1]") == {"y[1]", "x", "z_c[≠1]", "z_style"}
    assert graph.blanket("z_style[2]") == {"x[2]", "z_c[data=2]"}


def test_the_guide_is_asked_apart(inspected):
    """Given the data, the guide of CC-VAE states what its model does not."""
    graph = inspected("ccvae").graph
    assert graph.independent("z_c", "z_style", side="q")
    assert not graph.independent("z_c", "z_style", given="x")
    assert not graph.independent("y", "z_c", side="q")
    assert graph.independent("y", "z_style", side="q")


def test_a_guide_that_draws_several_at_once():
    nodes = {name: Node(name, "latent") for name in "abc"}
    found = Graph(nodes, frozenset(), {}, ("a", "b", "c"), blocks=(("a", "b"),))
    assert not found.independent("a", "b", side="q")
    assert found.independent("a", "c", side="q")


def test_factors_tie_their_arguments():
    found = graph("a>psi b>psi b>c", roles="psi:factor")
    assert found.independent("a", "b").sentence == (
        "a and b are not independent: the path a → psi ← b is open, for the factor psi ties its "
        "arguments."
    )
    assert found.independent("a", "c", given="b")
    assert found.blanket("a") == {"b"}
    with pytest.raises(ValueError, match="psi is no variable of the model"):
        found.blanket("psi")


def test_what_is_determined_is_known():
    """Geiger, Verma and Pearl 1990: f(a) is known where a is, so that nothing passes it."""
    roles = "f:deterministic"
    found = graph("a>f f>c b>f", roles=roles)
    assert not found.independent("a", "c")
    assert not found.independent("b", "c", given="a")
    assert found.independent("a", "c", given="f")
    forked = graph("a>f f>c f>d", roles=roles)
    assert forked.independent("c", "d", given="a").blocked == (("f", "determined"),)
    assert not graph("a>f f>c f>d").independent("c", "d", given="a")
    assert forked.independent("f", "c", given="a")
    # What f is computed from stays tied by f: a common child that is given.
    assert not found.independent("a", "b", given="f")


def test_functions_are_sound_on_numbers():
    """Every independence that is claimed holds in exact distributions of parity bits."""
    draw = random.Random(4)
    claimed = 0
    for _ in range(60):
        parents = random_dag(draw, 5, 0.5)
        functional = frozenset(n for n in parents if parents[n] and draw.random() < 0.5)
        dag, table = Dag(parents, functional), joint_table(parents, functional, draw)
        for a, b in itertools.combinations(parents, 2):
            for size in range(3):
                for given in itertools.combinations(set(parents) - {a, b}, size):
                    if dag.separated(a, b, given):
                        claimed += not Dag(parents).separated(a, b, given)
                        assert dependence(table, a, b, given) < 1e-12
    assert claimed > 20


def joint_table(parents, functional, draw):
    """p of every setting of binary nodes; a functional one is the parity of its parents."""
    weights = {
        (n, above): draw.uniform(0.1, 0.9)
        for n in parents
        for above in itertools.product((0, 1), repeat=len(parents[n]))
    }
    table = {}
    for setting in itertools.product((0, 1), repeat=len(parents)):
        p = 1.0
        for n in parents:
            above = tuple(setting[m] for m in parents[n])
            one = float(sum(above) % 2) if n in functional else weights[n, above]
            p *= one if setting[n] else 1 - one
        table[setting] = p
    return table


def dependence(table, a, b, given):
    """The largest |p(a,b,c) p(c) − p(a,c) p(b,c)|."""

    def marginal(nodes):
        found = {}
        for setting, p in table.items():
            key = tuple(setting[n] for n in nodes)
            found[key] = found.get(key, 0.0) + p
        return found

    of = {nodes: marginal(nodes) for nodes in ((a, b, *given), (a, *given), (b, *given), given)}
    return max(
        abs(p * of[given][c] - of[a, *given][(va, *c)] * of[b, *given][(vb, *c)])
        for (va, vb, *rest), p in of[a, b, *given].items()
        for c in [tuple(rest)]
    )


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (("u", "b"), "unknown variable 'u'; choose among a, s, b"),
        (("a", "a"), "expected different variables, got a twice; name cells as"),
        (("a", "b", "a[1]"), "expected different variables, got a twice"),
        (("a[4]", "b"), r"the plate i has the cells 1 to 3, got 'a\[4\]'"),
        (("a[1,2]", "b"), r"a lies in the plates i, got 'a\[1,2\]'"),
        (("a[j=1]", "b"), r"a lies in the plates i, got 'a\[j=1\]'"),
        (("a[x]", "b"), r"expected positions from 1, as in x\[2\]"),
        (((), "b"), "expected two variables or more to ask about"),
    ],
)
def test_questions_without_an_answer(question, message):
    found = graph("a>s b>s", plates="a:i b:i")
    with pytest.raises(ValueError, match=message):
        found.independent(*question)

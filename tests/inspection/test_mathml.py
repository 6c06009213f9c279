"""Formulas as MathML: well formed, and the same signs in the same order as in plain text."""

import re
import xml.etree.ElementTree as ET

import pytest

from ccvae.inspection import factorisation
from ccvae.inspection.writing.mathml import MATHML, densities_of, term, terms

CASES = [("vae", ""), ("m2", ""), ("diva", ""), ("ccvae", ""), ("ccvae", "importance-weighted")]


def signs(pieces):
    """What a reader sees, from left to right, without the marks of scripts."""
    return "".join("".join(ET.fromstring(piece).itertext()) for piece in pieces)


def bare(text):
    return re.sub(r"[\s_^{}]", "", text).replace("\\", "∖").replace("E", "𝔼", 1)


@pytest.mark.parametrize("case", CASES)
def test_objectives_read_as_in_text(inspected, case):
    formula = inspected(*case).formula
    pieces = terms(formula)
    assert tuple(name for name, _ in pieces if name) == formula.terms
    shown, text = signs([piece for _, piece in pieces]), bare(formula.write())
    if "importance" in case[1]:  # a fraction is written from above to below
        assert shown.count("log") == 1
        assert shown.count("∑") == 1
    else:
        assert shown == text


@pytest.mark.parametrize("case", CASES)
def test_densities_read_as_in_text(inspected, case):
    graph = inspected(*case).graph
    for program, written in factorisation(graph).items():
        plain = re.sub(r"∏_\{(.*?)\}\^\{(.*?)\}", r"∏\1\2", written["unicode"])
        pieces = re.findall("<math>.*?</math>", densities_of(graph)[program])
        assert len(pieces) >= 1 + plain.count(" = ")
        assert signs(pieces) == bare(plain).replace("𝔼", "E")


def test_scripts_and_fractions():
    script = "<msubsup><mi>z</mi><mrow><mi>c</mi></mrow><mrow><mi>i</mi></mrow></msubsup>"
    assert MATHML.symbol("z_c", above=MATHML.plain("i")) == script
    assert term("log mean p(x,z)/q(z|x)").count("<mfrac>") == 2
    assert MATHML.symbol("z_style").count("∖") == 1
    assert MATHML.symbol("mu_10") == "<msub><mi>μ</mi><mrow><mn>10</mn></mrow></msub>"


@pytest.mark.parametrize("name", ["a<b", "net.weight", "x[0]", "__", "Größe", "my site", "a&b/c"])
def test_names_of_all_kinds_are_well_formed(name):
    root = ET.fromstring(MATHML.math(MATHML.density("p", [MATHML.symbol(name)], [])))
    shown = "".join(root.itertext())
    assert shown.replace(" ", "") == f"p({name.strip('_').replace(' ', '') or '?'})"
    assert ET.fromstring(MATHML.words(name)).text == name

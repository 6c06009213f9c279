"""Formulas as MathML: well formed, and the same signs in the same order as in plain text."""

import re
import xml.etree.ElementTree as ET

import pytest

from ccvae.inspection import LATEX, factorisation
from ccvae.inspection.writing.mathml import broken, mathml, terms

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
    for written in factorisation(inspected(*case).graph).values():
        plain = re.sub(r"∏_\{(.*?)\}\^\{(.*?)\}", r"∏\1\2", written["unicode"])
        assert signs(broken(written["latex"])) == bare(plain).replace("𝔼", "E")


def test_scripts_and_fractions():
    assert "<msubsup><mi>z</mi><mrow><mi>c</mi></mrow><mrow><mi>i</mi></mrow></msubsup>" in mathml(
        LATEX.symbol("z_c", superscript="i")
    )
    assert mathml(r"\frac{1}{P}").count("<mrow>") == 2
    assert ET.fromstring(mathml(r"\text{a<b}")).find("mi").text == "a<b"


@pytest.mark.parametrize("latex", [r"\nosuch", r"{x", r"x_"])
def test_what_cannot_be_read_is_refused(latex):
    with pytest.raises(ValueError, match=r"cannot write|ends where"):
        mathml(latex)

r"""What is printed is what is summed: formulas are parsed from their LaTeX and evaluated by hand.

Every density of a printed formula is taken from a trace of its own, one for every setting of the
missing labels, and the settings are added up one by one. Only the drawn values come from the draw.
"""

import itertools
import re

import pyro
import pytest
import torch
from pyro import poutine

from ccvae.inference.catalogue import PROGRAMS
from ccvae.inspection import LATEX, inspect_pair

DENSITY = re.compile(r"([pq])\(([^()|]*?)(?: \\mid ([^()|]*?))?\)")

WEIGHTS = {r"\alpha": "alpha", r"\alpha_{y}": "alpha", r"\alpha_{d}": "alpha_d", r"\beta": "beta"}

OPTIONS = {
    "m2": {"alpha": 2.0},
    "m2-score": {"alpha": 2.0},
    "diva": {"alpha": 3.0, "alpha_d": 5.0, "beta": 0.5},
    "adapted-diva": {"alpha": 2.0, "beta": 0.5},
    "our-adapted-diva": {"alpha": 2.0, "beta": 0.5},
    "ccvae": {"alpha": 4.0},
    "marginal": {"alpha": 4.0},
    "importance-weighted": {"num_particles": 1},
}

CASES = [(program, name) for program, known in PROGRAMS.items() for name in known]


def split_terms(formula):
    """Sign and text of every term between the brackets of the expectation."""
    inside = re.fullmatch(r"\\mathbb\{E\}_\{.*?\}\\left\[(.*)\\right\]", formula).group(1)
    terms, depth, start, sign = [], 0, 0, 1
    for position, letter in enumerate(inside):
        if letter == "{":
            start = position + 1 if depth == 0 else start
            depth += 1
        elif letter == "}":
            depth -= 1
            if depth == 0:
                terms.append((sign, inside[start:position]))
        elif depth == 0 and letter in "+-":
            sign = 1 if letter == "+" else -1
    return terms


class ByHand:
    """Densities of a pair at a draw, for every setting of the labels that it sums over."""

    def __init__(self, objective, pair, draw):
        self.objective, self.pair, self.draw = objective, pair, draw
        self.known = dict(zip(("x", "y", "d"), pair.args, strict=False))
        self.summed = [name for name, s in draw.guide.items() if "_enumerate_dim" in s["infer"]]
        self.place, options = {}, []
        for name in self.summed:
            fn = draw.guide[name]["fn"]
            support = fn.enumerate_support(expand=False).squeeze().tolist()
            # An event is summed over as a whole, and the cells of a plate one by one.
            joint = [tuple(codes) for codes in support] if fn.event_shape else None
            options.append(joint or list(itertools.product(support, repeat=fn.batch_shape[-1])))
            self.place[name] = {codes: i for i, codes in enumerate(joint or options[-1])}
        self.settings = [
            dict(zip(self.summed, setting, strict=True)) for setting in itertools.product(*options)
        ]
        self.traces = [self.trace(setting) for setting in self.settings]

    def trace(self, setting):
        """Both programs with the drawn latents and one setting of the labels."""
        values = {}
        for name, site in self.draw.guide.items():
            if name in setting:
                continue
            value, event = site["value"], len(site["fn"].event_shape)
            for label, codes in setting.items():
                dim = self.draw.guide[label]["infer"]["_enumerate_dim"] - event
                if value.dim() >= -dim and value.shape[dim] > 1:
                    place = self.place[label]
                    assert len(place) == value.shape[dim]
                    value = value.select(dim, place[codes]).unsqueeze(dim)
            values[name] = value.reshape(value.shape[-2 - event :])
        rows = len(self.known["x"])
        for name, codes in setting.items():
            value = torch.tensor(codes, dtype=torch.float64)
            event = self.draw.guide[name]["fn"].event_shape
            values[name] = value.expand(rows, 1, -1) if event else value.expand(rows, -1)
        traces = []
        for program in (self.pair.model, self.objective.prepare(self.pair.guide)):
            run = poutine.trace(poutine.condition(program, data=values))
            traces.append(run.get_trace(*self.pair.args, **self.pair.kwargs).nodes)
        return dict(zip("pq", traces, strict=True))

    def rows(self, sites, side, setting):
        """Log-density of some sites in one setting, (B,)."""
        total = 0.0
        for name in sites:
            site = self.traces[setting][side][name]
            value = site["fn"].log_prob(site["value"])
            if isinstance(site["mask"], torch.Tensor):
                value = torch.where(site["mask"], value, 0.0)
            total = total + value.sum(-1)
        return total

    def sites(self, side, variable):
        """The sites that a printed variable stands for."""
        name, part = {
            r"z_{\setminus c}": ("z_style", ""),
            "y_{O}": ("y", "_observed"),
            "y_{U}": ("y", "_unobserved"),
            "d_{O}": ("d", "_observed"),
            "d_{U}": ("d", "_unobserved"),
        }.get(variable, (variable.replace("{", "").replace("}", ""), ""))
        nodes = self.traces[0][side]
        if name == "z" and "z" not in nodes:
            return [n for n in nodes if n.startswith("z_")]
        return [
            n
            for n, site in nodes.items()
            if (n == name or n.startswith(f"{name}_")) and n.endswith(part)
            if site["type"] == "sample" and not site["infer"].get("_deterministic")
        ]

    def log_weights(self, setting):
        """Log q of the setting: a label that is known counts each of its codes alike, (B,)."""
        total = torch.zeros(len(self.known["x"]))
        for name in self.summed:
            site = self.traces[setting]["q"][name]
            fn, mask = site["fn"], site["mask"]
            log_q = fn.log_prob(site["value"])
            if fn.event_shape:  # of three binary labels
                alike = -torch.tensor(2.0).log() * (~fn.counted).sum(-1)
                total = total + (log_q + alike).sum(-1)
                continue
            codes = fn.enumerate_support(expand=False).shape[0]
            alike = -torch.tensor(float(codes)).log()
            total = total + torch.where(mask, log_q, alike).sum(-1)
        return total

    def expectation(self, values):
        """Of what has a value in each setting."""
        return sum(self.log_weights(s).exp() * values(s) for s in range(len(self.settings)))

    def log_sum(self, values):
        """Log of the sum over the missing labels' settings; known ones are counted once."""
        stacked = []
        for s in range(len(self.settings)):
            copies = torch.zeros(len(self.known["x"]))
            for name in self.summed:
                site = self.traces[s]["q"][name]
                codes = float(site["fn"].enumerate_support(expand=False).shape[0])
                known = torch.where(site["mask"], 0.0, torch.tensor(codes).log())
                copies = copies + known.sum(-1)
            stacked.append(values(s) - copies)
        return torch.stack(stacked).logsumexp(0)

    def density(self, side, of, given, setting):
        """One printed density, (B,)."""
        if side == "q" and of == "y_{O}":
            return self.evidence(given, setting)
        if side == "q" and of == "y":  # the authors': known and missing together
            return self.evidence(given, setting) + self.rows(self.sites("q", "y"), "q", setting)
        if side == "q" and of == "d_{O}":
            return self.evidence(given, setting, "d")
        return self.rows(self.sites(side, of), side, setting)

    def evidence(self, given, setting, name="y"):
        """Log q of what is known, given x or a block."""
        guide, x = self.pair.guide, self.known["x"]
        codes = self.known[name].double()
        if name == "d":
            codes = torch.where(codes < 0, torch.nan, codes)[:, None]
            z = self.traces[setting]["q"]["z_d"]["value"]
            table = guide.domain_classifier.log_classes(z)
        elif given == r"z_{y}":
            table = guide.classifier[0].log_classes(self.traces[setting]["q"]["z_y"]["value"])
        elif given == r"z_{c}":
            z = self.traces[setting]["q"]["z_c"]["value"]
            table = self.pair.log_classes(z)
        elif hasattr(guide, "log_classes"):
            table = guide.classifier(guide.trunk(x)).unflatten(-1, (3, 2)).log_softmax(-1)
        else:
            table = self.pair.log_marginal()
        picked = table.gather(-1, codes.nan_to_num().long()[..., None])[..., 0]
        return torch.where(codes.isnan(), 0.0, picked).sum(-1)

    def term(self, text):
        """A printed term, (B,)."""
        weight, _, body = text.partition(r"\log ")
        found = [(side, of, given) for side, of, given in DENSITY.findall(body)]
        if r"\frac" in body:
            (_, _, _), (_, _, _) = found
            return self.log_sum(
                lambda s: (
                    self.rows([n for v in ("x", "y", "z") for n in self.sites("p", v)], "p", s)
                    - self.rows(self.sites("q", "z"), "q", s)
                )
            )
        if r"\sum" in body:
            return self.log_sum(lambda s: sum(self.density(*d, s) for d in found))
        ((side, of, given),) = found
        value = self.expectation(lambda s: self.density(side, of, given, s))
        weight = weight.strip()
        if weight == "w":
            log_w = self.density("q", "y_{O}", "z_{c}", 0) - self.estimate
            return log_w.exp() * value
        if weight == r"(\alpha-1)":
            return (self.objective.alpha - 1) * value
        return value * (getattr(self.objective, WEIGHTS[weight]) if weight else 1.0)


@pytest.mark.parametrize(("program", "name"), CASES)
@torch.no_grad()
def test_a_printed_formula_has_the_value_of_the_objective(
    program, name, make_linear_gaussian, by_hand
):
    pair = make_linear_gaussian(program)
    pair.kwargs = {"index": torch.arange(len(pair.x)), "size": len(pair.x)}
    objective = PROGRAMS[program][name](**OPTIONS.get(name, {}))
    programs = pair.model, pair.guide
    printed = inspect_pair(*programs, *pair.args, objective=objective, **pair.kwargs).formula
    pyro.set_rng_seed(3)
    draw = objective.draw(*programs, *pair.args, **pair.kwargs)
    terms = objective.formula(draw)
    hand = ByHand(objective, pair, draw)
    if program == "ccvae":
        loc, scale = pair.guide.encoder(pair.x)
        m, s = (t[:, :3, None] for t in (loc, scale))
        pair.log_marginal = lambda: by_hand.marginal(pair, "probit", 0, m, s)
        pair.log_classes = lambda z: by_hand.classifier(pair, "probit", 0, z)
        hand.estimate = terms.get("log q(y_observed|x)")
    found = 0.0
    for sign, text in split_terms(printed.write(LATEX)):
        if name == "ccvae-authors" and text == r"\log q(y_{O} \mid x)":
            found = found + sign * hand.estimate  # an average over draws that nothing else knows
            continue
        found = found + sign * hand.term(text)
    torch.testing.assert_close(found, sum(terms.values()), rtol=1e-6, atol=1e-6)

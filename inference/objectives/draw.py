r"""One joint draw of a guide and a model, from which an objective reads its terms.

A draw runs the guide, replays the model on it, and answers two questions, each with one value for
every data point:

- ``draw.p("z_c")``: log p of the site at the draw;
- ``draw.q("z_c")``: log q of the site at the draw.

A draw of P particles runs both programs once, in a plate around them, and answers with ``(P, B)``
where ``(B,)`` is written below.

Labels that the guide samples and that have finitely many values are enumerated, not sampled: each
answer is then the exact expectation over them. So are numbers, at three nodes each, where what is
asked is quadratic in them. The sum over labels that lie in a plate factorises over that plate, so L
labels with K classes take L·K terms and not K^L.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

import pyro
import torch
from pyro import poutine
from pyro.infer import config_enumerate
from pyro.poutine.messenger import Messenger
from pyro.poutine.runtime import Message
from torch import Tensor

from ...guides.real import ThreeNodes
from ...models.joint import JointLabels
from ...models.priors import Linear
from ...models.program import sites_alone
from ...models.shapes import broadcast
from .sites import Program, Site, check_fit, check_latent, sample_sites

DATA = "data"
"""Name of the plate over data points."""

LIMIT = 1024
"""Joint settings of the enumerated sites beyond which a draw is refused."""


class Draw:
    """A guide's draw and the model's densities at it.

    Attributes:
        model, guide: the sites of both programs, as Pyro records them.
        scale: N/B.
        ignored: sites that the objective leaves out, as ``("p", name)`` or ``("q", name)``.

    Args:
        model, guide: programs with a plate called ``data``.
        args, kwargs: what both are called with.
        particles: P, how often the guide draws for each data point.
        enumerate_labels: sum over the guide's discrete sites exactly; False samples them.
        max_plate_nesting: plates of the programs, counted from the right; the particles' dimension
            lies beyond, and those of enumerated labels beyond all.

    Raises:
        ValueError: where the sites of the two programs do not fit together.
    """

    def __init__(
        self,
        model: Program,
        guide: Program,
        args: tuple[object, ...],
        kwargs: dict[str, object],
        *,
        particles: int = 1,
        enumerate_labels: bool = True,
        max_plate_nesting: int = 2,
    ) -> None:
        self._cells = (particles, *[1] * max_plate_nesting) if particles > 1 else ()
        if particles > 1:
            plate = pyro.plate("particles", particles, dim=-len(self._cells))
            model, guide = plate(model), plate(guide)
            max_plate_nesting += 1
        if enumerate_labels:
            guide = poutine.enum(
                Budget()(config_enumerate(guide, default="parallel")),
                first_available_dim=-1 - max_plate_nesting,
            )
        with sites_alone():
            trace = poutine.trace(guide).get_trace(*args, **kwargs)
            self.guide = sample_sites(trace)
            check_latent(self.guide)
            replayed = poutine.trace(poutine.replay(model, trace=trace)).get_trace(*args, **kwargs)
        self.model = sample_sites(replayed)
        check_fit(self.model, self.guide)
        self.scale = _plate_scale(self.model)
        enumerated = [site for site in self.guide.values() if "_enumerate_dim" in site["infer"]]
        self._weights = [(site, _weights(site)) for site in reversed(enumerated)]
        self.ignored: set[tuple[str, str]] = set()
        self._unread = {("p", name) for name in self.model} | {("q", name) for name in self.guide}

    def p(self, name: str, part: str = "") -> Tensor:
        """Log p of a model's sites, ``(B,)``; see :meth:`sites` for which sites a name means."""
        return self._total("p", name, part)

    def q(self, name: str, part: str = "") -> Tensor:
        """Log q of a guide's sites, ``(B,)``; see :meth:`sites` for which sites a name means."""
        return self._total("q", name, part)

    def summed(self, label: str, block: str) -> Tensor:
        """Log Σ_y p(block | y) p(y) over missing labels, log p(block | y) elsewhere; ``(B,)``.

        Args:
            label: name of the model's label sites, which the guide enumerates.
            block: name of the sites that depend on them, each in its label's plate.
        """
        values = []
        pairs = zip(self.sites("p", label, "unobserved"), self.sites("p", block), strict=True)
        for y, z in pairs:
            if isinstance(z["fn"], Linear):  # an integral, and the guide's nodes are not its own
                missing = z["fn"].log_marginal(z["value"], y["fn"])
                values.append(self.per_row(torch.where(y["mask"], missing, log_density(z)), z))
                continue
            # Where the label is observed all its classes give the same z, and their p(y) adds to 1.
            joint = y["fn"].log_prob(y["value"]) + log_density(z)
            dim = self.guide[y["name"]]["infer"]["_enumerate_dim"]
            values.append(self.per_row(joint.logsumexp(dim, keepdim=True), z))
        return total(values)

    def sites(self, side: str, name: str, part: str = "") -> list[Site]:
        """The sites that one name stands for: one for each kind of label, and their parts.

        Args:
            side: ``"p"`` for the model's, ``"q"`` for the guide's.
            name: a site's name without the suffix of a kind.
            part: ``"observed"`` or ``"unobserved"`` for one half of a label; both by default.

        Raises:
            ValueError: where the program has no site of that name.
        """
        program = self.model if side == "p" else self.guide
        if not any(_belongs(key, name) for key in program):
            raise ValueError(
                f"this objective needs a site {name!r}, but the "
                f"{'model' if side == 'p' else 'guide'} has only {', '.join(program)}; choose an "
                "objective that fits the program (`ccvae models` lists them)"
            )
        chosen = [key for key in program if _belongs(key, name) and _is_part(key, part)]
        self._unread -= {(side, key) for key in chosen}
        return [program[key] for key in chosen]

    def ignore(self, side: str, name: str, part: str = "") -> None:
        """State that an objective leaves these sites out on purpose."""
        self.ignored |= {(side, site["name"]) for site in self.sites(side, name, part)}

    def per_row(self, value: Tensor, site: Site) -> Tensor:
        """Expected value of a site's quantity, summed within each data point, ``(B,)``.

        Args:
            value: what the site has one of for each of its plates' cells, ``(…, B, n)``, with a
                dimension for every enumerated label that it depends on.
            site: whose plates those are.
        """
        value = self.expectation(value, site)
        data = next(frame for frame in site["cond_indep_stack"] if frame.name == DATA)
        kept = [data.dim]
        if self._cells:
            value = value.expand(broadcast(value.shape, self._cells))
            kept.append(-len(self._cells))
        rest = [dim for dim in range(-value.dim(), 0) if dim not in kept]
        return value.sum(rest) if rest else value

    def expectation(self, value: Tensor, site: Site) -> Tensor:
        """Sum out the enumerated labels that ``value`` depends on, the last one sampled first.

        Raises:
            ValueError: where the site depends on a label in whose plate it does not lie. The
                plate's labels are enumerated together, so the sum would run over the settings
                "all 0" and "all 1" alone.
        """
        plates = {frame.name for frame in site["cond_indep_stack"]}
        for label, weights in self._weights:
            dim = label["infer"]["_enumerate_dim"]
            if value.dim() < -dim or value.shape[dim] == 1:
                continue
            outside = [f.name for f in label["cond_indep_stack"] if f.name not in plates]
            if outside:
                raise ValueError(
                    f"site {site['name']!r} depends on the enumerated label {label['name']!r} but "
                    f"lies outside its plate {outside[0]!r}, so the sum would not run over all "
                    "settings of the labels; move the site into the plate, or give each label a "
                    "site of its own outside it"
                )
            value = (weights * value).sum(dim, keepdim=True)
        return value

    def check_all_read(self) -> None:
        """Raise unless every site's density has been asked for.

        Raises:
            ValueError: naming the first site that an objective has no term for.
        """
        for side, name in sorted(self._unread):
            program = "model" if side == "p" else "guide"
            raise ValueError(
                f"site {name!r} of the {program} has no term in this objective; rename the site "
                "after the role that it plays, or use an objective that reads it "
                "(`ccvae models` lists those of each program)"
            )

    def _total(self, side: str, name: str, part: str) -> Tensor:
        values = []
        for site in self.sites(side, name, part):
            weight = site["scale"] / self.scale
            density = log_density(site)
            values.append(self.per_row(density if weight == 1 else density * weight, site))
        return total(values)


class Budget(Messenger):
    """Refuse a guide whose enumerated sites have more joint settings than can be summed over.

    A plate's labels are enumerated together and count once; those of one event multiply, and so do
    sites outside a common plate. An event's settings are counted before they are listed, for a
    list of 2^40 would not fit into memory.
    """

    def __enter__(self) -> Budget:
        self.settings = 1
        super().__enter__()
        return self

    def _pyro_sample(self, msg: Message) -> None:
        fn: Any = msg["fn"]
        if not isinstance(fn, JointLabels) or msg["infer"].get("enumerate") != "parallel":
            return
        for label, settings in zip(fn.columns.names, fn.settings, strict=True):
            self._check(f"the label {label!r} of {msg['name']!r}", self.settings * settings)

    def _pyro_post_sample(self, msg: Message) -> None:
        if "_enumerate_dim" not in msg["infer"]:
            return
        self.settings *= msg["value"].shape[msg["infer"]["_enumerate_dim"] - msg["fn"].event_dim]
        self._check(f"the site {msg['name']!r}", self.settings)

    def _check(self, last: str, settings: int) -> None:
        if settings > LIMIT:
            raise ValueError(
                f"up to {last} the labels have {settings} settings together, of which at most "
                f"{LIMIT} are summed over; choose fewer labels, or an objective that samples them"
            )


def total(values: list[Tensor]) -> Tensor:
    """The sum of a few tensors of one shape; to stack them first would take longer."""
    return reduce(torch.add, values)


def log_density(site: Site) -> Tensor:
    """A site's log-density at its value, 0 where the site's mask says that it does not count."""
    value: Tensor = site["fn"].log_prob(site["value"])
    mask = site["mask"]
    if mask is None:
        return value
    if isinstance(mask, bool):
        return value if mask else torch.zeros_like(value)
    return torch.where(mask, value, 0.0)


def _weights(label: Site) -> Tensor:
    """The probabilities of an enumerated site's settings, along the dimension that it takes.

    Settings that differ in observed labels alone stand for the same one, and a program may draw
    for each of them. They count alike, as their densities are, so that noise between those draws
    gives the classifier no gradient. The nodes of a number have the weights of their rule.
    """
    fn, dim = label["fn"], label["infer"]["_enumerate_dim"]
    if isinstance(fn, ThreeNodes):
        return fn.log_weights(label["value"]).softmax(dim)
    return log_density(label).softmax(dim)


def _belongs(key: str, name: str) -> bool:
    return key == name or key.startswith(f"{name}_")


def _is_part(key: str, part: str) -> bool:
    return not part or key.endswith(f"_{part}")


def _plate_scale(sites: dict[str, Site]) -> float:
    """N/B of the plate ``data``, in which every site must lie."""
    for name, site in sites.items():
        frames = [frame for frame in site["cond_indep_stack"] if frame.name == DATA]
        if not frames:
            raise ValueError(
                f"model site {name!r} lies outside a plate called {DATA!r}; write "
                f'pyro.plate("{DATA}", size, subsample=index, dim=-2) around the program'
            )
    scale: float = frames[0].full_size / frames[0].size
    return scale

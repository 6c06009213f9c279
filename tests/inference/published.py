"""Networks shaped and named as those published with CC-VAE, to be saved as its authors save them.

Only what a file shows is modelled: names of classes and attributes, numbers of layers, and what the
networks compute.
"""

import sys
from contextlib import contextmanager
from types import ModuleType

import torch
from torch import nn
from torch.nn.functional import softplus

LABELS, STYLE = 18, 27
LATENTS = LABELS + STYLE


class View(nn.Module):
    def __init__(self, *size):
        super().__init__()
        self.size = size

    def forward(self, x):
        return x.view(self.size)


class CELEBAEncoder(nn.Module):
    """Both published layouts have ``locs`` and ``scales``; on Pyro a last layer is used instead."""

    def __init__(self, latents, on_pyro):
        super().__init__()
        self.z_dim = latents
        layers = []
        for before, after in [(3, 32), (32, 32), (32, 64), (64, 128)]:
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.ReLU(True)]
        layers += [nn.Conv2d(128, 256, 4), nn.ReLU(True), View(-1, 256)]
        if on_pyro:
            layers.append(nn.Linear(256, 2 * latents))
        self.encoder = nn.Sequential(*layers)
        self.locs = nn.Linear(256, latents)
        self.scales = nn.Linear(256, latents)

    def forward(self, x):
        out = self.encoder(x)
        on_pyro = out.shape[1] == 2 * self.z_dim
        loc, raw = out.chunk(2, 1) if on_pyro else (self.locs(out), self.scales(out))
        return loc, softplus(raw).clamp(min=1e-3)


class CELEBADecoder(nn.Module):
    def __init__(self, latents):
        super().__init__()
        layers = [nn.Linear(latents, 256), View(-1, 256, 1, 1), nn.ReLU(True)]
        layers.append(nn.ConvTranspose2d(256, 128, 4))
        for before, after in [(128, 64), (64, 32), (32, 32), (32, 3)]:
            layers += [nn.ReLU(True), nn.ConvTranspose2d(before, after, 4, 2, 1)]
        self.decoder = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, z):
        return self.decoder(z)


class Diagonal(nn.Module):
    def __init__(self, labels):
        super().__init__()
        self.dim = labels
        self.weight = nn.Parameter(1 + torch.randn(labels))
        self.bias = nn.Parameter(torch.randn(labels))


class Classifier(nn.Module):
    def __init__(self, labels):
        super().__init__()
        self.dim = labels
        self.diag = Diagonal(labels)

    def forward(self, z_c):
        return z_c * self.diag.weight + self.diag.bias


class CondPrior(nn.Module):
    """Some raw scales are so low that the published minimum of the scale takes effect."""

    def __init__(self, labels):
        super().__init__()
        self.dim = labels
        for name in ("true", "false"):
            setattr(self, f"diag_loc_{name}", nn.Parameter(torch.randn(labels)))
            setattr(self, f"diag_scale_{name}", nn.Parameter(8 * torch.randn(labels)))

    def forward(self, y):
        loc, raw = (
            torch.where(y > 0, getattr(self, f"{kind}_true"), getattr(self, f"{kind}_false"))
            for kind in ("diag_loc", "diag_scale")
        )
        return loc, softplus(raw).clamp(min=1e-3)


class Classifier_mc(nn.Module):  # noqa: N801 - as their pickles name it
    """The poster's label of five classes: lines in one dimension."""

    def __init__(self):
        super().__init__()
        self.categorical_params = nn.Linear(1, 5)


CLASSES = (Classifier_mc, View, CELEBAEncoder, CELEBADecoder, Diagonal, Classifier, CondPrior)


@contextmanager
def importable():
    """The classes as ``models.networks``, which is where their pickles look for them."""
    package, module = ModuleType("models"), ModuleType("models.networks")
    for cls in CLASSES:
        cls.__module__ = module.__name__
        setattr(module, cls.__name__, cls)
    sys.modules |= {package.__name__: package, module.__name__: module}
    try:
        yield
    finally:
        del sys.modules[package.__name__], sys.modules[module.__name__]


def networks(on_pyro=True, labels=LABELS, latents=LATENTS):
    """One of each, by the name of its file, with random weights."""
    return {
        "encoder": CELEBAEncoder(latents, on_pyro),
        "decoder": CELEBADecoder(latents),
        "classifier": Classifier(labels),
        "cond_prior": CondPrior(labels),
    }


def multiclass(labels, latents):
    """The same files with a label of five classes beside so many binary ones."""
    parts = networks(on_pyro=False, labels=labels, latents=latents)
    names = {name: f"{name}_binary" for name in ("classifier", "cond_prior")}
    return {names.get(name, name): part for name, part in parts.items()} | {
        "classifier_mc": Classifier_mc()
    }


def save(folder, parts, whole=True, zipped=True):
    """The four files, as modules or as state dicts, in torch's format of today or before 1.6."""
    folder.mkdir(exist_ok=True)
    with importable():
        for name, part in parts.items():
            content = part if whole else part.state_dict()
            path = folder / f"{name}.pt"
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return folder

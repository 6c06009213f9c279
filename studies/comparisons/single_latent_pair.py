"""The VAE with one latent space at the size of table ``diva``, a pair like anybody's.

``ccvae.studies.comparisons.single_latent_pair:model,guide`` is what ``diva.toml`` names. Whoever
trains it runs this module anew under the training's seed, which decides the initial weights.
"""

from __future__ import annotations

from ...data.digits import DIGITS
from ...data.rotated import ANGLES
from ...models import VAE, Bernoulli
from ...networks import build
from .single_latent import SingleLatentGuide

NETWORK, SHAPE = "diva28-small", (1, 28, 28)

STYLE = 3 * 64
"""Dimensions of z: as many as DIVA's three latents have together."""

encoder = build.encoder(NETWORK, SHAPE, STYLE)
decoder = build.decoder(NETWORK, SHAPE, STYLE, Bernoulli.parameters_per_channel)
model = VAE(decoder, Bernoulli(), style=STYLE)
guide = SingleLatentGuide(DIGITS, len(ANGLES) - 1, encoder, style=STYLE)

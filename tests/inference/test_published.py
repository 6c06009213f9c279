"""``ccvae import``: the published weights compute the same here, and bad files are refused."""

import json

import numpy as np
import pytest
import torch

from ccvae.cli import main
from ccvae.inference.runs.run import load
from ccvae.inference.training import baselines

from ..data.pictures import write_celeba
from .published import LABELS, LATENTS, STYLE, multiclass, networks, save


def call(capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    status = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


FORMS = {
    "modules": {},
    "state-dicts": {"whole": False},
    "old-state-dicts": {"whole": False, "zipped": False},
}


@pytest.mark.parametrize("on_pyro", [True, False], ids=["pyro", "pytorch"])
@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers(tmp_path, capsys, on_pyro, form):
    parts = networks(on_pyro)
    source = save(tmp_path / "theirs", parts, **FORMS[form])
    status, out, err = call(capsys, "import", source, "--out", tmp_path / "run", "--json")
    assert status == 0, err
    assert json.loads(out)["style"] == STYLE

    run = load(tmp_path / "run", torch.device("cpu"))
    model, guide = run.model.double(), run.guide.double()
    encoder, decoder, classifier, prior = (parts[name].double() for name in parts)
    x, z = torch.rand(3, 3, 64, 64).double(), torch.randn(3, LATENTS).double()
    y = torch.randint(2, (3, LABELS)).double()
    (block,), _ = guide.posterior(x)
    close = {"rtol": 1e-6, "atol": 1e-6}
    torch.testing.assert_close(guide.encoder(x), encoder(x), **close)
    torch.testing.assert_close(model.likelihood(model.decoder(z)).mean, decoder(z), **close)
    torch.testing.assert_close(
        block.label(z[:, :LABELS, None]).logits, classifier(z[:, :LABELS]), **close
    )
    p_z = model.prior[0](y).base_dist
    torch.testing.assert_close((p_z.loc[..., 0], p_z.scale[..., 0]), prior(y), **close)
    assert (p_z.scale < 1.001e-3).any()
    torch.testing.assert_close(model.frequencies, torch.full((LABELS, 2), 0.5).double())


def test_a_label_of_more_classes_becomes_style(tmp_path, capsys):
    parts = multiclass(labels=15, latents=43)
    source = save(tmp_path / "theirs", parts)
    status, out, err = call(capsys, "import", source, "--out", tmp_path / "run")
    assert status == 0, err
    assert "15 labels and 28 dimensions of style" in out
    assert "the dimension is the first of z_style" in out
    run = load(tmp_path / "run", torch.device("cpu"))
    assert len(run.space) == 15
    assert not {"Black_Hair", "Blond_Hair", "Brown_Hair"} & set(run.space.names)
    x, z = torch.rand(2, 3, 64, 64), torch.randn(2, 43)
    for found, expected in zip(run.guide.encoder(x), parts["encoder"](x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        run.model.likelihood(run.model.decoder(z)).mean, parts["decoder"](z), rtol=1e-4, atol=1e-5
    )


def test_the_run_is_evaluated_and_studied(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(baselines, "CLASSIFIER_STEPS", 1)
    values = np.where(np.random.default_rng(0).random((24, 40)) < 0.4, 1, -1)
    root = write_celeba(tmp_path / "data", values, [0] * 16 + [1] * 2 + [2] * 6)
    source = save(tmp_path / "theirs", networks())
    call(capsys, "import", source, "--data", f"celeba:{root}", "--out", tmp_path / "run")
    status, out, err = call(capsys, "evaluate", tmp_path / "run", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert list(found["accuracy_by_label"])[:2] == ["Arched_Eyebrows", "Bags_Under_Eyes"]
    assert found["bound"] < 0
    status, out, err = call(capsys, "study", "traversal", tmp_path / "run", "--json")
    assert status == 0, err
    status, _, err = call(capsys, "import", source, "--out", tmp_path / "run")
    assert (status, err.count("\n")) == (2, 1)
    assert "is not empty; give another --out" in err


@pytest.mark.parametrize("given", ["0.2,0.3,0.9", "table.json"])
def test_other_labels_with_their_frequencies(tmp_path, capsys, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.json").write_text(json.dumps({"c": 0.9, "b": 0.3, "a": 0.2, "d": 0.5}))
    source = save(tmp_path / "theirs", networks(labels=3, latents=8))
    arguments = ("import", source, "--only", "a,b,c", "--frequencies", given)
    status, _, err = call(capsys, *arguments)
    assert status == 0, err
    run = load(tmp_path / "runs" / "theirs", torch.device("cpu"))
    assert run.space.names == ("a", "b", "c")
    assert run.config.style == 5
    expected = torch.tensor([[0.8, 0.2], [0.7, 0.3], [0.1, 0.9]])
    torch.testing.assert_close(run.model.frequencies, expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--only", "a,b"], "for each of 2 labels (a, b), got 18; give --only"),
        (["--frequencies", "0.5"], "expected a probability between 0 and 1 for each of Arched"),
        (["--frequencies", ",".join(["1"] * 18)], "expected a probability between 0 and 1"),
        (["--frequencies", "often"], "give --frequencies numbers by commas"),
        (["--frequencies", "none.json"], "none.json: expected an object with a number for each"),
        (["--data", "celeba:x?speed=3"], "data set 'celeba' has no option speed"),
        (["--labelled", "2"], "between 0 and 1, got 2.0"),
    ],
)
def test_bad_options(tmp_path, capsys, options, words):
    source = save(tmp_path / "theirs", networks())
    status, out, err = call(capsys, "import", source, *options, "--out", tmp_path / "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert not (tmp_path / "run").exists()


def _remove(folder):
    (folder / "decoder.pt").unlink()


def _empty(folder):
    (folder / "decoder.pt").write_bytes(b"")


def _cut(folder):
    path = folder / "decoder.pt"
    path.write_bytes(path.read_bytes()[:-1000])


def _list(folder):
    torch.save([1], folder / "decoder.pt")


def _wrapped(folder):
    torch.save({"decoder": {}}, folder / "decoder.pt")


def _other_class(folder):
    torch.save(torch.nn.Tanh(), folder / "decoder.pt")


def _other_sizes(folder):
    save(folder, {"decoder": networks(latents=LATENTS + 1)["decoder"]})


def _no_style(folder):
    save(folder, {"decoder": networks(latents=LABELS)["decoder"]})


def _not_finite(folder):
    parts = networks()
    parts["decoder"].decoder[3].bias.data[0] = torch.nan
    save(folder, parts)


def _swapped(folder):
    (folder / "encoder.pt").rename(folder / "decoder.pt")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_remove, "expected this file or folder, there is none; correct the path"),
        (_empty, "decoder.pt was refused, and nothing of it ran"),
        (_cut, "it is no module or state dict that torch.save wrote whole"),
        (_list, "expected a module or a state dict, got list"),
        (_wrapped, "expected a dense tensor under 'decoder', got dict"),
        (_other_class, "it names 'torch.nn.modules.activation.Tanh', which is not among"),
        (_other_sizes, "encoder.pt: expected 'locs.weight' as floats of shape (46, 256)"),
        (_no_style, "more latent dimensions than the 18 labels, got 18"),
        (_not_finite, "'decoder.3.bias' has NaN or infinite entries"),
        (_swapped, "encoder.pt: expected this file or folder, there is none"),
    ],
)
def test_bad_files(tmp_path, capsys, spoil, words):
    source = save(tmp_path / "theirs", networks(on_pyro=False))
    spoil(source)
    status, out, err = call(capsys, "import", source, "--out", tmp_path / "run")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert words in err
    assert not (tmp_path / "run").exists()

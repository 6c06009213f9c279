"""A real kernel: texts are strings there too, and what is handed back shows itself."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import ccvae

CELLS = (
    "import ccvae\ntext = ccvae.inspect('vae', network='mlp', data='digits').to_text()\n"
    "print(type(text).__name__, len(text))",
    "print(text)",
    "ccvae.inspect('vae', network='mlp', data='digits')",
    "found = ccvae.compare(data='faces:60', programs=['vae'], only='Hair', seeds=1, epochs=1,\n"
    "    network='mlp', batch_size=20, told=lambda line: None, out='comparison')\nfound",
    "found.runs",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """What each cell put out."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    folder = tmp_path_factory.mktemp("notebook")
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    here = str(Path(ccvae.__file__).parent.parent)
    quiet = "ignore:IProgress not found"  # of tqdm, which Pyro loads
    client.execute(env={**os.environ, "PYTHONPATH": here, "PYTHONWARNINGS": quiet})
    return [cell.outputs for cell in notebook.cells]


def test_a_text_is_a_string(outputs):
    """Rich writes to a notebook's page, where it is not told not to."""
    (said,) = outputs[0]
    plain = ccvae.inspect("vae", network="mlp", data="digits").to_text()
    assert said.text.split() == ["str", str(len(plain))]
    (shown,) = outputs[1]
    assert shown.text == f"{plain}\n"


def test_an_inspection_shows_itself(outputs):
    (shown,) = outputs[2]
    assert "<svg" in shown.data["text/html"]
    assert "p(x,z) = p(z) p(x|z)" in shown.data["text/plain"]


def test_a_comparison_shows_itself(outputs):
    (shown,) = outputs[3]
    page, text = shown.data["text/html"], shown.data["text/plain"]
    assert "<h4>A comparison on faces" in page
    assert page.count("<td>vae</td>") == 1
    assert "report.html" in page
    assert "<em>Accuracy</em>" in page
    assert text.startswith("# A comparison on faces")
    assert "DataFrame" not in text
    assert len(page) < 60_000

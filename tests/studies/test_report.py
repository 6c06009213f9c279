"""The report: complete, self-contained, for any labels and images."""

import base64
import io
import json
import re
import shlex
from dataclasses import replace
from html import unescape

import pytest
import torch
from PIL import Image

from ccvae.cli import build_parser
from ccvae.config import Config
from ccvae.data import Binary, Categorical, LabelSpace
from ccvae.options import config_of
from ccvae.studies import Subject
from ccvae.studies.beliefs import list_bars
from ccvae.studies.reading.examples import spread
from ccvae.studies.report.conduct import QUICK, STUDIES, conduct, names, subject_of
from ccvae.studies.report.report import command, write_report
from ccvae.studies.report.sliders import SLIDERS, write_sliders

from .conftest import DIGIT, HAIR, TWO, make_data, make_evaluation, make_pair, make_run

SPACES = {
    "mixed": (LabelSpace([TWO[0], HAIR, TWO[1]]), (3, 32, 24)),
    "digit": (LabelSpace([DIGIT]), (1, 28, 28)),
    "odd": (
        LabelSpace([Binary("<b>$x_1$ & co</b>"), Categorical("a/b", ("<i>", "$y"))]),
        (3, 8, 8),
    ),
}

SPACES_BY_NAMES = {space.names: shape for space, shape in SPACES.values()}


@pytest.fixture(scope="module", params=SPACES)
def written(request, tmp_path_factory):
    space, shape = SPACES[request.param]
    directory = tmp_path_factory.mktemp("run")
    lines = [{"epoch": e, "objective": -9.0 + e, "accuracy": 0.5 + e / 10} for e in range(3)]
    text = "\n".join(map(json.dumps, lines)) + '\n{"epoch": 3, "obj'
    run = make_run(directory, space, shape, data="made")
    (directory / "metrics.jsonl").write_text(text)
    for name in QUICK:
        conduct(run, name)
    path = write_report(run, make_evaluation(space), seconds=75.0)
    return space, directory, path, path.read_text()


def test_it_is_one_file_that_asks_for_nothing(written):
    _, directory, path, page = written
    assert path == directory / "report.html"
    assert path.stat().st_size < 1e7  # noise, which nothing compresses
    sources = re.findall(r'(?:src|srcset|href)="([^"]*)"', page)
    assert all(re.match(r"data:image/(png|webp);base64,|#", s) or s == SLIDERS for s in sources)
    assert not re.search(r"https?://|url\(|@import|<script|<link", page)
    for source in sources:
        if source.startswith("data:"):
            start = base64.b64decode(source.partition(",")[2], validate=True)[:4]
            assert start == (b"RIFF" if "webp" in source[:20] else b"\x89PNG")


def test_its_pictures_are_in_the_folder_too(written):
    _, directory, _, page = written
    pictures = [file.read_bytes() for file in (directory / "figures").iterdir()]
    assert len(pictures) == page.count("<img") + page.count("<source")
    for picture in pictures:
        assert base64.b64encode(picture).decode() in page


def test_what_moves_does_so_only_where_motion_is_welcome(written):
    sources = re.findall(r"<source ([^>]*?)srcset=", written[3])
    assert sources
    assert all('media="(prefers-reduced-motion: no-preference)"' in s for s in sources)
    assert "image/webp" not in re.sub(r"<source [^>]*>", "", written[3])


def test_every_label_has_accuracy_traversal_and_embedding(written):
    space, _, _, page = written
    words = re.sub(r'src="data:[^"]*"', "", page)
    for name in space.names:
        assert unescape(words).count(name) >= 4
        assert len(re.findall(rf"<h3>{re.escape(_escaped(name))}</h3>", words)) == 2, name
    for section in ("accuracy", "reconstruction", "beliefs", "traversal"):
        assert f'id="{section}"' in words
    assert 'id="embedding"' in words
    assert 'id="training"' in words
    assert ('id="intervention"' in words) is (len(space) > 1)


def test_the_figures_of_the_evaluation_are_there(written):
    _, _, _, page = written
    for figure in ("50.0", "−123.5", "0.0678", "α = 30", "1 min 15 s", "–"):
        assert figure in page


def test_names_are_escaped(written):
    assert "<b>$x" not in written[3]
    assert "<td><i>" not in written[3]


def test_every_picture_says_what_it_shows(written):
    alts = re.findall(r'<img [^>]*?alt="([^"]*)"', written[3], re.S)
    assert len(alts) == written[3].count("<img")
    assert all(len(alt) > 20 for alt in alts)


def test_it_does_without_metrics_and_classifier(tmp_path):
    space = LabelSpace(TWO)
    evaluation = make_evaluation(space)
    del evaluation["classifier"], evaluation["classifier_by_label"]
    page = write_report(make_run(tmp_path, space, (3, 8, 8)), evaluation).read_text()
    assert 'id="training"' not in page
    assert ">Plain classifier<" not in page


def test_the_command_names_what_was_asked_for(tmp_path):
    options = {"alpha": 5.0, "learn_scale": True, "taught_apart": False}
    run = make_run(tmp_path / "a run", LabelSpace(TWO), (3, 8, 8), **options)
    words = command(run)
    assert words.startswith("ccvae train ccvae --alpha 5.0 --data faces --labelled 0.2 ")
    assert " --learn-scale " in words
    assert "--link" not in words
    assert words.endswith(" --out 'a run-again'")  # where it is there is a run already
    parsed = build_parser().parse_args(shlex.split(words)[1:])
    assert config_of(parsed) == run.config
    assert f"--epochs {Config.epochs}" in words


def test_examples_of_sorted_rows_show_every_class():
    data = make_data(LabelSpace([DIGIT]), (1, 4, 4), rows=100)
    order = data.labels[:, 0].argsort()
    chosen = spread(data.subset(order, torch.arange(10.0).repeat_interleave(10)[:, None]), 10)
    assert chosen.labels[:, 0].tolist() == list(range(10))
    assert torch.equal(chosen.rows[[0, -1]], order[[0, -1]])
    assert len(spread(chosen, 50)) == 10


def test_bars_mark_the_truth_and_the_errors():
    space = LabelSpace([TWO[0], HAIR, TWO[1]])
    table = {"Smiling": [0.3, 0.7], "Hair": [0.1, 0.2, 0.7], "Young": [0.9, 0.1]}
    bars = list_bars(
        space, {n: torch.tensor(q) for n, q in table.items()}, [1.0, 1.0, float("nan")]
    )
    assert [bar.text for bar in bars] == ["Smiling", "Hair", "Bald", "Black", "Blond", "Young"]
    assert [bar.correct for bar in bars] == [True, False, False, False, False, None]
    assert [bar.truth for bar in bars] == [1.0, None, None, 1.0, None, None]


def _escaped(name):
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def test_sliders_stand_beside_the_report(written):
    space, directory, _, page = written
    assert f'href="{SLIDERS}"' in page
    text = (directory / SLIDERS).read_text()
    assert (directory / SLIDERS).stat().st_size < 4e6
    assert not re.search(r"https?://|@import|<link|<i>|<b>", text)
    sources = re.findall(r'(?:src|href)="([^"]*)"', text)
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    (content,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)
    content = json.loads(content)
    assert [label["name"] for label in content["labels"]] == list(space.names)
    for face in content["faces"]:
        for i, label in enumerate(content["labels"]):
            stops = label["stops"]
            assert [k for k in stops if k is not None] == list(range(len(label["classes"])))
            kind, _, strip = face["strips"][i].partition(",")
            assert kind == "data:image/webp;base64"
            width, height = Image.open(io.BytesIO(base64.b64decode(strip))).size
            assert width == len(stops) * SPACES_BY_NAMES[space.names][2]
            assert height == SPACES_BY_NAMES[space.names][1]
            assert len(face["beliefs"][i]) == len(stops)
            assert all(abs(sum(q) - 1) < 0.06 for q in face["beliefs"][i])
            assert face["start"][i] in stops


def test_no_sliders_where_no_label_owns_a_block(tmp_path):
    run = make_run(tmp_path, *SPACES["mixed"])
    subject = replace(subject_of(run), guide=torch.nn.Identity())
    assert write_sliders(tmp_path, subject, "VAE") is None
    assert not (tmp_path / SLIDERS).exists()


def test_large_images_are_reduced(tmp_path):
    data = make_data(LabelSpace([TWO[0]]), (3, 160, 160), rows=4)
    subject = Subject(*make_pair(data.space, data.shape), data.subset(data.test))
    write_sliders(tmp_path, subject, "CC-VAE")
    text = (tmp_path / SLIDERS).read_text()
    strip = re.search(r"data:image/webp;base64,([^\"]*)", text)[1]
    assert Image.open(io.BytesIO(base64.b64decode(strip))).size == (11 * 128, 128)


@pytest.mark.parametrize(
    ("program", "expected"),
    [("vae", ["reconstruction"]), ("m2", ["reconstruction", "beliefs"])],
)
def test_a_study_is_not_conducted_on_a_program_that_it_cannot_look_at(program, expected):
    assert names("all", program=program) == expected
    for name in STUDIES:
        if name in expected:
            assert names(name, program=program) == [name]
        else:
            with pytest.raises(ValueError, match=f"'{name}' needs a run of ccvae, .* of {program}"):
                names(name, program=program)
    assert set(QUICK) <= set(names("all"))

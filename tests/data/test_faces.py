import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from ccvae.data import cartoon
from ccvae.data import faces as module
from ccvae.data.cartoon import draw
from ccvae.data.faces import (
    DOMAINS,
    FACES,
    Counterfactual,
    Frequencies,
    Scenes,
    counterfactual,
    faces,
    render,
    render_masked,
    scenes,
)
from ccvae.data.person import DRAWS, Person

BINARY = FACES.names[:8]
HAIR = FACES.index("Hair")
BANGS = FACES.index("Bangs")
SOME = scenes(64, seed=3)


@cache
def flipped(name: str) -> Counterfactual:
    """Some faces with one label turned to its other (or next) class."""
    column = FACES.index(name)
    classes = len(FACES.labels[column].classes)
    return counterfactual(SOME, name, (SOME.labels[:, column] + 1) % classes)


def change(pair: Counterfactual) -> torch.Tensor:
    """The largest change of a pixel's channels, ``(N, H, W)``, in grey levels."""
    return (pair.after.int() - pair.before.int()).abs().amax(1)


def people(some: Scenes) -> Person:
    return Person(
        dict(zip(DRAWS, some.draws.T.contiguous(), strict=True)),
        dict(zip(FACES.names, some.labels.T.contiguous(), strict=True)),
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small chunks are drawn faster by one thread than by several that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def many() -> Scenes:
    return scenes(12_000)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all that is rendered during a test."""
    sizes: list[int] = []

    def count(some: Scenes, *, pixels: int = 64) -> torch.Tensor:
        sizes.append(len(some))
        return render(some, pixels=pixels)

    monkeypatch.setattr(module, "render", count)
    return sizes


class TestDataset:
    def test_shapes_and_split(self, tmp_path: Path) -> None:
        data = faces(60, cache=tmp_path)
        assert data.images.shape == (60, 3, 64, 64)
        assert data.images.dtype == torch.uint8
        assert data.labels.dtype == torch.float32
        assert not data.labels.isnan().any()
        assert data.domains is not None
        assert data.domains.dtype == torch.int64
        assert set(data.domains.tolist()) == set(range(len(DOMAINS)))
        assert data.train.tolist() == list(range(50))
        assert data.test.tolist() == list(range(50, 60))
        assert data.space is FACES

    def test_rows_are_those_of_the_scenes(self, tmp_path: Path) -> None:
        data, some = faces(12, seed=4, cache=tmp_path), scenes(40, seed=4)[:12]
        assert torch.equal(data.images, render(some))
        assert torch.equal(data.labels, some.labels)

    def test_seeds_differ(self) -> None:
        assert not torch.equal(scenes(20, seed=0).draws, scenes(20, seed=1).draws)

    def test_size_of_the_image_is_a_parameter(self, tmp_path: Path) -> None:
        assert faces(6, cache=tmp_path, pixels=32).shape == (3, 32, 32)

    def test_a_larger_image_shows_the_same_face(self) -> None:
        small = render(SOME[:8]).float()
        large = torch.nn.functional.avg_pool2d(render(SOME[:8], pixels=128).float(), 2)
        assert (small - large).abs().mean() < 3

    def test_import_is_light(self) -> None:
        code = (
            "import sys, ccvae.data, ccvae.data.faces, ccvae.data.digits;"
            "sys.exit(bool({'matplotlib', 'torchvision', 'mlxtend'} & set(sys.modules)))"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestRendering:
    def test_repetition_is_bit_equal(self) -> None:
        assert torch.equal(render(SOME), render(SOME))

    @pytest.mark.parametrize("chunk", [1, 7, 64])
    def test_chunks_do_not_matter(self, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
        expected = render(SOME)
        monkeypatch.setattr(module, "CHUNK", chunk)
        assert torch.equal(render(SOME), expected)

    def test_company_does_not_matter(self) -> None:
        rows = torch.tensor([40, 3, 57])
        assert torch.equal(render(SOME[rows]), render(SOME)[rows])

    def test_masks_do_not_change_the_image(self) -> None:
        assert torch.equal(render_masked(SOME[:8])[0], render(SOME[:8]))

    def test_windows_cut_nothing_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # The outermost cameras: every corner of shift, roll, zoom and head size, in all domains.
        moved = ("shift_x", "shift_y", "roll", "zoom", "face_width", "face_height", "eye_distance")
        corners = torch.tensor(list(itertools.product((0.0, 0.999), repeat=len(moved))))
        some = scenes(len(corners), seed=5)
        some.draws[:, [DRAWS.index(name) for name in moved]] = corners
        some = some.set("Wearing_Necktie", 1).set("Eyeglasses", 1).set("No_Beard", 0)
        person = people(some)
        windowed = draw(person, some.domains).image
        monkeypatch.setattr(cartoon, "MARGIN", 9.0)
        assert torch.equal(windowed, draw(person, some.domains).image)

    def test_every_draw_shows(self) -> None:
        # One face that wears and does everything, and one that does not.
        some = scenes(2, seed=9)
        on, off = (1, 1, 1, 1, 1, 0, 0, 0, 3), (0, 0, 0, 0, 0, 1, 1, 1, 1)
        some = Scenes(some.draws, torch.tensor([on, off]).float(), some.domains)
        still = render(some)
        for column, name in enumerate(DRAWS):
            moved = some.draws.clone()
            moved[:, column] = (moved[:, column] + 0.5) % 1
            assert not torch.equal(render(replace(some, draws=moved)), still), name

    def test_domains_show(self) -> None:
        images = [
            render(Scenes(SOME.draws, SOME.labels, torch.full((64,), d))).float() for d in range(4)
        ]
        for one, other in itertools.combinations(images, 2):
            assert (one - other).abs().mean() > 10


class TestCounterfactuals:
    @pytest.mark.parametrize("name", FACES.names)
    def test_nothing_changes_outside_the_region(self, name: str) -> None:
        pair = flipped(name)
        assert change(pair)[pair.region(name) == 0].sum() == 0

    @pytest.mark.parametrize("name", FACES.names)
    def test_the_change_lies_in_the_region(self, name: str) -> None:
        pair = flipped(name)
        moved, region = change(pair).float(), pair.region(name)
        # Pixels on an edge belong to the region in part only, hence not 1.
        assert (moved * region).sum() / moved.sum() > 0.75

    @pytest.mark.parametrize("name", FACES.names)
    def test_every_valid_change_is_plain_to_see(self, name: str) -> None:
        pair = flipped(name)
        bald = SOME.labels[:, HAIR] == 0
        plain = (change(pair) > 20).sum((1, 2))
        assert plain[pair.valid].min() >= 20, plain[pair.valid].min()
        if name == "Bangs":
            assert plain[bald].max() == 0

    @pytest.mark.parametrize("name", BINARY[:7])
    def test_regions_are_local(self, name: str) -> None:
        share = flipped(name).region(name).mean()
        assert share < (0.25 if name == "Pale_Skin" else 0.09)

    def test_masks_lie_in_the_unit_interval(self) -> None:
        for mask in flipped("Hair").masks_before.values():
            assert 0 <= mask.min() <= mask.max() <= 1 + 1e-6

    @pytest.mark.parametrize(
        ("name", "off"), [("Eyeglasses", 0), ("Wearing_Necktie", 0), ("Bangs", 0), ("No_Beard", 1)]
    )
    def test_what_is_not_worn_has_no_region(self, name: str, off: int) -> None:
        _, masks = render_masked(SOME)
        covered = masks[name].sum((1, 2))
        without = SOME.labels[:, FACES.index(name)] == off
        assert covered[without].max() == 0
        assert covered[~without & SOME.possible].min() > 20

    def test_bald_faces_have_only_a_beard_in_hair(self) -> None:
        _, masks = render_masked(SOME.set("Hair", 0).set("No_Beard", 1))
        assert masks["Hair"].max() == 0

    def test_bald_with_bangs_is_impossible(self) -> None:
        pair = flipped("Bangs")
        assert torch.equal(pair.valid, SOME.labels[:, HAIR] != 0)
        bald = counterfactual(SOME[:20], "Hair", 0)
        assert torch.equal(bald.valid, SOME.labels[:20, BANGS] == 0)
        assert flipped("Smiling").valid.all()

    def test_setting_what_is_there_changes_nothing(self) -> None:
        pair = counterfactual(SOME[:8], "Young", SOME.labels[:8, 7])
        assert torch.equal(pair.before, pair.after)

    def test_unknown_label_and_code(self) -> None:
        with pytest.raises(ValueError, match="unknown label 'Frowning'; this data set has Smiling"):
            SOME.set("Frowning", 1)
        with pytest.raises(ValueError, match=r"'Hair' has the code 5 .* from 0 to 4 \(Bald"):
            SOME.set("Hair", 5)


class TestFrequencies:
    def test_no_class_is_rare(self, many: Scenes) -> None:
        majority = []
        for column, label in enumerate(FACES):
            shares = many.labels[:, column].long().bincount(minlength=len(label.classes)) / 12_000
            assert shares.min() >= 0.08, label
            majority.append(float(shares.max()))
        assert np.mean(majority) <= 0.70
        assert max(majority) <= 0.75

    def test_correlations_as_in_life(self, many: Scenes) -> None:
        y = {name: many.labels[:, column] for column, name in enumerate(FACES.names)}

        def rate(event: torch.Tensor, given: torch.Tensor) -> float:
            return float(event[given].float().mean())

        young, bangs = y["Young"] == 1, y["Bangs"] == 1
        for hair in (0, 4):
            assert rate(young, y["Hair"] == hair) < 0.5
        assert rate(y["Hair"] == 2, bangs) > rate(y["Hair"] == 2, ~bangs) + 0.05
        assert (
            rate(y["Wearing_Necktie"] == 1, ~bangs) > rate(y["Wearing_Necktie"] == 1, bangs) + 0.2
        )
        assert rate(y["No_Beard"] == 0, ~bangs) > rate(y["No_Beard"] == 0, bangs) + 0.2
        assert rate(y["Eyeglasses"] == 1, ~young) > rate(y["Eyeglasses"] == 1, young) + 0.1

    def test_nobody_is_bald_under_bangs(self, many: Scenes) -> None:
        assert many.possible.all()

    def test_draws_do_not_know_the_labels(self, many: Scenes) -> None:
        table = torch.cat([many.draws, many.labels], 1).T
        correlation = torch.corrcoef(table)[: len(DRAWS), len(DRAWS) :]
        assert correlation.abs().max() < 0.05

    def test_rows_do_not_depend_on_the_size(self, many: Scenes) -> None:
        few = scenes(17)
        for part in ("draws", "labels", "domains"):
            assert torch.equal(getattr(few, part), getattr(many, part)[:17])

    def test_configurable(self) -> None:
        smiles = scenes(400, frequencies=Frequencies(smiling=(1.0, 1.0), young=0.0)).labels
        assert smiles[:, FACES.index("Smiling")].min() == 1
        assert smiles[:, FACES.index("Young")].max() == 0

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"young": 1.5}, r"expected young to lie in \[0, 1\]"),
            ({"hair_old": (0.5, 0.1, 0.1, 0.1, 0.1)}, "expected hair_old to add up to 1"),
            ({"bangs": (0.1, 0.2, 0.2, 0.2, 0.2)}, r"expected bangs\[0\] = 0"),
            ({"bearded": (0.1, 0.2, 0.3)}, "expected bearded to have 2 entries, got 3"),
        ],
    )
    def test_errors(self, wrong: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            Frequencies(**wrong)


class TestCache:
    def test_second_call_reads(self, tmp_path: Path, rendered: list[int]) -> None:
        first = faces(6, cache=tmp_path)
        second = faces(6, cache=tmp_path)
        assert rendered == [6]
        assert torch.equal(first.images, second.images)
        assert len(list(tmp_path.iterdir())) == 1, "no temporary file may stay behind"

    def test_keys(self, tmp_path: Path, rendered: list[int], monkeypatch) -> None:
        faces(6, cache=tmp_path)
        faces(6, cache=tmp_path, seed=1)
        faces(7, cache=tmp_path)
        faces(6, cache=tmp_path, pixels=32)
        faces(6, cache=tmp_path, frequencies=Frequencies(young=0.5))
        monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
        faces(6, cache=tmp_path)
        assert rendered == [6, 6, 7, 6, 6, 6]

    @pytest.mark.parametrize("damage", ["truncated", "empty", "text", "flipped", "shape"])
    def test_damaged_file_is_rendered_again(
        self, damage: str, tmp_path: Path, rendered: list[int]
    ) -> None:
        good = faces(6, cache=tmp_path)
        (path,) = tmp_path.iterdir()
        content = bytearray(path.read_bytes())
        if damage == "shape":
            np.savez(path, images=np.zeros((1, 3, 64, 64), np.uint8))
        else:
            content[len(content) // 2] ^= 1
            half = bytes(content[: len(content) // 2])
            replaced = {"truncated": half, "empty": b"", "text": b"no archive", "flipped": content}
            path.write_bytes(replaced[damage])
        again = faces(6, cache=tmp_path)
        assert rendered == [6, 6]
        assert torch.equal(again.images, good.images)
        assert torch.equal(faces(6, cache=tmp_path).images, good.images)
        assert rendered == [6, 6], "the damaged file should have been replaced"

    def test_folder_that_cannot_be_written(self, tmp_path: Path, rendered: list[int]) -> None:
        blocked = tmp_path / "file"
        blocked.write_text("a file where the folder should be")
        assert len(faces(6, cache=blocked).images) == 6
        assert len(faces(6, cache=blocked / "below").images) == 6
        assert rendered == [6, 6]

    def test_failed_write_leaves_nothing(self, tmp_path: Path, monkeypatch) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError("no space left on device")

        monkeypatch.setattr(np, "savez", full)
        assert len(faces(6, cache=tmp_path).images) == 6
        assert list(tmp_path.iterdir()) == []

    def test_environment_names_the_folder(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setenv("CCVAE_CACHE", str(tmp_path / "here"))
        faces(6)
        assert len(list((tmp_path / "here").iterdir())) == 1

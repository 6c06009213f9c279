"""Walks of two labels, from class to class and in motion, and which images and labels they show."""

import io
from dataclasses import replace

import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from ccvae.studies.drawing.section import Section
from ccvae.studies.drawing.sheets import looped
from ccvae.studies.reading.blocks import class_means, find_block, moved
from ccvae.studies.reading.examples import Choice, evenly
from ccvae.studies.traversal import study
from ccvae.studies.walks import FRAMES, crossings, motion, pair_images, pairs

from .handmade import make_handmade


@pytest.fixture
def made():
    return make_handmade()


def test_the_corners_of_a_grid_are_both_labels_at_their_class_means(made):
    space = made.space
    one = made.rows.batch(torch.arange(1))
    images, stops = pair_images(made, one, ("Second", "Colour"))
    assert [[k for k in steps if k is not None] for steps in stops] == [[0, 1], [0, 1, 2]]
    assert images.shape[:2] == (len(stops[0]), len(stops[1]))
    for row, down in enumerate(stops[0]):
        for column, across in enumerate(stops[1]):
            if down is None or across is None:
                continue
            latents = made.encode(one)
            for name, k in (("Second", down), ("Colour", across)):
                mean = class_means(made.model, space, name)[k]
                latents = moved(latents, find_block(space, name), mean)
            expected = made.decode(latents, one)[0]
            torch.testing.assert_close(images[row, column], expected)


def test_independent_labels_change_alike_in_every_row(made):
    one = made.rows.batch(torch.arange(1))
    images, _ = pair_images(made, one, ("First", "Second"))
    across = images[:, 1:] - images[:, :-1]
    torch.testing.assert_close(across, across[:1].expand_as(across))
    assert across.abs().max() > 0.1


def test_crossings_lead_from_the_own_class_to_each_other(made):
    one = made.rows.batch(torch.arange(1))
    images, belief, targets = crossings(made, one, "Colour", 4)
    own = int(made.classify(one.x)[0, 1])
    assert sorted([own, *targets]) == [0, 1, 2]
    assert images.shape[:2] == (2, 5)
    for row, k in enumerate(targets):
        seen = made.beliefs(images[row])["Colour"]
        assert seen.argmax(-1)[[0, -1]].tolist() == [own, k]
        torch.testing.assert_close(belief[row], seen[:, k])


def test_motion_goes_forth_and_back_without_end(made):
    batch = made.rows.batch(torch.arange(3))
    still, moving = motion(made, batch, ["First", "Colour"])
    film = Image.open(io.BytesIO(moving))
    assert film.n_frames == 2 * FRAMES - 2
    assert film.info["loop"] == 0
    assert film.size == Image.open(io.BytesIO(still)).size


def test_a_loop_shows_every_frame_but_the_ends_twice():
    frames = [Figure(figsize=(1, 1), dpi=16, facecolor=str(shade)) for shade in (0, 0.4, 1)]
    film = Image.open(io.BytesIO(looped(frames)))
    seen = []
    for number in range(film.n_frames):
        film.seek(number)
        seen.append(film.convert("RGB").getpixel((8, 8))[0])
    assert seen == pytest.approx([0, 102, 255, 102], abs=4)


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b"], ["a", "b", "c"], list("abcdefghi")])
def test_every_label_is_in_a_pair_where_there_are_two(names):
    found = pairs(names)
    assert all(first != second for first, second in found)
    assert {name for pair in found for name in pair} == (set(names) if len(names) > 1 else set())


def test_a_study_shows_what_it_is_asked_for(faces, tmp_path):
    section = study(replace(faces, choice=Choice((3,), ("Young", "Hair"))))
    titles = [picture.title for picture in section.pictures]
    assert titles == [
        "In motion",
        "Hair",
        "Young",
        "Hair, from class to class",
        "Young and Hair",
    ]
    assert set(section.figures) == {"Hair", "Young"}
    assert [bool(picture.webp) for picture in section.pictures] == [True, *[False] * 4]
    for picture in section.pictures:
        (tmp_path / f"{picture.name}.png").write_bytes(picture.png)
        if picture.webp:
            (tmp_path / f"{picture.name}.webp").write_bytes(picture.webp)
    assert Section.from_json(section.to_json(), tmp_path) == section


def test_choices(faces, space):
    rows = faces.rows
    assert Choice.parse("3, 0", "Young").rows(rows, 9).rows.tolist() == rows.rows[[3, 0]].tolist()
    assert len(Choice().rows(rows, 5)) == 5
    assert Choice.parse().names(space) == space.names
    with pytest.raises(ValueError, match=r"such as 3,14, got 'a'"):
        Choice.parse("a")
    with pytest.raises(ValueError, match=r"expected images between 0 and 11, .* got 12"):
        Choice((12,)).rows(rows, 5)
    with pytest.raises(ValueError, match="unknown label 'Old'"):
        Choice(labels=("Old",)).names(space)


def test_evenly():
    assert evenly(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly(2, 4).tolist() == [0, 1]
    assert evenly(0, 4).tolist() == []

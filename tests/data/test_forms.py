"""Tables as they are found: read right, or refused in one line that names the way out.

Each form is named after where it is found, and written small. Image i of a form is :func:`shade` i,
so that it is seen whether images and labels belong together.
"""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

from ccvae.data import Binary, Categorical, Dataset, Label, Ordinal, Real
from ccvae.data.decode import Decoding
from ccvae.data.images import images

from .pictures import ATTRIBUTES

NO = None
"""A missing entry."""

COUNT = 12
"""Images of a form."""


class Form(NamedTuple):
    """What is read, with which options, and what comes of it.

    Attributes:
        folder: of the images. options: of :func:`images`.
        labels: for each label what it is, and its codes (for a number: in its own units).
        notes: parts of what is said to have been understood. problems: parts of what is listed.
        test: the test rows, where the form splits the images.
    """

    folder: Path
    options: dict[str, Any]
    labels: dict[str, tuple[Label | type[Real], Sequence[float | None]]]
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()
    test: Sequence[int] | None = None


def shade(i: int) -> Image.Image:
    """An image of one colour that no other has."""
    return Image.new("RGB", (8, 8), (20 * i % 256, 7 * i % 256, 100))


def shades(folder: Path, names: Sequence[str]) -> Path:
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shade(i).save(path, "PNG")
    return folder


def plain_names(ending: str = ".png", width: int = 1) -> list[str]:
    return [f"{i:0{width}}{ending}" for i in range(COUNT)]


def write(path: Path, head: str, rows: Sequence[str], end: str = "\n", encoding="utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([head, *rows, ""]).encode(encoding))
    return path


def cycle(*values: Any) -> list[Any]:
    return [values[i % len(values)] for i in range(COUNT)]


READ: dict[str, Callable[[Path], Form]] = {}
REFUSED: dict[str, tuple[Callable[[Path], tuple[Path, dict[str, Any]]], str]] = {}


def read_right(form: Callable[[Path], Form]) -> None:
    READ[form.__name__] = form


def refused(words: str) -> Callable:
    def keep(form: Callable[[Path], tuple[Path, dict[str, Any]]]) -> None:
        REFUSED[form.__name__] = form, words

    return keep


# Chests.


def chexpert(root: Path) -> tuple[list[str], str, list[str]]:
    names = [f"train/patient{i:05}/study1/view1_frontal.jpg" for i in range(COUNT)]
    shades(root / "CheXpert-v1.0-small", names)
    sexes, views = cycle("Female", "Male", "Unknown"), cycle("AP", "PA", "")
    found = cycle("1.0", "-1.0", "0.0", "")
    rows = [
        f"CheXpert-v1.0-small/{n},{sexes[i]},{20 + 3 * i},Frontal,{views[i]},{found[i]},"
        for i, n in enumerate(names)
    ]
    return names, "Path,Sex,Age,Frontal/Lateral,AP/PA,Atelectasis,Fracture", rows


CHEXPERT = {
    "Sex": (Categorical("Sex", ("Female", "Male")), cycle(0, 1, NO)),
    "Age": (Real, [20 + 3 * i for i in range(COUNT)]),
    "AP/PA": (Categorical("AP/PA", ("AP", "PA")), cycle(0, 1, NO)),
    "Atelectasis": (Binary("Atelectasis"), cycle(1, NO, 0, NO)),
}


@read_right
def chexpert_from_its_own_folder(root: Path) -> Form:
    _, head, rows = chexpert(root)
    table = write(root / "CheXpert-v1.0-small" / "train.csv", head, rows)
    notes = ["'Unknown' is taken as missing in Sex (4 rows)", "'-1.0' is taken as missing in Atele"]
    notes += ["files are named by 'Path'", "12 names: without 'CheXpert-v1.0-small', the folder's"]
    problems = ["'Frontal/Lateral' has a single class", "'Fracture' has no entry"]
    return Form(table.parent, {"labels": table}, CHEXPERT, notes, problems)


@read_right
def chexpert_from_the_folder_above(root: Path) -> Form:
    _, head, rows = chexpert(root)
    return Form(root, {"labels": write(root / "train.csv", head, rows)}, CHEXPERT)


@read_right
def chexpert_unpacked_under_another_name(root: Path) -> Form:
    _, head, rows = chexpert(root)
    table = write(root / "train.csv", head, rows)
    (root / "CheXpert-v1.0-small").rename(root / "chests")
    notes = ["12 names: without 'CheXpert-v1.0-small' at the front"]
    return Form(root / "chests", {"labels": table}, CHEXPERT, notes)


@read_right
def chexpert_where_a_finding_is_never_denied(root: Path) -> Form:
    """−1 beside 1 alone is uncertain too, where other columns have −1, 0 and 1."""
    folder = shades(root / "im", plain_names())
    a, b = cycle("1", "-1", "0"), cycle("1", "-1", "")
    rows = [f"{i}.png,{a[i]},{b[i]},{i % 2}" for i in range(COUNT)]
    table = write(root / "t.csv", "file,A,B,C", rows)
    labels = {
        "A": (Binary("A"), cycle(1, NO, 0)),
        "B": (Binary("B"), cycle(1, NO, NO)),
        "C": (Binary("C"), cycle(0, 1)),
    }
    return Form(folder, {"labels": table}, labels)


@read_right
def chexpert_with_uncertain_as_a_class(root: Path) -> Form:
    _, head, rows = chexpert(root)
    table = write(root / "t.csv", head, rows)
    options = {"labels": table, "kinds": "Atelectasis=-1|0|1", "only": ["Atelectasis"]}
    label = Categorical("Atelectasis", ("-1", "0", "1"))
    return Form(root, options, {"Atelectasis": (label, cycle(2, 0, 1, NO))})


@read_right
def mimic_cxr(root: Path) -> Form:
    names = [f"files/p10/p1000{i}/s5000{i}/a{i}-b{i}.jpg" for i in range(COUNT)]
    shades(root / "mimic", names)
    rows = [f"1000{i},5000{i},a{i}-b{i},{['', '0.0', '1.0'][i % 3]}" for i in range(COUNT)]
    table = write(root / "joined.csv", "subject_id,study_id,dicom_id,Edema", rows)
    pattern = "files/p10/p{subject_id}/s{study_id}/{dicom_id}.jpg"
    options = {"labels": table, "file_column": pattern, "only": ["Edema"]}
    return Form(root / "mimic", options, {"Edema": (Binary("Edema"), cycle(NO, 0, 1))})


@read_right
def mimic_cxr_by_its_images_names(root: Path) -> Form:
    shades(root / "mimic", [f"files/p10/s5000{i}/a{i}-b{i}.jpg" for i in range(COUNT)])
    rows = [f"{1000 + i // 3},5000{i},a{i}-b{i},{['', '0.0', '1.0'][i % 3]}" for i in range(COUNT)]
    table = write(root / "joined.csv", "subject_id,study_id,dicom_id,Edema", rows)
    problems = ["'study_id' has 12 different values that look like identifiers"]
    options = {"labels": table, "kinds": "subject_id=categorical"}
    subjects = Categorical("subject_id", ("1000", "1001", "1002", "1003"))
    labels = {"Edema": (Binary("Edema"), cycle(NO, 0, 1))}
    labels["subject_id"] = (subjects, [i // 3 for i in range(COUNT)])
    return Form(root / "mimic", options, labels, ["an ending added, deeper"], problems)


def nih(root: Path) -> Form:
    names = [f"{i:08}_000.png" for i in range(COUNT)]
    shades(root / "images", names)
    found = cycle("No Finding", "Mass|Nodule", "Mass", "Effusion|Mass")
    rows = [f"{n},{found[i]},{i // 2},{30 + i},{'MF'[i % 2]},PA,{i}.1" for i, n in enumerate(names)]
    head = "Image Index,Finding Labels,Patient ID,Patient Age,Patient Gender,View Position,Spacing"
    table = write(root / "Data_Entry_2017.csv", head, rows)
    labels = {
        "Effusion": (Binary("Effusion"), cycle(0, 0, 0, 1)),
        "Mass": (Binary("Mass"), cycle(0, 1, 1, 1)),
        "No Finding": (Binary("No Finding"), cycle(1, 0, 0, 0)),
        "Nodule": (Binary("Nodule"), cycle(0, 1, 0, 0)),
    }
    notes = ["Finding Labels: entries with several words, separated by '|', are read as 4 labels"]
    return Form(root / "images", {"labels": table, "only": ["Finding Labels"]}, labels, notes)


@read_right
def nih_chestxray14(root: Path) -> Form:
    return nih(root)


@read_right
def nih_chestxray14_one_finding_and_ages(root: Path) -> Form:
    form = nih(root)
    options = form.options | {"only": ["Nodule", "Patient Age"]}
    ages = (Real, [30 + i for i in range(COUNT)])
    notes = ["Patient Age: its 12 different whole numbers from 30 to 41 are taken as a number"]
    kept = {"Nodule": form.labels["Nodule"], "Patient Age": ages}
    return Form(form.folder, options | {"kinds": ""}, kept, notes)


@read_right
def nih_chestxray14_with_combinations_as_classes(root: Path) -> Form:
    form = nih(root)
    options = form.options | {"kinds": "Finding Labels=categorical"}
    classes = ("Effusion|Mass", "Mass", "Mass|Nodule", "No Finding")
    label = Categorical("Finding Labels", classes)
    return Form(form.folder, options, {"Finding Labels": (label, cycle(3, 2, 1, 0))})


@read_right
def rsna_bone_age(root: Path) -> Form:
    shades(root / "im", [f"{1377 + i}.png" for i in range(COUNT)])
    rows = [f"{1377 + i},{10 * i + 6},{i % 2 == 0}" for i in range(COUNT)]
    table = write(root / "boneage.csv", "id,boneage,male", rows)
    labels = {
        "boneage": (Real, [10 * i + 6 for i in range(COUNT)]),
        "male": (Binary("male"), cycle(1, 0)),
    }
    return Form(root / "im", {"labels": table}, labels, ["12 names: with an ending added"])


# Skin, eyes and leaves.


@read_right
def isic_2018_joined(root: Path) -> Form:
    shades(root / "im", [f"ISIC_{i:07}.jpg" for i in range(COUNT)])
    rows = [
        f"ISIC_{i:07}," + ",".join("1.0" if i % 4 == k else "0.0" for k in range(4))
        for i in range(COUNT)
    ]
    table = write(root / "truth.csv", "image,MEL,NV,BCC,AKIEC", rows)
    label = Categorical("Diagnosis", ("MEL", "NV", "BCC", "AKIEC"))
    options = {"labels": table, "join": "Diagnosis=MEL|NV|BCC|AKIEC"}
    return Form(root / "im", options, {"Diagnosis": (label, cycle(0, 1, 2, 3))}, ["0 rows have no"])


@read_right
def isic_2018_as_it_is(root: Path) -> Form:
    form = READ["isic_2018_joined"](root)
    names = ("MEL", "NV", "BCC", "AKIEC")
    labels = {
        name: (Binary(name), [int(i % 4 == k) for i in range(COUNT)])
        for k, name in enumerate(names)
    }
    notes = ["of MEL, NV, BCC, AKIEC exactly one holds in every row; --join 'NAME=MEL|NV|BCC|AKIEC"]
    return Form(form.folder, {"labels": form.options["labels"]}, labels, notes)


@read_right
def ham10000(root: Path) -> Form:
    names = [f"HAM10000_images_part_{1 + i % 2}/ISIC_{i:07}.jpg" for i in range(COUNT)]
    shades(root / "im", names)
    sexes, kinds = cycle("male", "female", "unknown"), cycle("bkl", "nv", "mel", "df")
    rows = [
        f"HAM_{i // 2:07},ISIC_{i:07},{kinds[i]},{5.0 * i if i else ''},{sexes[i]}"
        for i in range(COUNT)
    ]
    table = write(root / "HAM10000_metadata.csv", "lesion_id,image_id,dx,age,sex", rows)
    labels = {
        "dx": (Categorical("dx", ("bkl", "df", "mel", "nv")), cycle(0, 3, 2, 1)),
        "age": (Real, [NO, *(5.0 * i for i in range(1, COUNT))]),
        "sex": (Categorical("sex", ("female", "male")), cycle(1, 0, NO)),
    }
    options = {"labels": table, "only": ["dx", "age", "sex"]}
    return Form(root / "im", options, labels, ["with an ending added, deeper in the folder"])


@read_right
def aptos_2019(root: Path) -> Form:
    names = [f"{i:x}0a{i:x}.png" for i in range(COUNT)]
    rows = [f"{n[:-4]},{i % 5}" for i, n in enumerate(names)]
    table = write(root / "train.csv", "id_code,diagnosis", rows)
    label = Categorical("diagnosis", ("0", "1", "2", "3", "4"))
    notes = [
        "5 different numbers are taken as classes without order; --kinds 'diagnosis=ordinal:0<"
    ]
    folder = shades(root / "im", names)
    return Form(folder, {"labels": table}, {"diagnosis": (label, cycle(0, 1, 2, 3, 4))}, notes)


@read_right
def eyepacs(root: Path) -> Form:
    folder = shades(root / "im", [f"{10 + i}_left.jpeg" for i in range(COUNT)])
    rows = [f"{10 + i}_left,{i % 5}" for i in range(COUNT)]
    table = write(root / "trainLabels.csv", "image,level", rows)
    label = Ordinal("level", ("0", "1", "2", "3", "4"))
    notes = ["level: its name says that its numbers have an order; --kinds level=categorical"]
    return Form(folder, {"labels": table}, {"level": (label, cycle(0, 1, 2, 3, 4))}, notes)


@read_right
def plant_pathology_2021(root: Path) -> Form:
    folder = shades(root / "im", plain_names(".jpg"))
    rows = [f"{i}.jpg,{['healthy', 'scab rust', 'scab'][i % 3]}" for i in range(COUNT)]
    table = write(root / "train.csv", "image,labels", rows)
    labels = {
        "healthy": (Binary("healthy"), cycle(1, 0, 0)),
        "rust": (Binary("rust"), cycle(0, 1, 0)),
        "scab": (Binary("scab"), cycle(0, 1, 1)),
    }
    return Form(folder, {"labels": table, "kinds": "labels=several:blank"}, labels)


# Faces.


@read_right
def celeba_original_as_a_table(root: Path) -> Form:
    folder = shades(root / "im", [f"{i + 1:06}.jpg" for i in range(COUNT)])
    rows = [
        f"{i + 1:06}.jpg " + " ".join(f"{1 if (i >> k % 3) & 1 else -1:2d}" for k in range(40))
        for i in range(COUNT)
    ]
    table = write(root / "list_attr_celeba.txt", f"{COUNT}", [" ".join(ATTRIBUTES) + " ", *rows])
    labels = {
        name: (Binary(name), [(i >> k % 3) & 1 for i in range(COUNT)])
        for k, name in enumerate(ATTRIBUTES)
    }
    return Form(folder, {"labels": table}, labels, ["files are named by 'the first column'"])


@read_right
def celeba_kaggle_as_a_table(root: Path) -> Form:
    folder = shades(root / "im", [f"{i + 1:06}.jpg" for i in range(COUNT)])
    rows = [f"{i + 1:06}.jpg,{2 * (i % 2) - 1},{1 - 2 * (i % 2)}" for i in range(COUNT)]
    table = write(root / "list_attr_celeba.csv", "image_id,Male,Young", rows)
    labels = {"Male": (Binary("Male"), cycle(0, 1)), "Young": (Binary("Young"), cycle(1, 0))}
    return Form(folder, {"labels": table}, labels, ["files are named by 'image_id'"])


@read_right
def celeba_as_png_with_hair_joined(root: Path) -> Form:
    folder = shades(root / "im", [f"{i + 1:06}.png" for i in range(COUNT)])
    hair = cycle("1,-1,-1", "-1,1,-1", "-1,-1,-1", "1,1,-1")
    rows = [f"{i + 1:06}.jpg,{hair[i]}" for i in range(COUNT)]
    table = write(root / "t.csv", "image_id,Black_Hair,Blond_Hair,Gray_Hair", rows)
    label = Categorical("Hair", ("Black_Hair", "Blond_Hair", "Gray_Hair"))
    options = {"labels": table, "join": "Hair=Black_Hair|Blond_Hair|Gray_Hair", "only": ["Hair"]}
    notes = ["3 rows have none and 3 have several", "found with another ending than .jpg"]
    return Form(folder, options, {"Hair": (label, cycle(0, 1, NO, NO))}, notes)


@read_right
def utkface(root: Path) -> Form:
    names = [f"{20 + 4 * i}_{i % 2}_{i % 3}_201701161745{i:05}.jpg.chip.jpg" for i in range(COUNT)]
    folder = shades(root / "UTKFace", names)
    (folder / "61_3_20170109.jpg.chip.jpg").write_bytes(b"")
    options = {"labels": "pattern:{Age:real}_{Male:binary}_{Race}_*"}
    labels = {
        "Age": (Real, [20 + 4 * i for i in range(COUNT)]),
        "Male": (Binary("Male"), cycle(0, 1)),
        "Race": (Categorical("Race", ("0", "1", "2")), cycle(0, 1, 2)),
    }
    return Form(folder, options, labels, (), ["its name does not fit"])


@read_right
def fairface(root: Path) -> Form:
    names = [f"{'val' if i > 8 else 'train'}/{i}.jpg" for i in range(COUNT)]
    folder = shades(root / "fairface", names)
    ages, races = cycle("0-2", "20-29", "more than 70", "3-9"), cycle("White", "Latino_Hispanic")
    rows = [f"{n},{ages[i]},{races[i]},{i % 3 == 0}" for i, n in enumerate(names)]
    table = write(root / "fairface_label.csv", "file,age,race,service_test", rows)
    label = Categorical("age", ("0-2", "20-29", "3-9", "more than 70"))
    labels = {
        "age": (label, cycle(0, 1, 3, 2)),
        "race": (Categorical("race", ("Latino_Hispanic", "White")), cycle(1, 0)),
        "service_test": (Binary("service_test"), cycle(1, 0, 0)),
    }
    order = "age=ordinal:0-2<3-9<20-29<more than 70"
    return Form(folder, {"labels": table}, labels, [f"an order; if so, give --kinds {order!r}"])


@read_right
def fairface_with_ordered_ages(root: Path) -> Form:
    form = READ["fairface"](root)
    kinds = "age=ordinal:0-2<3-9<20-29<more than 70"
    label = Ordinal("age", ("0-2", "3-9", "20-29", "more than 70"))
    options = form.options | {"kinds": kinds, "only": ["age"]}
    return Form(form.folder, options, {"age": (label, cycle(0, 2, 3, 1))})


@read_right
def lfw_attributes(root: Path) -> Form:
    people = [f"Ann_{'xyz'[i % 3]}" for i in range(COUNT)]
    names = [f"{p}/{p}_{i + 1:04}.jpg" for i, p in enumerate(people)]
    rows = [f"{p.replace('_', ' ')}\t{i + 1}\t{i / 8 - 1}" for i, p in enumerate(people)]
    head = "# LFW attributes\n#\tperson\timagenum\tMale"
    table = write(root / "lfw_attributes.txt", head, rows)
    options = {"labels": table, "file_column": "{person}/{person}_{imagenum:04}.jpg"}
    options["only"] = ["Male"]
    folder = shades(root / "lfw", names)
    return Form(folder, options, {"Male": (Real, [i / 8 - 1 for i in range(COUNT)])})


@read_right
def imdb_wiki(root: Path) -> Form:
    folder = shades(root / "imdb_crop", [f"0{i % 3}/nm{i}.jpg" for i in range(COUNT)])
    rows = [f"0{i % 3}/nm{i}.jpg,{-1 if i == 4 else 17 + i},{i % 2}.0" for i in range(COUNT)]
    table = write(root / "meta.csv", "full_path,age,gender", rows)
    labels = {
        "age": (Real, [NO if i == 4 else 17 + i for i in range(COUNT)]),
        "gender": (Binary("gender"), cycle(0, 1)),
    }
    return Form(folder, {"labels": table}, labels, ["'-1' is taken as missing in age (1 rows)"])


@read_right
def wider_attributes_with_zero_as_unspecified(root: Path) -> Form:
    folder = shades(root / "im", plain_names())
    rows = [f"{i}.png,{[1, 0, -1][i % 3]},{[-1, 1][i % 2]}" for i in range(COUNT)]
    table = write(root / "wider.csv", "image,Hat,Male", rows)
    labels = {"Hat": (Binary("Hat"), cycle(1, NO, 0)), "Male": (Binary("Male"), cycle(0, 1))}
    return Form(folder, {"labels": table, "missing_marks": "0"}, labels)


@read_right
def affectnet(root: Path) -> Form:
    folder = shades(root / "im", [f"{i}/a{i}.jpg" for i in range(COUNT)])
    rows = [f"{i}/a{i}.jpg,{i % 4},{i / 16 - 0.25}" for i in range(COUNT)]
    table = write(root / "training.csv", "subDirectory_filePath,expression,valence", rows)
    labels = {
        "expression": (Categorical("expression", ("0", "1", "2", "3")), cycle(0, 1, 2, 3)),
        "valence": (Real, [i / 16 - 0.25 for i in range(COUNT)]),
    }
    return Form(folder, {"labels": table, "file_column": "subDirectory_filePath"}, labels)


# Folders, names and arrays.


@read_right
def imagefolder(root: Path) -> Form:
    kinds = cycle("cat", "dog", "bird")
    shades(root / "pets", [f"{kinds[i]}/{i}.png" for i in range(COUNT)])
    label = Categorical("Class", ("bird", "cat", "dog"))
    return Form(root / "pets", {"labels": "folders"}, {"Class": (label, cycle(1, 2, 0))})


@read_right
def imagefolder_in_parts(root: Path) -> Form:
    parts = ["train"] * 7 + ["val"] * 2 + ["test"] * 3
    shades(root / "pets", [f"{p}/{'ab'[i % 2]}/{i}.png" for i, p in enumerate(parts)])
    label = Categorical("Species", ("a", "b"))
    options = {"labels": "folders:Species"}
    return Form(root / "pets", options, {"Species": (label, cycle(0, 1))}, test=(9, 10, 11))


@read_right
def folders_of_people_and_moods(root: Path) -> Form:
    names = [f"{'xyz'[i % 3]}/{'ab'[i % 2]}/{i}.png" for i in range(COUNT)]
    labels = {
        "Person": (Categorical("Person", ("x", "y", "z")), cycle(0, 1, 2)),
        "Mood": (Categorical("Mood", ("a", "b")), cycle(0, 1)),
    }
    return Form(shades(root / "im", names), {"labels": "folders:Person/Mood"}, labels)


@read_right
def dogs_versus_cats(root: Path) -> Form:
    shades(root / "train", [f"{['cat', 'dog'][i % 2]}.{i}.jpg" for i in range(COUNT)])
    label = Categorical("Animal", ("cat", "dog"))
    return Form(root / "train", {"labels": "pattern:{Animal}.#"}, {"Animal": (label, cycle(0, 1))})


@read_right
def oxford_pets(root: Path) -> Form:
    breeds = cycle("Abyssinian", "great_pyrenees")
    folder = shades(root / "images", [f"{b}_{i}.jpg" for i, b in enumerate(breeds)])
    label = Categorical("Breed", ("Abyssinian", "great_pyrenees"))
    return Form(folder, {"labels": "pattern:{Breed}_#"}, {"Breed": (label, cycle(0, 1))})


def stacked() -> np.ndarray:
    return np.stack([np.asarray(shade(i)) for i in range(COUNT)])


@read_right
def medmnist(root: Path) -> Form:
    everything, codes = stacked(), np.arange(COUNT)[:, None] % 3
    parts = {"train": slice(0, 8), "val": slice(8, 10), "test": slice(10, COUNT)}
    arrays = {f"{part}_images": everything[rows] for part, rows in parts.items()}
    arrays |= {f"{part}_labels": codes[rows] for part, rows in parts.items()}
    np.savez(root / "pathmnist.npz", **arrays)
    label = Categorical("labels", ("0", "1", "2"))
    labels = {"labels": (label, cycle(0, 1, 2))}
    return Form(root / "pathmnist.npz", {}, labels, test=(10, 11))


@read_right
def keras_arrays(root: Path) -> Form:
    codes, whole = np.arange(COUNT) % 2, stacked()
    parts = {"x_train": whole[:9], "y_train": codes[:9], "x_test": whole[9:], "y_test": codes[9:]}
    np.savez(root / "data.npz", **parts)
    return Form(root / "data.npz", {}, {"y": (Binary("y"), cycle(0, 1))}, test=(9, 10, 11))


@read_right
def arrays_beside_a_table(root: Path) -> Form:
    np.save(root / "x.npy", (stacked() / 255).astype(np.float32).transpose(0, 3, 1, 2))
    table = write(root / "t.csv", "id,Odd", [f"{i},{i % 2}" for i in range(COUNT)])
    return Form(root / "x.npy", {"labels": table}, {"Odd": (Binary("Odd"), cycle(0, 1))})


# What programs write.


def simple(root: Path, head: str, rows: Sequence[str], **how: Any) -> Form:
    """Twelve images and a table whose labels are Odd and, if it has one, Score of decimals."""
    folder = shades(root / "im", plain_names())
    labels: dict[str, Any] = {"Odd": (Binary("Odd"), cycle(0, 1))}
    if "Score" in head:
        labels["Score"] = (Real, [i / 4 for i in range(COUNT)])
    options = {"labels": write(root / how.pop("name", "t.csv"), head, rows, **how)}
    return Form(folder, options, labels)


@read_right
def excel_german(root: Path) -> Form:
    rows = [f"{i}.png;{i % 2};{i / 4:.2f}".replace(".", ",").replace(",png", ".png")
            for i in range(COUNT)]  # fmt: skip
    head = "\ufeffsep=;\r\nfile;Odd;Score"
    return simple(root, head, rows, end="\r\n")._replace(notes=["separated by ';', as sep= says"])


@read_right
def excel_unicode_text(root: Path) -> Form:
    rows = [f"{i}.png\t{i % 2}\t{i / 4}" for i in range(COUNT)]
    return simple(root, "file\tOdd\tScore", rows, end="\r\n", encoding="utf-16", name="t.txt")


@read_right
def excel_with_zeros_lost(root: Path) -> Form:
    folder = shades(root / "im", [f"{i + 1:06}.jpg" for i in range(COUNT)])
    table = write(root / "t.csv", "id,Odd", [f"{i + 1},{i % 2}" for i in range(COUNT)])
    odd = (Binary("Odd"), cycle(0, 1))
    return Form(folder, {"labels": table}, {"Odd": odd}, ["numbers with zeros at the front"])


@read_right
def excel_with_empty_columns(root: Path) -> Form:
    return simple(root, "file,Odd,,", [f"{i}.png,{i % 2},," for i in range(COUNT)])


@read_right
def old_mac(root: Path) -> Form:
    return simple(root, "file,Odd", [f"{i}.png,{i % 2}" for i in range(COUNT)], end="\r")


@read_right
def r_write_csv(root: Path) -> Form:
    rows = [f'"{i + 1}","{i}.png",{["FALSE", "TRUE"][i % 2]},{i / 4}' for i in range(COUNT)]
    return simple(root, '"","file","Odd","Score"', rows)


@read_right
def r_write_table(root: Path) -> Form:
    """Blanks, and no name above the rows' own names."""
    rows = [f'"{i + 1}" "{i}.png" {["FALSE", "TRUE"][i % 2]} {i / 4}' for i in range(COUNT)]
    return simple(root, '"file" "Odd" "Score"', rows, name="t.txt")


@read_right
def r_with_missing_entries(root: Path) -> Form:
    rows = [f'"{i}.png",{[0, 1, "NA"][i % 3]}' for i in range(COUNT)]
    form = simple(root, '"file","Odd"', rows)
    odd = {"Odd": (Binary("Odd"), cycle(0, 1, NO))}
    return form._replace(labels=odd, notes=["'NA' is taken as missing in Odd (4 rows)"])


@read_right
def pandas_to_csv_with_index(root: Path) -> Form:
    rows = [f"{i},{i}.png,{i % 2},{i / 4}" for i in range(COUNT)]
    return simple(root, ",file,Odd,Score", rows)


@read_right
def pandas_read_and_written_again(root: Path) -> Form:
    rows = [f"{i},{i},{i}.png,{float(i % 2)}" for i in range(COUNT)]
    return simple(root, "Unnamed: 0.1,Unnamed: 0,file,Odd", rows)._replace(
        problems=["'Unnamed: 0.1' has 12 different values that look like numbers of the rows"]
    )


@read_right
def pandas_with_names_as_index(root: Path) -> Form:
    return simple(root, ",Odd", [f"{i}.png,{i % 2}" for i in range(COUNT)])


@read_right
def spss(root: Path) -> Form:
    rows = [f"{i}.png;{i % 2};{[1, 2, 3, -9][i % 4]}" for i in range(COUNT)]
    form = simple(root, "file;Odd;Group", rows)
    group = Categorical("Group", ("1", "2", "3"))
    labels = form.labels | {"Group": (group, cycle(0, 1, 2, NO))}
    return form._replace(labels=labels, notes=["'-9' is taken as missing in Group (3 rows)"])


@read_right
def stata(root: Path) -> Form:
    rows = [f"{i}.png,{i % 2},{'.' if i == 3 else i / 4}" for i in range(COUNT)]
    form = simple(root, "file,Odd,Score", rows)
    score = (Real, [NO if i == 3 else i / 4 for i in range(COUNT)])
    return form._replace(labels=form.labels | {"Score": score}, notes=["'.' is taken as missing"])


@read_right
def weka_question_marks(root: Path) -> Form:
    form = simple(root, "file,Odd", [f"{i}.png,{['no', 'yes', '?'][i % 3]}" for i in range(COUNT)])
    return form._replace(labels={"Odd": (Binary("Odd"), cycle(0, 1, NO))}, notes=["'?' is taken"])


@read_right
def sql_nulls_and_bars(root: Path) -> Form:
    rows = [f"{i}.png|{i % 2}|{['NULL', 'a', 'b'][i % 3]}" for i in range(COUNT)]
    form = simple(root, "file|Odd|Side", rows)
    side = (Categorical("Side", ("a", "b")), cycle(NO, 0, 1))
    return form._replace(labels=form.labels | {"Side": side}, notes=["'NULL' is taken as missing"])


@read_right
def a_class_called_none(root: Path) -> Form:
    rows = [f"{i}.png,{['None', 'round', 'square', '?'][i % 4]}" for i in range(COUNT)]
    form = simple(root, "file,Glasses", rows)
    label = Categorical("Glasses", ("None", "round", "square"))
    options = form.options | {"missing_marks": "Glasses=?"}
    return Form(form.folder, options, {"Glasses": (label, cycle(0, 1, 2, NO))})


@read_right
def classes_that_are_stated_are_not_missing(root: Path) -> Form:
    form = READ["a_class_called_none"](root)
    options = {"labels": form.options["labels"], "kinds": "Glasses=None|round|square"}
    return Form(form.folder, options, form.labels)


@read_right
def typed_by_hand(root: Path) -> Form:
    """Blanks after commas, quotes here and there, two spellings of a class, order in words."""
    hair, mood = cycle("blond", "Blond", '"black"', "blond"), cycle("low", "mid", "high")
    rows = [f'{i}.png, {hair[i]}, {mood[i]}, "{i % 2}"' for i in range(COUNT)]
    form = simple(root, "file, Hair, Mood, Odd", rows)
    labels = form.labels | {
        "Hair": (Categorical("Hair", ("black", "blond")), cycle(1, 1, 0, 1)),
        "Mood": (Categorical("Mood", ("high", "low", "mid")), cycle(1, 2, 0)),
    }
    notes = ["Hair: 'Blond' as 'blond' is another spelling", "'Mood=ordinal:low<mid<high'"]
    return form._replace(labels=labels, notes=notes)


@read_right
def huggingface_metadata(root: Path) -> Form:
    folder = shades(root / "train", plain_names())
    lines = [json.dumps({"file_name": f"{i}.png", "odd": i % 2 == 1, "n": i / 4})
             for i in range(COUNT)]  # fmt: skip
    table = write(folder / "metadata.jsonl", lines[0], lines[1:])
    labels = {"odd": (Binary("odd"), cycle(0, 1)), "n": (Real, [i / 4 for i in range(COUNT)])}
    return Form(folder, {"labels": table}, labels)


@read_right
def absolute_names(root: Path) -> Form:
    rows = [f"{root}/im/{i}.png,{i % 2}" for i in range(COUNT)]
    return simple(root, "path,Odd", rows)._replace(notes=["12 names: absolute names"])


@read_right
def absolute_names_of_another_machine(root: Path) -> Form:
    return simple(root, "path,Odd", [f"/home/anna/im/{i}.png,{i % 2}" for i in range(COUNT)])


@read_right
def names_from_windows(root: Path) -> Form:
    return simple(root, "img,Odd", [f"C:\\data\\im\\{i}.png,{i % 2}" for i in range(COUNT)])


@read_right
def the_folder_in_the_names(root: Path) -> Form:
    return simple(root, "filename,Odd", [f"im/{i}.png,{i % 2}" for i in range(COUNT)])


@read_right
def names_without_ending(root: Path) -> Form:
    return simple(root, "image_id,Odd", [f"{i},{i % 2}" for i in range(COUNT)])


@read_right
def a_column_of_parts_under_another_name(root: Path) -> Form:
    usage = ["Training"] * 8 + ["PublicTest"] * 2 + ["PrivateTest"] * 2
    form = simple(root, "file,Odd,Usage", [f"{i}.png,{i % 2},{u}" for i, u in enumerate(usage)])
    return form._replace(test=(10, 11))


@pytest.mark.parametrize("name", READ)
def test_a_form_is_read_right(tmp_path: Path, name: str) -> None:
    form = READ[name](tmp_path)
    options = dict(form.options)
    data = images(form.folder, decoding=Decoding(8), **options)
    order = rows_of(data)
    assert sorted(order) == list(range(COUNT)), data.problems
    assert set(data.space.names) == set(form.labels), (data.problems, data.notes)
    for column, label in enumerate(data.space):
        expected, codes = form.labels[label.name]
        found = data.labels[:, column]
        if isinstance(label, Real):
            assert expected is Real
            known = found[data.train][~found[data.train].isnan()]
            assert known.mean().abs() < 1e-5
            assert (known.std(correction=0) - 1).abs() < 1e-5
            found = label.to_units(found)
        else:
            assert label == expected
        wanted = torch.tensor([torch.nan if codes[i] is NO else float(codes[i]) for i in order])
        torch.testing.assert_close(found, wanted, equal_nan=True, rtol=1e-4, atol=1e-4)
    for part in form.notes:
        assert any(part in note for note in data.notes), (part, data.notes)
    for part in form.problems:
        assert any(part in problem for problem in data.problems), (part, data.problems)
    if form.test is not None:
        assert {order[row] for row in data.test.tolist()} == set(form.test)
    assert all("\n" not in line for line in (*data.notes, *data.problems))


def rows_of(data: Dataset) -> list[int]:
    """Which image each row shows."""
    colours = {tuple(shade(i).getpixel((0, 0))): i for i in range(COUNT)}
    return [colours[tuple(image[:, 0, 0].tolist())] for image in data.images]


# What is refused.


@refused("its images are in its columns: save them as an array with numpy.savez")
def fer2013(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{i % 7},{' '.join(['0'] * 48)},Training" for i in range(COUNT)]
    table = write(root / "fer2013.csv", "emotion,pixels,Usage", rows)
    return shades(root / "im", plain_names()), {"labels": table}


@refused("its images are in its columns")
def mnist_as_csv(root: Path) -> tuple[Path, dict[str, Any]]:
    table = write(root / "train.csv", "label,pixel0,pixel1", ["5,0,0", "3,0,0"])
    return shades(root / "im", plain_names()), {"labels": table}


@refused("expected one row for each image, got 36 for 12 images.*pandas.crosstab")
def open_images(root: Path) -> tuple[Path, dict[str, Any]]:
    folder = shades(root / "im", [f"000{i:x}.jpg" for i in range(COUNT)])
    rows = [f"000{i:x},verification,/m/0{k},1" for i in range(COUNT) for k in range(3)]
    return folder, {"labels": write(root / "t.csv", "ImageID,Source,LabelName,Confidence", rows)}


@refused("label 'Label' holds JSON; write a column for each label")
def labelbox_export(root: Path) -> tuple[Path, dict[str, Any]]:
    folder = shades(root / "im", plain_names())
    with (root / "export.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ID", "Labeled Data", "Label", "External ID"])
        for i in range(COUNT):
            label = json.dumps({"classifications": [{"title": "Odd", "answer": i % 2}]})
            writer.writerow([f"ck{i}x", f"https://storage/{i}", label, f"{i}.png"])
    return folder, {"labels": root / "export.csv", "only": ["Label"]}


@refused("no JSON Lines")
def coco_annotations(root: Path) -> tuple[Path, dict[str, Any]]:
    document = json.dumps({"images": [{"id": 1}], "annotations": []}, indent=1)
    return shades(root / "im", plain_names()), {"labels": write(root / "a.json", document, [])}


@refused("a workbook or an archive; save its sheet as CSV in UTF-8")
def excel_workbook(root: Path) -> tuple[Path, dict[str, Any]]:
    (root / "t.xlsx").write_bytes(b"PK\x03\x04\x14\0")
    return shades(root / "im", plain_names()), {"labels": root / "t.xlsx"}


@refused("could be it: --file-column subDirectory_filePath")
def affectnet_unaided(root: Path) -> tuple[Path, dict[str, Any]]:
    form = READ["affectnet"](root)
    return form.folder, {"labels": form.options["labels"]}


@refused("its first line is a row: add a line above it that names the columns")
def a_table_without_names(root: Path) -> tuple[Path, dict[str, Any]]:
    folder = shades(root / "im", plain_names())
    return folder, {"labels": write(root / "t.csv", "0.png,1", ["1.png,0", "2.png,1"])}


@refused("its first line is a row")
def cub_200_lists(root: Path) -> tuple[Path, dict[str, Any]]:
    names = [f"001.Albatross/{i}.jpg" for i in range(COUNT)]
    rows = [f"{i + 1} {n}" for i, n in enumerate(names)]
    folder = shades(root / "im", names)
    return folder, {"labels": write(root / "images.txt", rows[0], rows[1:])}


@refused("give --file-column NAME or a pattern of columns such as")
def lfw_unaided(root: Path) -> tuple[Path, dict[str, Any]]:
    form = READ["lfw_attributes"](root)
    return form.folder, {"labels": form.options["labels"]}


@refused("line 5: a quote is opened there and never closed; close or remove it")
def an_open_quote(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(COUNT)]
    rows[3] = '3.png,"b'
    return shades(root / "im", plain_names()), {"labels": write(root / "t.csv", "file,A", rows)}


@refused("a quote seems to be opened there and closed too late, so that 5 lines are lost")
def two_stray_quotes(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(COUNT)]
    rows[3], rows[8] = '3.png,"b', '8.png,a"'
    return shades(root / "im", plain_names()), {"labels": write(root / "t.csv", "file,A", rows)}


@refused("expected text in UTF-8, got the byte 0xe4; save it as CSV in UTF-8")
def excel_of_western_europe(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{i}.png,{['hell', 'bräunlich'][i % 2]}" for i in range(COUNT)]
    table = write(root / "t.csv", "file,Hair", rows, encoding="cp1252")
    return shades(root / "im", plain_names()), {"labels": table}


@refused(r"expected its classes in their order.*--kinds 'Mood=ordinal:high<low<mid', lowest first")
def an_order_that_is_not_said(root: Path) -> tuple[Path, dict[str, Any]]:
    form = READ["typed_by_hand"](root)
    return form.folder, {"labels": form.options["labels"], "kinds": "Mood=ordinal"}


@refused("expected a number, got 12 other entries, the first in line 2, 'blond'|is a number|no num")
def a_number_that_is_none(root: Path) -> tuple[Path, dict[str, Any]]:
    form = READ["typed_by_hand"](root)
    return form.folder, {"labels": form.options["labels"], "kinds": "Hair=real"}


@refused("expected image files in .* got none")
def an_empty_folder(root: Path) -> tuple[Path, dict[str, Any]]:
    (root / "im").mkdir()
    return root / "im", {"labels": "folders"}


@refused("expected every image of .* in a folder that is its class, got 0.png")
def images_beside_folders(root: Path) -> tuple[Path, dict[str, Any]]:
    return shades(root / "im", ["0.png", "a/1.png"]), {"labels": "folders"}


@refused("expected names of files that fit 'x{Age}', got '0.png'")
def a_pattern_of_other_names(root: Path) -> tuple[Path, dict[str, Any]]:
    return shades(root / "im", plain_names()), {"labels": "pattern:x{Age}"}


@refused("expected a row for each of 12 images of .*, in their order, got 3")
def a_table_shorter_than_its_arrays(root: Path) -> tuple[Path, dict[str, Any]]:
    np.save(root / "x.npy", stacked())
    return root / "x.npy", {"labels": write(root / "t.csv", "Odd", ["0", "1", "0"])}


@refused("expected plain arrays as numpy.savez writes them")
def arrays_of_objects(root: Path) -> tuple[Path, dict[str, Any]]:
    np.save(root / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return root / "x.npy", {}


@refused("expected an array of labels beside the images, got none")
def arrays_alone(root: Path) -> tuple[Path, dict[str, Any]]:
    np.save(root / "x.npy", stacked())
    return root / "x.npy", {}


@pytest.mark.parametrize("name", REFUSED)
def test_a_form_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    form, words = REFUSED[name]
    folder, options = form(tmp_path)
    with pytest.raises(ValueError, match=words) as caught:
        images(folder, decoding=Decoding(8), **options)
    assert "\n" not in str(caught.value)


def test_there_are_forms_enough() -> None:
    assert len(READ) + len(REFUSED) >= 40


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1....PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    folder = shades(tmp_path / "im", plain_names())
    with pytest.raises(ValueError, match="needs pyarrow: pip install pyarrow, or save it as CSV"):
        images(folder, tmp_path / "t.parquet", decoding=Decoding(8))

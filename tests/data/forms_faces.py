"""Tables of faces, folders, names and arrays, each named after where it is found."""

from pathlib import Path

import numpy as np

from ccvae.data import Binary, Categorical, Ordinal, Real

from .forms import (
    COUNT,
    NO,
    READ,
    Form,
    cycle,
    plain_names,
    read_right,
    shades,
    stacked,
    write,
)
from .pictures import ATTRIBUTES

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

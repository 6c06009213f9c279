"""Tables that are documents or come from the web, and lists of faces and organs as published."""

import json
import unicodedata
from pathlib import Path
from typing import Any

from ccvae.data import Binary, Categorical, Ordinal, Real

from .forms import COUNT, NO, Form, cycle, plain_names, read_right, refused, shades, write

ODD = {"Odd": (Binary("Odd"), cycle(0, 1))}
COLOURS = {"Colour": (Categorical("Colour", ("blue", "red")), cycle(1, 0))}
WORDS = cycle("red", "blue")


def document(root: Path, content: Any, labels: dict[str, Any], name: str = "t.json") -> Form:
    """Twelve images and a document of their labels."""
    (root / name).write_text(json.dumps(content))
    return Form(shades(root / "im", plain_names()), {"labels": root / name}, labels)


# Documents.


@read_right
def pandas_to_json_by_columns(root: Path) -> Form:
    columns = {"file": plain_names(), "Odd": cycle(0, 1), "Colour": WORDS}
    content = {name: {str(i): v for i, v in enumerate(c)} for name, c in columns.items()}
    return document(root, content, ODD | COLOURS)


@read_right
def pandas_to_json_split(root: Path) -> Form:
    rows = [[name, i % 2] for i, name in enumerate(plain_names())]
    content = {"columns": ["file", "Odd"], "index": list(range(COUNT)), "data": rows}
    return document(root, content, ODD)


@read_right
def pandas_to_json_by_rows(root: Path) -> Form:
    content = {name: {"Odd": i % 2} for i, name in enumerate(plain_names())}
    return document(root, content, ODD)


@read_right
def a_dictionary_of_lists(root: Path) -> Form:
    return document(root, {"file": plain_names(), "Odd": cycle(0, 1)}, ODD)


@read_right
def a_dictionary_of_files(root: Path) -> Form:
    label = {"label": (Categorical("label", ("blue", "red")), cycle(1, 0))}
    return document(root, dict(zip(plain_names(), WORDS, strict=True)), label)


@read_right
def stylegan_dataset_json(root: Path) -> Form:
    pairs = [[name, i % 3] for i, name in enumerate(plain_names())]
    label = {"label": (Categorical("label", ("0", "1", "2")), cycle(0, 1, 2))}
    return document(root, {"labels": pairs}, label)


@read_right
def objects_in_objects(root: Path) -> Form:
    folder = shades(root / "im", plain_names())
    rows = [{"file": n, "attributes": {"Odd": i % 2}} for i, n in enumerate(plain_names())]
    table = write(root / "t.jsonl", json.dumps(rows[0]), [json.dumps(row) for row in rows[1:]])
    name = "attributes.Odd"
    return Form(folder, {"labels": table}, {name: (Binary(name), cycle(0, 1))})


@refused("got COCO's lists of images and annotations; save a row for each image as CSV")
def coco_on_one_line(root: Path) -> tuple[Path, dict[str, Any]]:
    images = [{"id": i, "file_name": name} for i, name in enumerate(plain_names())]
    content = {"images": images, "annotations": [{"image_id": 0, "category_id": 1}]}
    form = document(root, content, {})
    return form.folder, form.options


@refused("expected an object for each image; save it as CSV")
def wider_attribute(root: Path) -> tuple[Path, dict[str, Any]]:
    images = [{"file_name": n, "targets": [{"attribute": [1, -1]}]} for n in plain_names()]
    form = document(root, {"images": images, "attribute_id_map": {"0": "Male"}}, {})
    return form.folder, form.options


@refused("'data_row.external_id' could be it: --file-column data_row.external_id")
def labelbox_ndjson(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [
        json.dumps({"data_row": {"external_id": n}, "projects": {"p": {"labels": []}}})
        for n in plain_names()
    ]
    return shades(root / "im", plain_names()), {"labels": write(root / "e.json", rows[0], rows[1:])}


# Names from elsewhere.


@read_right
def label_studio(root: Path) -> Form:
    folder = shades(root / "im", [f"ab{i:02}-x {i}.png" for i in range(COUNT)])
    rows = [f"{WORDS[i]},{i + 40},/data/upload/1/ab{i:02}-x%20{i}.png" for i in range(COUNT)]
    table = write(root / "t.csv", "Colour,id,image", rows)
    return Form(folder, {"labels": table}, COLOURS, ["12 names: addresses, by their last part"])


@read_right
def addresses_of_a_bucket(root: Path) -> Form:
    rows = [f"https://host/a/{n}?v=1,{w}" for n, w in zip(plain_names(), WORDS, strict=True)]
    folder = shades(root / "im", plain_names())
    return Form(folder, {"labels": write(root / "t.csv", "image,Colour", rows)}, COLOURS)


@read_right
def names_of_a_mac(root: Path) -> Form:
    names = [f"Zoë_{i}.png" for i in range(COUNT)]
    folder = shades(root / "im", [unicodedata.normalize("NFD", name) for name in names])
    rows = [f"{unicodedata.normalize('NFC', name)},{i % 2}" for i, name in enumerate(names)]
    return Form(folder, {"labels": write(root / "t.csv", "file,Odd", rows)}, ODD)


@read_right
def two_tables_one_after_the_other(root: Path) -> Form:
    rows = [f"{name},{WORDS[i]}" for i, name in enumerate(plain_names())]
    table = write(root / "t.csv", "file,Colour", [*rows[:6], "file,Colour", *rows[6:]])
    problem = ["line 8: the columns' names once more; left out"]
    return Form(shades(root / "im", plain_names()), {"labels": table}, COLOURS, problems=problem)


# As published.


@read_right
def padchest(root: Path) -> Form:
    folder = shades(root / "im", [f"{i}/2168_{i}.png" for i in range(COUNT)])
    found = cycle("['normal']", "['effusion', 'cardiomegaly']", "['cardiomegaly']", "")
    rows = [f'{i},2168_{i}.png,8{i},{"MF"[i % 2]},"{found[i]}"' for i in range(COUNT)]
    table = write(root / "t.csv", ",ImageID,PatientID,PatientSex_DICOM,Labels", rows)
    labels = {
        "PatientSex_DICOM": (Categorical("PatientSex_DICOM", ("F", "M")), cycle(1, 0)),
        "cardiomegaly": (Binary("cardiomegaly"), cycle(0, 1, 1, NO)),
        "effusion": (Binary("effusion"), cycle(0, 1, 0, NO)),
        "normal": (Binary("normal"), cycle(1, 0, 0, NO)),
    }
    return Form(folder, {"labels": table}, labels, problems=["'PatientID' has 12 different"])


@read_right
def human_protein_atlas(root: Path) -> Form:
    folder = shades(root / "im", [f"a{i}.png" for i in range(COUNT)])
    rows = [f"a{i},{cycle('16 0', '7', '0 7')[i]}" for i in range(COUNT)]
    labels = {
        "0": (Binary("0"), cycle(1, 0, 1)),
        "16": (Binary("16"), cycle(1, 0, 0)),
        "7": (Binary("7"), cycle(0, 1, 1)),
    }
    return Form(folder, {"labels": write(root / "t.csv", "Id,Target", rows)}, labels)


@read_right
def planet_amazon(root: Path) -> Form:
    folder = shades(root / "im", [f"train_{i}.jpg" for i in range(COUNT)])
    words = ("clear primary", "haze primary", "clear water")
    rows = [f"train_{i},{cycle(*words)[i]}" for i in range(COUNT)]
    labels = {"tags": (Categorical("tags", tuple(sorted(words))), cycle(0, 2, 1))}
    table = {"labels": write(root / "t.csv", "image_name,tags", rows)}
    return Form(folder, table, labels, ["if they are several labels, give --kinds tags=several"])


@read_right
def planet_amazon_as_it_is_meant(root: Path) -> Form:
    form = planet_amazon_options(root)
    words = {"clear": (1, 0, 1), "haze": (0, 1, 0), "primary": (1, 1, 0), "water": (0, 0, 1)}
    return form._replace(labels={w: (Binary(w), cycle(*held)) for w, held in words.items()})


def planet_amazon_options(root: Path) -> Form:
    folder = shades(root / "im", [f"train_{i}.jpg" for i in range(COUNT)])
    words = cycle("clear primary", "haze primary", "clear water")
    table = write(
        root / "t.csv", "image_name,tags", [f"train_{i},{words[i]}" for i in range(COUNT)]
    )
    return Form(folder, {"labels": table, "kinds": "tags=several:blank"}, {})


@read_right
def morph(root: Path) -> Form:
    names = [f"Album2/{i:06}_1M5{i}.JPG" for i in range(COUNT)]
    rows = [f"{i:06},195{i % 3}-01-02,{'MF'[i % 2]},{20 + i},{n}" for i, n in enumerate(names)]
    table = write(root / "t.csv", "id_num,dob,gender,age,photo", rows)
    labels = {
        "gender": (Categorical("gender", ("F", "M")), cycle(1, 0)),
        "age": (Real, [20 + i for i in range(COUNT)]),
    }
    options = {"labels": table, "file_column": "photo"}
    return Form(shades(root / "im", names), options, labels, problems=["look like dates"])


@read_right
def fitzpatrick17k(root: Path) -> Form:
    names = [f"{i:032x}" for i in range(COUNT)]
    scale = cycle(-1, 1, 2, 3, 4, 5)
    rows = [f"{n},{scale[i]},{WORDS[i]},https://site/{n}" for i, n in enumerate(names)]
    table = write(root / "t.csv", "md5hash,fitzpatrick_scale,Colour,url", rows)
    codes = [NO if s == -1 else s - 1 for s in scale]
    kind = Ordinal("fitzpatrick_scale", tuple("12345"))
    options = {"labels": table, "file_column": "md5hash", "kinds": "fitzpatrick_scale=ordinal"}
    labels = COLOURS | {"fitzpatrick_scale": (kind, codes)}
    return Form(shades(root / "im", [f"{n}.jpg" for n in names]), options, labels)


@read_right
def adience(root: Path) -> Form:
    names = [f"u{i}/face.{i}.o{i}_b.jpg" for i in range(COUNT)]
    ages = cycle("(25, 32)", "(0, 2)", "None")
    rows = [f"u{i}\to{i}_b.jpg\t{i}\t{ages[i]}" for i in range(COUNT)]
    table = write(root / "fold_0_data.txt", "user_id\toriginal_image\tface_id\tage", rows)
    options = {"labels": table, "file_column": "{user_id}/face.{face_id}.{original_image}"}
    labels = {"age": (Categorical("age", ("(0, 2)", "(25, 32)")), cycle(1, 0, NO))}
    return Form(shades(root / "im", names), options, labels)


@read_right
def appa_real(root: Path) -> Form:
    names = [f"{i:06}.jpg" for i in range(COUNT)]
    rows = [f"{n},{20.5 + i},{i + 20}" for i, n in enumerate(names)]
    table = write(root / "t.csv", "file_name,apparent_age_avg,real_age", rows)
    labels = {
        "apparent_age_avg": (Real, [20.5 + i for i in range(COUNT)]),
        "real_age": (Real, [20 + i for i in range(COUNT)]),
    }
    options = {"labels": table, "file_column": "{file_name}_face.jpg"}
    return Form(shades(root / "im", [f"{n}_face.jpg" for n in names]), options, labels)


@read_right
def agedb(root: Path) -> Form:
    folder = shades(root / "im", [f"{i}_Ada_{35 + i}_{'fm'[i % 2]}.jpg" for i in range(COUNT)])
    labels = {
        "Age": (Real, [35 + i for i in range(COUNT)]),
        "Sex": (Categorical("Sex", ("f", "m")), cycle(0, 1)),
    }
    return Form(folder, {"labels": "pattern:#_*_{Age:real}_{Sex}"}, labels)


@read_right
def breakhis(root: Path) -> Form:
    folder = shades(root / "im", [f"SOB_{'BM'[i % 2]}_A-14-2{i}AB-40-0.png" for i in range(COUNT)])
    labels = {"Tumour": (Categorical("Tumour", ("B", "M")), cycle(0, 1))}
    return Form(folder, {"labels": "pattern:SOB_{Tumour}_*-*-*-40-*"}, labels)


@read_right
def idrid(root: Path) -> Form:
    folder = shades(root / "im", [f"IDRiD_{i:03}.jpg" for i in range(COUNT)])
    head = "Image name,Retinopathy grade,Risk of macular edema ,,,"
    table = write(root / "t.csv", head, [f"IDRiD_{i:03},{i % 5},{i % 3},,," for i in range(COUNT)])
    grade, risk = "Retinopathy grade", "Risk of macular edema"
    labels = {
        grade: (Ordinal(grade, tuple("01234")), [i % 5 for i in range(COUNT)]),
        risk: (Categorical(risk, tuple("012")), cycle(0, 1, 2)),
    }
    return Form(folder, {"labels": table}, labels)


@read_right
def humpback_whales(root: Path) -> Form:
    names = [f"{i:08x}.jpg" for i in range(COUNT)]
    rows = [f"{n},{cycle('new_whale', 'w_f48451c')[i]}" for i, n in enumerate(names)]
    labels = {"Id": (Categorical("Id", ("new_whale", "w_f48451c")), cycle(0, 1))}
    table = write(root / "t.csv", "Image,Id", rows)
    return Form(shades(root / "im", names), {"labels": table}, labels)


@read_right
def roboflow(root: Path) -> Form:
    rows = [f"{n}, {i % 2}, {1 - i % 2}" for i, n in enumerate(plain_names())]
    labels = {"Odd": (Binary("Odd"), cycle(0, 1)), "Even": (Binary("Even"), cycle(1, 0))}
    table = write(root / "_classes.csv", "filename, Odd, Even", rows)
    return Form(shades(root / "im", plain_names()), {"labels": table}, labels)


@read_right
def plantvillage(root: Path) -> Form:
    kinds = ("Apple___healthy", "Tomato___Early_blight")
    folder = shades(root / "im", [f"{kinds[i % 2]}/{i} (1).JPG" for i in range(COUNT)])
    labels = {"Class": (Categorical("Class", kinds), cycle(0, 1))}
    return Form(folder, {"labels": "folders"}, labels)


@refused("got 1, 1, 0, 3; add one, as 'file,NAME,NAME', and give each image a row")
def cub_attributes(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{i + 1} {k} {i % 2} 3" for i in range(COUNT) for k in (1, 2)][1:]
    return shades(root / "im", plain_names()), {"labels": write(root / "a.txt", "1 1 0 3", rows)}


@refused("its first line is a row: add a line above it that names the columns")
def raf_db(root: Path) -> tuple[Path, dict[str, Any]]:
    folder = shades(root / "im", [f"train_{i:05}_aligned.jpg" for i in range(COUNT)])
    rows = [f"train_{i:05}.jpg {i % 7 + 1}" for i in range(COUNT)]
    return folder, {"labels": write(root / "list_patition_label.txt", rows[0], rows[1:])}


@refused("its first line is a row")
def google_automl(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"TRAIN,gs://bucket/{n},{w}" for n, w in zip(plain_names(), WORDS, strict=True)]
    folder = shades(root / "im", plain_names())
    return folder, {"labels": write(root / "t.csv", rows[0], rows[1:])}


@refused("got none; add them; 12 lines do not fit, the first is line 3: 5 entries for 2 columns")
def deepfashion_attributes(root: Path) -> tuple[Path, dict[str, Any]]:
    rows = [f"{n}      -1  1 -1  1" for n in plain_names()]
    table = write(root / "t.txt", "12\nimage_name  attribute_labels", rows)
    return shades(root / "im", plain_names()), {"labels": table}


@refused("got 24 for 12 images; make a column of each label first, as pandas.crosstab")
def vindr_cxr(root: Path) -> tuple[Path, dict[str, Any]]:
    found = ("Mass", "No finding")
    rows = [f"{n},{word},R{k}" for n in plain_names() for k, word in enumerate(found)]
    table = write(root / "t.csv", "image_id,class_name,rad_id", rows)
    return shades(root / "im", plain_names()), {"labels": table}


KNOWN = {
    "sqlite": (b"SQLite format 3\0", "a database of SQLite; save its table as CSV"),
    "mat": (b"MATLAB 5.0 MAT-file", "a file of MATLAB; save its table as CSV"),
    "feather": (b"ARROW1\0\0", "a Feather file; save its table as CSV in UTF-8, or as Parquet"),
    "sav": (b"$FL2@(#)", "a file of SPSS; save its table"),
    "dta": (b"<stata_dta>", "a file of Stata; save its table"),
    "npy": (b"\x93NUMPY", "numpy.savez it with its images"),
    "pkl": (b"\x80\x04\x95", "a pickled object, which reading would run; save its table"),
    "html": (b"<html><table>", "a page of HTML or XML; save its table"),
    "arff": (b"@relation x\n", "a file of Weka; save its table"),
    "bz2": (b"BZh91AY", "a compressed file; unpack it"),
    "orc": (b"ORC\0\0", "is no text; save it as CSV in UTF-8"),
}
"""What else people keep tables in: how it begins, and what is said."""


def _in_a_file(ending: str, start: bytes, words: str) -> None:
    def form(root: Path) -> tuple[Path, dict[str, Any]]:
        (root / f"t.{ending}").write_bytes(start + b"\0" * 60)
        return shades(root / "im", plain_names()), {"labels": root / f"t.{ending}"}

    form.__name__ = f"a_file_of_{ending}"
    refused(words)(form)


for _ending, (_start, _words) in KNOWN.items():
    _in_a_file(_ending, _start, _words)

"""Tables that are refused, each with the words that name the way out."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from .forms import (
    COUNT,
    READ,
    plain_names,
    refused,
    shades,
    stacked,
    write,
)

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


@refused("got COCO's lists of images and annotations")
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

"""Tables as programs and people write them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ccvae.data import Binary, Categorical, Real

from .forms import (
    COUNT,
    NO,
    READ,
    Form,
    cycle,
    plain_names,
    read_right,
    shades,
    write,
)

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

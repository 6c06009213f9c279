"""Tables of medicine and of plants, each named after where it is found."""

from pathlib import Path

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
    write,
)

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

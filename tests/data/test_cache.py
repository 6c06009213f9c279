"""Decoded once, kept as a whole, made again when something changes."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from ccvae.data import cache as module
from ccvae.data.cache import TOLERATED, decoded, tolerable
from ccvae.data.decode import Decoding, decode, strict_pillow

from .pictures import picture, write_folder

SMALL = Decoding(16)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("CCVAE_CACHE", str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_folder(tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded during a test."""
    seen: list[str] = []

    def count(path: Path, decoding: Decoding) -> tuple[np.ndarray, str]:
        seen.append(path.name)
        return decode(path, decoding)

    monkeypatch.setattr(module, "decode", count)
    return seen


NAMES = [f"{i}.png" for i in range(20)]


def expected(source: Path, names: list[str], decoding: Decoding = SMALL) -> torch.Tensor:
    with strict_pillow():
        images = [decode(source / name, decoding)[0] for name in names]
    return torch.from_numpy(np.stack(images))


def test_decoded_once(home: Path, source: Path, decodings: list[str], capsys) -> None:
    first = decoded(source, NAMES, SMALL)
    assert sorted(decodings) == sorted(NAMES)
    assert f"20 images are decoded once into 0.0 MB in {home}" in capsys.readouterr().err
    second = decoded(source, NAMES, SMALL)
    assert len(decodings) == 20
    assert capsys.readouterr().err == ""
    assert first.images.dtype == torch.uint8
    assert first.rows.tolist() == list(range(20))
    assert first.skipped == []
    for found in (first, second):
        assert torch.equal(found.images, expected(source, NAMES))


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_chunks_do_not_matter(home, source, chunk, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert torch.equal(decoded(source, NAMES, SMALL).images, expected(source, NAMES))


@pytest.mark.parametrize("workers", [1, 5])
def test_workers_do_not_matter(home, source, workers, monkeypatch) -> None:
    monkeypatch.setattr(module, "WORKERS", workers)
    assert torch.equal(decoded(source, NAMES, SMALL).images, expected(source, NAMES))


def test_settings_have_their_own_arrays(home: Path, source: Path, decodings: list[str]) -> None:
    decoded(source, NAMES, SMALL)
    assert decoded(source, NAMES, Decoding(8)).images.shape == (20, 3, 8, 8)
    assert decoded(source, NAMES, Decoding(16, crop=9)).images.shape == (20, 3, 16, 16)
    assert decoded(source, NAMES[:5], SMALL).images.shape == (5, 3, 16, 16)
    before = len(decodings)
    decoded(source, NAMES, SMALL)
    assert len(decodings) == before


def test_a_changed_file_is_decoded_again_and_the_old_array_goes(home, source, decodings) -> None:
    old = decoded(source, NAMES, SMALL).images
    copy = old.clone()
    picture(99).save(source / "3.png")
    os.utime(source / "3.png", ns=(1, 1))
    new = decoded(source, NAMES, SMALL).images
    assert not torch.equal(new[3], copy[3])
    assert torch.equal(new, expected(source, NAMES))
    assert torch.equal(old, copy), "whoever has the old array mapped keeps it"
    assert len(list(home.glob("*.bytes"))) == len(list(home.glob("*.json"))) == 1


@pytest.mark.parametrize("ending", ["bytes", "json"])
@pytest.mark.parametrize("damage", ["gone", "empty", "short", "other"])
def test_a_damaged_cache_is_made_again(home, source, ending, damage) -> None:
    decoded(source, NAMES, SMALL)
    (path,) = home.glob(f"*.{ending}")
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes({"empty": b"", "short": content[:-9], "other": b"[1]"}[damage])
    assert torch.equal(decoded(source, NAMES, SMALL).images, expected(source, NAMES))
    assert path.read_bytes() == content


def test_few_broken_files_are_left_out(home: Path, source: Path) -> None:
    (source / "4.png").write_bytes(b"")
    for _ in range(2):
        found = decoded(source, NAMES, SMALL)
        rest = [i for i in range(20) if i != 4]
        assert found.skipped == [("4.png", "an empty file")]
        assert found.rows.tolist() == rest
        assert torch.equal(found.images, expected(source, [f"{i}.png" for i in rest]))
    picture(4).save(source / "4.png")
    assert decoded(source, NAMES, SMALL).skipped == []


def test_a_file_that_appears_later_is_found(home: Path, source: Path) -> None:
    (source / "4.png").unlink()
    assert decoded(source, NAMES, SMALL).skipped == [("4.png", "no such file")]
    picture(4).save(source / "4.png")
    assert decoded(source, NAMES, SMALL).skipped == []


def test_more_broken_files_stop(home: Path, source: Path, capsys) -> None:
    for i in (4, 8):
        (source / f"{i}.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"at most 5% of 20 images .*got 2 .*4\.png: an empty file"
    ):
        decoded(source, NAMES, SMALL)
    assert capsys.readouterr().err == "", "nothing is announced that is not done"
    assert [path.suffix for path in home.iterdir()] == [".lock"]


def test_the_share() -> None:
    assert TOLERATED == 0.05
    assert tolerable(1, 2)
    assert not tolerable(1, 1)
    assert tolerable(5, 100)
    assert not tolerable(6, 100)


def test_conversions_are_counted(home: Path, source: Path) -> None:
    for i in (1, 2):
        picture(i).convert("L").save(source / f"{i}.png")
    for _ in range(2):
        assert decoded(source, NAMES, SMALL).problems == ["grey, converted to colour: 2 images"]


def test_a_full_disk_by_its_own_account(home, source, monkeypatch) -> None:
    monkeypatch.setattr(
        module.shutil, "disk_usage", lambda _: module.shutil._ntuple_diskusage(9, 9, 0)
    )
    with pytest.raises(
        OSError, match=r"cannot write the 0\.0 MB .*only 0\.0 MB are free; make room"
    ):
        decoded(source, NAMES, SMALL)
    assert [path.suffix for path in home.iterdir()] == [".lock"]


FILL = """
import resource, sys
from pathlib import Path
from ccvae.data.cache import decoded
from ccvae.data.decode import Decoding
resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))
try:
    decoded(Path(sys.argv[1]), [f"{i}.png" for i in range(20)], Decoding(16))
except OSError as error:
    print(error)
"""


def test_a_disk_that_fills_up_while_it_is_written(home: Path, source: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", FILL, source], capture_output=True, text=True, check=True
    )
    assert "cannot write the 0.0 MB of 20 decoded images to" in result.stdout
    assert "make room there, or name another folder in CCVAE_CACHE" in result.stdout
    assert len(result.stdout.splitlines()) == 1
    assert [path.suffix for path in home.iterdir()] == [".lock"]
    assert len(decoded(source, NAMES, SMALL).images) == 20


def test_a_cache_that_cannot_be_written(tmp_path: Path, source: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CCVAE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(OSError, match="name another folder in CCVAE_CACHE"):
        decoded(source, NAMES, SMALL)


BUILD = """
import sys
from pathlib import Path
from ccvae.data import cache
from ccvae.data.decode import Decoding
found = cache.decoded(Path(sys.argv[1]), [f"{i}.png" for i in range(20)], Decoding(16))
print(int(found.images.long().sum()), len(found.images))
"""


def test_two_processes_at_once(home: Path, source: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(source)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    results = [process.communicate(timeout=120) for process in both]
    total = int(expected(source, NAMES).long().sum())
    assert [out for out, _ in results] == [f"{total} 20\n"] * 2
    assert sorted(path.suffix for path in home.iterdir()) == [".bytes", ".json", ".lock"]


def test_a_second_builder_waits_and_takes_what_the_first_made(home, source, monkeypatch) -> None:
    started, go = threading.Event(), threading.Event()
    seen = []

    def slow(path: Path, decoding: Decoding) -> tuple[np.ndarray, str]:
        seen.append(path.name)
        started.set()
        assert go.wait(60)
        return decode(path, decoding)

    monkeypatch.setattr(module, "decode", slow)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(decoded(source, NAMES, SMALL)))
        for _ in range(2)
    ]
    threads[0].start()
    assert started.wait(60)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 20
    assert torch.equal(found[0].images, found[1].images)


def test_a_killed_builder_leaves_nothing_in_the_way(home: Path, source: Path) -> None:
    program = BUILD.replace(
        "from ccvae.data import cache", "import os\nfrom ccvae.data import cache"
    )
    program = program.replace("found =", "cache.os.fsync = lambda _: os._exit(9)\nfound =")
    assert subprocess.run([sys.executable, "-c", program, source], check=False).returncode == 9
    assert sum(path.name.startswith(".images-") for path in home.iterdir()) == 1
    assert not list(home.glob("images-*.bytes"))
    assert len(decoded(source, NAMES, SMALL).images) == 20
    assert sorted(path.suffix for path in home.iterdir()) == [".bytes", ".json", ".lock"]


MEASURE = """
import json, sys
from pathlib import Path
import torch
from ccvae.data import Binary, Dataset, LabelSpace
from ccvae.data.cache import decoded
from ccvae.data.decode import Decoding

def anonymous():
    line = next(l for l in open("/proc/self/status") if l.startswith("RssAnon"))
    return int(line.split()[1]) / 1024

names = json.loads(sys.argv[2])
images = decoded(Path(sys.argv[1]), names, Decoding(128)).images
rows = torch.arange(len(images))
space = LabelSpace([Binary("Odd")])
data = Dataset("made", images, (rows % 2).float()[:, None], None, space, rows[1:], rows[:1])
some = data.training(1.0, 0)
for epoch in range(1500 // len(images)):  # as many batches, whatever the size
    for batch in some.batches(20, seed=epoch):
        batch.x.sum()
print(anonymous())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_anonymous_memory_does_not_grow_with_the_data(home: Path, source: Path) -> None:
    # The same pictures again and again under other names: 100 and 1 500 images of 48 KiB.
    figures = {}
    for count in (100, 1500):
        names = [f"{'./' * (i // 20)}{i % 20}.png" for i in range(count)]
        command = [sys.executable, "-c", MEASURE, str(source), json.dumps(names)]
        for _ in range(2):  # the second run finds the array and decodes nothing
            run = subprocess.run(command, capture_output=True, text=True, check=True)
        figures[count] = float(run.stdout)
    # An array that is kept in memory and not in its file would take all of these.
    more = 1400 * 3 * 128**2 / 2**20
    assert figures[1500] - figures[100] < more / 2, figures

"""What the page answers: rooms, sliders, interventions, uploads, and everything that is wrong."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.special import ndtr

from ccvae.inference.catalogue import PROGRAMS
from ccvae.inference.runs.run import load
from ccvae.web.faces import Room
from ccvae.web.serve import PRETRAINED

from .conftest import client_of, make_run


def image_at(address):
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def answer(page, **asked):
    response = page.post("/api/faces", json=asked)
    assert response.status_code == 200, response.text
    return response.json()


def error_of(response):
    """The one sentence of a failure, which is never a traceback."""
    assert response.status_code >= 400
    assert response.headers["content-type"] == "application/json"
    words = response.json()["error"]
    assert "Traceback" not in words
    assert words.count("\n") == 0
    return words


class Elements(HTMLParser):
    """The addresses and inputs of a page."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.images = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in ("a", "link", "script", "img", "form"):
            self.addresses += [attributes[k] for k in ("href", "src", "action") if k in attributes]
        if tag == "img":
            self.images.append(attributes)


@pytest.mark.parametrize(
    "room", ["", "programs", "objectives", "train", "estimators", "faces", "nosuch"]
)
def test_a_room_refers_to_nothing_elsewhere(page, room):
    response = page.get(f"/{room}")
    assert response.status_code == (404 if room == "nosuch" else 200)
    elements = Elements(response.text)
    assert all(a.startswith(("/", "#", "data:image/png")) for a in elements.addresses)
    assert all(image.get("alt") for image in elements.images)
    assert "https://" not in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert 'aria-current="page"' in response.text or room == "nosuch"
    for part in ("style.css", "page.js", "icon.svg"):
        assert page.get(f"/static/{part}").status_code == 200


@pytest.mark.parametrize("labels", ["none", "all", "some"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_every_node_marks_the_statement_of_its_site(page, program, labels):
    text = page.get("/programs/view", params={"program": program, "labels": labels}).text
    nodes = set(re.findall(r'class="node [^"]*" data-node="([^"]*)"', text))
    marked = re.findall(r'<li value="(\d+)" data-nodes="([^"]*)"><code>(.*?)</code>', text)
    assert {"x"} < nodes
    assert nodes == {name for _, names, _ in marked for name in names.split()}
    statements = [code for _, _, code in marked if "sample" in code]
    assert len(statements) >= len(nodes)
    for _, names, code in marked:
        literal = re.search(r"&quot;(\w+)&quot;", code)
        if "sample" in code and literal and "{" not in code:
            assert names.split()[0] in literal[1]


def test_the_objective_decides_the_guides_arrows(page):
    texts = [
        page.get("/programs/view", params={"program": "ccvae", "objective": name}).text
        for name in ("ccvae", "adapted-diva")
    ]
    arrows = [re.search(r"Arrows of the guide: ([^.]*)", text)[1] for text in texts]
    assert "y to z_c" in arrows[0]
    assert "y to z_c" not in arrows[1]


def test_table_1_is_the_codes(page):
    text = page.get("/objectives").text
    for known in PROGRAMS.values():
        for name in known:
            assert f'id="{name}"' in text
    for element in re.findall(r"<math>.*?</math>", text):
        ET.fromstring(element)


def test_untouched_sliders_change_nothing(page):
    found = answer(page, face=1)
    assert found["blocks"] == found["typical"]
    assert set(found["blocks"]) == {"Smiling", "Hair", "Young"}
    assert len(found["blocks"]["Hair"]) == 4
    assert found["change"] == 0
    assert found["images"]["changed"] == found["images"]["reconstruction"]
    assert image_at(found["images"]["original"]).size == (64, 64)
    for table in ("posterior", "before", "seen"):
        for name, classes in (("Smiling", 2), ("Hair", 5)):
            q = found[table][name]
            assert len(q) == classes
            assert abs(sum(q) - 1) < 1e-5


def test_what_was_read_of_an_image_before_changes_no_answer(run):
    kept, asked = Room(run), {"face": 1, "blocks": {"Smiling": [0.7]}}
    kept.answer({"face": 1})
    kept.answer({"face": 1, "intervene": {"Hair": 2}})
    assert kept.answer(asked) == Room(run).answer(asked)


def test_a_slider_moves_its_label_alone(page, run):
    before = answer(page, face=0)
    after = answer(page, face=0, blocks={"Young": [1.5]})
    classifier = run.guide.classifier[0]
    score = classifier.slope[1] * 1.5 + classifier.intercept[1]
    assert after["posterior"]["Young"][1] == pytest.approx(ndtr(score).item(), abs=1e-6)
    for name in ("Smiling", "Hair"):
        assert after["posterior"][name] == before["posterior"][name]
        assert after["blocks"][name] == before["blocks"][name]
    assert after["before"] == before["before"]
    assert after["change"] > 0
    assert after["images"]["changed"] != before["images"]["changed"]


@pytest.mark.parametrize(("name", "code"), [("Smiling", 0), ("Smiling", 1), ("Hair", 3)])
def test_an_intervention_sets_the_block_to_the_mean_of_its_class(page, run, name, code):
    found = answer(
        page, face=2, blocks={name: [9.0] * (4 if name == "Hair" else 1)}, intervene={name: code}
    )
    prior = run.model.prior[0 if name == "Smiling" else 1]
    assert found["blocks"][name] == pytest.approx(prior.loc[0, code].tolist())
    q = found["posterior"][name]
    assert q.index(max(q)) == code


def test_two_people_do_not_see_each_other(run):
    people = [client_of(run), client_of(run)]
    states = [
        {"face": face, "intervene": {"Hair": face % 5}, "blocks": {"Young": [face - 2.0]}}
        for face in range(4)
    ]
    alone = [answer(people[0], **state) for state in states]
    with ThreadPoolExecutor(4) as pool:
        turns = [(people[i % 2], states[i % 4]) for i in range(24)]
        together = list(pool.map(lambda turn: answer(turn[0], **turn[1]), turns))
    assert together == alone * 6


WRONG = [
    ("", "expected a JSON object"),
    ("[1]", "expected a JSON object"),
    ("{" * 5000, "expected a JSON object"),
    ('{"face": 99}', "expected a face from 0 to"),
    ('{"face": true}', "expected a face from 0 to"),
    ('{"face": 1.0}', "expected a face from 0 to"),
    ('{"blocks": {"Smiling": [true]}}', "expected 1 numbers"),
    ('{"blocks": {"\\ud800": [1]}}', "unknown label"),
    ('{"face": -1}', "expected a face from 0 to"),
    ('{"face": "../../etc/passwd"}', "expected a face from 0 to"),
    ('{"blocks": 3}', "expected blocks by the names of labels"),
    ('{"blocks": {"Smug": [1]}}', "unknown label; this run has Smiling"),
    ('{"blocks": {"Smiling": [1, 2]}}', "expected 1 numbers"),
    ('{"blocks": {"Smiling": [NaN]}}', "expected 1 numbers"),
    ('{"blocks": {"Smiling": [1e300]}}', "expected 1 numbers"),
    ('{"blocks": {"Smiling": ["1"]}}', "expected 1 numbers"),
    ('{"intervene": {"Hair": 5}}', "expected a class of Hair from 0 to 4"),
    ('{"intervene": {"Hair": true}}', "expected a class of Hair"),
    ('{"upload": "%%%"}', "upload it again"),
    ('{"upload": 3}', "upload it again"),
    ('{"upload": "aGVsbG8="}', "not an image"),
]


@pytest.mark.parametrize(("body", "words"), WRONG)
def test_a_state_that_no_page_has(page, body, words):
    response = page.post("/api/faces", content=body)
    assert words in error_of(response)
    assert response.status_code == 400


def test_a_hundred_bad_requests_leave_it_running(page):
    before = answer(page, face=0)
    for position in range(100):
        body, _ = WRONG[position % len(WRONG)]
        assert page.post("/api/faces", content=body).status_code == 400
        assert page.post("/api/upload", content=bytes([position]) * position).status_code == 422
        assert page.get(f"/programs?program={position}").status_code == 400
        assert page.request("DELETE", "/api/faces").status_code == 405
    assert answer(page, face=0) == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "", "[::1]"])
def test_it_answers_under_its_own_name_only(page, host):
    response = page.get("/programs", headers={"host": host})
    assert "127.0.0.1" in error_of(response)
    assert response.status_code == 403
    assert page.get("/programs", headers={"host": "localhost:8123"}).status_code == 200


FOREIGN = [
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:8001"},
    {"origin": "http://127.0.0.1:8000.evil.example"},
    {"origin": "https://127.0.0.1:8000", "sec-fetch-site": "same-origin"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_other_sites_have_nothing_done(page, headers):
    for path in ("/api/train", "/api/train/any", "/api/faces", "/api/upload", "/api/ask"):
        for method in ("GET", "POST"):
            response = page.request(method, path, headers=headers, content=b"{}")
            assert response.status_code == 403
            assert "other sites" in error_of(response)


def test_other_sites_may_link(page):
    following = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert page.get("/faces", headers=following).status_code == 200
    own = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert page.post("/api/faces", json={}, headers=own).status_code == 200


NOT_SENT_BACK = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/api/train", f'{{"a": {{"program": "{NOT_SENT_BACK}"}}}}'.encode()),
        ("POST", "/api/train", f'{{"a": {{"objective": "{NOT_SENT_BACK}"}}}}'.encode()),
        ("POST", "/api/train", f'{{"seed": "{NOT_SENT_BACK}"}}'.encode()),
        ("POST", "/api/train", f'{{"a": "{NOT_SENT_BACK}"}}'.encode()),
        ("POST", "/api/train", NOT_SENT_BACK.encode()),
        ("GET", f"/programs?program={NOT_SENT_BACK}", b""),
        ("GET", f"/programs?labels={NOT_SENT_BACK}", b""),
        ("POST", "/api/faces", f'{{"face": "{NOT_SENT_BACK}"}}'.encode()),
        ("POST", "/api/faces", f'{{"blocks": {{"{NOT_SENT_BACK}": 1}}}}'.encode()),
        ("POST", "/api/faces", f'{{"blocks": "{NOT_SENT_BACK}"}}'.encode()),
        ("POST", "/api/faces", f'["{NOT_SENT_BACK}"]'.encode()),
        ("POST", "/api/upload", NOT_SENT_BACK.encode()),
    ],
)
def test_what_was_sent_is_not_sent_back(page, method, path, content):
    response = page.request(method, path, content=content)
    assert response.status_code in (400, 422)
    assert "alert" not in response.text


PARTS = ("face", "upload", "blocks", "intervene")

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Smiling", "Hair", "Young"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["face", "upload", "blocks", "intervene", "Smiling", "Hair"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(
    VALUES | st.fixed_dictionaries({}, optional={k: VALUES for k in ("face", "upload", "blocks")})
)
def test_no_json_makes_it_fail(page, value):
    response = page.post("/api/faces", json=value)
    assert response.status_code in (200, 400)
    assert response.json()


def test_a_picture_of_too_many_pixels_is_not_decoded(page, picture, monkeypatch):
    monkeypatch.setattr("ccvae.web.pictures.PIXELS", 10**6)
    monkeypatch.setattr("ccvae.web.pictures.decode_file", None)
    response = page.post("/api/upload", content=picture((1001, 1000)))
    assert response.status_code == 422
    assert "more than 1 million pixels" in error_of(response)


def test_too_much_is_refused(page):
    much = bytes(17 * 2**20)
    assert "choose a smaller image" in error_of(page.post("/api/upload", content=much))
    pieces = (much[: 2**20] for _ in range(17))  # without a length that says so beforehand
    response = page.post("/api/upload", content=pieces)
    assert response.status_code == 413
    assert "choose a smaller image" in error_of(response)


def test_an_upload_is_cut_to_a_square_and_seen(page, picture):
    wide = picture((300, 100))
    found = page.post("/api/upload", content=wide).json()
    shown = Image.open(io.BytesIO(base64.b64decode(found["image"])))
    assert shown.size == (64, 64)
    middle = Image.open(io.BytesIO(wide)).crop((100, 0, 200, 100)).resize((64, 64), 2)
    assert shown.tobytes() == middle.tobytes()
    seen = image_at(answer(page, upload=found["image"])["images"]["original"])
    assert seen.tobytes() == shown.tobytes()


def test_an_upload_unlike_the_training_is_said_to_be(tmp_path, picture):
    made = load(PRETRAINED, torch.device("cpu"))
    page = client_of(made)

    def said(content):
        upload = page.post("/api/upload", content=content).json()["image"]
        return answer(page, upload=upload)["unlike"]

    noise = torch.randint(0, 256, (64, 64, 3), generator=torch.Generator().manual_seed(0))
    buffer = io.BytesIO()
    Image.fromarray(noise.byte().numpy()).save(buffer, "PNG")
    assert "unlike those that the run was trained on" in said(buffer.getvalue())
    assert "off by 0.2" in said(buffer.getvalue())
    buffer = io.BytesIO()
    image_at(answer(page, face=0)["images"]["original"]).save(buffer, "PNG")
    assert said(buffer.getvalue()) == ""
    assert answer(page, face=0)["unlike"] == ""


@pytest.mark.parametrize(
    ("options", "remark"),
    [
        ({"form": "JPEG"}, ""),
        ({"form": "WEBP"}, ""),
        ({"mode": "L"}, "grey"),
        ({"mode": "RGBA"}, "transparent"),
        ({"mode": "I;16"}, "grey"),
        ({"size": (1, 1)}, ""),
    ],
)
def test_uploads_of_every_kind(page, picture, options, remark):
    response = page.post("/api/upload", content=picture(**options))
    assert response.status_code == 200, response.text
    assert remark in response.json()["remark"]


def test_the_cameras_orientation_is_applied(page):
    image = Image.new("RGB", (40, 40), "black")
    image.paste("white", (0, 0, 40, 20))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif)
    found = page.post("/api/upload", content=buffer.getvalue()).json()
    shown = Image.open(io.BytesIO(base64.b64decode(found["image"])))
    assert shown.getpixel((32, 8)) < (60, 60, 60)
    assert shown.getpixel((32, 56)) > (200, 200, 200)


def bomb():
    """A PNG that says it has ten thousand million pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = (100_000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"not an image", "not an image, or damaged at its start"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image"),
        (bomb(), "decompression bomb"),
        ("truncated", "damaged"),
    ],
)
def test_a_bad_file_gives_a_friendly_message(page, picture, content, words):
    if content == "truncated":
        content = picture((200, 200), "JPEG")[:700]
    response = page.post("/api/upload", content=content)
    assert response.status_code == 422
    assert error_of(response).startswith("this file cannot be used: ")
    assert words in response.json()["error"]
    assert "choose a PNG or a JPEG" in response.json()["error"]


def test_grey_images_of_another_size(tmp_path, picture):
    page = client_of(make_run(tmp_path / "run", "digits"))
    upload = page.post("/api/upload", content=picture((50, 50))).json()["image"]
    found = answer(page, upload=upload, intervene={"Digit": 7})
    q = found["posterior"]["Digit"]
    assert (len(q), q.index(max(q))) == (10, 7)
    assert image_at(found["images"]["original"]).size == (28, 28)
    assert "Face 1: Digit" in page.get("/faces").text


@pytest.mark.parametrize("program", ["vae", "m2"])
def test_a_run_without_blocks_says_which_rooms_it_has(tmp_path, program):
    page = client_of(make_run(tmp_path / "run", program=program, only="Smiling"))
    text = page.get("/faces").text
    assert f"this run is of the program &#39;{program}&#39;" in text
    response = page.post("/api/faces", json={})
    assert response.status_code == 404
    assert "Programs and Objectives" in error_of(response)
    assert page.get("/programs").status_code == 200


def test_a_failure_is_one_sentence(page, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(torch, "zeros", fail)
    response = page.post("/api/faces", json={"face": 0})
    assert response.status_code == 500
    assert "secret" not in error_of(response)

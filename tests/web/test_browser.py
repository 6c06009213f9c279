"""The page in a browser: every room, by mouse and by keyboard, wide and narrow, light and dark.

Needs Chromium and its driver; without them these tests are skipped, unless the environment
variable ``CCVAE_BROWSER`` is ``required``, as it is in continuous integration.
"""

import json
import os
import re
import shutil
import statistics
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
import torch
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from ccvae.data import Dataset
from ccvae.inference.runs.run import load
from ccvae.studies import Subject
from ccvae.studies.report.sliders import write_sliders
from ccvae.web.faces import Room
from ccvae.web.serve import PRETRAINED

from .conftest import served
from .test_theirs import OBJECTIVE, PAIR

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

if not (CHROMIUM and DRIVER) and os.environ.get("CCVAE_BROWSER") != "required":
    pytest.skip("no chromium and chromedriver here", allow_module_level=True)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    # Paths are given, for without them Selenium would look for a driver elsewhere.
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # as root Chromium starts no other way
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium):
    """A wide, light window, with a log that has nothing in it yet."""
    window(chromium, 1440)
    drain(chromium)
    return chromium


def window(browser, width, scheme="light"):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def drain(browser):
    """What was logged since the last time: messages of the console, and hosts that were asked."""
    hosts = set()
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            parts = urlsplit(message["params"]["request"]["url"])
            if parts.scheme not in ("data", "blob", "chrome"):
                hosts.add(parts.netloc)
    return [entry["message"] for entry in browser.get_log("browser")], hosts


def clean(browser, address):
    """Assert that nothing went wrong, and that nobody else was asked."""
    messages, hosts = drain(browser)
    assert messages == []
    assert hosts <= {urlsplit(address).netloc}


PATIENCE = 600
"""Seconds: what comes to nothing fails, and what is slow beside other load does not."""


def wait(browser, condition, what):
    return WebDriverWait(browser, PATIENCE, 0.02).until(lambda _: condition(), what)


def one(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def text(browser, selector):
    return browser.execute_script(
        "return document.querySelector(arguments[0]).textContent", selector
    )


def source(browser, name):
    return browser.execute_script("return document.getElementById(arguments[0]).src", name)


def open_faces(browser, address):
    browser.get(f"{address}faces")
    wait(browser, lambda: source(browser, "map").startswith("data:"), "the first answer")
    # An answer is measured only when its pictures have been decoded.
    wait(browser, lambda: answers(browser), "the first measure")


def answers(browser):
    """Milliseconds from each event to its pictures."""
    return browser.execute_script(
        "return performance.getEntriesByName('answer').map((entry) => entry.duration)"
    )


def test_programs_by_mouse(browser, address):
    browser.get(f"{address}programs")
    browser.execute_script(
        "document.querySelector('.node[data-node=z_c]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    marked = browser.find_elements(By.CSS_SELECTOR, ".listing li.marked code")
    assert len(marked) == 2
    assert all("pyro.sample" in line.text for line in marked)
    assert "models/ccvae.py, line" in text(browser, "#said")
    Select(one(browser, "[name=program]")).select_by_value("diva")
    wait(browser, lambda: "z_d" in text(browser, "#view svg"), "DIVA's figure")
    assert one(browser, "[name=objective]").get_attribute("value") == "diva"
    assert "program=diva" in browser.current_url
    clean(browser, address)


def press_node(browser, name):
    browser.execute_script(
        "document.querySelector(`.node[data-node=${arguments[0]}]`)"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        name,
    )


def lit(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('.arrow.lit')]"
        ".map((arrow) => `${arrow.dataset.parent}-${arrow.dataset.child}`).sort()"
    )


def test_two_nodes_and_what_is_given(browser, address):
    browser.get(f"{address}programs?program=diva")
    one(browser, "[name=click][value=ask]").click()
    for name in ("z_d", "z_y"):
        press_node(browser, name)
    wait(browser, lambda: "z_d and z_y are independent" in text(browser, "#answer"), "the answer")
    assert lit(browser) == []
    press_node(browser, "x")
    wait(browser, lambda: lit(browser) == ["z_d-x", "z_y-x"], "the path")
    assert "z_d → x ← z_y is open" in text(browser, "#answer")
    browser.get(browser.current_url)  # as somebody to whom the address was sent
    wait(browser, lambda: lit(browser) == ["z_d-x", "z_y-x"], "the path again")
    one(browser, "[name=lacks]").click()
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".arrow.missing"), "what it lacks")
    one(browser, "[name=click][value=blanket]").click()
    press_node(browser, "z_y")
    around = "return document.querySelectorAll('.node.around').length"
    wait(browser, lambda: browser.execute_script(around) == 4, "the blanket")
    one(browser, "#large").click()
    box = one(browser, "#view svg.plates").rect
    assert box["height"] > 500
    press(browser, Keys.ESCAPE)
    assert one(browser, "h1").is_displayed()
    clean(browser, address)


def test_only_what_belongs_to_the_present_question_stands_there(browser, address):
    window(browser, 1440)
    browser.get(f"{address}programs")
    place = "return document.querySelector('.figure svg').getBoundingClientRect().top"
    top = browser.execute_script(place)
    assert top < 450  # in sight beside the question
    press_node(browser, "z_c")
    assert text(browser, "#said").startswith("z_c: ")
    one(browser, "[name=click][value=ask]").click()
    for name in ("y", "z_style"):
        press_node(browser, name)
    wait(browser, lambda: "y ⊥ z_\\c" in text(browser, "#answer"), "the answer")
    assert one(browser, "[name=second]").get_attribute("value") == "z_\\c"
    assert "second=z_style" in browser.current_url
    assert text(browser, "#said") == ""
    assert browser.find_elements(By.CSS_SELECTOR, ".listing li.marked") == []
    assert browser.execute_script(place) == top
    one(browser, "[name=lacks]").click()
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".lacks"), "what it lacks")
    assert text(browser, "#answer") == ""
    assert one(browser, "[name=first]").get_attribute("value") == ""
    clean(browser, address)


def test_the_graph_is_asked_by_keyboard(browser, address):
    browser.get(f"{address}programs?program=diva&click=ask")
    for name in ("z_d", "z_x", "x"):
        tab_to(browser, f'.node[data-node="{name}"]')
        press(browser, Keys.ENTER)
        browser.execute_script(
            "document.activeElement.blur(); document.querySelector('h1').focus()"
        )
    wait(browser, lambda: lit(browser) == ["z_d-x", "z_x-x"], "the path")
    clean(browser, address)


def test_light_and_size_stay(browser, address):
    browser.get(f"{address}programs")
    shade = "return getComputedStyle(document.body).backgroundColor"
    light = browser.execute_script(shade)
    Select(one(browser, "[name=theme]")).select_by_value("dark")
    Select(one(browser, "[name=size]")).select_by_value("large")
    assert "theme=dark" in browser.current_url
    assert browser.execute_script(shade) != light
    browser.get(f"{address}faces")
    assert browser.execute_script(shade) != light
    assert browser.execute_script("return getComputedStyle(document.body).fontSize") == "24px"
    browser.execute_script("localStorage.clear()")
    clean(browser, address)


def trained(browser, words="Paused"):
    wait(browser, lambda: words in text(browser, "#said"), words)


def kept(browser):
    """What the server has of the training that is shown."""
    ask = "const [found] = arguments; fetch(`/api/train/${new URLSearchParams(location.search)"
    return browser.execute_async_script(ask + ".get('run')}`).then((a) => a.json()).then(found)")


def agree(browser):
    """Whether page and server have a training at rest, after as many steps."""
    found = kept(browser)
    said = f"Paused after {len(found['steps'])} steps."
    return found["status"] == "paused" and text(browser, "#said") == said


def paused(browser):
    """Pause a training, and count its steps.

    One that nobody looked at for a while, as under load, has paused by itself, and the button that
    was to pause it lets it go on.
    """

    def rests():
        if not agree(browser) and text(browser, "#go") == "Pause":
            one(browser, "#go").click()
        return agree(browser)

    wait(browser, rests, "a pause")
    return len(kept(browser)["steps"])


def test_answers_that_overtake_each_other_show_each_step_once(browser, address):
    browser.get(f"{address}train?program_b=m2&objective_b=m2")
    one(browser, "button.primary").click()
    wait(browser, lambda: int(one(browser, "#scrub").get_attribute("value")) > 1, "steps")
    done = paused(browser)
    browser.execute_script(
        "const asked = window.fetch; window.late = 0; window.fetch = async (to, options) => {"
        "  const answer = await asked(to, options);"
        "  if (!options?.method) await new Promise((go) => setTimeout(go, 1500 / ++window.late));"
        "  return answer; }"
    )
    for _ in range(3):
        one(browser, "#step").click()
    wait(browser, lambda: len(kept(browser)["steps"]) == done + 3, "three steps")
    wait(browser, lambda: agree(browser), "as many on the page")
    clean(browser, address)


def test_a_training_is_paused_stepped_and_scrubbed(browser, address):
    browser.get(f"{address}train?program_b=m2&objective_b=m2&label=Eyeglasses")
    assert Select(one(browser, "[name=objective_a]")).first_selected_option.text == "ccvae"
    one(browser, "button.primary").click()
    wait(browser, lambda: source(browser, "originals").startswith("data:"), "the first frame")
    wait(browser, lambda: int(one(browser, "#scrub").get_attribute("value")) > 1, "steps")
    done = paused(browser)
    terms = names_of_charts(browser)
    assert {"-log q(z_c|x,y_observed)", "-log q(z|x,y)", "accuracy"} <= set(terms)
    before = browser.execute_script("return document.querySelector('.rebuilt').src")
    one(browser, "#step").click()
    trained(browser, f"Paused after {done + 1} steps")
    frame = "return document.querySelector('.pupil .of').textContent"
    wait(browser, lambda: browser.execute_script(frame) == str(done + 1), "its picture")
    assert browser.execute_script("return document.querySelector('.rebuilt').src") != before
    assert len(browser.find_elements(By.CSS_SELECTOR, ".plane g path")) == 240
    assert browser.find_elements(By.CSS_SELECTOR, ".axes text")
    one(browser, "#scrub").send_keys(Keys.HOME)
    wait(browser, lambda: browser.execute_script(frame) == "0", "the beginning")
    one(browser, "#newest").click()
    browser.get(browser.current_url)  # a reload finds the run again
    trained(browser, f"Paused after {done + 1} steps")
    slide(browser, "[name=alpha_a]", 4)
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".events path"), "the change")
    assert "α of A 10000" in text(browser, ".events title")
    one(browser, "#step").click()
    trained(browser, f"Paused after {done + 2} steps")
    clean(browser, address)


def slide(browser, selector, value):
    browser.execute_script(
        "const [slider, value] = arguments; slider.value = value;"
        "for (const name of ['input', 'change'])"
        " slider.dispatchEvent(new Event(name, {bubbles: true}))",
        one(browser, selector),
        value,
    )


def names_of_charts(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('.chart')].map((chart) => chart.dataset.term)"
    )


def test_a_slider_changes_the_picture(browser, address, record_property):
    open_faces(browser, address)
    box = one(browser, '[data-label="Eyeglasses"]')
    slider = box.find_element(By.CSS_SELECTOR, ".block")
    for position in range(12):
        before, count = source(browser, "changed"), len(answers(browser))
        browser.execute_script(
            "const [slider, share] = arguments; const low = Number(slider.min);"
            "slider.value = low + share * (slider.max - low);"
            "slider.dispatchEvent(new Event('input', {bubbles: true}))",
            slider,
            0.9 if position % 2 else 0.1,
        )
        wait(browser, lambda n=count: len(answers(browser)) > n, "an answer")
        assert source(browser, "changed") != before
    median = statistics.median(answers(browser)[1:])
    record_property("milliseconds_from_slider_to_picture", median)
    print(f"\nfrom a slider's event to its picture: {median:.0f} ms, median of 12")
    clean(browser, address)


def test_an_intervention_changes_the_labels_posterior(browser, address):
    open_faces(browser, address)
    box = one(browser, '[data-label="Eyeglasses"]')
    reading = '[data-label="Eyeglasses"] .now'
    chosen = Select(box.find_element(By.CSS_SELECTOR, ".class"))
    for name, low, high in (("yes", 0.9, 1), ("no", 0, 0.1)):
        chosen.select_by_visible_text(name)
        wait(browser, lambda a=low, b=high: a <= float(text(browser, reading)) <= b, name)
    slider = box.find_element(By.CSS_SELECTOR, ".block")
    assert not slider.is_enabled()
    box.find_element(By.CSS_SELECTOR, ".intervene").click()
    wait(browser, slider.is_enabled, "the block to be free again")
    wait(browser, lambda: "Every block is where the guide put it" in text(browser, "#said"), "rest")
    clean(browser, address)


def test_an_image_of_ones_own(browser, address, picture, tmp_path):
    open_faces(browser, address)
    before = source(browser, "original")
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(picture((90, 120)))
    bad.write_text("this is no image")
    one(browser, "#file").send_keys(str(good))
    wait(browser, lambda: source(browser, "original") != before, "the image")
    clean(browser, address)
    one(browser, "#file").send_keys(str(bad))
    wait(browser, lambda: "This file cannot be used" in text(browser, "#trouble"), "a message")
    messages, hosts = drain(browser)  # Chromium notes every answer of 400 and more by itself
    assert all("/api/upload" in message and "422" in message for message in messages)
    assert hosts <= {urlsplit(address).netloc}


def module(browser, name, expression):
    """What an expression of a module of the page's gives; the module is called ``it``."""
    return browser.execute_async_script(
        f"import('/static/{name}').then((it) => arguments[0]({expression}))"
    )


def test_the_normal_distribution_and_the_toys(browser, address):
    browser.get(f"{address}estimators")
    at = [-30.0, -5.5, -1.0, 0.0, 0.3, 4.0]
    found = module(browser, "normal.js", f"{at}.map(it.logPhi)")
    assert found == pytest.approx(
        torch.special.log_ndtr(torch.tensor(at).double()).tolist(), abs=2e-7
    )
    toy = {"x": 0.7, "m": 0.4, "s": 0.8, "b": 0.5}
    assert module(browser, "toy.js", f"it.truth({toy})") == pytest.approx(
        derivative(**toy), abs=1e-6
    )
    twice = f"[0, 0].map(() => it.estimates({toy}, 3, 50, 4))"
    assert len({json.dumps(each) for each in module(browser, "toy.js", twice)}) == 1
    means = module(browser, "toy.js", f"Object.values(it.estimates({toy}, 100, 2000, 1))")
    truth, drawn = derivative(**toy), [torch.tensor(each) for each in means]
    for estimates, bias in zip(drawn, (0, 0, -truth), strict=True):
        error = estimates.std() / len(estimates) ** 0.5
        assert abs(estimates.mean() - truth - bias) < 5 * error
    probit = {"w": 2, "mean": -1.2, "deviation": 1}
    assert module(browser, "toy.js", f"it.exact({probit})") == pytest.approx(-1.95499, abs=1e-5)
    low = module(browser, "toy.js", f"it.byDraws({probit}, [10, 100], 2000, 0)")
    assert low[0]["bias"] > 5 * low[1]["bias"] > 0


def derivative(x, m, s, b):
    """Of the bound by b, by automatic differentiation and a grid of its own."""
    z = torch.linspace(m - 9 * s, m + 9 * s, 20_001, dtype=torch.float64)
    b = torch.tensor(b, dtype=torch.float64, requires_grad=True)
    normal = torch.distributions.Normal
    q_z = normal(m, s).log_prob(z)
    inner = 0
    for sign in (-1, 1):
        log_q = torch.special.log_ndtr(sign * (z + b))
        joint = torch.tensor(0.5).log() + normal(2.0 * sign, 1.0).log_prob(z)
        inner = inner + log_q.exp() * (
            joint + normal(z, 1.0).log_prob(torch.tensor(x)) - q_z - log_q
        )
    (q_z.exp() * inner).sum().mul(z[1] - z[0]).backward()
    return b.grad.item()


def test_estimators_are_drawn_and_their_state_is_in_the_address(browser, address):
    browser.get(f"{address}estimators")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".panels svg")) == 6
    before = text(browser, "tbody")
    slide(browser, "#label [name=draws]", 30)
    wait(browser, lambda: text(browser, "tbody") != before, "other estimates")
    slide(browser, "#average [name=K]", 100)
    wait(browser, lambda: "With K = 100" in text(browser, "#average ~ .said"), "an average")
    after = text(browser, "tbody")
    browser.get(browser.current_url)
    assert text(browser, "tbody") == after
    clean(browser, address)


def taken(browser, label, selector="main"):
    """The first letters of what a click on a button downloads."""
    browser.execute_script(
        "window.taken = []; const make = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => {"
        " blob.text().then((text) => window.taken.push(text.slice(0, 400)));"
        " return make.call(URL, blob); };"
        "HTMLAnchorElement.prototype.click = function () {};"
        "[...document.querySelector(arguments[0]).querySelectorAll('.take button')]"
        ".find((b) => b.textContent === arguments[1]).click()",
        selector,
        label,
    )
    return wait(browser, lambda: browser.execute_script("return window.taken")[:1], label)[0]


@pytest.mark.parametrize(
    ("room", "selector", "kind", "start"),
    [
        ("programs", "#view", "SVG", "<svg"),
        ("programs", "#view", "PNG", "\ufffdPNG"),
        ("programs", "#view", "TikZ", "\\documentclass"),
        ("programs", "#view", "LaTeX", "% model"),
        ("programs", "#view > .card", "CSV", "Program,Site"),
        ("objectives", "main", "LaTeX", "\\"),
        ("estimators", "main", "SVG", "<svg"),
        ("estimators", "main", "CSV", "estimator,mean"),
        ("faces", "main", "PNG", "\ufffdPNG"),
        ("faces", "main", "CSV", "label,class"),
    ],
)
def test_what_is_shown_can_be_taken_along(browser, address, room, selector, kind, start):
    if room == "faces":
        open_faces(browser, address)
    else:
        browser.get(f"{address}{room}")
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".take button"), "buttons")
    assert taken(browser, kind, selector).startswith(start)
    clean(browser, address)


def test_the_faces_state_is_in_the_address(browser, address):
    browser.get(f"{address}faces?face=3&move=Young:1.5&set=Eyeglasses:1;Hair:99;Smug:1")
    wait(browser, lambda: "Young" in text(browser, "#said"), "the summary")
    assert "Eyeglasses" in text(browser, "#said")
    assert one(browser, "[name=face][value='3']").is_selected()
    assert "move=Young%3A1.5" in browser.current_url
    assert "set=Eyeglasses%3A1" in browser.current_url
    assert "Hair" not in browser.current_url
    clean(browser, address)


@pytest.fixture
def folder(exported):
    """An exported page on the plainest of web servers."""
    handler = partial(SimpleHTTPRequestHandler, directory=exported)
    handler.func.log_message = lambda *_: None
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_folder_without_a_server(browser, folder):
    browser.get(f"{folder}programs.html?program=diva&click=ask&first=z_y&second=z_d&given=x")
    wait(browser, lambda: lit(browser) == ["z_d-x", "z_y-x"], "the path")
    one(browser, "[name=lacks]").click()
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, ".arrow.missing"), "what it lacks")
    browser.get(f"{folder}programs.html?program=ccvae&first=y&second=x&do=z_c")
    wait(
        browser, lambda: "x ⊥ y | do(z_c)" in text(browser, "#answer"), "what was set from outside"
    )
    browser.get(f"{folder}programs.html?program=ccvae&first=y&second=nosuch")
    wait(browser, lambda: "choose among" in text(browser, "#answer"), "the names")
    assert "z_\\c" in text(browser, "#answer")
    browser.get(f"{folder}train.html")
    assert "These trainings were recorded" in text(browser, ".lead")
    one(browser, "#play").click()
    trained(browser, "Done: 10 steps")
    frame = "return document.querySelector('.pupil .of').textContent"
    wait(browser, lambda: browser.execute_script(frame) == "10", "the last frame")
    one(browser, "#scrub").send_keys(Keys.HOME)
    wait(browser, lambda: browser.execute_script(frame) == "0", "the first frame")
    browser.get(f"{folder}faces.html")
    wait(browser, lambda: source(browser, "map").startswith("data:"), "the face")
    before = source(browser, "changed")
    box = one(browser, '[data-label="Hair"]')
    box.find_element(By.CSS_SELECTOR, ".intervene").click()
    wait(browser, lambda: source(browser, "changed") != before, "the intervention")
    slide(browser, '[data-label="Young"] .block', 39)
    wait(browser, lambda: "Young" in text(browser, "#said"), "the slider")
    assert not box.find_element(By.CSS_SELECTOR, ".intervene").is_selected()
    browser.get(f"{folder}estimators.html")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".panels svg")) == 6
    browser.get(f"{folder}objectives.html")
    clean(browser, folder)


def press(browser, *keys):
    """Keys for whatever has the focus."""
    ActionChains(browser).send_keys(*keys).perform()


def tab_to(browser, selector, limit=60):
    for _ in range(limit):
        press(browser, Keys.TAB)
        if browser.execute_script("return document.activeElement.matches(arguments[0])", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


def test_by_keyboard_alone(browser, address):
    browser.get(f"{address}programs")
    tab_to(browser, ".skip")
    tab_to(browser, 'nav a[href="/faces"]')
    tab_to(browser, '.node[data-node="z_c"]')
    assert (
        browser.execute_script(
            "return getComputedStyle(document.activeElement.querySelector('.outline')).strokeWidth"
        )
        == "4px"
    )  # the focus is seen
    press(browser, Keys.ENTER)
    assert len(browser.find_elements(By.CSS_SELECTOR, ".listing li.marked")) == 2
    open_faces(browser, address)
    tab_to(browser, '[name="face"]')
    count = len(answers(browser))
    press(browser, Keys.ARROW_RIGHT)
    wait(browser, lambda: len(answers(browser)) > count, "the next face")
    tab_to(browser, '[data-label="Smiling"] .intervene')
    count, before = len(answers(browser)), source(browser, "changed")
    press(browser, Keys.SPACE)
    wait(browser, lambda: len(answers(browser)) > count, "the intervention")
    assert source(browser, "changed") != before
    tab_to(browser, '[data-label="Young"] .block')
    count, before = len(answers(browser)), source(browser, "changed")
    press(browser, *[Keys.ARROW_LEFT] * 10)
    wait(browser, lambda: len(answers(browser)) > count, "the slider")
    assert source(browser, "changed") != before
    clean(browser, address)


def test_a_training_by_keyboard_alone(browser, address):
    browser.get(f"{address}train?program_a=m2&program_b=m2")
    tab_to(browser, "button.primary")
    press(browser, Keys.ENTER)
    wait(browser, lambda: one(browser, "#go").is_displayed(), "the controls")
    tab_to(browser, "#go")
    wait(browser, lambda: "Training" in text(browser, "#said"), "steps")
    press(browser, Keys.SPACE)
    trained(browser)
    done = int(one(browser, "#scrub").get_attribute("value"))
    tab_to(browser, "#step")
    press(browser, Keys.ENTER)
    trained(browser, f"Paused after {done + 1} steps")
    tab_to(browser, "#scrub")
    press(browser, Keys.ARROW_LEFT)
    assert one(browser, "#scrub").get_attribute("value") == str(done)
    browser.get(f"{address}estimators")
    tab_to(browser, "#label [name=draws]")
    before = text(browser, "tbody")
    press(browser, Keys.ARROW_RIGHT)
    wait(browser, lambda: text(browser, "tbody") != before, "other estimates")
    clean(browser, address)


def test_a_pair_and_an_objective_of_ones_own(browser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.py").write_text(PAIR)
    (tmp_path / "aims.py").write_text(OBJECTIVE)
    words = ("pairs:model,guide", "--inputs", "pairs:batches", "--objective", "aims:Plain")
    with served(*words) as url:
        browser.get(f"{url}objectives")
        assert "aims:Plain" in text(browser, "article.yours h3")
        browser.get(f"{url}train?program_b=own")  # both sides; Pyro's and the page's own choice
        assert "120 steps on the minibatches of pairs:batches" in text(browser, "#said")
        assert not one(browser, "[name=share]").is_displayed()  # which the pair does not have
        begin = one(browser, "#choice button.primary")
        begin.click()
        assert (begin.is_enabled(), text(browser, "#said")) == (False, "The training begins…")
        wait(browser, lambda: re.search(r"Training: \d\d", text(browser, "#said")), "some steps")
        one(browser, "#go").click()
        wait(browser, lambda: text(browser, "#said").startswith("Paused"), "the pause")
        assert text(browser, ".pupil .name") == "yours, pyro:TraceEnum_ELBO"
        for name in (".own-originals img", ".rebuilt"):
            assert one(browser, f".pupil {name}").get_attribute("src").startswith("data:image")
        assert one(browser, "#faces").is_displayed() is False
        assert len(browser.find_elements(By.CSS_SELECTOR, ".pupil[data-side=a] .plane path")) == 11
        clean(browser, url)
        browser.get("about:blank")  # a page that is still open would ask a server that has ended


def test_two_people_at_one_training(browser, address):
    """What one of them does to it, the other sees; a training of one's own is one's own."""
    browser.get(f"{address}train?program_a=m2&program_b=m2")
    one(browser, "button.primary").click()
    wait(browser, lambda: "run=" in browser.current_url, "its name")
    mine, shared = browser.current_window_handle, browser.current_url
    browser.switch_to.new_window("tab")
    window(browser, 390, "dark")
    browser.get(shared)
    wait(browser, lambda: one(browser, "#go").is_displayed(), "the controls")
    one(browser, "#go").click()
    trained(browser)
    browser.switch_to.window(mine)
    trained(browser)
    before = text(browser, "#said")
    one(browser, "#step").click()
    wait(browser, lambda: text(browser, "#said") != before, "the step")
    trained(browser)
    done = text(browser, "#said")
    browser.switch_to.window(next(w for w in browser.window_handles if w != mine))
    wait(browser, lambda: text(browser, "#said") == done, "the other's step")
    browser.close()
    browser.switch_to.window(mine)
    clean(browser, address)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_room_fits_and_can_be_read(browser, address, width, scheme):
    window(browser, width, scheme)
    for room in ("programs", "objectives", "train", "estimators", "faces"):
        browser.get(f"{address}{room}?size=large")  # for a lecture, where all is larger
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, room
        browser.get(f"{address}{room}?size=plain")
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, room
        faint = browser.execute_script(FAINT)
        assert faint == [], room
        unnamed = browser.execute_script(UNNAMED)
        assert unnamed == [], room
    clean(browser, address)


FAINT = """
const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
function luminance(colour) {
  const [r, g, b] = channels(colour).map((v) => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function behind(element) {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (channels(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
}
const seen = (e) => e.getClientRects().length && !e.closest("svg, noscript, script, :disabled");
const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
const found = new Set();
for (const e of document.querySelectorAll("main *, header *, footer")) {
  if (!own(e) || !seen(e)) continue;
  const [a, b] = [luminance(getComputedStyle(e).color), luminance(behind(e))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) found.add(`${e.tagName}.${e.className} ${contrast.toFixed(2)}`);
}
return [...found];
"""
"""Texts whose contrast with what lies behind them is below 4.5, as WCAG 2 (1.4.3) asks for."""

UNNAMED = """
const labelled = (e) => [...(e.labels ?? [])]
  .some((label) => label.textContent.trim() || label.querySelector("img[alt]"));
const named = (e) => ["alt", "aria-label", "aria-labelledby"].some((name) => e.getAttribute(name));
return [...document.querySelectorAll("input, select, button, img, svg[role], [role=region]")]
  .filter((e) => !named(e) && !labelled(e) && !e.textContent.trim())
  .map((e) => e.outerHTML.slice(0, 80));
"""
"""Controls and pictures without a text for those who do not see them."""


def test_the_static_version_opens_from_disk(browser, tmp_path):
    room = Room(load(PRETRAINED, torch.device("cpu")))
    images = (room.images * 255).round().byte()
    rows = torch.arange(len(images))
    made = Dataset("kept", images, room.labels, None, room.space, rows[:0], rows)
    subject = Subject(room.run.model, room.run.guide, made.subset(made.test))
    browser.get(write_sliders(tmp_path, subject, "CC-VAE").as_uri())
    place = "return getComputedStyle(document.querySelector('.picture')).backgroundPosition"
    before = browser.execute_script(place)
    alt = one(browser, ".picture").get_attribute("aria-label")
    tab_to(browser, '[type="range"]')
    press(browser, Keys.END if "at no" in alt else Keys.HOME)
    assert browser.execute_script(place) != before
    assert one(browser, ".picture").get_attribute("aria-label") != alt
    window(browser, 390, "dark")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    assert browser.execute_script(FAINT) == []
    messages, hosts = drain(browser)
    assert messages == []
    assert hosts <= {""}  # a file has no host

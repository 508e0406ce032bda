"""The page "Try it" in headless Chromium: the same pixels, the same answers as Python."""

import base64
import json
import re
import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data as pictures

from ferbook.core.classes import CLASSES
from ferbook.core.structured import read_json
from ferbook.inference import classifier, detector, media
from ferbook.inference.centerface import network, search
from ferbook.paper import try_it

cv2 = pytest.importorskip("cv2")
# Rounding in eight bits differs between processors' kernels: Python's onnxruntime differs from
# itself by up to 0.06 when its graph optimizations are switched off.
INT8_TOLERANCE = 0.15
FLOAT_TOLERANCE = 1e-3
ANSWERS = "[...document.querySelectorAll('[data-part=answers] tbody tr')]"
STATUS = "document.querySelector('[data-part=status]').textContent"
SIZES = [(48, 48), (20, 30), (64, 40), (47, 61), (96, 96), (96, 144), (143, 144), (301, 500)]


@pytest.fixture(scope="module")
def page(tab, built_book):
    page, address = tab
    html, _ = built_book
    about = json.loads((html / "_static/try/about.json").read_text())
    if "missing" in about:
        pytest.skip(about["missing"])
    shutil.copy(classifier.RELEASED / "model-float16.onnx", html / "_static/try")
    page.open(f"{address}/book/try_it.html")
    page.wait(f"{STATUS}.startsWith('Ready')")
    return page


def answer(page, path):
    """What the page says of a file that a reader chooses."""
    page.choose("[data-part=file]", path)
    page.wait(f"document.querySelector('[data-part=answers]').dataset.of === '{path.name}'")
    words = page.run(f"{ANSWERS}.map((row) => row.cells[0].textContent)")
    assert words == list(CLASSES)
    return page.run(f"{ANSWERS}.map((row) => Number(row.dataset.value))")


def cut_outs(paths):
    grays = [np.asarray(media.read_picture(path).convert("L")) for path in paths]
    return np.stack([detector.faces_in(gray, "")[0][1] for gray in grays])


def assert_same_answers(found, expected, tolerance):
    found = np.array(found)
    assert np.abs(found - expected).max() < tolerance
    for mine, theirs in zip(found, expected, strict=True):
        second, first = np.sort(theirs)[-2:]
        assert mine.argmax() == theirs.argmax() or first - second < tolerance


@pytest.fixture(scope="module")
def images(archive, tmp_path_factory):
    """28 test images, four of each class."""
    folder = tmp_path_factory.mktemp("images")
    with zipfile.ZipFile(archive) as zipped:
        for name in CLASSES:
            files = sorted(n for n in zipped.namelist() if n.startswith(f"test/{name}/"))
            zipped.extractall(folder, files[:: len(files) // 4][:4])
    return sorted(folder.rglob("*.jpg"))


def test_real_images_get_pythons_answers(page, images):
    assert len(images) == 28
    expected = classifier.Classifier().probabilities(cut_outs(images))
    assert_same_answers([answer(page, path) for path in images], expected, INT8_TOLERANCE)


def test_drawn_faces_get_pythons_answers(page, built_book):
    paths = [built_book[0] / "_static/try" / f"drawn-{name}.png" for name in CLASSES]
    expected = classifier.Classifier().probabilities(cut_outs(paths))
    assert_same_answers([answer(page, path) for path in paths], expected, INT8_TOLERANCE)


def test_float_model_agrees_to_a_thousandth(page, images):
    """Same runtime, same steps, no eight-bit rounding: nothing else differs."""
    faces = cut_outs(images)
    found = page.run(f"""(async () => {{
        const {{ ort }} = await (await import("../_static/try/model.js")).session();
        const content = await (await fetch("../_static/try/model-float16.onnx")).arrayBuffer();
        const made = await ort.InferenceSession.create(new Uint8Array(content));
        const image = new ort.Tensor("uint8", {as_bytes(faces)}, [{len(faces)}, 48, 48, 1]);
        return Array.from((await made.run({{ image }})).probabilities.data);
    }})()""")
    expected = classifier.Classifier(classifier.RELEASED / "model-float16.onnx").probabilities(
        faces
    )
    assert_same_answers(np.reshape(found, (-1, 7)), expected, FLOAT_TOLERANCE)


def test_pictures_are_decoded_as_pillow_does(page, images):
    """The page's answer to a file is its answer to Python's pixels, to the last digit."""
    for path, pixels in zip(images, cut_outs(images), strict=True):
        expected = page.run(f"""import("../_static/try/model.js").then(({{ classify }}) =>
            classify({as_bytes(pixels)}, 48, 48))""")
        assert answer(page, path) == expected


def as_bytes(array):
    """A NumPy array of bytes as a JavaScript expression."""
    text = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return f"Uint8Array.from(atob('{text}'), (c) => c.charCodeAt(0))"


@pytest.mark.parametrize("shape", SIZES)
def test_resizing_is_opencvs_to_the_bit(page, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = page.run(f"""import("../_static/try/preprocess.js").then(({{ resize }}) =>
        Array.from(resize({as_bytes(pixels)}, {shape[1]}, {shape[0]})))""")
    expected = cv2.resize(pixels, (48, 48), interpolation=cv2.INTER_AREA)
    assert found == expected.ravel().tolist()


def test_gray_is_pillows_to_the_bit(page):
    colors = np.random.default_rng(0).integers(0, 256, (40, 50, 4), dtype=np.uint8)
    colors[..., 3] = 255
    found = page.run(f"""import("../_static/try/preprocess.js").then(({{ gray }}) =>
        Array.from(gray({as_bytes(colors)})))""")
    expected = Image.fromarray(colors[..., :3]).convert("L")
    assert found == np.asarray(expected).ravel().tolist()


def iou(first, second):
    """Intersection over union of two boxes: left, top, width, height."""
    (x, y, w, h), (u, v, p, q) = first, second
    across = max(0, min(x + w, u + p) - max(x, u))
    down = max(0, min(y + h, v + q) - max(y, v))
    return across * down / (w * h + p * q - across * down)


def searched(page, gray):
    """What the page finds, and what Python does: boxes and turns, the largest first."""
    height, width = gray.shape
    found = page.run(f"""Promise.all(["detect", "model"].map((name) =>
        import(`../_static/try/${{name}}.js`))).then(([{{ detect }}, {{ finder }}]) =>
        detect({as_bytes(gray)}, {width}, {height}, finder))""")
    places = [([face[k] for k in ("x", "y", "width", "height")], face["turn"]) for face in found]
    return places, sorted(detector.detect(gray), key=lambda place: -place[0][2])


def assert_same_places(found, expected):
    assert len(found) == len(expected)
    for (box, turn), (other, expected_turn) in zip(sorted(found), sorted(expected), strict=True):
        assert iou(box, other) > 0.85 and turn == pytest.approx(expected_turn, abs=5)


@pytest.mark.parametrize("size", [200, 400])
def test_faces_are_found_where_python_finds_them(page, size):
    """Eileen Collins, NASA, public domain, twice, as scikit-image ships her picture."""
    photo = Image.fromarray(np.hstack([pictures.astronaut()] * 2)).resize((2 * size, size))
    found, expected = searched(page, np.asarray(photo.convert("L")))
    assert len(found) == 2
    assert_same_places(found, expected)


def test_a_thin_picture_is_searched(page):
    assert searched(page, np.full((1, 400), 128, np.uint8)) == ([], [])


@pytest.mark.parametrize("degrees", [30, -45])
def test_a_turned_face_is_found_as_python_finds_it(page, degrees):
    found, expected = searched(page, np.asarray(turned_photo(degrees).convert("L")))
    assert len(found) == 1 and found[0][1] == pytest.approx(degrees, abs=12)
    assert_same_places(found, expected)


def turned_photo(degrees):
    """Clockwise about the middle of the face."""
    turn = cv2.getRotationMatrix2D((225, 122), -degrees, 1.0)
    return Image.fromarray(
        cv2.warpAffine(pictures.astronaut(), turn, (512, 512), borderMode=cv2.BORDER_REFLECT)
    )


def test_the_page_searches_with_pythons_constants():
    text = (ROOT / "book/_static/try/detect.js").read_text(encoding="utf-8")
    found = dict(re.findall(r"([A-Z_]{4,}) = ([\d.]+)[,;]", text))
    rooms = (search, network, detector)
    known = {name: getattr(room, name) for room in rooms for name in found if hasattr(room, name)}
    assert {name: float(value) for name, value in found.items()} == known and len(known) >= 14
    pairs = ", ".join(f"[{pixels}, {sides}]" for pixels, sides in search.CLOSER)
    assert f"CLOSER = [{pairs}]" in text


def test_a_turned_photo_is_turned_back_as_python_does(page, tmp_path):
    """The square lies where Python has the face, within two pixels, and turned as it is."""
    path = tmp_path / "turned.png"
    turned_photo(35).save(path)
    ((_, cut_out),) = detector.faces_in(np.asarray(Image.open(path).convert("L")), "")
    shares = answer(page, path)
    expected = classifier.Classifier().probabilities(cut_out[None])
    assert_same_answers([shares], expected, INT8_TOLERANCE)
    style = page.run("document.querySelector('[data-part=square]').style.transform")
    assert 23 < float(re.search(r"rotate\((.+)deg\)", style).group(1)) < 47


def test_a_photo_is_searched_and_answered(page, tmp_path):
    Image.fromarray(pictures.astronaut()).save(tmp_path / "photo.png")
    shares = answer(page, tmp_path / "photo.png")
    assert CLASSES[int(np.argmax(shares))] == "happy"


def test_where_no_face_is_found_keys_move_and_size_the_square(page, tmp_path):
    Image.new("RGB", (300, 200), "gray").save(tmp_path / "large.png")
    page.choose("[data-part=file]", tmp_path / "large.png")
    page.wait(f"{STATUS}.startsWith('large.png: no face of 20 px or more was found')")
    assert page.run("document.querySelector('[data-part=answers]').hidden")
    square = "document.querySelector('[data-part=square]')"
    place = f"['left', 'top', 'width'].map((key) => parseFloat({square}.style[key]))"
    before = page.run(place)
    zoom = "new KeyboardEvent('keydown', { key: '+', ctrlKey: true, cancelable: true })"
    assert page.run(f"{square}.dispatchEvent({zoom})")  # the browser's own
    assert page.run(place) == before
    for key in ("ArrowRight", "ArrowDown", "+"):
        press = f"new KeyboardEvent('keydown', {{ key: '{key}' }})"
        page.run(f"{square}.dispatchEvent({press})")
    page.wait("document.querySelector('[data-part=answers]').dataset.of === 'large.png'")
    assert page.run(f"{square}.style.transform") == "rotate(0deg)"
    after = page.run(place)
    assert after[2] > before[2] and after[0] + after[2] / 2 > before[0] + before[2] / 2


def test_what_is_no_picture_is_said(page, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    page.choose("[data-part=file]", tmp_path / "notes.png")
    page.wait(f"{STATUS}.includes('notes.png: this browser cannot read it')")


def test_an_example_says_what_it_was_drawn_as_on_one_screen_of_a_phone(page, built_book):
    page.send("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1,
              mobile=True)  # fmt: skip
    page.run("scrollTo(0, 0); [...document.querySelectorAll('[data-part=examples] button')]"
             ".find((e) => e.textContent === 'sad').click()")  # fmt: skip
    page.wait(f"{STATUS}.startsWith('Drawn as sad; the model says ')")
    shares = page.run(f"{ANSWERS}.map((row) => Number(row.dataset.value))")
    best = f"{CLASSES[np.argmax(shares)]} ({100 * max(shares):.0f}%)"
    assert page.run(STATUS) == f"Drawn as sad; the model says {best}."
    page.wait("document.querySelector('[data-part=answers]').getBoundingClientRect().bottom <= 844")
    assert page.run("document.querySelector('[data-part=status]').getBoundingClientRect().top") > 0
    page.send("Emulation.setDeviceMetricsOverride", width=320, height=844, deviceScaleFactor=1,
              mobile=True)  # fmt: skip
    box, table = (page.run(f"document.querySelector('{part}').getBoundingClientRect().right")
                  for part in ("#try", "[data-part=answers]"))  # fmt: skip
    assert table <= box
    page.send("Emulation.clearDeviceMetricsOverride")


def test_after_the_first_answer_no_server_is_needed(page, built_book, chromium, tmp_path):
    """An example is answered without a search; a photo is searched when the server has gone."""
    Image.fromarray(pictures.astronaut()).save(tmp_path / "photo.png")
    back, asked = page.run("location.href"), []
    with chromium.serving(built_book[0], asked) as address:
        page.open(f"{address}/book/try_it.html")
        page.wait(f"{STATUS}.startsWith('Ready')")
        page.run("document.querySelector('[data-part=examples] button').click()")
        page.wait(f"{STATUS}.startsWith('Drawn as ')")
        file = json.loads((built_book[0] / "_static/try/about.json").read_text())["files"]["finder"]
        chromium.until(lambda: any(file in line for line in asked), 20, file)
    assert CLASSES[int(np.argmax(answer(page, tmp_path / "photo.png")))] == "happy"
    page.open(back)
    page.wait(f"{STATUS}.startsWith('Ready')")


def test_the_accuracy_is_that_of_the_file_that_answers(page):
    file = read_json(classifier.RELEASED / "card.json")["files"]["model-int8.onnx"]
    caption = page.run("document.querySelector('[data-part=answers] caption').textContent")
    assert f"{100 * file['correct'] / file['total']:.1f}% of the test images" in caption


def test_a_refused_camera_is_said_and_the_old_answer_leaves(page):
    page.run("document.querySelector('[data-part=camera]').click()")
    page.wait(f"{STATUS}.includes('camera') && !{STATUS}.includes('Waiting')")
    assert page.run(STATUS).split(".")[0] in (
        "No camera was found", "The browser was not allowed to use the camera",
    )  # fmt: skip
    assert page.run("document.querySelector('[data-part=answers]').hidden")


def test_the_camera_is_watched_until_it_is_stopped(page):
    """Chromium's own test picture, a ball on green, stands for the camera: no face, then a hand."""
    camera, square = (
        f"document.querySelector('[data-part={name}]')" for name in ("camera", "square")
    )
    page.send("Browser.setPermission", permission={"name": "camera"}, setting="granted")
    page.run(f"{camera}.click()")
    page.wait(f"{STATUS}.startsWith('No face is in sight')")
    page.run(f"{square}.dispatchEvent(new KeyboardEvent('keydown', {{ key: '+' }}))")
    page.wait("document.querySelector('[data-part=answers]').dataset.of === 'camera'")
    page.wait(f"{STATUS}.startsWith('It looks ')")
    assert sum(page.run(f"{ANSWERS}.map((row) => Number(row.dataset.value))")) == pytest.approx(1)
    page.run(f"{camera}.click()")
    assert page.run(f"{camera}.textContent") == "Open the camera"
    page.run("new Promise((done) => setTimeout(done, 300))")
    assert page.run(STATUS) == "The camera is stopped."


def test_a_camera_that_was_asked_for_twice_is_stopped(page):
    """The first one is let in when the second has been asked for: nothing may go on recording."""
    page.send("Browser.setPermission", permission={"name": "camera"}, setting="granted")
    page.run("""(() => { window.streams = []; const { mediaDevices } = navigator;
        const ask = mediaDevices.getUserMedia.bind(mediaDevices);
        mediaDevices.getUserMedia = async (what) => {
          const found = await ask(what); streams.push(found); return found; };
        const camera = document.querySelector('[data-part=camera]');
        camera.click(); camera.click(); })()""")
    page.wait(f"streams.length === 2 && {STATUS}.startsWith('No face is in sight')")
    page.run("document.querySelector('[data-part=camera]').click()")
    states = page.run("streams.map((each) => each.getTracks()[0].readyState)")
    assert states == ["ended", "ended"]


def test_the_later_choice_is_the_one_that_is_answered(page, tmp_path):
    """A slow picture arrives when an example has been chosen."""
    Image.fromarray(pictures.astronaut()).save(tmp_path / "slow.png")
    page.run("""(() => { const read = createImageBitmap; window.arrived = false;
        window.createImageBitmap = async (file, how) => {
          if (file.name === 'slow.png') await new Promise((done) => { window.arrive = done; });
          const made = await read(file, how);
          window.arrived ||= file.name === 'slow.png'; return made; }; })()""")
    page.choose("[data-part=file]", tmp_path / "slow.png")
    page.wait("window.arrive")
    page.run("document.querySelector('[data-part=examples] button').click()")
    page.wait(f"{STATUS}.startsWith('Drawn as ')")
    said = page.run(STATUS)
    page.run("arrive()")
    page.wait("arrived")
    page.run("new Promise((done) => setTimeout(done, 300))")
    assert page.run(STATUS) == said


def test_a_thin_picture_is_searched_through_the_page(page, tmp_path):
    Image.new("RGB", (5000, 3), "gray").save(tmp_path / "thin.png")
    page.choose("[data-part=file]", tmp_path / "thin.png")
    page.wait(f"{STATUS}.startsWith('thin.png: no face of 125 px or more was found')")  # of 5000


def test_the_list_of_all_runs_is_sorted_and_searched(tab, built_book):
    page, address = tab
    if not (built_book[0] / "_static/try" / try_it.TABLES).exists():
        pytest.skip("DataTables is not there; make book fetches it with npm")
    page.open(f"{address}/book/all_runs.html")
    page.wait("document.querySelector('.dt-search input')")
    rows = "[...document.querySelectorAll('#tab-ledger tbody tr')]"
    page.run("window.failed = []; addEventListener('error', (event) => failed.push(event.message))")
    page.run("document.querySelectorAll('#tab-ledger thead th')[2].click()")
    assert page.run("failed") == []
    shown = page.run(f"{rows}.map((row) => row.cells[2].textContent)")
    test = [float(text.rstrip("%")) for text in shown if text != "-"]  # a trial has none
    assert len(test) > 10 and test == sorted(test)
    page.run("""(() => { const field = document.querySelector('.dt-search input');
        field.value = 'copies grid "seed 43"'; field.dispatchEvent(new Event('input')); })()""")
    page.wait(f"{rows}.length < {len(shown)}")
    names = page.run(f"{rows}.map((row) => row.cells[0].textContent)")
    assert names and all("copies grid" in name and "seed 43" in name for name in names)


def test_nothing_is_fetched_from_elsewhere(page):
    origins = page.run(
        "performance.getEntriesByType('resource').map((e) => new URL(e.name).origin)"
    )
    assert set(origins) == {page.run("location.origin")}


def test_without_npm_the_page_says_what_is_missing(without_npm):
    try_it.add(without_npm / "page", project=without_npm)
    about = json.loads((without_npm / "page/about.json").read_text())
    assert "Install Node.js" in about["missing"]


def test_an_npm_that_fails_is_named(tmp_path):
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("no JSON")
    if shutil.which("npm") is None:
        pytest.skip("no npm")
    assert "npm could not fetch" in try_it.add(tmp_path / "page", project=tmp_path)["missing"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (subprocess.TimeoutExpired("npm", 5, stderr=b"slow\nnet"), "(slow)"),
        (subprocess.CalledProcessError(1, "npm", stderr=b" \n"), "returned non-zero exit"),
    ],
)
def test_what_npm_says_is_told_in_a_line_and_nothing_half_fetched_stays(
    tmp_path, monkeypatch, error, words
):
    for name in ("package.json", "package-lock.json"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(try_it.shutil, "which", lambda _: "npm")
    monkeypatch.setattr(try_it.subprocess, "run", lambda *_, **__: (_ for _ in ()).throw(error))
    assert words in try_it.add(tmp_path / "page", project=tmp_path)["missing"]
    assert not list((tmp_path / "_build/browser").iterdir())

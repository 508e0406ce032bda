"""The field with its protocol: what its file may say, and the table made of it."""

import dataclasses
import re

import pytest
import yaml
from conftest import ROOT

from ferbook.claims import field
from ferbook.claims.field import FieldError, Method, Repetition, read_field
from ferbook.core.files import read_text
from ferbook.core.recipe import Recipe
from ferbook.paper.chapters.results import field_table, prose
from ferbook.results.run import Answers

FIELD = ROOT / "book" / "field.yml"
NET = {"model": "Net", "key": "doe2020", "accuracy": "70.5%", "images": "PrivateTest"}
FULL = NET | {
    "code": "doe/net", "chosen_on": "PrivateTest itself", "chosen_in": "data.py, the text",
    "on_test": True, "views": "ten crops", "views_in": "data.py", "parameters": 1_234_567,
    "repeated": [{"accuracy": "66%", "how": "anew", "threads": [3, 4]}],
}  # fmt: skip


def read(tmp_path, *entries):
    path = tmp_path / "field.yml"
    path.write_text(yaml.safe_dump({"methods": list(entries)}))
    return read_field(path)


def test_a_method_is_read(tmp_path):
    short, full = read(tmp_path, NET, FULL)
    assert (short.value, short.repeated, short.parameters) == (0.705, (), None)
    assert full.repeated == (Repetition("66%", "anew", (3, 4)),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accuracy": "705%"}, "expected a percentage such as 68.78%"),
        ({"accuracy": 70.5}, "expected text"),
        ({"images": "ImageNet"}, "expected PrivateTest, all test images, not stated"),
        ({"parameters": -1}, "parameters: expected a number"),
        ({"parameters": True}, "parameters: expected a number"),
        ({"chosen_in": "data.py"}, "chosen_on, chosen_in: expected both"),
        ({"extra": "faces"}, "extra, extra_in: expected both"),
        ({"on_test": "yes"}, "on_test: expected true or false"),
        ({"code": "https://x.org"}, "expected owner/name"),
        ({"repeated": FULL["repeated"]}, "threads without the repository"),
        ({"repeated": [{"accuracy": "66%"}]}, "missing"),
        ({"repeated": [FULL["repeated"][0] | {"threads": ["3"]}]}, "threads: expected numbers"),
        ({"repeated": [FULL["repeated"][0] | {"threads": []}]}, "expected how and threads"),
        ({"repeated": [FULL["repeated"][0] | {"other_model": "S"}]}, "other_model: expected true"),
        ({"color": "red"}, "color"),
    ],
)
def test_what_is_no_method_is_refused(tmp_path, change, message):
    with pytest.raises(FieldError, match=message):
        read(tmp_path, NET | change)


def test_a_file_without_methods_is_refused(tmp_path):
    with pytest.raises(FieldError, match="expected 1 to 200 methods"):
        read(tmp_path)


def test_every_method_has_its_entry_in_the_bibliography():
    bibliography = read_text(ROOT / "book" / "references.bib")
    assert {m.key for m in read_field(FIELD)} <= set(re.findall(r"@\w+\{(\w+),", bibliography))


def test_what_was_chosen_on_its_test_images_says_so():
    for method in read_field(FIELD):
        assert method.on_test is method.chosen_on.endswith(("itself", "themselves"))


def row(table, start):
    (found,) = (r for r in table.formatted().to_numpy().tolist() if str(r[0]).startswith(start))
    return [str(cell) for cell in found]


ORIGINAL = {
    "table_3": [
        {"model": "VGG16", "accuracy": "67.23%", "parameters": 138e6, "split": "validation"},
        {"model": "B2", "accuracy": "68.78%", "parameters": 9.2e6, "split": "test"},
    ]
}


def test_a_row_has_the_protocol_and_the_span_of_what_others_measured():
    found = (Repetition("66%", "anew", (3,)), Repetition("9.5%", "anew", (4,)))
    table = field_table.comparison_table([], ORIGINAL, [Method(**FULL | {"repeated": found})], {})
    assert row(table, "Net") == [
        "Net, {cite:t}`doe2020`", "70.5%", "PrivateTest", "PrivateTest itself", "ten crops", "-",
        "1.23", "9.5% to 66%",
    ]  # fmt: skip
    small = tuple(Repetition(f"6{i}%", "its size S", (3,), other_model=True) for i in (1, 2))
    table = field_table.comparison_table([], ORIGINAL, [Method(**FULL | {"repeated": small})], {})
    assert row(table, "Net")[-1] == "61% to 62% (its size S)"


def test_sources_name_file_and_thread():
    full = Method(**FULL | {"repeated": (Repetition("66%", "anew", (3, 4)),)})
    table = field_table.sources_table([full, Method(**NET | {"model": "Other"})])
    assert row(table, "Net") == [
        "Net, [code](https://github.com/doe/net)",
        "checkpoint: data.py, the text; views: data.py",
        "66%: anew ([issue 3](https://github.com/doe/net/issues/3), "
        "[issue 4](https://github.com/doe/net/issues/4))",
    ]  # fmt: skip
    assert row(table, "Other")[1:] == ["-", "-"]


def test_the_best_comes_first_and_a_dash_stands_for_what_was_not_found():
    table = field_table.comparison_table(
        [], ORIGINAL, [Method(**NET), Method(**NET | {"model": "Best", "accuracy": "71%"})], {}
    )
    assert [str(name).split(",")[0] for name in table.frame.index[:2]] == ["Best", "Net"]
    assert row(table, "Net")[3:] == ["-", "-", "-", "-", "-"]


def test_the_rows_of_the_original_have_its_own_figures():
    table = field_table.comparison_table([], ORIGINAL, [], {})
    assert row(table, "the original's Table III: VGG16")[1:3] == [
        "67.23%",
        "validation, by its source's abstract",
    ]
    own = row(table, "the original's Table III: B2")
    assert own[2] == "PublicTest + PrivateTest" and own[6] == "9.2"


def test_our_rows_are_of_all_test_images_and_of_private_test_by_view():
    from test_tables import run  # 14 images, all of PrivateTest

    ours = run("ours", [0, 5], folder="ours")
    recipe = Recipe(name="ours", backbone="tiny", image_size=48, ferplus_loss_weight=1.0)
    ours.__dict__["recipe"] = recipe
    ours.info["parameters"] = {"total": 1_234_567}
    ten = Answers("ten_crops", {"run": f"ours/{ours.name}"}, run("x", [0]).test)
    table = field_table.comparison_table([ours], ORIGINAL, [], {"ten_crops": ten})
    rows = [r[1:] for r in table.formatted().to_numpy().tolist() if r[0].startswith("this book")]
    assert [(r[0], r[1], r[3], r[4], r[5]) for r in rows] == [
        ("85.71%", "PublicTest + PrivateTest", "one", "ImageNet and FER+", "1.23"),  # 12 of 14
        ("85.71%", "PrivateTest", "one", "ImageNet and FER+", "1.23"),
        ("92.86%", "PrivateTest", "ten crops", "ImageNet and FER+", "1.23"),  # 13 of 14
    ]
    other = dataclasses.replace(ten, info={"run": "ours/another"})
    alone = field_table.comparison_table([ours], ORIGINAL, [], {"ten_crops": other})
    assert len(alone.frame) == len(table.frame) - 1


def test_numbers_of_the_prose():
    numbers = prose.field_numbers(
        [
            Method(**NET | {"on_test": True}),
            Method(**NET | {"model": "ResMaskingNet", "repeated": (
                Repetition("71.11%", "one view", (1,)),
                Repetition("73.14%", "several views", (1,)))}),
            Method(**NET | {"model": "ResEmoteNet", "repeated": (
                Repetition("60%", "a", (1,)), Repetition("90%", "b", (2,)))}),
        ]
    )  # fmt: skip
    assert numbers == pytest.approx({
        "field_methods": 3, "field_private": 3, "field_on_test": 1, "field_repeated": 2,
        "field_one_view": 71.11, "field_several_views": 73.14, "field_widest_low": 60,
        "field_widest_high": 90,
    })  # fmt: skip


def test_a_percentage():
    assert field.fraction("68.78%") == pytest.approx(0.6878)

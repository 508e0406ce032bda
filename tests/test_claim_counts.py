"""Checks that count in the data or on networks, and those of printed numbers: worked by hand."""

import dataclasses

import pytest
from conftest import ROOT
from made_claims import DATASET, PARAMETERS, TABLE, evidence, judge

from ferbook.claims.checks.sizes import vgg16_size
from ferbook.claims.verdict import CONSISTENT, CONTRADICTED, FACT, NOT_TESTABLE
from ferbook.core.classes import CLASSES
from ferbook.results import store
from ferbook.results.names import network_name


def test_dataset():
    verdict = judge("dataset", printed=615, to=1, path="images")
    assert verdict == (FACT, "615", "Counted in the data.", "here")
    assert judge("dataset", printed=616, to=1, path="images").grade == CONTRADICTED
    assert judge("dataset", printed=7, to=1, path="classes").found == "7"
    cut = judge("dataset", printed=600, to=100, path="images")
    assert cut.grade == FACT and cut.evidence == "Counted in the data."  # either reading
    cut = judge("dataset", printed=610, to=10, path="images")
    assert cut.evidence == "Counted in the data."  # 615 rounds to 610 or 620
    cut = judge("dataset", printed=500, to=200, path="images")
    assert cut.evidence.endswith("The printed number is truncated, not rounded.")


def test_image_side():
    assert judge("image_side", printed=48, to=1)[:2] == (FACT, "48 px")
    assert judge("image_side", printed=64, to=1).grade == CONTRADICTED


def test_imbalance():
    """100 of angry against 5 of happy: 20 times."""
    verdict = judge("imbalance", limit=20)
    assert verdict[:2] == (FACT, "20.0 times")
    assert verdict.evidence == "Training images: angry 100, happy 5 (limit 20, ours)."
    assert judge("imbalance", limit=20.1).grade == CONTRADICTED


def test_fewer():
    verdict = judge("fewer", few=["disgust", "happy"], many=["sad"])
    assert verdict[:2] == (FACT, "disgust 10, happy 5, sad 100")
    for few, many in (
        (["fear"], ["sad"]),
        (["happy", "fear"], ["sad"]),
        (["disgust"], ["sad", "happy"]),
    ):
        assert judge("fewer", few=few, many=many).grade == CONTRADICTED  # each, and than each


def test_labels_against_a_second_opinion():
    assert judge("label_agreement", limit=0.9)[:2] == (FACT, "60.0%")
    assert judge("label_agreement", limit=0.6).grade == CONTRADICTED
    verdict = judge("doubtful_labels", expressions=["fear", "sad"])
    assert verdict[:2] == (FACT, "fear 20.0%, sad 50.0%")
    assert judge("doubtful_labels", expressions=["fear", "happy"]).grade == CONTRADICTED
    second = {"agreement": 0.5, "by_class": dict.fromkeys(CLASSES, 0.5)}
    equal = evidence(dataset=DATASET | {"ferplus": second})
    assert judge("doubtful_labels", equal, expressions=["fear"]).grade == CONTRADICTED
    nothing = evidence(dataset=DATASET | {"ferplus": {"agreement": None}})
    for kind, more in (
        ("label_agreement", {"limit": 0.9}),
        ("doubtful_labels", {"expressions": []}),
    ):
        assert judge(kind, nothing, **more).grade == NOT_TESTABLE


def test_share_possible():
    """87.5 % of 80 images are 70; no whole number of 80 is 87.4 %."""
    arguments = {"of": "Training", "name": "training", "unit": "%", "to": 0.1}
    verdict = judge("share_possible", printed=87.5, **arguments)
    assert verdict[:3] == (CONSISTENT, "70 images", "70 of 80 images are 87.50%.")
    assert judge("share_possible", printed=87.4, **arguments).grade == CONTRADICTED


def test_clipped_classes():
    """515 / (7 * 10) = 7.36 and 515 / (7 * 5) = 14.71 lie above 4; 515 / 700 does not."""
    verdict = judge("clipped_classes", printed=4.0, to=0.1)
    assert verdict[:2] == (FACT, "2 of 7 classes")
    assert verdict.evidence == (
        "Without the clip, on the whole training folder: disgust 7.36, happy 14.71."
    )
    even = evidence(dataset=DATASET | {"counts": {"Training": dict.fromkeys(CLASSES, 9)}})
    assert judge("clipped_classes", even, printed=4.0, to=0.1)[::2] == (
        CONTRADICTED, "Without the clip, on the whole training folder: none."
    )  # fmt: skip
    edge = evidence(dataset=DATASET | {"counts": {"Training": {"angry": 1, "fear": 7}}})  # 8 / 2
    assert judge("clipped_classes", edge, printed=4.0, to=0.1).grade == CONTRADICTED


@pytest.mark.parametrize(
    ("printed", "grade", "text"),
    [
        (1_000, FACT, "Counted on the built model."),
        (1_200, CONTRADICTED, "Counted on the built model."),
        (1_300, CONTRADICTED, "Counted on the built model. VGG16 at 48 px has 1,300."),
    ],
)
def test_parameters(printed, grade, text):
    arguments = {"network": "efficientnet_b2", "column": "total"}
    verdict = judge("parameters", printed=printed, to=100, **arguments)
    assert verdict[:3] == (grade, "1,000", text)


def test_vgg16_size_is_that_of_the_built_network():
    """Convolutions: 14,714,688, as published; then 512 * 49 + 1 times 4096 and so on."""
    counts = store.load_parameters(ROOT / "results")
    assert vgg16_size(224, 1000) == counts["vgg16_imagenet"]["total"] == 138_357_544
    assert vgg16_size(224, 7) == 138_357_544 - 4097 * 993
    assert vgg16_size(48, 7) == 14_714_688 + 513 * 4096 + 4097 * 4096 + 4097 * 7


@pytest.mark.parametrize("printed", [1.38e8, 1.34e8])
def test_sizes_that_we_worked_out_neither_confirm_nor_contradict_another_text(printed):
    arguments = {"to": 1e6, "source": "reference [2]", "classes": 7, "sides": [48, 224]}
    verdict = judge("size_of_another", printed=printed, **arguments)
    assert verdict[:2] == (NOT_TESTABLE, "33.6 million at 48 px, 134.3 million at 224 px")
    assert verdict.evidence.startswith("We have the abstract of reference [2] alone")


def test_cheaper():
    arguments = {"network": "efficientnet_b2_260", "column": "multiply_adds"}
    verdict = judge("cheaper", than="vgg16_imagenet", smaller="vgg16", **arguments)
    assert verdict[:2] == (FACT, "14.0 times the multiply-adds")
    assert verdict.evidence == (
        "EfficientNetB2 at 260 px 50, VGG16 for ImageNet 700. But VGG16 at 48 px needs 40."
    )
    for than in ("vgg16", arguments["network"]):  # one that needs less, one that needs the same
        assert judge("cheaper", than=than, **arguments).grade == CONTRADICTED


def test_size_ratio():
    """20,000 / 2,000 is ten times as printed, 20,000 / 1,000 twenty as counted."""
    arguments = {"to": 1, "network": "efficientnet_b2", "than": "vgg16_imagenet"}
    verdict = judge("size_ratio", printed=9, **arguments)
    assert verdict[:2] == (CONTRADICTED, "10.0 times")
    assert verdict.evidence.endswith("20.0 as counted. The model is smaller than the words say.")
    for printed in (10, 15, 20, 30):  # one of the two ratios, between them, and above
        verdict = judge("size_ratio", printed=printed, **arguments)
        assert verdict.grade == CONTRADICTED and verdict.evidence.endswith("20.0 as counted.")
    tens = judge("size_ratio", printed=1, logarithm=True, **arguments)
    assert tens.grade == CONSISTENT
    alike = evidence(parameters=PARAMETERS | {"vgg16_imagenet": {"total": 10_000}})
    assert judge("size_ratio", alike, printed=10, **arguments).grade == CONSISTENT


def test_sizes_between():
    arguments = {"networks": ["vgg16", "vgg16_imagenet"], "least": 1_300}
    verdict = judge("sizes_between", most=20_000, **arguments)
    assert verdict.grade == CONSISTENT
    assert verdict.evidence == "VGG16 at 48 px 1,300, VGG16 for ImageNet 20,000."
    assert judge("sizes_between", most=19_999, **arguments).grade == CONTRADICTED
    more = arguments | {"least": 1_301}
    assert judge("sizes_between", most=20_000, **more).grade == CONTRADICTED
    large = evidence(parameters={"vgg16": {"total": 1_300_000}, "b2": {"total": 7_800_000}})
    verdict = judge("sizes_between", large, networks=["b2", "vgg16"], least=1, most=1e7)
    assert verdict.found == "1.3 to 7.8 million"


def test_own_input():
    """With 3 channels, 993 more classes are 4 * 993 parameters and 3 * 993 multiply-adds."""
    whole = {"total": 1_000 + 4 * 993, "multiply_adds": 50 + 3 * 993}
    found = evidence(parameters=PARAMETERS | {"efficientnet_b2_imagenet": whole})
    arguments = {"printed": 260, "to": 1, "network": "efficientnet_b2"}
    assert judge("own_input", found, **arguments)[:2] == (FACT, "260 px")
    other = whole | {"multiply_adds": 51 + 3 * 993}
    found = evidence(parameters=PARAMETERS | {"efficientnet_b2_imagenet": other})
    assert judge("own_input", found, **arguments)[:2] == (CONTRADICTED, "")


@pytest.mark.parametrize(
    ("network", "name"),
    [
        ("efficientnet_b2", "EfficientNetB2"),
        ("efficientnet_b2_260", "EfficientNetB2 at 260 px"),
        ("efficientnet_b2_imagenet", "EfficientNetB2 for ImageNet"),
        ("efficientnet_lite0", "EfficientNet-Lite0"),
        ("vgg16", "VGG16 at 48 px"),
        ("vgg16_imagenet", "VGG16 for ImageNet"),
        ("tiny", "tiny"),
    ],
)
def test_network_names(network, name):
    assert network_name(network) == name


def test_accuracy_possible():
    verdict = judge("accuracy_possible", printed=68.78, to=0.01, unit="%")
    assert verdict[:2] == (CONSISTENT, "4,937 of 7,178")
    assert verdict.evidence == (
        "Possible rounded. Impossible on either half alone, rounded or truncated."
    )
    cut = judge("accuracy_possible", printed=32.97, to=0.01, unit="%")  # 2,367; 1,183 of 3,589
    assert cut[:2] == (CONSISTENT, "2,367 of 7,178")
    assert cut.evidence.startswith("Possible truncated.")
    both = judge("accuracy_possible", printed=50, to=1, unit="%")
    assert (
        both.evidence
        == "Possible rounded or truncated. Also possible on PublicTest and PrivateTest."
    )
    none = judge("accuracy_possible", printed=68.7801, to=1e-4, unit="%")
    assert none[:2] == (CONTRADICTED, "none")


def test_the_table_and_the_test_set():
    assert judge("table_possible")[:3] == (
        CONSISTENT, "yes", "Whole numbers satisfy all cells, if rounded.",
    )  # fmt: skip
    verdict = judge("fits_test_set")
    assert verdict[:2] == (CONSISTENT, "7,178 images")
    assert "these fit: PublicTest + PrivateTest. 2 of the 7,178 images" in verdict.evidence
    off = evidence(published=dataclasses.replace(TABLE, accuracy=0.5))
    assert judge("table_possible", off)[:2] == (CONTRADICTED, "no")
    assert judge("fits_test_set", off)[:2] == (CONTRADICTED, "")


def test_average():
    verdict = judge("average", name="precision")
    assert verdict[:3] == (
        CONSISTENT, "weighted mean", "Weighted by class size 0.687, unweighted 0.654.",
    )  # fmt: skip
    off = evidence(published=dataclasses.replace(TABLE, overall={"precision": 0.9}))
    assert judge("average", off, name="precision")[:2] == (CONTRADICTED, "no mean")


def test_recalls_agree():
    """0.417 of 1,024 is 427; 0.705 of 111 lies between 78 and 79."""
    found = "happy 1,563 of 1,774, surprise 684 of 831, fear 427 of 1,024"
    assert judge("recalls_agree")[:2] == (CONSISTENT, found)
    off = dataclasses.replace(TABLE, recalls={"disgust": 0.705})
    verdict = judge("recalls_agree", evidence(published=off))
    assert verdict[:3] == (CONTRADICTED, "", "Impossible for disgust.")


def test_what_table_2_says():
    verdict = judge("extremes_printed", score="recall", lowest=["fear"])
    assert verdict[:2] == (CONSISTENT, "fear 0.42")
    verdict = judge("extremes_printed", score="f1", highest=["surprise", "happy"])
    assert verdict[:2] == (CONSISTENT, "happy 0.88, surprise 0.79")
    assert judge("extremes_printed", score="f1", lowest=["sad"]).grade == CONTRADICTED
    above = {"expressions": ["happy", "neutral"]}
    verdict = judge("recalls_above_printed", limit=0.69, **above)
    assert verdict[:2] == (CONSISTENT, "happy 0.88, neutral 0.70")
    assert judge("recalls_above_printed", limit=0.70, **above).grade == CONTRADICTED


def test_sum_of():
    assert judge("sum_of", printed=10, to=1, terms=[3, 7])[:3] == (CONSISTENT, "10", "3 + 7 = 10.")
    assert judge("sum_of", printed=11, to=1, terms=[3, 7]).grade == CONTRADICTED

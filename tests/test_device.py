"""Devices: what a training says of its own, when it stops, and that a GPU's way computes the same.

No GPU took part: processors stand in for them.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
import platform
import subprocess
import sys

import h5py
import numpy as np
import pytest
from conftest import ROOT
from typer.testing import CliRunner

tf = pytest.importorskip("tensorflow")

from ferbook.cli import app  # noqa: E402
from ferbook.core.recipe import Recipe, RecipeError  # noqa: E402
from ferbook.data import splits  # noqa: E402
from ferbook.data.synthetic import draw_faces  # noqa: E402
from ferbook.results import store  # noqa: E402
from ferbook.training import device, keras_weights, memory, models, optimization, train  # noqa: E402
from ferbook.training.earlier import Earlier  # noqa: E402
from ferbook.training.lite_weights import WeightsError  # noqa: E402

TINY = Recipe(
    name="t", backbone="tiny", weights="none", image_size=48, warmup_epochs=1, finetune_epochs=2,
    finetune_learning_rate=1e-3, dropout=0, train_images=64,
)  # fmt: skip


def run_of(folder, recipe, faces, **how):
    places = {"study": "s", "results_dir": folder, "runs_dir": folder / "runs"}
    return store.load_run(train.train(recipe, faces, **{"verbose": 0} | places | how))


def no_card(*_, **__):
    raise FileNotFoundError("nvidia-smi")


def test_a_configuration_for_a_gpu_stops_on_a_processor_with_reason_hours_and_way_out(monkeypatch):
    monkeypatch.setattr(device, "seconds_per_image", lambda recipe: 0.5)
    monkeypatch.setattr(device.subprocess, "run", no_card)
    recipe = dataclasses.replace(TINY, train_images=0)
    with pytest.raises(device.DeviceError) as told:
        device.check("gpu", recipe)
    # 0.5 s x 25,120 images x 3 epochs = 10.47 hours
    assert "up to 10.5 hours" in str(told.value) and "--allow-cpu" in str(told.value)
    assert "nvidia-smi does not find a card" in str(told.value)
    assert device.check("any", recipe) == device.check("gpu", recipe, allow_cpu=True)
    assert device.check("any", recipe) == "device: processor, precision float32, XLA off"


def test_the_command_line_stops_before_images_are_read():
    runner = CliRunner()
    for command in (["device"], ["train", "--data", "synthetic"]):
        shown = runner.invoke(app, [command[0], str(ROOT / "configs/gpu.yml"), *command[1:]])
        assert shown.exit_code == 1 and "asks for a GPU" in shown.output, shown.output
    shown = runner.invoke(app, ["device", str(ROOT / "configs/gpu.yml"), "--allow-cpu"])
    assert shown.exit_code == 0 and "device: processor" in shown.output


def test_tensorflow_starts_in_silence_unless_asked(tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-m", "ferbook", "device", str(ROOT / "configs/quick.yml")]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == ("device: processor, precision float32, XLA off\n", "")


def raise_not_found(name):
    raise device.importlib.metadata.PackageNotFoundError(name)


def test_a_card_without_cuda_packages_is_told_apart(monkeypatch):
    rows = "NVIDIA GeForce RTX 3060, 12288 MiB, 550.90\n"
    shown = subprocess.CompletedProcess([], 0, rows)
    monkeypatch.setattr(device.subprocess, "run", lambda *_, **__: shown)
    monkeypatch.setattr(device.platform, "system", lambda: "Linux")
    assert device._cards() == [("NVIDIA GeForce RTX 3060", 12288, "550.90")]
    with monkeypatch.context() as without:
        without.setattr(device.importlib.metadata, "version", raise_not_found)
        assert "GPU=1" in device._reason()
    unknown = subprocess.CompletedProcess([], 0, "NVIDIA GB10, [N/A], 580.95\n")
    monkeypatch.setattr(device.subprocess, "run", lambda *_, **__: unknown)
    assert device._cards() == []
    monkeypatch.setattr(device.subprocess, "run", lambda *_, **__: shown)
    monkeypatch.setattr(device.importlib.metadata, "version", lambda name: "9.0")
    assert "shows what it misses" in device._reason()
    monkeypatch.setattr(device.platform, "system", lambda: "Windows")
    assert "WSL2" in device._reason()


def test_a_gpu_in_words():
    about = {"kind": "gpu", "precision": "mixed_float16", "xla": True, "count": 1,
             "names": ["NVIDIA GeForce RTX 3060"], "memory_mib": [12288], "driver": "550.90",
             "cuda": "12.5.1", "cudnn": "9"}  # fmt: skip
    assert device.in_words(about) == (
        "device: 1 x NVIDIA GeForce RTX 3060, 12 GB, driver 550.90, CUDA 12.5.1, cuDNN 9, "
        "precision mixed_float16, XLA on"
    )
    unknown = about | dict.fromkeys(("memory_mib", "driver", "cuda", "cudnn"))
    assert device.in_words(unknown).startswith("device: 1 x NVIDIA GeForce RTX 3060, precision")


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Mixed precision and XLA, as where TensorFlow sees a GPU; nothing else of one."""
    monkeypatch.setattr(optimization, "has_gpu", lambda: True)
    monkeypatch.setattr(device.subprocess, "run", no_card)
    yield
    train.keras.config.set_dtype_policy("float32")


def test_mixed_precision_and_xla_come_near_the_same_run(tmp_path, faces, as_on_a_gpu, monkeypatch):
    mixed = run_of(tmp_path / "gpu", TINY, faces)
    about = mixed.info["device"]
    assert about["kind"] == "gpu" and about["xla"] and about["precision"] == "mixed_float16"
    assert about["memory_mib"] is None and about["driver"] is None
    monkeypatch.setattr(optimization, "has_gpu", lambda: False)
    single = run_of(tmp_path / "cpu", TINY, faces)
    assert single.info["device"] == {"kind": "cpu", "precision": "float32", "xla": False}
    np.testing.assert_allclose(mixed.history["loss"], single.history["loss"], rtol=0.02)
    apart = np.abs(mixed.test.probabilities - single.test.probabilities)
    assert 0 < apart.max() < 0.05


@pytest.fixture
def in_mixed_precision(monkeypatch):
    """As on a GPU, but for XLA, which takes long to compile on a processor."""
    monkeypatch.setattr(device, "precision", lambda: "mixed_float16")
    yield
    train.keras.config.set_dtype_policy("float32")


def test_a_mixed_run_goes_on_from_its_checkpoint(tmp_path, faces, in_mixed_precision, killed_after):
    """The state holds the loss scale as well."""
    whole = run_of(tmp_path / "whole", TINY, faces)
    with killed_after(2):
        run_of(tmp_path / "killed", TINY, faces)
    resumed = run_of(tmp_path / "killed", TINY, faces)
    assert resumed.history["loss"].equals(whole.history["loss"]) and len(whole.history) == 3
    np.testing.assert_array_equal(resumed.test.probabilities, whole.test.probabilities)


@pytest.mark.parametrize("policies", [("mixed_float16", "float32"), ("float32", "mixed_float16")])
def test_a_run_goes_on_on_another_kind_of_device(
    tmp_path, faces, in_mixed_precision, killed_after, monkeypatch, policies
):
    """The optimizer goes on; the loss scale begins anew, or is needed no more."""
    recipe = dataclasses.replace(TINY, warmup_epochs=0)
    for policy in policies:
        monkeypatch.setattr(device, "precision", lambda policy=policy: policy)
        with killed_after(1) if policy == policies[0] else contextlib.nullcontext():
            run_of(tmp_path, recipe, faces)
    (run,) = store.load_study(tmp_path, "s")
    assert len(run.history) == 2 and np.isfinite(run.history["loss"]).all()


def test_a_mixed_run_with_averaged_weights_keeps_those_that_validation_saw(
    tmp_path, faces, in_mixed_precision, killed_after
):
    """Killed at the end of phase 1, it goes on the same way as well."""
    recipe = dataclasses.replace(
        TINY, ema_momentum=0.9, finetune_learning_rate=1e-2, label_smoothing=0
    )
    whole = run_of(tmp_path / "whole", recipe, faces)
    best = whole.history.loc[whole.history["val_accuracy"].idxmax()]
    kept = whole.info["metrics"]["val"]
    assert kept["accuracy"] == pytest.approx(best["val_accuracy"])
    assert kept["log_loss"] == pytest.approx(best["val_loss"], abs=1e-3)
    with killed_after(1):
        run_of(tmp_path / "killed", recipe, faces)
    resumed = run_of(tmp_path / "killed", recipe, faces)
    assert resumed.history["loss"].equals(whole.history["loss"])
    np.testing.assert_array_equal(resumed.test.probabilities, whole.test.probabilities)


def test_earlier_runs_answer_as_they_were_trained(tmp_path, faces, in_mixed_precision):
    """A trial that is made final, and a teacher, each in a process that knows no precision yet."""
    policy = train.keras.config.set_dtype_policy
    recipe = dataclasses.replace(TINY, warmup_epochs=0, finetune_epochs=1)
    trial = run_of(tmp_path, recipe, faces, final=False)
    policy("float32")
    final = run_of(tmp_path, recipe, faces)
    np.testing.assert_array_equal(final.val.probabilities, trial.val.probabilities)
    policy("float32")
    taught = dataclasses.replace(recipe, name="taught", teachers="t")
    earlier = Earlier(tmp_path / "s", tmp_path / "runs/s", final.info["dataset"])
    answers = earlier.answers(taught, splits.split(faces).test)
    np.testing.assert_array_equal(answers.astype("float16"), final.test.augmented.astype("float16"))


def test_the_network_of_the_paper_computes_in_mixed_precision(as_on_a_gpu):
    """B2's features in float16, its answers in float32."""
    recipe = Recipe(weights="none", image_size=48)
    train.set_up(recipe)
    model = models.build_model(recipe)
    assert model.get_layer("backbone").output.dtype == "float16"
    answers = model(np.full((2, 48, 48, 1), 200, np.float32)).numpy()
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)


MIRRORED = """
import json, sys, tensorflow as tf
from pathlib import Path
device = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration()] * 2)
import test_device
from ferbook.data.synthetic import draw_faces
from ferbook.training import optimization
tf.config.list_logical_devices = lambda kind: [kind, kind]
mirrored = tf.distribute.MirroredStrategy
tf.distribute.MirroredStrategy = lambda: mirrored(["CPU:0", "CPU:1"])
faces = draw_faces(208, 100)[0]
for recipe in (test_device.TINY, test_device.SHARED):
    test_device.run_of(Path(sys.argv[1]), recipe, faces)
found = test_device.overflows(optimization.strategy())
json.dump(found, open(sys.argv[1] + "/overflows.json", "w"))
"""
# All that a recipe may do on several devices.
SHARED = dataclasses.replace(
    TINY, name="shared", warmup_epochs=0, schedule="cosine", train_batch_norm=True, small_epochs=1,
    small_image_size=32, erasing_probability=0.5, mixup_alpha=0.4, cutmix_alpha=1.0,
    ferplus_loss_weight=0.5, ema_momentum=0.9, deduplicate_train=True, dropout=0.5, train_images=0,
)  # fmt: skip


def overflows(strategy):
    """A step in mixed precision, with gradients too large on neither device, the first, the second.

    Of each how many arrays of weights it changed, whether all are finite, and the loss scale.
    """
    random, found = np.random.default_rng(0), []
    images = random.uniform(0, 255, (32, 48, 48, 1)).astype("float32")
    wanted = np.eye(7, dtype="float32")[random.integers(0, 7, 32)]
    for spoiled in (slice(0), slice(16), slice(16, None)):
        weights = np.ones(32, "float32")
        weights[spoiled] = 1e6
        batch = tf.data.Dataset.from_tensor_slices((images, wanted, weights)).batch(32)
        train.keras.config.set_dtype_policy("mixed_float16")
        with strategy.scope():
            model = models.build_model(TINY)
            models.unfreeze(model, TINY)
            optimization.compile_model(model, TINY, "finetune", 1)
            before = [variable.numpy() for variable in model.trainable_variables]
            model.fit(batch, verbose=0, shuffle=False)
        after = [variable.numpy() for variable in model.trainable_variables]
        changed = sum(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        finite = all(bool(np.isfinite(array).all()) for array in after)
        found.append([changed, finite, float(model.optimizer.dynamic_scale.numpy())])
    return found


@pytest.fixture(scope="module")
def on_two_devices(tmp_path_factory):
    """The runs of SHARED and TINY in one process, each batch shared by two logical processors."""
    folder = tmp_path_factory.mktemp("two")
    places = os.environ["PYTHONPATH"], os.path.dirname(__file__)  # conftest's, and this folder
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", MIRRORED, str(folder)]
    subprocess.run(command, env=environment, check=True)
    return *store.load_study(folder, "s"), json.loads((folder / "overflows.json").read_text())


def test_several_devices_share_each_batch(on_two_devices):
    """Two logical processors stand in for two GPUs; the last batch has an odd number of images."""
    history = on_two_devices[0].history
    assert len(history) == 2 and np.isfinite(history["loss"]).all()


def test_two_devices_give_the_same_run_as_one(tmp_path, on_two_devices):
    """They share each batch of 32, and the 26 validation images."""
    two, one = on_two_devices[1], run_of(tmp_path, TINY, draw_faces(208, 100)[0])
    assert two.recipe == TINY
    np.testing.assert_allclose(two.history["loss"], one.history["loss"], rtol=1e-4)
    apart = np.abs(two.test.probabilities - one.test.probabilities)
    assert apart.max() < 2e-3  # float16 in the store


def test_a_gradient_too_large_on_one_device_is_skipped_on_all(on_two_devices):
    """Keras asks the first device alone, and the other's infinity would reach all weights."""
    sound, *spoiled = on_two_devices[2]
    assert sound[0] > 0 and sound[1:] == [True, 2.0**15]
    assert spoiled == [[0, True, 2.0**14]] * 2


def test_accumulated_batches_make_the_step_of_one_batch():
    """By hand: w - rate * mean gradient of both batches, and nothing before the second."""
    keras, recipe = train.keras, dataclasses.replace(TINY, accumulate=2, warmup_learning_rate=0.1)
    optimizer = optimization.optimizer("warmup", recipe, 2)
    assert optimizer.gradient_accumulation_steps == 2
    weight = keras.Variable(np.array([1, 2], "float32"))
    optimizer.build([weight])
    optimizer.apply([tf.constant([2.0, -1.0])], [weight])
    np.testing.assert_array_equal(weight.numpy(), [1, 2])
    optimizer.apply([tf.constant([0.0, -3.0])], [weight])
    # Adam's first step is the rate, against the sign of the mean gradient (1, -2).
    np.testing.assert_allclose(weight.numpy(), [0.9, 2.1], rtol=1e-5)


@pytest.mark.parametrize(("name", "value"), [("accumulate", 2), ("co_teaching_share", 0.2)])
def test_what_one_device_alone_can_do(name, value):
    recipe = dataclasses.replace(TINY, schedule="cosine", **{name: value})
    device.check_replicas(recipe, 1, 64, 13)
    with pytest.raises(RecipeError, match=f"{name}: on one device only"):
        device.check_replicas(recipe, 2, 64, 128)


def test_devices_have_equal_parts_of_a_batch():
    recipe = dataclasses.replace(TINY, batch_size=48)
    device.check_replicas(recipe, 2, 96, 133)  # its second batch, of 5, may be shared as it comes
    with pytest.raises(RecipeError, match="validation images: a batch of 128 has no equal parts"):
        device.check_replicas(recipe, 3, 96, 3589)
    with pytest.raises(RecipeError, match="validation images: a batch of 13 has no equal parts"):
        device.check_replicas(recipe, 2, 96, 13)
    with pytest.raises(RecipeError, match=r"batch_size: a batch of 48 has no equal .* 5 devices"):
        device.check_replicas(recipe, 5, 96, 128)


def test_no_device_trains_batch_normalization_on_nothing():
    recipe = dataclasses.replace(TINY, batch_size=48, train_batch_norm=True)
    device.check_replicas(recipe, 2, 98, 133)  # one image each
    with pytest.raises(RecipeError, match=r"train_images: the last batch, of 1, .* such as 96\."):
        device.check_replicas(recipe, 2, 97, 133)
    with pytest.raises(RecipeError, match="the last batch, of 2, leaves one of 3 devices"):
        device.check_replicas(dataclasses.replace(recipe, batch_size=6), 3, 8, 126)
    device.check_replicas(dataclasses.replace(recipe, train_batch_norm=False), 2, 97, 133)


def test_a_card_that_tensorflow_was_not_built_for_is_told(as_on_a_gpu, monkeypatch):
    about = {"device_name": "NVIDIA GeForce RTX 5080", "compute_capability": (12, 0)}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: ["GPU:0"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: about)
    known = {"cuda_compute_capabilities": ["sm_60", "sm_89", "compute_90"]}
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: known)
    said = device.check("gpu", TINY)
    assert "XLA off. This TensorFlow was built for older cards" in said
    about["compute_capability"] = (8, 6)
    assert device.check("gpu", TINY).endswith("XLA on")


def test_xla_is_for_one_gpu_whose_ops_may_vary(as_on_a_gpu, monkeypatch):
    assert optimization.uses_xla() and device.facts()["xla"]
    assert not device.facts(deterministic=True)["xla"]
    monkeypatch.setattr(optimization.tf.config, "list_logical_devices", lambda kind: [kind, kind])
    assert not optimization.uses_xla() and not device.facts()["xla"]


@pytest.mark.parametrize("field", ["ema_momentum", "sam_radius", "co_teaching_share"])
def test_what_works_on_whole_batches_is_not_accumulated(field):
    with pytest.raises(RecipeError, match=f"{field}: works on whole batches; needs accumulate 1"):
        dataclasses.replace(TINY, accumulate=2, **{field: 0.5})


@pytest.mark.parametrize("field", ["ema_momentum", "sam_radius", "co_teaching_share"])
def test_what_would_move_pruned_weights_is_refused(field):
    with pytest.raises(RecipeError, match=f"pruned_share: needs {field} 0. Received: 0.5"):
        dataclasses.replace(TINY, schedule="cosine", pruned_share=0.5, **{field: 0.5})


def test_a_plateau_of_co_teaching_means_nothing():
    with pytest.raises(RecipeError, match=r"co_teaching_share: .* needs schedule cosine"):
        dataclasses.replace(TINY, co_teaching_share=0.2)


def test_a_batch_that_does_not_fit_is_told_in_words(tmp_path, faces, monkeypatch):
    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(train.keras.Model, "fit", full)
    with pytest.raises(device.DeviceError, match="use batch_size 16 and accumulate 2"):
        run_of(tmp_path, TINY, faces)
    for change in ({"batch_size": 1}, {"ema_momentum": 0.9}):
        with pytest.raises(device.DeviceError, match="use a smaller image_size"):
            run_of(tmp_path, dataclasses.replace(TINY, name="one", **change), faces)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="not its processor")
@pytest.mark.parametrize(("given", "expected"), [({}, "1"), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "0")])
def test_onednn_is_on_unless_it_is_switched_off(given, expected):
    code = "import os, ferbook.training; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"} | given
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == expected


def test_pace_is_told_once_a_phase(tmp_path, faces, capsys):
    """Without a hundred steps in an epoch, after the first epoch."""
    run_of(tmp_path, TINY, faces, verbose=2)
    told = [line for line in capsys.readouterr().out.splitlines() if "images/s" in line]
    assert len(told) == 2 and told[0].startswith("epoch 1 of 3, step 2 of 2: ")
    assert told[1].startswith("epoch 2 of 3, step 2 of 2: ") and "; ends about 2" in told[1]


def test_the_end_is_counted_in_work(monkeypatch):
    """10 steps a second; epochs of 1, 3/4 and 3 times the work of the first."""
    recipe = dataclasses.replace(
        TINY, image_size=64, small_image_size=32, small_epochs=1, schedule="cosine"
    )
    assert [device._work(recipe, epoch) / 64**2 for epoch in range(3)] == [1, 0.75, 3]
    pace = device.Pace(recipe, 0, steps=36_000)
    pace.epoch = 0
    # 36,000 steps x (1 + 0.75 + 3) / 10 per s = 4.75 hours, less an hour for what is done
    line = pace._line(36_000, 10.0)
    assert "step 36,000 of 36,000: 320.0 images/s" in line and "in 3.8 hours" in line


def test_validation_between_epochs_is_not_part_of_the_pace(monkeypatch, capsys):
    pace = device.Pace(Recipe(), 0, steps=200)
    pace.on_train_begin()
    now = 0.0
    monkeypatch.setattr(device.time, "perf_counter", lambda: now)
    for epoch in range(2):
        pace.on_epoch_begin(epoch)
        for step in range(200):
            now += 1
            pace.on_train_batch_end(step)
        now += 500  # validation
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 2 and all(": 32.0 images/s" in line for line in told)


def test_estimate_times_a_step(monkeypatch):
    ticks = itertools.count(step=8)
    clock = argparse.Namespace(perf_counter=lambda: next(ticks))
    monkeypatch.setattr(device, "time", clock)
    assert device.seconds_per_image(TINY) == 8 / device._SAMPLE


def test_weights_that_are_not_the_published_ones_are_refused(tmp_path):
    path = tmp_path / "w.h5"
    path.write_bytes(b"other")
    with pytest.raises(WeightsError, match=r"w\.h5: its MD5 is .* Expected 111f8e2a.*b2_notop\.h5"):
        keras_weights.bring("efficientnet_b2", path)
    with pytest.raises(WeightsError, match="Received: tiny"):
        keras_weights.bring("tiny", path)
    with pytest.raises(FileNotFoundError):
        keras_weights.bring("vgg16", tmp_path / "nowhere.h5")


def test_weights_that_were_brought_are_those_that_keras_loads(tmp_path, monkeypatch):
    """A file made here takes the place of the published one, with its own MD5."""
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    (tmp_path / "keras").mkdir()  # as Keras does when it starts
    made = train.keras.applications.EfficientNetB0(include_top=False, weights=None)
    made.save_weights(tmp_path / "made.weights.h5")
    content = (tmp_path / "made.weights.h5").read_bytes()
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(keras_weights.KERAS_FILES, "efficientnet_b0", ("e.h5", digest))
    place = keras_weights.bring("efficientnet_b0", tmp_path / "made.weights.h5")
    assert place == tmp_path / "keras/models/e.h5" and place.read_bytes() == content


def test_a_network_for_imagenet_computes_what_that_of_keras_does(tmp_path, monkeypatch):
    """Its input normalization too, and so does one built to be given its weights again.

    Made-up weights stand in for the published ones, the normalization's are the true ones.
    """
    from keras.src.applications import efficientnet
    from keras.src.legacy.saving import legacy_h5_format

    keras, path = train.keras, tmp_path / "models" / "efficientnetb0_notop.h5"
    path.parent.mkdir()
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    made = keras.applications.EfficientNetB0(include_top=False, weights=None)
    (norm,) = (layer for layer in made.layers if isinstance(layer, keras.layers.Normalization))
    values = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1
    norm.set_weights([np.array(value, "float32") for value in values])
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, made)
    digest = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(efficientnet.WEIGHTS_HASHES, "b0", ("", digest))
    recipe = Recipe(backbone="efficientnet_b0", image_size=48)
    rgb = np.random.default_rng(0).uniform(0, 255, (2, 48, 48, 3)).astype("float32")
    wanted = keras.applications.EfficientNetB0(include_top=False, input_shape=(48, 48, 3))(rgb)
    model, again = (models.build_model(r) for r in (recipe, models.without_loading(recipe)))
    again.set_weights(model.get_weights())
    for network in (model, again):
        found = network.get_layer("backbone")(rgb)
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())
    assert models.without_loading(TINY).weights == "none"


def test_without_a_network_missing_weights_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    for backbone in ("efficientnet_b2", "vgg16"):
        with pytest.raises(WeightsError, match=f"{backbone}: no ImageNet weights.*--weights FILE"):
            models.build_model(Recipe(backbone=backbone, image_size=48))


def test_the_pinned_digests_are_those_of_keras():
    from keras.src.applications import efficientnet, vgg16

    for backbone, (name, md5) in keras_weights.KERAS_FILES.items():
        if backbone == "vgg16":
            assert vgg16.WEIGHTS_PATH_NO_TOP == keras_weights._url(backbone)
        else:
            assert efficientnet.WEIGHTS_HASHES[backbone[-2:]][1] == md5
            assert keras_weights._url(backbone) == efficientnet.BASE_WEIGHTS_PATH + name


def test_memory_of_the_tiny_network_by_hand():
    """48 px: input, rgb, rescaled, three stages of three layers, pool, dropout, seven classes."""
    stages = 3 * (24 * 24 * 16 + 12 * 12 * 32 + 6 * 6 * 64)
    values = 48 * 48 * (1 + 3 + 3 + 3) + stages + 64 + 64 + 7
    image, fixed = memory.step_bytes(TINY)
    assert image == 2 * values
    total, trainable = 24_375, 24_375 - 4 * (16 + 32 + 64)  # BatchNorm is frozen
    assert fixed == 4 * (total + 3 * trainable)
    for more in ({"accumulate": 2}, {"ema_momentum": 0.9}):
        assert memory.step_bytes(dataclasses.replace(TINY, **more))[1] - fixed == 4 * trainable
    twice = memory.step_bytes(dataclasses.replace(TINY, schedule="cosine", co_teaching_share=0.2))
    assert twice == (2 * image, 2 * fixed)


def test_advice_keeps_the_batch_of_the_recipe(monkeypatch):
    """1.5 GB are left for CUDA: 4.5 GB hold 22 images of 0.2 GB, 22.5 GB hold 32."""
    monkeypatch.setattr(memory, "step_bytes", lambda recipe: (0.2e9, 0.1e9))
    lines = list(memory.advice(TINY))
    assert lines[0] == "6 GB: batch_size 16, accumulate 2, about 3.3 GB"
    assert lines[-1] == "24 GB: batch_size 32, accumulate 1, about 6.5 GB"
    whole = list(memory.advice(dataclasses.replace(TINY, ema_momentum=0.9)))
    assert whole[0] == "6 GB: batch_size 32, accumulate 1, about 6.5 GB (too much)"
    assert whole[-1] == lines[-1]

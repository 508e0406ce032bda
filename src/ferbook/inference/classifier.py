"""The released model, or another exported one, ready to answer: no TensorFlow, no network."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ferbook.core.classes import CLASSES, SIDE
from ferbook.core.files import FileError, read_bytes
from ferbook.inference.face import Face, InputError
from ferbook.inference.session import open_session

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

RELEASED = Path(__file__).parent / "released"  # the models that come with the package
MAX_MODEL_BYTES = 200_000_000  # the largest that was exported has 31 MB
MAX_SECONDS = 20  # for a batch of a foreign model; an EfficientNetB2 at 260 px takes a few
BATCH = 16  # twice as fast as 1 on two cores, and as 64, which leaves their caches


class Classifier:
    """An exported ONNX model, ready to answer.

    `providers` are ONNX Runtime's, the preferred one first. Raises InputError when the file is not
    such a model or a released one that was altered, and for a provider that is not installed.
    """

    def __init__(
        self,
        path: str | Path = RELEASED / "model-int8.onnx",
        providers: Sequence[str] = ("CPUExecutionProvider",),
    ):
        self.path = Path(path)
        content = _read_model(self.path)
        self._foreign = not _is_released(self.path)
        import onnxruntime  # late: what is wrong with the file is told before

        known = onnxruntime.get_available_providers()
        for name in providers:
            if name not in known:
                raise InputError(
                    f"providers: expected some of {', '.join(known)}. Received: {name}."
                )
        try:
            # Constants of a foreign model may take forever to work out.
            unused = ["ConstantFolding"] if self._foreign else []
            self._session = open_session(content, providers, unused)
            self.about = _metadata(self._session)
        except Exception as error:  # onnxruntime raises a kind of its own for each fault
            raise InputError(f"{path}: not a model exported by ferbook ({error}).") from error

    def probabilities(self, faces: UInt8[np.ndarray, "n 48 48"]) -> Float[np.ndarray, "n 7"]:
        """Calibrated probabilities in the order of CLASSES."""
        return self._run(faces, "probabilities", (0, len(CLASSES)))

    def evidence(self, faces: UInt8[np.ndarray, "n 48 48"]) -> Float[np.ndarray, "n h w 7"]:
        """Logits of each place of the last feature map: class activation maps."""
        return self._run(faces, "evidence", (0, 1, 1, len(CLASSES)))

    def _run(self, faces: np.ndarray, output: str, empty: tuple[int, ...]) -> np.ndarray:
        parts = [
            self._run_batch(faces[i : i + BATCH, ..., None], output)
            for i in range(0, len(faces), BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros(empty, np.float32)

    def _run_batch(self, faces: np.ndarray, output: str) -> np.ndarray:
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.log_severity_level = 4
        try:
            with _deadline(options) if self._foreign else nullcontext():
                found = self._session.run([output], {"image": faces}, options)[0]
        except Exception as error:  # onnxruntime raises a kind of its own for each fault
            reason = f"it took more than {MAX_SECONDS} s" if options.terminate else error
            raise InputError(f"{self.path}: the model gives no answer ({reason}).") from error
        if found.shape[:1] + found.shape[-1:] != (len(faces), len(CLASSES)):
            raise InputError(
                f"{self.path}: an answer of shape {found.shape} to {len(faces)} faces."
            )
        if not np.isfinite(found).all():
            raise InputError(f"{self.path}: an answer that is no number (NaN or infinite).")
        return found


@contextmanager
def _deadline(options: Any) -> Iterator[None]:
    """Ends a run after MAX_SECONDS: a foreign model may hold a loop without end."""
    clock = threading.Timer(MAX_SECONDS, setattr, (options, "terminate", True))
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def classify(found: Iterable[tuple[Face, np.ndarray]], model: Classifier) -> Iterator[Face]:
    """The faces of `found`, each with its cut-out (48, 48), completed by the model's answers."""
    for group in _batched(found, BATCH):
        answers = model.probabilities(np.stack([cut_out for _, cut_out in group]))
        for (face, _), answer in zip(group, answers, strict=True):
            yield face.answered(answer)


def _read_model(path: Path) -> bytes:
    try:
        content = read_bytes(path, MAX_MODEL_BYTES)
    except OSError as error:
        raise InputError(f"{path}: no readable model ({error.strerror}).") from error
    except FileError as error:
        raise InputError(f"{error} No readable model.") from error
    if _is_released(path):
        if hashlib.sha256(content).hexdigest() != _pinned(path.name):
            raise InputError(f"{path}: altered since its release (SHA-256). Install ferbook again.")
    return content


def _is_released(path: Path) -> bool:
    """Whether a file lies among those that come with the package, by whatever path."""
    return path.parent.resolve() == RELEASED.resolve()


def _pinned(name: str) -> str:
    """SHA-256 of a released model, from the card beside it."""
    try:
        return json.loads((RELEASED / "card.json").read_text(encoding="utf-8"))["files"][name][
            "sha256"
        ]
    except (OSError, ValueError, RecursionError, LookupError, TypeError) as error:
        raise InputError(f"card.json: not readable ({error!r}). Install ferbook again.") from error


def _metadata(session: Any) -> dict[str, Any]:
    about = session.get_modelmeta().custom_metadata_map
    about = {key: json.loads(value) for key, value in about.items()}
    shapes = {node.name: node.shape[1:] for node in session.get_inputs()}
    known = ([SIDE, SIDE, 1], ["height", "width", 1])  # the latter by `any_size`
    if about["classes"] != list(CLASSES) or shapes.get("image") not in known or len(shapes) > 1:
        raise ValueError("its input or its classes are others")
    return about


def _batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    group: list[Any] = []
    for item in items:
        group.append(item)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group

"""One face with one expression, drawn with Pillow and then spoilt as photographs are.

Every measure is in units of the face; what differs between people is drawn at random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFilter

from ferbook.core.classes import SIDE

INK = 25.0  # gray of irises, frames and the open mouth
OVERSAMPLING = 4  # Pillow draws without anti-aliasing; the shrinking does it


class Expression(NamedTuple):
    """What moves on a face, as offsets from rest in half heads; 1 for `sneer` is a full one."""

    brow_raise: float = 0.0
    brow_tilt: float = 0.0  # inner ends up
    brow_arch: float = 0.0
    brow_squeeze: float = 0.0  # toward each other
    eye_open: float = 0.0
    lid_droop: float = 0.0  # outer end of the upper lid
    cheek: float = 0.0  # pushes the lower lid up
    sneer: float = 0.0  # wrinkled nose, raised upper lip
    mouth_width: float = 0.0
    mouth_curve: float = 0.0  # corners up
    mouth_open: float = 0.0
    teeth: float = 0.0


# After the action units of Ekman and Friesen, Facial Action Coding System (1978).
EXPRESSIONS = {
    "angry": Expression(-0.09, -0.16, 0.0, 0.09, -0.01, -0.03, 0.02, 0.1, -0.03, -0.09, 0.03, 0.06),
    "disgust": Expression(-0.08, -0.07, 0.0, 0.05, -0.05, 0.0, 0.04, 1.0, -0.03, -0.12, 0.02, 0.03),
    "fear": Expression(0.1, 0.13, -0.02, 0.07, 0.08, 0.02, 0.0, 0.0, 0.06, -0.05, 0.1, 0.06),
    "happy": Expression(0.01, 0.0, 0.03, 0.0, -0.02, 0.0, 0.04, 0.0, 0.11, 0.17, 0.09, 0.1),
    "neutral": Expression(),
    "sad": Expression(0.0, 0.17, -0.03, 0.05, -0.03, 0.06, 0.0, 0.0, -0.04, -0.14, 0.0, 0.0),
    "surprise": Expression(0.18, 0.0, 0.08, -0.02, 0.09, 0.0, 0.0, 0.0, -0.1, 0.0, 0.24, 0.0),
}
Points = Float[np.ndarray, " points"]
CIRCLE = np.linspace(0, 2 * np.pi, 25)  # radians
SPAN = np.linspace(-1, 1, 13)  # from one corner of an eye, a brow or a mouth to the other
BULGE = np.sqrt(1 - SPAN**2)

# Standard deviation of people's faces at rest: what makes a sad-looking neutral face.
AT_REST = np.array(
    Expression(0.025, 0.03, 0.02, 0.015, 0.012, 0.012, 0.008, 0.04, 0.02, 0.03, 0.015, 0.015)
)


class _Person:
    """Who is drawn: grays in 0..255, lengths in half heads."""

    def __init__(self, rng: np.random.Generator):
        self.skin = rng.uniform(85, 220)
        fair = rng.random() < 0.15
        self.hair = rng.uniform(150, 235) if fair else rng.uniform(10, 0.75 * self.skin)
        self.long_hair, self.glasses = rng.random(2) < (0.4, 0.12)
        self.hairline, self.width = rng.uniform((-0.95, 0.72), (-0.62, 0.88))
        self.eye_gap, self.eye_size = rng.uniform((0.3, 0.16), (0.38, 0.2))
        self.nose, self.mouth = rng.uniform((0.1, 0.26), (0.16, 0.34))
        self.lip, self.brow = rng.uniform((0.03, 0.05), (0.065, 0.09))

    def tone(self, depth: float) -> float:
        """The skin's gray (depth 0) darkened toward ink (1)."""
        return self.skin * (1 - 0.85 * min(max(depth, 0.0), 1.0))


class _Pen:
    """Draws in head coordinates: origin between eyes and mouth, x right, y down, chin at 1."""

    def __init__(self, rng: np.random.Generator, canvas: Image.Image):
        self.draw = ImageDraw.Draw(canvas)
        tilt, self.yaw, self.pitch = rng.normal(0, (0.12, 0.16, 0.08))  # radians
        self.scale = canvas.width * rng.uniform(0.47, 0.6)  # px per half head
        self.rotation = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
        self.origin = canvas.width * (np.array([0.5, 0.47]) + rng.normal(0, 0.035, 2))

    def fill(self, x: Points, y: Points, gray: float) -> None:
        self.draw.polygon(self._place(x, y), fill=int(gray))

    def stroke(self, x: Points, y: Points, gray: float, width: float) -> None:
        self.draw.line(self._place(x, y), fill=int(gray), width=max(1, round(width * self.scale)))

    def _place(self, x: Points, y: Points) -> list[int]:
        """Turn the points on the head's ball, then in the plane; to x0, y0, x1, ... in px.

        Whole pixels: the last bits of sines differ between platforms, the drawing shall not.
        """
        depth = np.sqrt(np.maximum(1 - x * x - y * y, 0))
        turned = np.empty((len(depth), 2))
        turned[:, 0], turned[:, 1] = x + depth * np.sin(self.yaw), y + depth * np.sin(self.pitch)
        placed = self.scale * turned @ self.rotation + self.origin
        return np.rint(placed).astype(int).ravel().tolist()


def draw_face(rng: np.random.Generator, label: str, side: int) -> UInt8[np.ndarray, "side side"]:
    """One new person showing `label` with a random strength, photographed."""
    strength = 0.3 + 0.8 * rng.beta(2.5, 1.5)  # weak ones are hard to tell from neutral
    rest = AT_REST * rng.normal(size=len(AT_REST))
    face = Expression(*(rest + strength * np.array(EXPRESSIONS[label])))
    canvas = Image.new("L", (side * OVERSAMPLING,) * 2, int(rng.integers(10, 245)))
    pen, person = _Pen(rng, canvas), _Person(rng)
    _draw_head(pen, person, face)
    for sign in (-1, 1):
        _draw_eye(pen, person, face, sign)
        _draw_brow(pen, person, face, sign)
    _draw_nose(pen, person, face)
    _draw_mouth(pen, person, face)
    _cover(rng, pen, person)
    return _photograph(rng, canvas, side)


def _draw_head(pen: _Pen, person: _Person, face: Expression) -> None:
    x, y = np.cos(CIRCLE), np.sin(CIRCLE)
    wide, low = (1.2 * person.width, 1.3) if person.long_hair else (person.width + 0.07, 0.0)
    pen.fill(wide * x, np.minimum(1.2 * y, low), person.hair)
    pen.fill(np.array([-0.5, 0.5, 0.5, -0.5]), np.array([0.5, 0.5, 1.9, 1.9]), person.tone(0.3))
    jaw = 1 + 0.45 * max(face.mouth_open, 0)
    pen.fill(person.width * x, np.where(y > 0, jaw, 1) * y, person.skin)
    fringe = np.minimum(np.where(y < 0, 1.03 * y, -y), person.hairline)
    pen.fill((person.width + 0.02) * x, fringe, person.hair)


def _draw_eye(pen: _Pen, person: _Person, face: Expression, sign: int) -> None:
    """An almond between two lids, which hide part of the iris; `sign` is -1 for the left one."""
    opening, cheek = max(0.02, 0.08 + face.eye_open), max(face.cheek, 0)
    x, y = sign * person.eye_gap + person.eye_size * SPAN, -0.2
    lower = (0.5 * opening - cheek) * BULGE
    upper = face.lid_droop * (1 + sign * SPAN) / 2 - opening * BULGE
    upper = np.minimum(upper, lower - 0.015 * BULGE)
    pen.fill(np.r_[x, x[::-1]], y + np.r_[upper, lower[::-1]], min(person.skin + 70, 248.0))
    iris_x, iris_y = sign * person.eye_gap + 0.085 * np.cos(CIRCLE), 0.085 * np.sin(CIRCLE) - 0.01
    iris_y = np.clip(iris_y, np.interp(iris_x, x, upper), np.interp(iris_x, x, lower))
    pen.fill(iris_x, y + iris_y, INK)
    pen.stroke(x, y + upper, person.tone(0.85), 0.035)
    pen.stroke(x, y + lower, person.tone(0.4 + 4 * cheek), 0.02)


def _draw_brow(pen: _Pen, person: _Person, face: Expression, sign: int) -> None:
    outer = (1 + sign * SPAN) / 2  # 0 at the nose
    x = sign * (person.eye_gap - 0.19 - face.brow_squeeze + outer * (0.42 + face.brow_squeeze))
    y = -0.42 - face.brow_raise - face.brow_tilt * (1 - 1.5 * outer)
    y -= (0.04 + face.brow_arch) * BULGE
    pen.stroke(x, y, min(person.hair, person.tone(0.6)), person.brow)
    if face.brow_squeeze > 0.03:
        frown = person.tone(8 * (face.brow_squeeze - 0.02))
        pen.stroke(sign * np.array([0.05, 0.06]), np.array([-0.5, -0.33]), frown, 0.025)


def _draw_nose(pen: _Pen, person: _Person, face: Expression) -> None:
    """Nose and the folds beside it; a sneer widens it and wrinkles its bridge."""
    sneer = max(face.sneer, 0)
    wing, tip = person.nose * (1 + 0.3 * sneer), 0.24 - 0.06 * sneer
    pen.stroke(np.array([-0.06, -0.05, -wing]), np.array([-0.2, 0.05, tip]), person.tone(0.2), 0.03)
    pen.stroke(wing * SPAN, tip + 0.05 * BULGE, person.tone(0.5), 0.04)
    for y in (-0.2, -0.11, -0.02) if sneer > 0.1 else ():
        pen.stroke(0.13 * SPAN, y - 0.05 * BULGE, person.tone(0.65 * sneer), 0.03)
    fold = person.tone(0.6 * sneer + 2 * max(face.mouth_curve, 0))
    x = np.array([wing + 0.02, wing + 0.13, person.mouth + face.mouth_width + 0.08])
    for sign in (-1, 1) if fold < person.tone(0.1) else ():
        pen.stroke(sign * x, np.array([tip - 0.05, tip + 0.1, 0.48]), fold, 0.03)


def _draw_mouth(pen: _Pen, person: _Person, face: Expression) -> None:
    """Lips, the dark between them, and the upper teeth in it."""
    opening, sneer = max(face.mouth_open, 0), 0.09 * max(face.sneer, 0)
    x = max(person.mouth + face.mouth_width, 0.1) * SPAN
    middle = 0.54 - face.mouth_curve * (SPAN**2 - 0.4)
    upper, lower = middle - (0.4 * opening + sneer) * BULGE, middle + 1.2 * opening * BULGE
    teeth = np.minimum(upper + 1.4 * max(face.teeth, 0) * BULGE, lower)
    around, lip = np.r_[x, x[::-1]], person.lip * BULGE
    pen.fill(around, np.r_[upper - lip, (lower + 1.3 * lip)[::-1]], person.tone(0.4))
    pen.fill(around, np.r_[upper, lower[::-1]], INK)
    if face.teeth > 0.02:
        pen.fill(around, np.r_[upper, teeth[::-1]], 240.0)
    pen.stroke(x, upper, person.tone(0.75), 0.03)


def _cover(rng: np.random.Generator, pen: _Pen, person: _Person) -> None:
    """Glasses, and now and then a hand or a thing before the face."""
    x, y = np.cos(CIRCLE), np.sin(CIRCLE)
    if person.glasses:
        for sign in (-1, 1):
            pen.stroke(sign * person.eye_gap + 0.25 * x, 0.2 * y - 0.19, INK, 0.03)
        pen.stroke(np.array([-0.1, 0.1]), np.array([-0.22, -0.22]), INK, 0.03)
    if rng.random() < 0.08:
        angle, size = rng.uniform((0, 0.25), (2 * np.pi, 0.45))
        gray = rng.uniform(20, 235)
        pen.fill(0.8 * np.cos(angle) + size * x, 0.8 * np.sin(angle) + 1.4 * size * y, gray)


def _photograph(
    rng: np.random.Generator, canvas: Image.Image, side: int
) -> UInt8[np.ndarray, "side side"]:
    """Shrink, blur, light from one side, sensor noise."""
    blur = ImageFilter.GaussianBlur(side / SIDE * rng.uniform(0.3, 1.0))
    small = canvas.reduce(OVERSAMPLING).filter(blur)
    ramp, (across, down) = np.linspace(-1, 1, side), rng.normal(0, 0.22, 2)
    light = rng.uniform(0.75, 1.1) * (1 + across * ramp + down * ramp[:, None])  # (side, side)
    noise = rng.normal(0, rng.uniform(2, 9), (side, side))  # also keeps any two images apart
    return np.clip(np.rint(np.asarray(small) * light + noise), 0, 255).astype(np.uint8)

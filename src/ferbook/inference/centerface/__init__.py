"""CenterFace, the network that finds faces: its file, and where it finds them.

Source: Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, Scientific
Programming 2020; trained by its authors on WIDER FACE. LICENSE beside this file is the network's.
"""

from __future__ import annotations

from pathlib import Path

MODEL = Path(__file__).with_name("centerface.onnx")
SHA256 = "66aec2805c9ac6dbb2893439448a8ac241d397c3bfee7471aa6dbaf8beaf20d7"

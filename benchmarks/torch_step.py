"""The same training step in PyTorch with timm: a script, for an interpreter without ferbook.

`python torch_step.py BACKBONE SIDE BATCH STEPS` prints the versions, then, for each line on its
standard input, the seconds of one of STEPS steps of phase 2 on one constant batch.
"""

from __future__ import annotations

import sys
import time


def main(backbone: str, side: int, batch: int, steps: int) -> None:
    """Build the step, say what it is made of, then time it once per line of input."""
    import torch

    try:
        import timm
    except RuntimeError:
        # timm imports torchvision, whose wheels on the index are built for CUDA: beside a torch
        # without it compiled operators are missing, and the import asks for these two by name.
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")
        import timm

    torch.manual_seed(42)
    model = timm.create_model(backbone, pretrained=False, num_classes=7, drop_rate=0.5,
                              drop_path_rate=0.2)  # fmt: skip
    model = model.to(memory_format=torch.channels_last).train()
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):  # as in phase 2
            module.eval().requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad],
                                  lr=3e-5, weight_decay=1e-4)  # fmt: skip
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.06)
    images = torch.rand(batch, 1, side, side).repeat(1, 3, 1, 1)
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.arange(batch) % 7

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(model(images), labels).backward()
        optimizer.step()

    step()
    print(f"torch {torch.__version__}, timm {timm.__version__}", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(steps):
            step()
        print((time.perf_counter() - started) / steps, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

"""Train a judge: pictures and captions to one space, each nearest to its own (InfoNCE).

python -m gantools_text2image.judge_train     # the judge of OpenMoji that the package ships
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from gantools import models
from gantools.data import Batches, cached
from gantools.errors import Note
from gantools_text2image import sources
from gantools_text2image.evaluation import Draw, judge_drawings
from gantools_text2image.judge import BATCH, SHIPPED, Judge, as_seen, tokens
from gantools_text2image.pictures import Pictures
from gantools_text2image.placing import place

SEED = 1729
"""Of the judges that runs use: not a run's own."""
VERSION = 1
"""Of the judge's networks and of its training: raised when either changes, for the judges that the
cache keeps are of one version."""
STEPS = 600
"""For a folder's judge: with batches of 128, about four minutes of one core."""


@torch.enable_grad()  # runs ask for their judge while they are evaluated
def train_judge(
    pictures: Pictures, seed: int = SEED, *, steps: int = STEPS, batch: int = 128
) -> Judge:
    """Train a judge on the pictures of the training split; the same arguments, the same judge.

    The loss is CLIP's (Radford et al. 2021, figure 3): with cosines of B pictures and B captions
    over a learned temperature, the mean of the two cross-entropies, picture to caption and caption
    to picture. A caption that two pictures of a batch share is not held against either.

    Args:
        pictures: what there is; only ``train`` is looked at.
        seed: of the weights and of all draws.
        steps: of AdamW, with one cycle of the learning rate.
        batch: pairs in a step; at most as many as there are pictures.

    Raises:
        ValueError: fewer than two pictures to train on.
    """
    train = pictures.only("train")
    if len(train) < 2:
        raise ValueError(f"a judge needs two pictures to train on, not {len(train)}")
    batch = min(batch, len(train))
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        judge = Judge()
    images = torch.cat([as_seen(some) for some in train.images.split(BATCH)])
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    batches = Batches(images, torch.arange(len(train)), size=batch, seed=seed)
    for _, (x, rows) in zip(range(steps), batches, strict=False):
        captions = [_one_of(train.captions[row], generator) for row in rows.tolist()]
        features = judge(view(x, train.placed, generator))
        cosines = judge.cosines(features, *tokens(captions, 0.1, generator))
        loss = info_nce(cosines * judge.log_scale.exp().clamp(max=100), _shared(captions))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return Judge.of_weights(judge.eval().weights())


def info_nce(logits: Tensor, shared: Tensor) -> Tensor:
    """½ (CE of the rows + CE of the columns) with the diagonal as what is right: [B, B] -> scalar.

    Args:
        logits: of each picture with each caption.
        shared: bool [B, B], the pairs off the diagonal that are right too, and are left out.
    """
    logits = logits.masked_fill(shared, -torch.inf)
    own = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def view(images: Tensor, placed: bool, generator: torch.Generator) -> Tensor:
    """Images [B, 3, 32, 32] in [−1, 1] as the judge's training sees them, each by draws of its own.

    Placed anew where they may be, cropped to 0.8 to 1 of their side, then softened (by a mean over
    3×3 pixels, up to half of it), of another contrast (±10 %), each channel a little brighter or
    darker (±0.04), and with noise (σ up to 0.06): all less than what tells one skin tone from the
    next.
    """
    if placed:
        images = place(images, generator)
    size = len(images)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(size, *shape, generator=generator)

    zoom = uniform(0.8, 1.0)
    shift = uniform(-1, 1, 2) * (1 - zoom).unsqueeze(1)
    where = torch.cat([torch.diag_embed(zoom.unsqueeze(1).expand(-1, 2)), shift.unsqueeze(2)], 2)
    grid = functional.affine_grid(where, list(images.shape), align_corners=False)
    images = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    softened = functional.avg_pool2d(functional.pad(images, (1, 1, 1, 1), "replicate"), 3, stride=1)
    images = images.lerp(softened, uniform(0, 0.5, 1, 1, 1))
    images = images * uniform(0.9, 1.1, 1, 1, 1) + uniform(-0.04, 0.04, 3, 1, 1)
    noise = torch.randn(images.shape, generator=generator)
    return (images + uniform(0, 0.06, 1, 1, 1) * noise).clamp(-1, 1)


def judge_of(pictures: Pictures, steps: int = STEPS) -> Judge:
    """Return the judge for these pictures: OpenMoji's is shipped, others are trained and kept."""
    if pictures.source.startswith("OpenMoji"):
        return Judge.load()
    train = pictures.only("train")
    digest = hashlib.sha256(train.images.numpy().tobytes())
    digest.update(json.dumps([VERSION, train.captions, train.placed, SEED, steps]).encode())

    def make() -> dict[str, Tensor]:
        said = f"first a judge of these pictures is trained for {steps} steps, once for all runs"
        warnings.warn(f"{said}: minutes of one core (--judge-steps)", Note, stacklevel=2)
        return safetensors.torch.load(train_judge(train, SEED, steps=steps).weights())

    kept = cached(f"text2image-judge-{digest.hexdigest()[:24]}", make)
    return Judge.of_weights(safetensors.torch.save(kept))


def real_drawings(pictures: Pictures) -> Draw:
    """Return the drawer that no generator can beat: it places the true drawing of a name."""
    rows = {captions[0]: row for row, captions in enumerate(pictures.captions)}

    def draw(captions: list[str], generator: torch.Generator) -> Tensor:
        images = pictures.images[[rows[caption] for caption in captions]]
        return place(images.float() / 127.5 - 1, generator)

    return draw


def _one_of(captions: list[str], generator: torch.Generator) -> str:
    """The name half of the time, else any of the captions."""
    u, v = torch.rand(2, generator=generator).tolist()
    return captions[0] if u < 0.5 else captions[int(v * len(captions))]


def _shared(captions: list[str]) -> Tensor:
    """Which captions are equal to which others, bool [B, B]."""
    first = {caption: row for row, caption in reversed(list(enumerate(captions)))}
    number = torch.tensor([first[caption] for caption in captions])
    return (number[:, None] == number) & ~torch.eye(len(captions), dtype=torch.bool)


def main() -> None:
    """Train OpenMoji's judge, and write it with what it is."""
    parser = argparse.ArgumentParser(description="Train the judge of OpenMoji.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="a folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = sources.load("openmoji", 32)
    start = time.process_time()
    judge = train_judge(data, options.seed, steps=options.steps, batch=options.batch)
    seconds = time.process_time() - start
    told = judge_drawings(real_drawings(data), data, judge, seed=0)
    about: dict[str, Any] = {
        "what": "the judge of gantools-text2image: an image tower and a caption tower",
        "command": shlex.join(["python", "-m", "gantools_text2image.judge_train", *sys.argv[1:]]),
        "seed": options.seed,
        "steps": options.steps,
        "batch": options.batch,
        "data": f"{data.source}; {len(data.only('train'))} drawings of the training split, 32×32",
        "parameters": sum(p.numel() for p in judge.parameters()),
        "cpu_seconds": round(seconds),
        "torch": torch.__version__,
        "figures_of": "real drawings placed anew, among 100 names of their split (composition: 68)",
        "figures": {name: round(v, 4) for name, v in told.items() if name.endswith("_real")},
    }
    models.save(options.out, {"judge": judge}, {}, about)
    print(json.dumps(about, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()

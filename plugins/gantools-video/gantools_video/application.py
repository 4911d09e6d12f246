"""Video as an application: clips, the game, rollouts beside the baselines', films to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gantools import Adversary, Application, Game, Player, Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.media import grid, write_video
from gantools.schedules import cosine
from gantools_video import baselines, clips
from gantools_video.clips import Clips, Windows
from gantools_video.config import VideoConfig
from gantools_video.game import VideoGame
from gantools_video.metrics import rollout_figures
from gantools_video.networks import STRIDE, Discriminator, network
from gantools_video.predictor import Predictor

SEEN = 4
"""Frames that a discriminator sees at once, if so many are known and predicted."""
BASELINES = {"copy": baselines.copy, "linear": baselines.linear, "flow": baselines.flow}
KEPT = "clips.npz"
SHOWN = 4


class VideoApplication(Application[VideoConfig]):
    """Learns to predict the next frames."""

    key_figures = ("predictor/lp", "discriminators/separation")

    def __init__(self, config: VideoConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        if config.size % STRIDE:
            raise UserError(f"--size is a multiple of {STRIDE}, not {config.size}.")
        self._clips: Clips | None = None

    # -- the game ------------------------------------------------------------------------------

    @property
    def clips(self) -> Clips:
        """What is trained on, and what is held out."""
        if self._clips is None:
            config = self.config
            if self.inputs is not None and (self.inputs / KEPT).is_file():
                self._clips = clips.kept(self.inputs / KEPT)
            else:
                self._clips = clips.load(
                    config.data, config.size, config.seed, leave_out=config.leave_out
                )
        return self._clips

    def build(self, setting: Setting) -> tuple[VideoGame, Batches | None]:
        """Read the clips, make the players."""
        config, channels = self.config, self.clips.train[0].shape[1]
        made = network(config.game, channels, config.past, config.width or 0)
        predictor = Player(
            made,
            lr=config.lr,
            betas=(0.9, 0.99),
            clip_norm=1.0,
            ema=config.ema or None,
            schedule=cosine,
        )
        discriminators = adversary = None
        seen = min(SEEN, config.past + 1)
        if config.adversarial:
            sides = [config.size // k for k in ((8, 4, 2, 1) if config.game == "mathieu" else (1,))]
            looks = nn.ModuleList(
                Discriminator(
                    channels, seen, config.discriminator_width, min(3, side.bit_length() - 2)
                )
                for side in sides
            )
            discriminators = Player(
                looks, lr=config.discriminator_lr, betas=(0.5, 0.99), schedule=cosine
            )
            adversary = Adversary(config.objective, config.penalty, setting=setting)
        game = VideoGame(
            predictor,
            discriminators,
            adversary,
            past=config.past,
            weights={"lp": config.lp, "gdl": config.gdl, "adversarial": config.adversarial},
            p=config.p,
            seen=seen,
            longest=config.rollout or 1,
        )
        if not setting.training:
            return game, None
        windows = Windows(self.clips.train, config.past + (config.rollout or 1))
        if len(windows) < config.batch:
            raise UserError(
                f"{config.data} has {len(windows)} stretches of {windows.length} frames to train "
                f"on, too few for a --batch of {config.batch}."
            )
        return game, Batches(windows, size=config.batch, seed=config.seed, **setting.share)

    def keep_inputs(self, folder: Path) -> None:
        """Keep the frames, but for the moving digits, which are made anew."""
        if self.config.data != "moving-digits":
            clips.keep(self.clips, folder / KEPT)

    def model(self, game: Game) -> Predictor:
        """The averaged network of a game."""
        config = self.config
        asked = {
            "game": config.game,
            "channels": self.clips.train[0].shape[1],
            "past": config.past,
            "width": config.width,
            "size": config.size,
        }
        return Predictor(asked, game.predictor.averaged)

    # -- how it is judged ----------------------------------------------------------------------

    def tested(self, stretches: list[Tensor], most: int) -> tuple[Tensor, Tensor]:
        """Known and true frames of held-out films, [N, P, …] and [N, horizon, …] in [0, 1]."""
        config = self.config
        windows = Windows(stretches, config.past + config.horizon)
        if not len(windows):
            raise UserError(
                f"No held-out stretch of {config.data} has {windows.length} frames: choose a "
                "smaller --horizon."
            )
        rows = torch.linspace(0, len(windows) - 1, min(most, len(windows))).round().long()
        film = windows[rows].float() / 255
        return film[:, : config.past], film[:, config.past :]

    def judged(self, game: Game, stretches: list[Tensor], most: int) -> dict[str, Any]:
        """Ours and the baselines, free-running, at every step."""
        past, future = self.tested(stretches, most)
        steps = future.shape[1]
        films = {"ours": self.model(game)(past, steps)}
        films |= {name: baseline(past, steps) for name, baseline in BASELINES.items()}
        found = {name: rollout_figures(past, future, film) for name, film in films.items()}
        return {"windows": len(past), "steps": steps, **found}

    def validate(self, game: Game) -> Mapping[str, float]:
        """PSNR of a few held-out films at the first and the last step."""
        past, future = self.tested(self.clips.test, 64)
        found = rollout_figures(past, future, self.model(game)(past, future.shape[1]))
        first, last = found["psnr"][0], found["psnr"][-1]
        return {
            "psnr_first": first,
            "psnr_last": last,
            "ssim_last": found["ssim"][-1],
            "gradient_last": found["gradient_ratio"][-1],
            "motion_last": found["motion_ratio"][-1],
            "score": (first + last) / 2,
        }

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Free-running rollouts on later parts of the clips, and on the clip that was left out."""
        config = self.config
        found = {"data": self.clips.source, "game": config.game, "size": config.size}
        found |= self.judged(trained.game, self.clips.test, config.test)
        if self.clips.left_out:
            found["left_out"] = self.judged(trained.game, self.clips.left_out, config.test)
        return found

    # -- what is left --------------------------------------------------------------------------

    def export(self, trained: Trained) -> None:
        """``model.safetensors`` and ``model.json``: all that ``predict`` needs."""
        predictor = self.model(trained.game)
        predictor.about = trained.about(data=self.clips.source)
        predictor.save(trained.run.path)

    def snapshot(self, game: Game, folder: Path, turn: int) -> None:
        """What follows the beginnings of two held-out films, and below it what is predicted."""
        rows = self.strips(game, 2)
        grid(rows, zoom=1, beside=["true", f"turn {turn}"] * 2).save(
            folder / f"turn-{turn:07d}.png"
        )

    def strips(self, game: Game, count: int) -> list[Tensor]:
        """VideoGames as rows of frames in [−1, 1]: true, ours, true, ours, …"""
        past, future = self.tested(self.clips.test, count)
        made = self.model(game)(past, future.shape[1])
        known = past[:, -2:]
        films = [torch.cat([known, end], 1) * 2 - 1 for end in (future, made)]
        return [row for pair in zip(*films, strict=True) for row in pair]

    def report(self, trained: Trained) -> list[Section]:
        """Figures step by step, strips of frames, and a film: true, ours and the baselines'."""
        samples = trained.run.samples
        sections = [Section("Step by step", text=FREE, rows=table(trained.run.evaluation or {}))]
        path = samples / "strips.png"
        rows = self.strips(trained.game, SHOWN)
        above = ["known", "known", *(f"t+{k}" for k in range(1, len(rows[0]) - 1))]
        grid(rows, zoom=2, above=above, beside=["true", "predicted"] * SHOWN).save(path)
        sections.append(Section("Held-out films", media={path: STRIPS}))
        past, future = self.tested(self.clips.test, SHOWN)
        films = {"true": future, "predicted": self.model(trained.game)(past, future.shape[1])}
        films |= {name: baseline(past, future.shape[1]) for name, baseline in BASELINES.items()}
        path = samples / "beside.mp4"
        write_video(path, beside(past, films, 2), 5)
        said = "From the left: " + ", ".join(films) + ". What is known comes first, in all alike."
        sections.append(Section("Side by side", media={path: said}))
        return sections


FREE = (
    "Every frame is predicted from predicted ones (free-running). Gradient and motion ratio are of "
    "sums over all films, predicted over true: 1 is as sharp, and moves as much, as the truth; "
    "copying has motion 0, blur a gradient below 1, noise above."
)
STRIPS = "Each pair: the truth above, below it what was predicted from the known frames."


def table(found: Mapping[str, Any]) -> list[list[str]]:
    """Figures at the first, the middle and the last step, ours beside the baselines."""
    head = ["", "step", "PSNR, dB", "SSIM", "moving area, dB", "gradient ratio", "motion ratio"]
    rows = [head]
    for part in (
        {"": found} | ({"left out: ": found["left_out"]} if "left_out" in found else {})
    ).items():
        of, figures = part
        if "steps" not in figures:
            continue
        for step in sorted({1, -(-figures["steps"] // 2), figures["steps"]}):
            for name in ("ours", *BASELINES):
                at = {key: values[step - 1] for key, values in figures[name].items()}
                rows.append(
                    [
                        f"{of}{name}",
                        f"t+{step}",
                        f"{at['psnr']:.2f}",
                        f"{at['ssim']:.3f}",
                        f"{at['moving_psnr']:.2f}",
                        f"{at['gradient_ratio']:.2f}",
                        f"{at['motion_ratio']:.2f}",
                    ]
                )
    return rows


def beside(past: Tensor, films: Mapping[str, Tensor], zoom: int) -> list[np.ndarray]:
    """VideoGames beside each other, one below the other: uint8 [H, W, 3] each frame.

    Args:
        past: the known frames, [B, P, C, S, S] in [0, 1].
        films: what follows, by name, [B, T, C, S, S].
        zoom: the width of a pixel.
    """
    columns = [torch.cat([past, film], 1) for film in films.values()]
    sheet = torch.stack(columns, 1)  # [B, columns, T, C, S, S]
    sheet = nn.functional.pad(sheet, (2, 2, 2, 2), value=0.5)
    sheet = sheet.permute(2, 0, 4, 1, 5, 3).flatten(1, 2).flatten(2, 3)
    pixels = (sheet * 255).round().clamp(0, 255).byte()
    pixels = pixels.expand(*pixels.shape[:3], 3) if pixels.shape[-1] == 1 else pixels
    pixels = pixels.repeat_interleave(zoom, 1).repeat_interleave(zoom, 2)
    return list(pixels.numpy())

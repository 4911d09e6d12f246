"""Video as an application: clips, the game, rollouts beside the baselines', films to look at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gantools import Adversary, Application, Game, Player, Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.media import grid, write_video
from gantools.schedules import cosine
from gantools_video import clips
from gantools_video.baselines import BASELINES
from gantools_video.blocks import STRIDE
from gantools_video.clips import Clips, Windows
from gantools_video.config import VideoConfig
from gantools_video.discriminator import Discriminator
from gantools_video.game import VideoGame
from gantools_video.metrics import rollout_figures
from gantools_video.networks import network
from gantools_video.pictures import beside, table
from gantools_video.predictor import Predictor
from gantools_video.sprites import Straight

SEEN = 4
"""Frames that a discriminator sees at once, if so many are known and predicted."""
KEPT = "clips.npz"
SHOWN = 4


class VideoApplication(Application[VideoConfig]):
    """Learns to predict the next frames."""

    key_figures = ("predictor/lp", "discriminators/separation")

    def __init__(self, config: VideoConfig, inputs: Path | None = None) -> None:
        super().__init__(config.resolved(), inputs)
        if config.size % STRIDE:
            raise UserError(f"--size is a multiple of {STRIDE}, not {config.size}.")
        self._clips: Clips | None = None

    @property
    def past(self) -> int:
        """P, how many frames are known."""
        assert self.config.past is not None
        return self.config.past

    # -- the game ------------------------------------------------------------------------------

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What the network is made by."""
        config = self.config
        channels, actions = clips.shape(config.data)
        return {
            "game": config.game,
            "channels": channels,
            "past": self.past,
            "width": config.width,
            "actions": actions,
            "damping": config.damping,
            "layers": config.layers,
        }

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
        config = self.config
        predictor = Player(
            network(**self.asked),
            lr=config.lr,
            betas=(0.9, 0.99),
            clip_norm=1.0,
            ema=config.ema or None,
            schedule=cosine,
        )
        discriminators = adversary = None
        seen = min(SEEN, self.past + 1)
        if config.adversarial:
            sides = [config.size // k for k in ((8, 4, 2, 1) if config.game == "mathieu" else (1,))]
            looks = nn.ModuleList(
                Discriminator(
                    self.asked["channels"],
                    seen,
                    config.discriminator_width,
                    min(3, side.bit_length() - 2),
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
            past=self.past,
            weights={
                "lp": config.lp,
                "gdl": config.gdl,
                "adversarial": config.adversarial,
                "places": config.places,
            },
            p=config.p,
            seen=seen,
            # One frame ahead is learned first, where what it moves is not yet known.
            shortest=config.rollout if config.game == "sprites" else 1,
            longest=config.rollout,
        )
        if not setting.training:
            return game, None
        rows = self.clips.rows(self.past + config.rollout, config.size)
        return game, Batches(*rows, size=config.batch, seed=config.seed, **setting.share)

    def keep_inputs(self, folder: Path) -> None:
        """Keep the frames, but for the moving digits, which are made anew."""
        if self.config.data != "moving-digits":
            clips.keep(self.clips, folder / KEPT)

    def model(self, game: Game) -> Predictor:
        """The averaged network of a game."""
        return Predictor({**self.asked, "size": self.config.size}, game.predictor.averaged)

    # -- how it is judged ----------------------------------------------------------------------

    def tested(self, most: int, *, left_out: bool = False) -> tuple[Tensor, Tensor, Tensor | None]:
        """Known and true frames of held-out films, [N, P, …] and [N, horizon, …] in [0, 1], and of
        environments what was done from the last known frame on, [N, horizon, A]."""
        config = self.config
        stretches = self.clips.left_out if left_out else self.clips.test
        windows = Windows(stretches, self.past + config.horizon)
        if not len(windows):
            raise UserError(
                f"No held-out stretch of {config.data} has {windows.length} frames: choose a "
                "smaller --horizon."
            )
        rows = torch.linspace(0, len(windows) - 1, min(most, len(windows))).round().long()
        film = windows[rows].float() / 255
        done = None
        if self.asked["actions"]:
            done = Windows(self.clips.test_actions, windows.length)[rows][:, self.past - 1 : -1]
        return film[:, : self.past], film[:, self.past :], done

    def judged(self, game: Game, *, left_out: bool = False) -> dict[str, Any]:
        """Ours and the baselines, free-running, at every step; where something is done, ours with
        what is done in other films too: who looks at it is worse then. Sprites are judged beside
        those that go straight on."""
        config = self.config
        past, future, done = self.tested(config.samples, left_out=left_out)
        model, steps = self.model(game), future.shape[1]
        films = {"ours": model(past, steps, done)}
        if done is not None:  # half of all films on: neighbours overlap
            films["wrong_actions"] = model(past, steps, done.roll(len(done) // 2, 0))
        if config.game == "sprites":
            films["straight"] = self.straight()(past, steps)
        films |= {name: baseline(past, steps) for name, baseline in BASELINES.items()}
        found = {name: rollout_figures(past, future, film) for name, film in films.items()}
        return {"windows": len(past), "steps": steps, **found}

    def straight(self) -> Predictor:
        """Sprites as they are found, that go straight on."""
        net = network(**self.asked)
        net.dynamics = Straight()
        return Predictor({**self.asked, "size": self.config.size}, net)

    def validate(self, game: Game) -> Mapping[str, float]:
        """PSNR of a few held-out films at the first and the last step."""
        past, future, done = self.tested(64)
        found = rollout_figures(past, future, self.model(game)(past, future.shape[1], done))
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
        figures = self.judged(trained.game)
        for who, suffix in (("ours", ""), ("copy", "_of_copy"), ("flow", "_of_flow")):
            psnr = figures[who]["psnr"]
            found |= {f"psnr_first{suffix}": psnr[0], f"psnr_last{suffix}": psnr[-1]}
        found |= figures
        if self.clips.left_out:
            found["left_out"] = self.judged(trained.game, left_out=True)
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
        """Films as rows of frames in [−1, 1]: true, ours, true, ours, …"""
        past, future, done = self.tested(count)
        made = self.model(game)(past, future.shape[1], done)
        known = past[:, -2:]
        films = [torch.cat([known, end], 1) * 2 - 1 for end in (future, made)]
        return [row for pair in zip(*films, strict=True) for row in pair]

    def report(self, trained: Trained) -> list[Section]:
        """Figures step by step, strips of frames, and a film: true, ours and the baselines'."""
        samples = trained.run.samples
        text = f"{FREE} {WRONG}" if self.asked["actions"] else FREE
        sections = [Section("Step by step", text=text, rows=table(trained.run.evaluation or {}))]
        path = samples / "strips.png"
        rows = self.strips(trained.game, SHOWN)
        above = ["known", "known", *(f"t+{k}" for k in range(1, len(rows[0]) - 1))]
        grid(rows, zoom=2, above=above, beside=["true", "predicted"] * SHOWN).save(path)
        sections.append(Section("Held-out films", media={path: STRIPS}))
        past, future, done = self.tested(SHOWN)
        steps = future.shape[1]
        films = {"true": future, "predicted": self.model(trained.game)(past, steps, done)}
        films |= {name: baseline(past, steps) for name, baseline in BASELINES.items()}
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
WRONG = "Wrong actions are those of another film: a model that does not look at them is as good."
STRIPS = "Each pair: the truth above, below it what was predicted from the known frames."

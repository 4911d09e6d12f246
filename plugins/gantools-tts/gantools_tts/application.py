"""Speech as an application: voices, the game, judges, sounds to listen to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gantools import Adversary, Application, Game, Player, Section, Setting, Trained
from gantools.data import Batches
from gantools.schedules import cosine
from gantools_tts import features, voices
from gantools_tts.config import TTSConfig
from gantools_tts.data import Pieces, Utterance
from gantools_tts.discriminators import ensemble
from gantools_tts.features import FRAME_RATE
from gantools_tts.game import TTSGame
from gantools_tts.generators import generator
from gantools_tts.losses import spectral
from gantools_tts.model import Model
from gantools_tts.prosody import Prosody
from gantools_tts.voices import RATE, VoiceData

SHOWN = 6
"""Utterances that the report lets people hear."""


class TTSApplication(Application[TTSConfig]):
    """Learns a voice."""

    key_figures = ("generator/spectral", "prosody/lengths", "discriminators/separation")

    def __init__(self, config: TTSConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        self._voice: VoiceData | None = None

    # -- the game ------------------------------------------------------------------------------

    @property
    def voice(self) -> VoiceData:
        """What is learned from, and what is held out."""
        if self._voice is None:
            config = self.config
            if self.inputs is not None and (self.inputs / voices.KEPT).is_file():
                self._voice = voices.kept(self.inputs / voices.KEPT)
            else:
                self._voice = voices.load(config.data, config.utterances, config.seed)
        return self._voice

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What the voice is made by."""
        config = self.config
        return {"generator": config.generator, "width": config.width, "rate": RATE}

    def build(self, setting: Setting) -> tuple[TTSGame, Batches | None]:
        """Read or make the recordings, make the players."""
        config = self.config
        assert config.width is not None
        kinds = {"betas": (0.8, 0.99), "clip_norm": 1.0, "schedule": cosine}
        ema = config.ema or None
        speaker = Player(
            generator(config.generator, RATE, config.width), lr=config.lr, ema=ema, **kinds
        )
        prosody = Player(Prosody(), lr=1e-3, ema=ema, **kinds)
        discriminators = adversary = None
        if config.adversarial:
            listeners: nn.Module = ensemble(RATE, config.discriminator_width)
            discriminators = Player(
                listeners, lr=config.discriminator_lr, betas=(0.8, 0.99), schedule=cosine
            )
            adversary = Adversary(config.objective, config.penalty, setting=setting)
        game = TTSGame(
            speaker,
            prosody,
            discriminators,
            adversary,
            weights={
                "spectral": config.spectral,
                "adversarial": config.adversarial,
                "features": config.features,
            },
            hop=RATE // FRAME_RATE,
        )
        if not setting.training:
            return game, None
        rows = Pieces(self.voice.train, round(config.seconds * FRAME_RATE), RATE)
        return game, Batches(rows, size=config.batch, seed=config.seed, **setting.share)

    def keep_inputs(self, folder: Path) -> None:
        """Keep the recordings."""
        voices.keep(self.voice, folder / voices.KEPT)

    def model(self, game: Game) -> Model:
        """The averaged networks of a game."""
        return Model(self.asked, game.generator.averaged, game.prosody.averaged)

    # -- how it is judged ----------------------------------------------------------------------

    def tested(self, most: int) -> Sequence[Utterance]:
        """Held-out utterances, evenly over all there are."""
        held_out = self.voice.test
        rows = np.linspace(0, len(held_out) - 1, min(most, len(held_out))).round().astype(int)
        return [held_out[row] for row in rows]

    def validate(self, game: Game) -> Mapping[str, float]:
        """How far spectra, lengths and pitch are from a few held-out recordings'.

        Spectra are compared at the recordings' lengths and pitch: of others there is no truth.
        """
        model = self.model(game)
        far, lengths, pitch = [], [], []
        for u in self.tested(16):
            told = features.of_phones(u.phones)
            frames = features.of_frames(told, u.lengths)
            made, real = torch.from_numpy(model.sound(frames, u.pitch)), torch.from_numpy(u.audio)
            far.append(spectral(made[None], real[None]).item())
            lengths.append(np.abs(model.networks.log_lengths(told) - np.log1p(u.lengths)).mean())
            octaves, voiced = features.of_pitch(u.pitch)
            off = np.abs(model.networks.octaves(frames)[0] - octaves)[voiced > 0]
            pitch += [12 * off.mean()] if len(off) else []
        return {
            "spectral": float(np.mean(far)),
            "log_lengths": float(np.mean(lengths)),
            "semitones": float(np.mean(pitch)),
            "score": -float(np.mean(far)),
        }

    def spoken(self, model: Model, utterances: Sequence[Utterance]) -> tuple[list[np.ndarray], float]:
        """What the voice says for texts, with lengths and pitch that it predicts; and seconds of
        computing, all stages, for a second of sound, on as many threads as torch has."""
        made, took = [], 0.0
        for number, u in enumerate(utterances):
            begin = time.perf_counter()
            made.append(np.concatenate(list(model.say(u.text, seed=number))))
            took += time.perf_counter() - begin
        return made, took / (sum(map(len, made)) / RATE)

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Say held-out texts, and have them judged beside the recordings."""
        from gantools_tts import judged

        utterances = self.tested(self.config.samples)
        made, rtf = self.spoken(self.model(trained.game), utterances)
        found = judged.figures(utterances, made, self.voice.train, RATE)
        return {
            "voice": self.voice.source,
            "utterances": len(utterances),
            **found,
            "rtf": rtf,
            "seed": self.config.seed,
        }

"""Speech as an application: voices, the game, judges, sounds to listen to."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch import nn

from gantools import Adversary, Application, Game, Player, Section, Setting, Trained
from gantools.data import Batches
from gantools.media import grid
from gantools.schedules import cosine
from gantools_tts import features, voices
from gantools_tts.config import TTSConfig
from gantools_tts.data import Pieces, Utterance
from gantools_tts.discriminators import ensemble
from gantools_tts.features import FRAME_RATE
from gantools_tts.game import TTSGame
from gantools_tts.generators import generator
from gantools_tts.losses import magnitudes, spectral
from gantools_tts.model import Model
from gantools_tts.prosody import Prosody
from gantools_tts.recognisers import check_judges
from gantools_tts.voices import RATE, VoiceData

SHOWN = 6
"""Utterances that the report lets people hear."""


class TTSApplication(Application[TTSConfig]):
    """Learns a voice."""

    key_figures = ("generator/spectral", "prosody/lengths", "discriminators/free-4/separation")

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
            listeners: nn.Module = ensemble(config.discriminators, RATE, config.discriminator_width)
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
        check_judges()  # rather now than after the training
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
        return evenly(self.voice.test, most)

    def validate(self, game: Game) -> Mapping[str, float]:
        """How far spectra, lengths and pitch are from a few recordings', of neither part.

        Spectra are compared at the recordings' lengths and pitch: of others there is no truth.
        """
        model = self.model(game)
        far, lengths, pitch = [], [], []
        for u in evenly(self.voice.valid, 16):
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

    def spoken(
        self, model: Model, utterances: Sequence[Utterance]
    ) -> tuple[list[np.ndarray], float]:
        """What the voice says for texts, with lengths and pitch that it predicts; and CPU seconds,
        of all stages and threads, for a second of sound."""
        list(model.say("Hello."))  # loads what is loaded once
        made, took = [], 0.0
        for number, u in enumerate(utterances):
            begin = time.process_time()
            made.append(np.concatenate(list(model.say(u.text, seed=number))))
            took += time.process_time() - begin
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

    # -- what is left --------------------------------------------------------------------------

    def export(self, trained: Trained) -> None:
        """``model.safetensors`` and ``model.json``: all that ``say`` needs."""
        model = self.model(trained.game)
        model.about = trained.about(voice=self.voice.source)
        model.save(trained.run.path)

    def snapshot(self, game: Game, folder: Path, turn: int) -> None:
        """Spectrograms of two recordings that are not learned from, below each the same as said."""
        model = self.model(game)
        rows = []
        for u in evenly(self.voice.valid, 2):
            frames = features.of_frames(features.of_phones(u.phones), u.lengths)
            rows += [spectrogram(x)[None] for x in (u.audio, model.sound(frames, u.pitch))]
        sheet = grid(rows, zoom=1, beside=["recorded", f"turn {turn}"] * 2)
        sheet.save(folder / f"turn-{turn:07d}.png")

    def report(self, trained: Trained) -> list[Section]:
        """Figures beside the recordings', spectrograms, sounds to listen to."""
        samples = trained.run.samples
        found = trained.run.evaluation or {}
        sections = [Section("How it is judged", text=JUDGED, rows=table(found))]
        model = self.model(trained.game)
        media: dict[Path, str] = {}
        for number, u in enumerate(self.tested(SHOWN)):
            said, _ = self.spoken(model, [u])
            for whose, sound in (("recorded", u.audio), ("said", said[0])):
                path = samples / f"{number}-{whose}.wav"
                soundfile.write(path, sound, RATE, "PCM_16")
                media[path] = f"{whose}: {u.text}"
        sections.append(Section("Texts that it never read", text=HEARD, media=media))
        return sections


def evenly(utterances: Sequence[Utterance], most: int) -> list[Utterance]:
    """So many of them at most, the first and the last among them."""
    rows = np.linspace(0, len(utterances) - 1, min(most, len(utterances))).round().astype(int)
    return [utterances[row] for row in rows]


def spectrogram(sound: np.ndarray) -> torch.Tensor:
    """Log magnitudes of the first two seconds, 80 dB to 0, as a picture [1, F, T] in [−1, 1]."""
    seen = np.pad(sound[: 2 * RATE], (0, max(0, 2 * RATE - len(sound))))
    s = magnitudes(torch.from_numpy(seen)[None], 512)[0]
    level = 20 * s.log10() - 20 * s.max().log10()
    return (level.flip(0)[None] / 40 + 1).clamp(-1, 1)


def table(found: Mapping[str, Any]) -> list[list[Any]]:
    """The figures of the voice, of its magnitudes alone, of the recordings, and of chance."""
    rows: list[list[Any]] = [["", *COLUMNS.values()]]
    for name, said in FIGURES.items():
        if name in found:
            row = [(found.get(f"{w}{name}"), found.get(f"{w}{name}_interval")) for w in COLUMNS]
            rows.append([said, *(_figure(*of) for of in row)])
    return rows


def _figure(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


COLUMNS = {
    "": "said",
    "griffinlim_": "by Griffin-Lim",
    "real_": "recorded",
    "shuffled_": "chance",
}
FIGURES = {
    "phoneme_error_rate": "phoneme error rate (hama)",
    "word_error_rate": "word error rate (pocketsphinx)",
    "dnsmos": "quality, 1 to 5 (DNSMOS)",
    "speaker_distance": "speaker distance (Resemblyzer, Fréchet)",
    "nearest_recording": "most like a recording of the training, 1 is a replay",
    "rtf": "CPU seconds for a second of sound",
}
JUDGED = (
    "Texts were said of families of phrases that are not in the training, with lengths and a pitch "
    "that were predicted. Griffin-Lim's algorithm has the magnitudes of what was said, and finds "
    "phases of its own. Chance is the error rate against another utterance's phones. Intervals are "
    "95 %, over utterances."
)
HEARD = "Each first as it was recorded, then as the voice says its text."

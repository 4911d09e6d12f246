"""Text to image as an application: pictures and captions, the game, its judge, its report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from gantools import Application, Game, Player, Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.media import grid
from gantools_text2image import pictures, sources
from gantools_text2image.captions import SIMILAR, Captions
from gantools_text2image.config import TextToImageConfig
from gantools_text2image.drawer import Drawer, Standard, codes, network, words_of
from gantools_text2image.encoders import text_encoder
from gantools_text2image.evaluation import judge_drawings, table
from gantools_text2image.game import Contest, Drawing, Pair, TwoStages
from gantools_text2image.judge import Judge
from gantools_text2image.judge_train import judge_of
from gantools_text2image.networks import Discriminator, Stack
from gantools_text2image.pictures import Pictures
from gantools_text2image.precomputed import Precomputed
from gantools_text2image.text import embed

PROMPTS = [
    "red heart",
    "green heart",
    "grinning face",
    "cat face",
    "hot dog",
    "hamburger",
    "sun",
    "christmas tree",
    "blue circle",
    "woman astronaut dark skin tone",
    "woman astronaut light skin tone",
    "man cook medium skin tone",
]
Schedule = Callable[[float], float]
SPLITS = {
    "train": "Names that were trained on",
    "held-out": "Names that were not",
    "composition": "People of a skin tone that they were never seen with",
}
SHOWN = "Above the real picture; below it three drawings of its name, each with a code of its own."
JUDGED = (
    "An independent judge picks which of the names a picture shows (R-precision), or which of the "
    "pictures shows a name; it learned from real pictures only, and was no part of the training. "
    "More than the real pictures have is no virtue: drawings can be plainer than what they stand "
    "for. Of few pictures these figures say little."
)
"""Above the table of figures."""
FIRST = (
    "r_precision",
    "r_precision_real",
    "heldout_r_precision",
    "heldout_r_precision_real",
    "skin_tone_accuracy",
    "diversity_ratio",
)
"""The figures that an evaluation begins with."""


class TextToImage(Application[TextToImageConfig]):
    """Learns to draw from captioned pictures."""

    key_figures = ("discriminator/separation", "discriminator/wrong_captions")

    def __init__(self, config: TextToImageConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        self.size = config.resolution
        text, kept = config.text, inputs and inputs / Path(config.text).name
        self.encoder = text_encoder(str(kept) if kept and kept.is_file() else text)
        self._judge: Judge | None = None

    # -- the game ------------------------------------------------------------------------------

    def build(self, setting: Setting) -> tuple[Drawing, Batches | None]:
        """Read pictures and captions, make the players."""
        config = self.config
        self.pictures = self._pictures()
        train = self.pictures.only("train")
        if config.batch < 2 * setting.world_size:
            raise UserError(
                f"Each of {setting.world_size} processes needs two pictures of a batch, one whose "
                f"caption is wrong for the other: --batch {2 * setting.world_size} or more."
            )
        texts = [caption for captions in train.captions for caption in captions]
        learned = hasattr(self.encoder, "tokens")
        if learned:
            width = self.encoder.width
            read, standard = (
                self.encoder.tokens(texts),
                Standard(torch.zeros(width), torch.ones(width)),
            )
        else:
            embedded = embed(texts, self.encoder)
            width, standard = embedded.shape[1], Standard.of(embedded)
            read = standard(embedded)
        if config.near and learned:
            raise UserError("--near needs embeddings that stay as they are: --text minilm.")
        if config.near and len({*texts}) <= SIMILAR:
            raise UserError(f"--near needs more than {SIMILAR} different captions: --near 0.")
        captions = Captions(read, train.captions, config.near)
        game = self._game(captions, width, train.placed, setting, learned)
        game.standard = standard
        if not setting.training:
            return game, None
        if setting.rank == 0:
            self.judge()  # before the training, which can be interrupted; it may take minutes
        rows = torch.arange(len(train))
        batches = Batches(train.images, rows, size=config.batch, seed=config.seed, **setting.share)
        return game, batches

    def _pictures(self) -> Pictures:
        if self.inputs is not None and (kept := self.inputs / "pictures").is_dir():
            return pictures.read(kept)
        return sources.load(self.config.data, self.size, self.config.seed)

    def keep_inputs(self, folder: Path) -> None:
        """Keep the pictures as they are trained on, and a file of embeddings."""
        if not self.of_openmoji:
            pictures.write(self.pictures, folder / "pictures")
        if isinstance(self.encoder, Precomputed):
            shutil.copyfile(self.config.text, folder / Path(self.config.text).name)

    def _game(
        self, captions: Captions, text: int, placed: bool, setting: Setting, learned: bool
    ) -> Drawing:
        config = self.config
        contest = Contest(
            objective=config.objective,
            penalties=config.penalty,
            augment=config.augment,
            setting=setting,
            contrastive=config.contrastive or 0.0,
            between=config.game == "gan-int",
        )
        made = network(config, text)
        reader = self.encoder if learned else None

        def critic(size: int, reads: bool, stage: Schedule) -> Player:
            module = Discriminator(
                size, text, config.discriminator_width, reader if reads else None
            )
            return self._player(module, config.discriminator_lr or 0.0, stage)

        def artist(module: torch.nn.Module, stage: Schedule) -> Player:
            return self._player(module, config.lr or 0.0, stage, ema=config.ema or None)

        options: dict[str, Any] = {
            "captions": captions,
            "contest": contest,
            "codes": codes(config),
            "placed": placed,
        }
        game: Drawing
        if isinstance(made, Stack):
            game = TwoStages(
                sketcher=critic(self.size // 2, learned, _falling_first),
                sketch=artist(made.sketch, _falling_first),
                discriminator=critic(self.size, False, _falling_second),
                generator=artist(made.refiner, _falling_second),
                **options,
            )
        else:
            game = Pair(
                discriminator=critic(self.size, learned, _falling),
                generator=artist(made, _falling),
                **options,
            )
        if learned:
            game.reader = "sketcher" if isinstance(made, Stack) else "discriminator"
        return game

    def _player(
        self, module: torch.nn.Module, lr: float, schedule: Schedule, ema: float | None = None
    ) -> Player:
        betas = (self.config.beta1, self.config.beta2 or 0.0)
        return Player(module, lr=lr, betas=betas, ema=ema, schedule=schedule)

    def model(self, game: Drawing) -> Drawer:
        """The averaged generator of a game, and what it reads captions by."""
        made = game.generator.averaged
        if isinstance(game, TwoStages):
            made = Stack(game.sketch.averaged, made)
        words = words_of(text for texts in self.pictures.only("train").captions for text in texts)
        return Drawer(self.config, made, self.encoder, game.standard, words)

    # -- how it is judged ----------------------------------------------------------------------

    @property
    def of_openmoji(self) -> bool:
        """Whether the pictures are the plugin's own."""
        return self.config.data == "openmoji"

    @property
    def prompts(self) -> list[str]:
        """What snapshots draw: captions that were trained on, and some that were not."""
        seen = self.pictures.only("train")
        names = {captions[0] for captions in seen.captions}
        first = [prompt for prompt in PROMPTS if prompt in names] if self.of_openmoji else []
        first = first or [captions[0] for captions in seen.captions[:12]]
        return [*first, *self.unseen_prompts]

    @property
    def unseen_prompts(self) -> list[str]:
        """Those of them that were not."""
        return [captions[0] for captions in self.pictures.only("held-out").captions[:4]]

    def snapshot(self, game: Game, folder: Path, turn: int) -> None:
        """The fixed prompts, with two fixed codes."""
        drawer = self.model(game)
        e = drawer.read(self.prompts)
        rows = [
            drawer.draw(e, z.expand(len(e), -1)).cpu()
            for z in drawer.fresh(2, torch.Generator().manual_seed(0)).split(1)
        ]
        unseen = [f"{prompt} (unseen)" for prompt in self.unseen_prompts]
        above = [*self.prompts[: -len(unseen) or None], *unseen]
        picture = grid(rows, zoom=2, above=above, beside=[f"turn {turn}"])
        picture.save(folder / f"turn-{turn:07d}.png")

    def validate(self, game: Game) -> Mapping[str, float]:
        """What the judge says of 300 captions that were trained on, drawn with fresh codes."""
        train = self.pictures.only("train")
        found = judge_drawings(
            self.model(game), train, self.judge(), self.config.seed, seen=300, varied=8
        )
        names = ("r_precision", "diversity_ratio", "frechet")
        shown = {name: found[name] for name in names if found.get(name) is not None}
        return {**shown, "score": found["r_precision"]}

    def judge(self) -> Judge:
        """Who says what a picture shows: the plugin's for OpenMoji, else one of these pictures."""
        if self._judge is None:
            if self.of_openmoji:
                self._judge = Judge.load()
            else:
                self._judge = judge_of(self.pictures, steps=self.config.judge_steps)
        return self._judge

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """What an independent judge says of drawings of seen and of unseen names, beside what it
        says of real pictures and of drawings whose captions were shuffled."""
        config = self.config
        found = judge_drawings(
            self.model(trained.game),
            self.pictures,
            self.judge(),
            config.seed,
            seen=config.samples,
        )
        first = {name: found[name] for name in FIRST if name in found}
        about = {"data": self.pictures.source, "game": config.game, "resolution": self.size}
        return {**first, **found, **about}

    # -- what is left --------------------------------------------------------------------------

    def export(self, trained: Trained) -> None:
        """``model.safetensors`` and ``model.json``: all that ``draw`` needs."""
        drawer = self.model(trained.game)
        drawer.about = trained.about(data=self.pictures.source)
        drawer.save(trained.run.path)

    def report(self, trained: Trained) -> list[Section]:
        """Names as drawn and as they are, seen and unseen; a way between two."""
        samples, drawer = trained.run.samples, self.model(trained.game)
        sections = [self._judged(trained)]
        for split, title in SPLITS.items():
            real = self.pictures.only(split)
            if not len(real):
                continue
            path = samples / f"{split}.png"
            shown = torch.randperm(len(real), generator=torch.Generator().manual_seed(0))[:10]
            names = [real.captions[i][0] for i in shown.tolist()]
            rows = [real.images[shown].float() / 127.5 - 1]
            rows += [drawer(names, torch.Generator().manual_seed(seed)) for seed in range(3)]
            grid(rows, zoom=3, above=names, beside=["real", *["drawn"] * 3]).save(path)
            sections.append(Section(title, media={path: SHOWN}))
        sections.append(self._between(samples / "between.png", drawer))
        return sections

    def _judged(self, trained: Trained) -> Section:
        """Figures beside what real pictures have, and drawings of other names."""
        rows = table(trained.run.evaluation or {})
        return Section("Do drawings show what was asked for?", text=JUDGED, rows=rows)

    def _between(self, path: Path, drawer: Drawer) -> Section:
        first, second = self.prompts[:2]
        z = drawer.fresh(2, torch.Generator().manual_seed(0))
        e = drawer.read([first]).expand(8, -1)
        rows = [
            drawer.draw(drawer.between(first, second, 8), z[:1].expand(8, -1)),
            drawer.draw(e, drawer.between_codes(*z, 8)),
        ]
        above = [first, *[""] * 6, second]
        beside = ["two sentences, one code", f"two codes, “{first}”"]
        grid([row.cpu() for row in rows], zoom=3, above=above, beside=beside).save(path)
        said = f"Above from “{first}” to “{second}”, below from one code to another."
        return Section("Between sentences and between codes", media={path: said})


def _falling(progress: float) -> float:
    """1 in the first half of the training, then linearly to 0."""
    return min(1.0, 2 * (1 - progress))


def _falling_first(progress: float) -> float:
    """The same within the first half of the training."""
    return _falling(min(1.0, 2 * progress))


def _falling_second(progress: float) -> float:
    """The same within the second half."""
    return _falling(max(0.0, 2 * progress - 1))

"""The codec as an application: pictures, the game, real bytes beside the standards', its report."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gantools import Adversary, Application, Game, Player, Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.media import grid
from gantools.schedules import cosine
from gantools_codec import container, model, sources, standards
from gantools_codec.codec import Codec
from gantools_codec.coder import ModelCoder
from gantools_codec.config import CodecConfig
from gantools_codec.game import CodecGame
from gantools_codec.networks import Discriminator, padded
from gantools_codec.sources import Images, Pictures

SIDE = 32
"""Pictures that are larger are cut into squares of so many pixels to train on."""
MOST_SQUARES = 5_000
"""Principal components are those of so many squares at most."""
LOSSY = 200
"""Every lossy quality is judged by so many pictures at most."""
SHOWN = 16
KEPT = "images.npz"
QUALITIES = ["what the code draws", "in steps of 16", "in steps of 8", "in steps of 4", "of 2"]


class CodecApplication(Application[CodecConfig]):
    """Learns to compress pictures."""

    key_figures = ("codec/bits", "codec/code_bits", "discriminator/separation")

    def __init__(self, config: CodecConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        self._images: Images | None = None

    # -- the game ------------------------------------------------------------------------------

    @property
    def images(self) -> Images:
        """What is trained on, and what is held out."""
        if self._images is None:
            if self.inputs is not None and (self.inputs / KEPT).is_file():
                self._images = sources.kept(self.inputs / KEPT)
            else:
                self._images = sources.load(self.config.data, self.config.seed)
        return self._images

    def build(self, setting: Setting) -> tuple[CodecGame, Batches | None]:
        """Cut pictures, make the players."""
        config = self.config
        planes = self.images.test[0].shape[2]
        options = {"width": config.width, "mixtures": config.mixtures}
        codec = Codec(
            planes,
            config.code or 0,
            config.stride or SIDE,
            channels=config.channels,
            sight=config.sight,
            **options,
        )
        player = Player(codec, lr=config.lr, betas=(0.9, 0.99), clip_norm=1.0, schedule=cosine)
        discriminator = adversary = None
        if config.code and config.adversarial:
            looks = Discriminator(planes, config.code, config.stride or SIDE, config.channels)
            discriminator = Player(
                looks, lr=config.discriminator_lr, betas=(0.5, 0.99), schedule=cosine
            )
            adversary = Adversary(config.objective, config.penalty, setting=setting)
        game = CodecGame(
            player,
            discriminator,
            adversary,
            weights={
                "adversarial": config.adversarial,
                "distortion": config.reconstruction or 0.0,
                "rate": config.rate or 0.0,
            },
            power=2 if config.distortion == "l2" else 1,
            for_bits=config.aim == "lossless",
            pixels=config.pixels,
        )
        if not setting.training:
            return game, None
        squares = cut(self.images.train)
        return game, Batches(
            torch.from_numpy(squares), size=config.batch, seed=config.seed, **setting.share
        )

    def warm_start(self, game: Game) -> None:
        """Begin with the principal components of some pictures."""
        if self.config.code:
            assert isinstance(game, CodecGame)
            codec: Codec = game.codec.module
            squares = cut(self.images.train)[:MOST_SQUARES]
            x = torch.from_numpy(squares).permute(0, 3, 1, 2).float() / 128 - 1
            x = padded(x, codec.stride).to(codec.device)
            tiles = x.unfold(2, codec.stride, codec.stride).unfold(3, codec.stride, codec.stride)
            tiles = tiles.permute(0, 2, 3, 1, 4, 5).flatten(0, 2)
            codec.transform.begin(tiles[:: -(-len(tiles) // MOST_SQUARES)])

    def keep_inputs(self, folder: Path) -> None:
        """Keep the pictures, but for the digits, which come with gantools."""
        if self.config.data != "digits":
            sources.keep(self.images, folder / KEPT)

    def model(self, game: Game) -> ModelCoder:
        """The coder of a game, in whole numbers; nameless until it is exported."""
        assert isinstance(game, CodecGame)
        parts = model.parts_of(game.codec.module, self.config.aim == "lossy")
        return ModelCoder(model.NAMELESS, parts)

    # -- how it is judged ----------------------------------------------------------------------

    @property
    def tested(self) -> Pictures:
        """The held-out images that are judged by."""
        return self.images.test[: self.config.test]

    def validate(self, game: Game) -> Mapping[str, float]:
        """Real bytes of a few held-out images."""
        found = measure(self.model(game), self.tested[:SHOWN], 0)
        return {
            "bits_per_subpixel": found["bits_per_subpixel"],
            "score": -found["bits_per_subpixel"],
        }

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Bytes of held-out images in a file, decoded again, beside those of the standards."""
        coder, test = self.model(trained.game), self.tested
        found = measure(coder, test, 0)
        found |= {"dataset": self.images.source, "aim": self.config.aim}
        few = test[:100]
        found |= {k: v for k, v in standards.lossless(few).items() if k not in found}
        found["standards_images"] = len(few)
        found["weights_bytes"] = model.size(coder.parts)
        if self.config.aim == "lossy":
            found["lossy"] = [
                {"quality": q, **measure(coder, test[:LOSSY], q)}
                for q in range(1, coder.qualities + 1)
            ]
        return found

    # -- what is left --------------------------------------------------------------------------

    def export(self, trained: Trained) -> None:
        """``model.safetensors`` and ``model.json``: all that ``compress`` needs."""
        about = trained.about(data=self.images.source)
        model.save(trained.run.path, trained.model.parts, about)

    def snapshot(self, game: Game, folder: Path, turn: int) -> None:
        """Held-out pictures, and what their codes draw."""
        if self.config.code:
            rows = self._drawn(self.model(game))
            grid(rows, zoom=2, beside=["real", f"turn {turn}"]).save(
                folder / f"turn-{turn:07d}.png"
            )

    def _drawn(self, coder: ModelCoder) -> list[torch.Tensor]:
        """Held-out pictures, and what their codes draw: [N, C, H, W] in [−1, 1] each."""
        few = cut(self.tested[:SHOWN])[:SHOWN]
        lossy = coder.decode(coder.encode([few], 1), [few.shape], 1)[0]
        return [torch.from_numpy(x).permute(0, 3, 1, 2).float() / 127.5 - 1 for x in (few, lossy)]

    def report(self, trained: Trained) -> list[Section]:
        """Bits beside the standards', and where they go; what the codes draw."""
        coder, test = self.model(trained.game), self.tested
        found = measure(coder, test[:100], 0)
        others = standards.lossless(test[:100])
        rows = [["this codec", f"{found['bits_per_subpixel']:.3f}"]]
        rows += [
            [name.replace("_", " "), f"{bits:.3f}"]
            for name, bits in others.items()
            if name not in ("images", "subpixels") and bits is not None
        ]
        rows += [
            [f"of it: {share}", f"{found[f'bits_{share}']:.4f}"]
            for share in ("code", "pixels", "header")
        ]
        sections = [
            Section(
                "Bits a sub-pixel",
                text=f"Of {len(test[:100])} held-out images; the standards code each by itself.",
                rows=[["", "bits a sub-pixel"], *rows],
            )
        ]
        if self.config.code:
            path = trained.run.samples / "drawn.png"
            grid(self._drawn(coder), zoom=3, beside=["real", "drawn"]).save(path)
            sections.append(
                Section("What the codes draw", media={path: "Held-out pictures above."})
            )
        return sections


def cut(pictures: Pictures) -> np.ndarray:
    """Pictures of one shape: as they are if that is small, else squares of 32 pixels.

    Args:
        pictures: uint8 [H, W, C] each.

    Returns:
        uint8 [N, H, W, C]; what is left over at the right and lower edges is left out.

    Raises:
        UserError: all are smaller than a square, and not of one shape.
    """
    shapes = {picture.shape for picture in pictures}
    if len(shapes) == 1 and max(next(iter(shapes))[:2]) <= 2 * SIDE:
        return np.stack(list(pictures))
    squares = [
        picture[y : y + SIDE, x : x + SIDE]
        for picture in pictures
        for y in range(0, picture.shape[0] - SIDE + 1, SIDE)
        for x in range(0, picture.shape[1] - SIDE + 1, SIDE)
    ]
    if not squares:
        raise UserError(f"All images are smaller than {SIDE} × {SIDE} pixels; give larger ones.")
    return np.stack(squares)


def measure(coder: container.Coder, images: Pictures, quality: int) -> dict[str, Any]:
    """Write images as a file and read it again: bits a sub-pixel, and where they go.

    Raises:
        RuntimeError: the file does not give what was coded.
    """
    file = io.BytesIO()
    container.write(file, [("", image) for image in images], coder, quality)
    reader = container.Reader(file, coder)
    decoded = [pixels for _, pixels in reader.images()]
    if quality == 0 and not all(map(np.array_equal, decoded, images)):
        raise RuntimeError("a lossless file did not give back its pixels")
    subpixels = sum(image.size for image in images)
    pixels = code = 0
    for chunk in reader.chunks:
        part = coder.code_bytes(reader.payload(chunk)) if chunk.coded else 0
        code, pixels = code + part, pixels + chunk.length - part
    per = 8 / subpixels
    found = {
        "bits_per_subpixel": per * reader.size,
        "bytes_per_image": reader.size / len(images),
        "images": len(images),
        "bits_code": per * code,
        "bits_pixels": per * pixels,
        "bits_header": per * (reader.size - code - pixels),
    }
    if quality:
        found["psnr"] = standards.psnr(images, decoded).pooled
    return found

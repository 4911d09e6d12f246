"""A codec's model as it is kept: its networks in whole numbers, by the pictures that they code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gantools import models
from gantools.errors import UserError
from gantools_codec.coder import CodeCoder, ModelCoder, Part, PixelCoder
from gantools_codec.integers import Array, Network

if TYPE_CHECKING:
    from gantools_codec.game import Codec

SHIPPED = Path(__file__).parent / "model"
Parts = Mapping[tuple[int, bool], Part]


def parts_of(codec: Codec, lossy: bool) -> Parts:
    """What a trained codec codes, in whole numbers: its pictures, and single planes.

    Args:
        codec: as it was trained.
        lossy: whether its code is made for lossy qualities; then lossless ones do without a code.

    Raises:
        ValueError: a weight is too large.
    """
    from gantools_codec.networks import whole

    def coder(model: Any, sight: int = 0) -> PixelCoder:
        return PixelCoder([whole(network) for network in model.networks], sight)

    parts = {}
    code = None
    if codec.numbers:
        encoder = whole(codec.encoder.layers, codec.encoder.scale)
        generator = whole(codec.generator.layers)
        code = CodeCoder(encoder, generator, coder(codec.prior), codec.stride)
    parts[codec.planes, lossy] = Part(coder(codec.pixels, codec.sight), code)
    if codec.planes > 1:
        parts[1, False] = Part(coder(codec.plane))
    return parts


def save(folder: Path, parts: Parts, about: Mapping[str, Any]) -> None:
    """Write a model into a folder; see :func:`gantools.models.save`.

    Args:
        parts: by the planes that they code, and whether that is for lossy qualities.
        about: for people: command, seed, data, figures.
    """
    import torch

    states: dict[str, dict[str, Any]] = {}
    config = []
    for (planes, lossy), part in sorted(parts.items()):
        name = f"{'lossy' if lossy else 'lossless'}-{planes}"
        networks = _networks(part)
        said: dict[str, Any] = {"name": name, "planes": planes, "lossy": lossy}
        said |= {"sight": part.pixels.sight, "stride": part.code.stride if part.code else 0}
        said["layers"] = {key: network.layers for key, network in networks.items()}
        config.append(said)
        states[name] = {
            f"{key}.{weight}": torch.from_numpy(_small(value))
            for key, network in networks.items()
            for weight, value in network.weights.items()
        }
    models.save(folder, states, {"parts": config}, about)


def size(parts: Parts) -> int:
    """How many bytes the weights of a model take."""
    return sum(
        _small(value).nbytes
        for part in parts.values()
        for network in _networks(part).values()
        for value in network.weights.values()
    )


def load(folder: Path) -> ModelCoder:
    """Read a model; torch is not imported.

    Raises:
        UserError: there is no whole model in the folder, or it is none of a codec.
    """
    kept = models.load(folder, torch=False)
    try:
        parts = {
            (said["planes"], said["lossy"]): _part(said, kept.states[said["name"]])
            for said in kept.config["parts"]
        }
    except (KeyError, TypeError) as error:
        raise UserError(f"The model in {folder} is none of a codec: {error}.") from None
    return ModelCoder(bytes.fromhex(kept.sha256[:16]), parts)


def coder_of(run: Path | None) -> ModelCoder:
    """The coder of a run: of what it exported, or, if it is not finished, of its last checkpoint.

    Args:
        run: its folder; None stands for the model that comes with the plugin.

    Raises:
        UserError: it is no run of codec, or has no whole model or checkpoint.
    """
    if run is None or (run / "model.json").is_file():
        return load(run or SHIPPED)
    from gantools.verbs import load_run

    trained = load_run(run, "codec")
    made: ModelCoder = trained.application.coder(trained.game)  # type: ignore[attr-defined]
    return made


def _networks(part: Part) -> dict[str, Network]:
    networks = {f"pixels.{i}": network for i, network in enumerate(part.pixels.networks)}
    if part.code is not None:
        networks |= {f"prior.{i}": n for i, n in enumerate(part.code.prior.networks)}
        networks |= {"encoder": part.code.encoder, "generator": part.code.generator}
    return networks


def _part(said: Mapping[str, Any], state: Mapping[str, Array]) -> Part:
    layers = said["layers"]

    def network(name: str) -> Network:
        begin = f"{name}."
        weights = {k.removeprefix(begin): v for k, v in state.items() if k.startswith(begin)}
        return Network(layers[name], weights)

    def several(kind: str) -> Sequence[Network]:
        names = [name for name in layers if name.startswith(f"{kind}.")]
        return [network(name) for name in sorted(names, key=lambda name: int(name.split(".")[1]))]

    code = None
    if "encoder" in layers:
        code = CodeCoder(
            network("encoder"), network("generator"), PixelCoder(several("prior")), said["stride"]
        )
    return Part(PixelCoder(several("pixels"), said["sight"]), code)


def _small(values: Array) -> Array:
    kind = np.int16 if np.abs(values).max(initial=0) < 2**15 else np.int32
    return values.astype(kind)

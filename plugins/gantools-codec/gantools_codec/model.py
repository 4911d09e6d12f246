"""A codec's model as it is kept: its networks in whole numbers, by the pictures that they code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gantools import models
from gantools.errors import UserError
from gantools.verbs import model_of
from gantools_codec.coder import CodeCoder, ModelCoder, Part, PixelCoder
from gantools_codec.integers import ACTIVATION, Array, Network

if TYPE_CHECKING:
    from gantools_codec.codec import Codec

SHIPPED = Path(__file__).parent / "model"
NAMELESS = bytes(8)
"""Of a coder that was not exported."""
CODE = ("basis", "gain", "mean", "law")
"""The arrays of a :class:`CodeCoder` that are no networks."""
Parts = Mapping[tuple[int, bool], Part]


def parts_of(codec: Codec, lossy: bool) -> Parts:
    """What a trained codec codes, in whole numbers: its pictures, and single planes.

    Args:
        codec: as it was trained.
        lossy: whether its code is made for lossy qualities; then lossless ones do without a code.

    Raises:
        ValueError: a weight is too large.
    """
    from gantools_codec.networks import whole, whole_weights

    def coder(model: Any, sight: int = 0) -> PixelCoder:
        return PixelCoder([whole(network) for network in model.networks], sight)

    def activations(values: Any) -> Array:
        return np.rint(values.detach().double().cpu().numpy() * ACTIVATION)

    parts = {}
    code = None
    if codec.numbers:
        code = CodeCoder(
            basis=whole_weights(codec.transform.basis.flatten(1)),
            gain=whole_weights(codec.transform.gain),
            mean=activations(codec.transform.mean.flatten()),
            correction=whole(codec.correction),
            refinement=whole(codec.refinement),
            law=activations(codec.law.outputs),
            stride=codec.stride,
        )
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
        said: dict[str, Any] = {"name": name, "planes": planes, "lossy": lossy}
        said |= {"sight": part.pixels.sight, "stride": part.code.stride if part.code else 0}
        said["layers"] = {key: network.layers for key, network in _networks(part).items()}
        config.append(said)
        states[name] = {key: torch.from_numpy(value) for key, value in _arrays(part).items()}
    models.save(folder, states, {"parts": config}, about, application="codec")


def size(parts: Parts) -> int:
    """How many bytes the weights of a model take."""
    return sum(value.nbytes for part in parts.values() for value in _arrays(part).values())


def load(folder: Path) -> ModelCoder:
    """Read a model; torch is not imported.

    Raises:
        UserError: there is no whole model in the folder, or it is none of a codec.
    """
    kept = models.load(folder, application="codec", torch=False)
    try:
        parts = {
            (said["planes"], said["lossy"]): _part(said, kept.states[said["name"]])
            for said in kept.config["parts"]
        }
    except (KeyError, TypeError) as error:
        raise UserError(f"The model in {folder} is none of a codec: {error}.") from None
    return ModelCoder(bytes.fromhex(kept.sha256[:16]), parts)


def coder_of(run: Path | None) -> ModelCoder:
    """The coder of a finished run; None stands for the model that comes with the plugin.

    Raises:
        UserError: it is no run of codec, or is not finished: nobody could read its files later.
    """
    coder = model_of(run, "codec", load, SHIPPED)
    if coder.name == NAMELESS:
        raise UserError(
            f"{run} is not finished, and with its next step nothing could read what it writes now: "
            f"`gantools resume {run}` first."
        )
    return coder


def _networks(part: Part) -> dict[str, Network]:
    networks = {f"pixels.{i}": network for i, network in enumerate(part.pixels.networks)}
    if part.code is not None:
        networks |= {"correction": part.code.correction, "refinement": part.code.refinement}
    return networks


def _arrays(part: Part) -> dict[str, Array]:
    """All numbers of a part, in as few bytes as they need."""
    arrays = {
        f"{key}.{weight}": value
        for key, network in _networks(part).items()
        for weight, value in network.weights.items()
    }
    if part.code is not None:
        arrays |= {f"code.{name}": getattr(part.code, name) for name in CODE}
    return {name: _small(value) for name, value in arrays.items()}


def _part(said: Mapping[str, Any], state: Mapping[str, Array]) -> Part:
    layers = said["layers"]

    def network(name: str) -> Network:
        begin = f"{name}."
        weights = {k.removeprefix(begin): v for k, v in state.items() if k.startswith(begin)}
        return Network(layers[name], weights)

    code = None
    if said["stride"]:
        code = CodeCoder(
            **{name: state[f"code.{name}"].astype(np.float64) for name in CODE},
            correction=network("correction"),
            refinement=network("refinement"),
            stride=said["stride"],
        )
    pixels = [network(f"pixels.{plane}") for plane in range(said["planes"])]
    return Part(PixelCoder(pixels, said["sight"]), code)


def _small(values: Array) -> Array:
    kind = np.int16 if np.abs(values).max(initial=0) < 2**15 else np.int32
    return values.astype(kind)

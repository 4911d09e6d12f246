"""Trained models that stand by themselves, as plugins ship them and verbs use them: two files.

``model.safetensors`` has the weights; ``model.json`` has what the networks are made by, what people
should know of them, and the SHA-256 of the weights. Loading runs no code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from gantools.errors import UserError
from gantools.files import aside

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "gantools-model-1"
ABOUT, WEIGHTS = "model.json", "model.safetensors"


@dataclass(frozen=True)
class Model:
    """What the two files of a model say."""

    states: dict[str, dict[str, Any]]
    """Each module's state, as its ``load_state_dict`` takes it, on the CPU; none of a module that
    has none. Without torch these are numpy's arrays, as they were kept."""
    config: dict[str, Any]
    """What the modules are made by."""
    about: dict[str, Any]
    """For people: command, seed, data, figures."""
    sha256: str
    """Of the weights, in hexadecimal digits: what a model's name may be made of."""


def save(
    folder: Path,
    modules: Mapping[str, nn.Module | Mapping[str, Tensor]],
    config: Mapping[str, Any],
    about: Mapping[str, Any],
    half: bool = True,
    *,
    application: str | None = None,
) -> None:
    """Write a model into a folder, which is made if need be; either file is whole or not there.

    Args:
        folder: a model that is in it already is replaced.
        modules: by names without a dot; or their states.
        config: what the modules are made by; JSON.
        about: for people: command, seed, data, figures; JSON.
        half: keep floats in 16 bits: half the size, and rounded to 11 significant bits.
        application: whose it is.

    Raises:
        OSError: the files cannot be written.
        TypeError: ``config`` or ``about`` is no JSON.
        ValueError: a finite weight is beyond 16 bits.
    """
    weights = pack(modules, half)
    digest = hashlib.sha256(weights).hexdigest()
    said: dict[str, Any] = {"format": FORMAT, "application": application, "sha256": digest}
    said |= {"config": dict(config), "about": dict(about)}
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    with aside(folder / WEIGHTS) as temporary:
        temporary.write_bytes(weights)
    with aside(folder / ABOUT) as temporary:
        temporary.write_text(text, encoding="utf-8")


def load(folder: Path, *, application: str | None = None, torch: bool = True) -> Model:
    """Read what :func:`save` wrote.

    Args:
        folder: where it is.
        application: whose it has to be, if it says whose it is; None: anybody's.
        torch: False: give numpy's arrays; torch, which takes seconds, is not imported.

    Raises:
        UserError: there is no whole model, or one of another application or version of gantools.
    """
    no_model = f"There is no whole model in {folder}"
    try:
        said = json.loads((folder / ABOUT).read_bytes())
        weights = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise UserError(f"{no_model}: {error.filename}: {error.strerror}.") from None
    except ValueError:
        raise UserError(f"{no_model}: {ABOUT} is torn.") from None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise UserError(f"{folder / ABOUT} was not written by this version of gantools ({FORMAT}).")
    of = said.get("application") or application
    if application is not None and of != application:
        raise UserError(f"The model in {folder} is of {of!r}, not of {application!r}.")
    digest = hashlib.sha256(weights).hexdigest()
    if digest != said.get("sha256"):
        raise UserError(f"{no_model}: {WEIGHTS} is torn, or of another model than {ABOUT}.")
    try:
        states = unpack(weights) if torch else _arrays(weights)
        return Model(states, said["config"], said["about"], digest)
    except (SafetensorError, KeyError) as error:
        raise UserError(f"{no_model}: {error}.") from None


def pack(modules: Mapping[str, nn.Module | Mapping[str, Tensor]], half: bool = True) -> bytes:
    """Return the bytes of ``model.safetensors``: the same states, the same bytes.

    Raises:
        ValueError: a finite weight is beyond 16 bits.
    """
    import safetensors.torch
    import torch

    tensors = {}
    for key, value in _flat(modules).items():
        kept = value.detach().cpu()
        if half and kept.is_floating_point():
            kept = kept.half()
            if kept.isinf().any() and not value.isinf().any():
                raise ValueError(f"{key} is too large for half precision")
        tensors[key] = kept.clone(memory_format=torch.contiguous_format)  # no shared memory
    return safetensors.torch.save(tensors)


def unpack(weights: bytes) -> dict[str, dict[str, Tensor]]:
    """Return the states in what :func:`pack` made: floats in float32, all else as it was.

    Raises:
        SafetensorError: it is torn.
    """
    import safetensors.torch

    tensors = safetensors.torch.load(weights)
    return _nested({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})


def _arrays(weights: bytes) -> dict[str, dict[str, Any]]:
    import safetensors.numpy

    return _nested(safetensors.numpy.load(weights))


def _flat(modules: Mapping[str, nn.Module | Mapping[str, Tensor]]) -> dict[str, Tensor]:
    states = {k: m if isinstance(m, Mapping) else m.state_dict() for k, m in modules.items()}
    return {f"{module}.{name}": v for module, state in states.items() for name, v in state.items()}


def _nested(tensors: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    states: dict[str, dict[str, Any]] = {}
    for key, value in tensors.items():
        module, _, name = key.partition(".")
        states.setdefault(module, {})[name] = value
    return states

"""Players whose parameters are spread over processes (FSDP2): sharding, and states that are whole.

A checkpoint is the same whether or not players were sharded: it can be resumed, loaded and judged
in one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

from gantools.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.optim import Optimizer

WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def shard(module: nn.Module) -> None:
    """Spread the module's parameters over all processes, in place."""
    fully_shard(module)


def check(player: str, module: nn.Module) -> None:
    """Look at a module before it is sharded.

    Raises:
        ValueError: it is sharded already, or it is a bare list or dict of modules.
    """
    if isinstance(module, FSDPModule):
        raise ValueError(f"the parameters of {player!r} are spread already: make the player anew")
    if isinstance(module, (nn.ModuleList, nn.ModuleDict)):
        raise ValueError(
            f"fsdp cannot spread the {type(module).__name__} of {player!r}: put it into a module "
            "that has a forward"
        )


def call(module: nn.Module, part: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a method or a part of a sharded module, which gathers the parameters as its forward
    does."""
    if "_call" not in vars(module):
        module._call = _call  # type: ignore[assignment]
        register_fsdp_forward_method(module, "_call")
    return module._call(part, *args, **kwargs)  # type: ignore[operator]


def _call(part: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return part(*args, **kwargs)


def module_state(module: nn.Module) -> dict[str, Any]:
    """The whole state dict on the first process, empty on the others; all must call it."""
    return get_model_state_dict(module, options=WHOLE)


def load_module(module: nn.Module, state: Mapping[str, Any]) -> None:
    """Take up a whole state dict, which every process has."""
    set_model_state_dict(module, dict(state), options=StateDictOptions(full_state_dict=True))


def optimizer_state(module: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's whole state, as one that is not sharded has it; all must call it."""
    named: Any = get_optimizer_state_dict(module, optimizer, options=WHOLE)
    numbers = {name: i for i, name in enumerate(_trainable(module))}
    return {
        "state": {numbers[name]: values for name, values in named.get("state", {}).items()},
        "param_groups": [
            {**group, "params": [numbers[name] for name in group["params"]]}
            for group in named.get("param_groups", [])
        ],
    }


def load_optimizer(module: nn.Module, optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Take up the state of an optimizer that was not sharded, which every process has."""
    names = _trainable(module)
    named: Any = {
        "state": {names[i]: values for i, values in state["state"].items()},
        "param_groups": [
            {**group, "params": [names[i] for i in group["params"]]}
            for group in state["param_groups"]
        ],
    }
    options = StateDictOptions(full_state_dict=True)
    set_optimizer_state_dict(module, optimizer, named, options=options)


def _trainable(module: nn.Module) -> list[str]:
    return [name for name, p in module.named_parameters() if p.requires_grad]


@contextmanager
def second_derivatives_are_refused(player: str) -> Iterator[None]:
    """Say what cannot be where a sharded module is differentiated twice.

    FSDP frees the gathered weights after they were used; a second derivative asks for them again.
    """
    try:
        yield
    except RuntimeError as error:
        if "setStorage" not in str(error):
            raise
        raise UserError(
            f"fsdp cannot differentiate the gradients of {player!r}, as a gradient penalty asks "
            "for: take --strategy ddp, or a penalty or constraint without gradients."
        ) from None

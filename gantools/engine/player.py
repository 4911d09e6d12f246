"""The gradient player: a module that moves along the gradient of its loss.

Solvers that look ahead take its step apart (``move``, ``settle``), look at its ``weights`` and
``put`` others.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gantools.engine import sharding
from gantools.engine.mover import Mover
from gantools.engine.turn import SHARING
from gantools.errors import NonFiniteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning_fabric import Fabric

    from gantools.engine.game import Game
    from gantools.engine.turn import Turn


class Player(Mover):
    """A gradient player: a module, its optimizer, and optionally an averaged copy.

    Calling the player calls its module, and the module's methods are reached as the player's own:
    a joint encoder and generator is one module with methods ``encode`` and ``generate``. So are its
    members, where it has any: ``player[0]``, ``player.windows["long"]``, ``for d in player``.

    Args:
        module: the parameters that this player moves. An ensemble or a joint player is one
            module that holds the others. None of its methods may be called as one of the player's
            own is (``step``, ``weights``, …), which would hide it.
        optimizer: an optimizer class of ``torch.optim`` or anything with its signature.
        moves: moves per turn; every move but the first gets a fresh batch.
        ema: decay of an exponential moving average of the weights in [0, 1), such as 0.999;
            None keeps no average. Buffers are averaged too, those of whole numbers copied.
        clip_norm: gradients are scaled down to this global L2 norm; None leaves them.
        schedule: at every step the learning rate is multiplied by ``schedule(turn.progress)``, such
            as ``lambda progress: 1 - progress``; None keeps it constant. What it is given is how
            much of the whole training is over, from 0 to just below 1, whenever the player moves.
        constraint: prepares the module, in place, and may return a function that is called with the
            module after every step, to put its weights back into a set that they may not leave
            (``gantools.nn.spectral_norm``, ``gantools.nn.weight_clip``).
        options: given to the optimizer: ``lr=2e-4, betas=(0.5, 0.999)``, … Where the optimizer
            has a fused implementation it is used unless ``fused`` or ``foreach`` is given.

    Raises:
        ValueError: the module has no parameter, or a method that the player would hide; or an
            argument is out of range.

    Example:
        >>> generator = Player(nn.Linear(2, 2), lr=1e-3, betas=(0.5, 0.9), ema=0.99)
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        moves: int = 1,
        ema: float | None = None,
        clip_norm: float | None = None,
        schedule: Callable[[float], float] | None = None,
        constraint: Callable[[nn.Module], Callable[[nn.Module], None] | None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(moves)
        if not any(True for _ in module.parameters()):
            raise ValueError("a gradient player needs a module with at least one parameter")
        if ema is not None and not 0 <= ema < 1:
            raise ValueError(f"ema is a decay in [0, 1), not {ema}")
        self.module = module
        self.clip_norm = clip_norm
        self.schedule = schedule
        self._project = None if constraint is None else constraint(module)
        self._make_optimizer = optimizer
        self._options = options
        self._ema_decay = ema
        self.ema: AveragedModel | None = None
        self.optimizer: Any = None
        self.trainable: list[nn.Parameter] = []
        """The parameters that the optimizer moves; there are none before :meth:`setup`."""
        self.check_finite = True
        self.sharded = False
        """Whether the trainer spreads the parameters over the processes (FSDP)."""
        self._precise: Fabric | None = None  # set where arithmetic is not plain 32-bit
        self._processes = 1  # how many move this player together
        if hidden := _own_names(module) & set(dir(self)):
            name = min(hidden)
            raise ValueError(
                f"{type(module).__name__}.{name} would be hidden by the player's own {name!r}: "
                f"rename it, or give Player(nn.Sequential(module)) and call player[0].{name}"
            )

    # -- setting up ------------------------------------------------------------------------

    def setup(self, fabric: Fabric, *, channels_last: bool = True) -> None:
        """Move to the device, start all processes at one set of weights, make the optimizer.

        Raises:
            ValueError: the optimizer refuses its options, or FSDP the module.
        """
        if self.sharded:
            sharding.check(self.name, self.module)
        self.module.to(fabric.device)
        self._processes = fabric.world_size
        if fabric.strategy.precision.precision != "32-true":
            self._precise = fabric
        if channels_last:
            for parameter in self.module.parameters():
                if parameter.dim() == 4:
                    parameter.data = parameter.data.to(memory_format=torch.channels_last)
        if self._ema_decay is not None:
            average = partial(_average, get_ema_multi_avg_fn(self._ema_decay))
            self.ema = AveragedModel(self.module, multi_avg_fn=average, use_buffers=True)
            self.ema.requires_grad_(False).eval()
        if self.sharded:
            _take_first(self.module.state_dict().values())
            for module in (self.module, *([self.ema.module] if self.ema else ())):
                sharding.shard(module)
        options = dict(self._options)
        accepted = inspect.signature(self._make_optimizer).parameters
        if "fused" in accepted and not {"fused", "foreach"} & options.keys():
            options["fused"] = True
        self.trainable = [p for p in self.module.parameters() if p.requires_grad]
        self.optimizer = self._make_optimizer(self.trainable, **options)

    def start(self) -> None:
        """Begin from the module's present weights: all processes take the first one's, and the
        moving average starts there."""
        if self._processes > 1 and not self.sharded:
            _take_first(self.module.state_dict().values())
        if self.ema is not None:
            self.ema.module.load_state_dict(self.module.state_dict())

    # -- the module, as the game sees it ---------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The module's forward pass."""
        self._check_sharing()
        return self._compute(self.module, *args, **kwargs)

    def __getitem__(self, index: Any) -> Any:
        """A member of an ensemble or a sequence of modules."""
        return self._seen(self.module[index])  # type: ignore[index]

    def __iter__(self) -> Iterator[Any]:
        """The members of an ensemble (the names, where they have names: an ``nn.ModuleDict``)."""
        return (self._seen(part) for part in self.module)  # type: ignore[attr-defined]

    def __len__(self) -> int:
        """How many members an ensemble has."""
        return len(self.module)  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        return True  # whether or not the module has a length

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "module" not in self.__dict__:
            raise AttributeError(name)
        return self._attribute(self.module, name)

    def _attribute(self, owner: Any, name: str) -> Any:
        """An attribute of the module, or of a part of it, as the game sees it."""
        if isinstance(owner, nn.ModuleDict) and name in ("items", "values"):
            return getattr({key: self._seen(part) for key, part in owner.items()}, name)
        return self._seen(getattr(owner, name))

    def _seen(self, part: Any) -> Any:
        """A part of the module as the game sees it: what computes goes through the player."""
        method = inspect.ismethod(part)
        if not (method or isinstance(part, nn.Module)):
            return part
        self._check_sharing()
        if (self._precise is None and not self.sharded) or (method and part.__name__ in _KEEPING):
            return part
        return _Part(self, part)

    def _compute(self, part: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the module, a part or a method of it: with all its parameters where they are
        sharded, in this player's precision, with results of the default type."""
        if self.sharded and part is not self.module:
            part = partial(sharding.call, self.module, part)
        if self._precise is None:
            return part(*args, **kwargs)
        with self._precise.autocast():
            result = part(*args, **kwargs)
        return self._precise.strategy.precision.convert_output(result)

    def _check_sharing(self) -> None:
        """Refuse to take part in shared work that is not said to depend on this player."""
        work = SHARING.get()
        if work is not None and work.by != self.name:
            raise RuntimeError(
                f"{work.name} is shared by {work.by!r} but calls player {self.name!r}, who would "
                f"get no gradient through it: call {self.name!r} in each loss instead"
            )

    @property
    def averaged(self) -> nn.Module:
        """The averaged module where there is one, else the module itself: use it to evaluate."""
        return self.module if self.ema is None else self.ema.module

    # -- moving ----------------------------------------------------------------------------

    def prepare(self, game: Game, turn: Turn) -> None:
        """Leave the gradient of this player's loss, and of nothing else, in ``.grad``.

        Raises:
            NonFiniteError: a term of the loss or the gradient is not finite.
        """
        self.optimizer.zero_grad(set_to_none=True)  # of a move that failed or was not made
        mean: dict[str, Tensor] = {}
        for piece in turn.pieces():
            terms = self.terms(game, turn)
            total = reduce(torch.add, terms.values())
            if turn.accumulate > 1:
                total = total / turn.accumulate
            self._backward(total)
            terms = {term: value.detach() for term, value in terms.items()}
            mean = terms if piece == 0 else {term: mean[term] + terms[term] for term in terms}
        if turn.accumulate > 1:
            mean = {term: value / turn.accumulate for term, value in mean.items()}
        self._finish(mean, turn)

    def _backward(self, total: Tensor) -> None:
        """Compute the gradients of this player's parameters, and of nothing else if that can be.

        Sharded parameters are not themselves in the graph: their gradients come by a whole
        backward, and what it leaves in other players' is dropped when they prepare their moves.
        """
        if not self.sharded:
            total.backward(inputs=self.trainable)
            return
        with sharding.second_derivatives_are_refused(self.name):
            total.backward()

    def terms(self, game: Game, turn: Turn) -> Mapping[str, Tensor]:
        """The terms of this player's loss by name, with their graph.

        Raises:
            TypeError: one of them is not a tensor of one number.
        """
        with turn.moving(self.name):
            loss = game.loss(self.name, turn)
        terms = loss if isinstance(loss, Mapping) else {"loss": loss}
        for term, value in terms.items():
            if not isinstance(value, Tensor) or value.dim() > 0:
                got = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise TypeError(
                    f"the term {term!r} of the loss of {self.name!r} is {got}: a loss is a "
                    "tensor of one number, such as a mean"
                )
        return terms

    def follow(
        self, gradients: Sequence[Tensor | None], terms: Mapping[str, Tensor], turn: Turn
    ) -> None:
        """Prepare a move along gradients that a solver has worked out, instead of the loss's own.

        Args:
            gradients: of each of ``trainable``, None for those that stay.
            terms: what the loss was, to be logged and checked.

        Raises:
            NonFiniteError: a term or a gradient is not finite.
        """
        for parameter, gradient in zip(self.trainable, gradients, strict=True):
            parameter.grad = gradient
        self._finish({term: value.detach() for term, value in terms.items()}, turn)

    def _finish(self, terms: Mapping[str, Tensor], turn: Turn) -> None:
        """Average over processes, log, check and clip what was prepared."""
        total = reduce(torch.add, terms.values())
        if self.sharded:  # FSDP has averaged the gradients
            (total,) = self.averages([total])
        elif self._processes > 1:
            used = [p.grad is not None for p in self.trainable]
            pieces = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.trainable]
            *averages, total, users = self.averages([*pieces, total, total.new_tensor(used)])
            shares = users.tolist()  # a parameter that no process used keeps no gradient
            for parameter, average, share in zip(self.trainable, averages, shares, strict=True):
                parameter.grad = torch.empty_like(parameter).copy_(average) if share else None
        for term, value in terms.items():
            turn.log(f"{self.name}/{term}", value)
        if self.check_finite or self.clip_norm is not None:
            self._check_and_clip(total, terms, turn)

    def averages(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors, each averaged over all processes by one flat all-reduce.

        Not left to DistributedDataParallel, which averages only the gradients of what its own
        forward computed since the last backward: shared work is computed in another player's move.
        """
        if self._processes == 1 or not tensors:
            return list(tensors)
        flat = torch.cat([x.flatten() for x in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self._processes
        parts = flat.split([x.numel() for x in tensors])
        return [part.view(x.shape) for part, x in zip(parts, tensors, strict=True)]

    def _check_and_clip(self, total: Tensor, terms: Mapping[str, Tensor], turn: Turn) -> None:
        gradients = [p.grad for p in self.trainable if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        whole = norm.full_tensor() if isinstance(norm, DTensor) else norm
        if self.check_finite and not torch.isfinite(whole + total).item():
            self._raise_non_finite(terms, turn)
        if self.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(self.trainable, self.clip_norm, norm)
            turn.log(f"{self.name}/gradient_norm", whole)

    def _raise_non_finite(self, terms: Mapping[str, Tensor], turn: Turn) -> None:
        where = f"turn {turn.step}: player {self.name!r}"
        for term, value in terms.items():
            if not torch.isfinite(value).all():
                raise NonFiniteError(f"{where}: the term {term!r} of its loss is {value.item()}")
        for name, parameter in self.module.named_parameters():
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
                raise NonFiniteError(f"{where}: the gradient of {name!r} is not finite")
        raise NonFiniteError(f"{where}: its loss or its gradient's norm overflows")

    def step(self, turn: Turn) -> None:
        """One optimizer step along the prepared gradient, then the moving average."""
        self.move(turn)
        self.settle(turn)

    def move(self, turn: Turn) -> None:
        """The optimizer's step alone: what follows a whole move is :meth:`settle`'s."""
        if self.schedule is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = group.setdefault("initial_lr", group["lr"]) * self.schedule(
                    turn.progress
                )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self._project is not None:
            self._project(self.module)

    def settle(self, turn: Turn) -> None:
        """What follows a move: equal buffers everywhere, the moving average, and the turn is told
        to forget what depended on the weights before."""
        if self._processes > 1:
            _take_first(self.module.buffers())
        if self.ema is not None:
            self.ema.update_parameters(self.module)
        turn.moved(self.name)

    def weights(self) -> list[Tensor]:
        """A copy of the trainable parameters."""
        return [p.detach().clone() for p in self.trainable]

    @torch.no_grad()
    def put(self, weights: Sequence[Tensor]) -> None:
        """Take these values for the trainable parameters."""
        for parameter, value in zip(self.trainable, weights, strict=True):
            parameter.copy_(value)
        if self._project is not None:
            self._project(self.module)

    # -- state -----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Module, optimizer and moving average."""
        if self.sharded:
            return self._whole_state_dict()
        state = {"module": self.module.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.ema is not None:
            state["ema"] = self.ema.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state, on this player's device and in its memory format."""
        if self.sharded:
            self._load_whole_state_dict(state)
            return
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        for parameter, values in self.optimizer.state.items():
            for key, value in values.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    values[key] = torch.empty_like(parameter).copy_(value)  # in its memory format
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])

    def _whole_state_dict(self) -> dict[str, Any]:
        state = {
            "module": sharding.module_state(self.module),
            "optimizer": sharding.optimizer_state(self.module, self.optimizer),
        }
        if self.ema is not None:
            average = sharding.module_state(self.ema.module)
            state["ema"] = {f"module.{name}": value for name, value in average.items()}
            state["ema"]["n_averaged"] = self.ema.n_averaged
        return state

    def _load_whole_state_dict(self, state: Mapping[str, Any]) -> None:
        sharding.load_module(self.module, state["module"])
        sharding.load_optimizer(self.module, self.optimizer, state["optimizer"])
        if self.ema is not None:
            average = {k.removeprefix("module."): v for k, v in state["ema"].items()}
            self.ema.n_averaged.copy_(average.pop("n_averaged"))
            sharding.load_module(self.ema.module, average)


def _take_first(tensors: Iterable[Tensor]) -> None:
    """Give all processes the first one's values, in place."""
    for tensor in tensors:
        torch.distributed.broadcast(tensor, src=0)


def _average(
    lerp: Callable[..., None], averages: Sequence[Tensor], values: Sequence[Tensor], count: Tensor
) -> None:
    """Move averages, all of one type, towards the values; those of whole numbers are copied."""
    if averages[0].is_floating_point() or averages[0].is_complex():
        lerp(averages, values, count)
        return
    for average, value in zip(averages, values, strict=True):
        average.copy_(value)


_KEEPING = frozenset(dir(nn.Module)) - {"forward"}
"""Methods that every module has and that compute nothing: ``parameters``, ``state_dict``, …"""


def _own_names(module: nn.Module) -> set[str]:
    """The public names that the module's class has and ``nn.Module`` has not."""
    own = {name for kind in type(module).__mro__ for name in vars(kind)} - set(dir(nn.Module))
    return {name for name in own if not name.startswith("_")}


class _Part:
    """A part or method of a player's module, which computes as the player does."""

    def __init__(self, player: Player, part: Any) -> None:
        self._player, self._part = player, part

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._player._compute(self._part, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return self._player._attribute(self._part, name)

    def __getitem__(self, index: Any) -> Any:
        return self._player._seen(self._part[index])

    def __iter__(self) -> Iterator[Any]:
        return (self._player._seen(part) for part in self._part)

    def __len__(self) -> int:
        return len(self._part)

    def __bool__(self) -> bool:
        return True

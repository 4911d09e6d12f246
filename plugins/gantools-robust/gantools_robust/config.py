"""What adversarial training can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option, RunConfig


@dataclass(frozen=True, kw_only=True)
class RobustConfig(RunConfig):
    """Options of ``gantools run robust``."""

    steps: int = 1_500
    attack: Annotated[
        Literal["pgd", "fgsm", "none"],
        Option("The attacker in training: many small steps, one large one, or nobody."),
    ] = "pgd"
    epsilon: Annotated[
        float,
        Option("How far the attacker may move each pixel; pixels go from 0 to 1.", min=0, max=1),
    ] = 0.3
    warmup: Annotated[
        float,
        Option("Share of the training in which the attacker's epsilon grows.", min=0, max=1),
    ] = 0.3
    attack_steps: Annotated[int, Option("Steps of pgd in training.", min=1)] = 7
    attack_step_size: Annotated[
        float | None,
        Option("Length of one as a share of epsilon; left out: 2.5 / attack-steps.", min=0),
    ] = None

    loss: Annotated[
        Literal["madry", "trades"],
        Option(
            "What the classifier minimises: the error on attacked and clean digits (madry), or on "
            "clean ones, and how far its answers differ on attacked ones (trades)."
        ),
    ] = "madry"
    clean: Annotated[
        float,
        Option("Weight of the clean digits in madry, the attacked have the rest.", min=0, max=1),
    ] = 0.5
    beta: Annotated[float, Option("Weight of the difference in trades.", min=0)] = 6.0
    lr: Annotated[float, Option("Learning rate at the start; it falls linearly to 0.", min=0)] = (
        3e-3
    )
    batch: Annotated[int, Option("Digits in a batch, over all processes.", min=1, max=3_600)] = 128

    samples: Annotated[int, Option("Held-out digits to judge by.", min=10, max=1_000)] = 1_000
    restarts: Annotated[
        int, Option("Random starts of the attack in the evaluation, the worst counts.", min=1)
    ] = 5
    evaluate_every: int = 250

"""The game of GAIL (Ho & Ermon 2016): the policy wants its transitions taken for the expert's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gantools import Game, Player, Turn
from gantools.agents import SB3Agent, Transitions, discrete_actions
from gantools.losses import wgan_gp
from gantools.nn import Multiplier
from gantools_gail.config import GAILConfig
from gantools_gail.discriminator import Discriminator

REWARDS: dict[str, Callable[[Tensor], Tensor]] = {
    "-log(1-D)": softplus,
    "log(D)": lambda logit: -softplus(-logit),
    "airl": lambda logit: logit,
}
"""What a logit is worth, with D = σ(logit); airl is log D − log(1 − D) (Fu et al. 2018)."""


@dataclass(frozen=True)
class Expert:
    """The expert's pairs that the discriminator sees.

    Attributes:
        features: observation and action features, [N, d + a].
        absorbed: expected absorbing steps for one live step (see :class:`ImitationGame`).
    """

    features: Tensor
    absorbed: float


class ImitationGame(Game):
    """Discriminator against policy; with a bottleneck its multiplier is a third player.

    Absorbing states (Kostrikov et al. 2019): a terminated episode goes on for ever in an absorbing
    state. Seen with discount γ that is γ/(1 − γ) more steps, so both sides' terminations weigh in
    the discriminator's loss with that many steps, and a terminating transition is worth
    γ/(1 − γ) · r(absorbing) more. Time limits end nothing: no absorbing state follows them.
    """

    def __init__(
        self, policy: SB3Agent, discriminator: Discriminator, expert: Expert, config: GAILConfig
    ) -> None:
        self.actions = discrete_actions(policy.world.action_space)
        learning_rate = config.discriminator_lr
        if learning_rate is None:
            learning_rate = 3e-4 if self.actions is None else 3e-3
        critic = Player(
            discriminator,
            lr=learning_rate,
            betas=(0.5, 0.99),
            moves=config.discriminator_moves,
        )
        players = {"discriminator": critic, "policy": policy}
        if config.constraint == "bottleneck":
            players["multiplier"] = Player(Multiplier(), optimizer=torch.optim.SGD, lr=1e-2)
        super().__init__(**players)
        self.expert = expert
        self.config = config
        self.future = config.gamma / (1 - config.gamma)

    # -- the discriminator -------------------------------------------------------------------

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell expert from policy, plus the constraint's term."""
        config, critic = self.config, self.discriminator
        chosen = turn.randint(len(self.expert.features), (config.batch,))
        real = critic.inputs(self.expert.features[chosen])
        fake = critic.inputs(self.features(self.policy.experience(turn, config.batch)))
        inputs = torch.cat([real, fake, critic.absorbing()])
        terms = {}
        if config.constraint == "bottleneck":
            code = critic.encode(inputs)
            logits = critic.score(code.sample(turn.generator))
            information = code.information()[:-1].mean()  # of the pairs
            turn.log("discriminator/information", information)
            terms["bottleneck"] = self.multiplier().detach() * (information - config.information)
        else:
            logits = critic(inputs)
        expert, policy, absorbing = logits.split([config.batch, config.batch, 1])
        # ½[−log D(expert) − log(1 − D(policy))], with the absorbing state on either side.
        loss = softplus(-expert).mean() + softplus(policy).mean()
        if config.absorbing:
            loss = loss + self.expert.absorbed * softplus(-absorbing[0])
            loss = loss + self.policy_absorbed(turn) * softplus(absorbing[0])
        terms["classification"] = 0.5 * loss
        if config.constraint == "gradient-penalty":
            terms["penalty"] = wgan_gp(
                critic, real, fake, config.penalty, one_sided=True, generator=turn.generator
            )
        turn.log("discriminator/expert", expert.sigmoid().mean())
        turn.log("discriminator/policy", policy.sigmoid().mean())
        return terms

    def features(self, transitions: Transitions) -> Tensor:
        """Observation beside action (Discrete ones one-hot), [N, d + a]."""
        return torch.cat([transitions.obs, transitions.action_features(self.actions)], 1)

    def policy_absorbed(self, turn: Turn) -> float:
        """Expected absorbing steps of the policy for one of its live steps."""
        return self.future * self.policy.termination_rate(turn)

    # -- the policy ---------------------------------------------------------------------------

    @torch.no_grad()
    def policy_reward(self, turn: Turn, transitions: Transitions) -> Tensor:
        """What the discriminator makes of transitions, scored in one pass: their own shape."""
        steps = transitions.flatten()
        if self.config.control == "constant-reward":
            return torch.full(transitions.shape, self.config.reward_scale)
        rewards = self.worth(self.features(steps))
        if self.config.absorbing:
            rewards = rewards + steps.terminated * self.future * self.worth(None)
        return self.config.reward_scale * rewards.view(transitions.shape)

    def worth(self, features: Tensor | None) -> Tensor:
        """What D makes of features [N, d + a], or of the absorbing state (None): [N] or [1]."""
        critic = self.discriminator
        inputs = critic.absorbing() if features is None else critic.inputs(features)
        return REWARDS[self.config.reward](critic(inputs))

    # -- the bottleneck's multiplier ------------------------------------------------------------

    def multiplier_loss(self, turn: Turn) -> Tensor:
        """−β (KL − I_c): gradient descent on it is the dual ascent of VAIL."""
        information = turn.figures["discriminator/information"]
        beta = self.multiplier()
        turn.log("multiplier/beta", beta)
        return -beta * (information - self.config.information)

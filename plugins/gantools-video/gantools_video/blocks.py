"""What the networks are made of."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, gelu

STRIDE = 8
"""From one place of a code to the next, in pixels."""
SLOPE = 0.2
"""Of the activation, below 0."""


def leaky() -> nn.LeakyReLU:
    """The activation of codes', scales' and discriminators' networks."""
    return nn.LeakyReLU(SLOPE)


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution of 3 × 3 and its activation, which keep the size of signals (He et al. 2015,
    "Delving deep into rectifiers", eq. 15): with torch's own start a dozen make them vanish."""
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
    nn.init.kaiming_normal_(conv.weight, SLOPE)
    conv.bias.data.zero_()
    return nn.Sequential(conv, leaky())


def smooth(x: Tensor) -> Tensor:
    """GELU by its approximation (Hendrycks & Gimpel 2016), whose gradient is several times as fast
    on processors."""
    return gelu(x, approximate="tanh")


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))), the second convolution's weights 0 at first (He et al. 2016,
    "Identity mappings in deep residual networks")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same."""
        return x + self.second(smooth(self.first(smooth(x))))


class Actions(nn.Module):
    """Adds what an agent does, [B, A], to a map; nothing if there are no actions."""

    def __init__(self, actions: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(actions, channels), leaky()) if actions else None

    def forward(self, code: Tensor, action: Tensor | None) -> Tensor:
        """[B, channels, h, w] -> the same."""
        if self.layers is None:
            return code
        assert action is not None
        return code + self.layers(action)[:, :, None, None]


def scaled(x: Tensor, factor: int) -> Tensor:
    """Frames [..., H, W] at 1/factor of their size: means of squares."""
    return x if factor == 1 else avg_pool2d(x.flatten(0, -4), factor).unflatten(0, x.shape[:-3])

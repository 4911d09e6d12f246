"""The FID's own features, of weights that the user brings: gantools ships none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor, nn

from gantools.errors import UserError

SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
"""Of ``inception-2015-12-05.pt``, 95,607,719 bytes."""


class Inception(nn.Module):
    """The Inception network by which the FID is defined (Heusel et al. 2017), from a file.

    The file is ``inception-2015-12-05.pt``, NVIDIA's TorchScript translation of the original
    TensorFlow graph, which StyleGAN2-ADA and clean-fid download. A TorchScript file is a program:
    loading it runs its graph, not code of gantools. Its SHA-256 is therefore checked first, and no
    other file is loaded; for the same reason "FID" is only ever the name of distances between
    *these* features. Published figures further have 50,000 fakes and, as a rule, all training
    images; with fewer samples the FID is larger, so print how many there were.

    Args:
        path: where the user has the file.

    Raises:
        UserError: there is no such file, or it is another one.
    """

    name = "inception-2015-12-05"
    frechet_name = "FID"

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        path = Path(path)
        if not path.is_file():
            raise UserError(f"There is no file {path}: the FID needs inception-2015-12-05.pt")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != SHA256:
            raise UserError(
                f"{path} is not inception-2015-12-05.pt: its SHA-256 begins with {found[:8]}, "
                f"not {SHA256[:8]}. With other weights it would not be the FID."
            )
        self.network = torch.jit.load(str(path), map_location="cpu").eval()

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Images [N, 1 or 3, H, W] in [−1, 1] -> features [N, 2048].

        They are rounded to the 256 levels of a picture file, grey ones are given three equal
        channels, and the network itself resizes them to 299×299.

        Raises:
            ValueError: not images of one or three channels.
        """
        if images.ndim != 4 or images.shape[1] not in (1, 3):
            raise ValueError(f"the images should be [N, 1 or 3, H, W], not {list(images.shape)}")
        levels = (images * 127.5 + 128).clamp(0, 255).to(torch.uint8)
        levels = levels.expand(-1, 3, -1, -1)
        return torch.cat([self.network(x, return_features=True) for x in levels.split(64)])

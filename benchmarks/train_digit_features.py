"""Train the digit features that gantools ships, and measure what they tell apart.

    python benchmarks/train_digit_features.py            # the table, with the weights as they are
    python benchmarks/train_digit_features.py --train    # new weights first, and so a new name

The whole of MNIST is read from ../shared/data/images/mnist.npz. The network learns from 55,000 of its
60,000 training images: not from the 5,000 that ``gantools.data.labelled_digits`` offers as data.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from gantools.data import Batches
from gantools.data.digits import digits
from gantools.metrics import DigitFeatures, features, frechet_distance, mmd, with_floor
from gantools.metrics.networks import WEIGHTS

ROOT = Path(__file__).resolve().parents[1]


def mnist(path: Path) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images [N, 1, 28, 28] in [−1, 1] and labels: to train on, and MNIST's test set."""
    data = {name: torch.from_numpy(array) for name, array in np.load(path).items()}
    train, test = (data[f"x_{part}"].unsqueeze(1).float() / 127.5 - 1 for part in ("train", "test"))
    offered = {image.numpy().tobytes() for part in digits(0) for image in part}
    keep = torch.tensor([image.numpy().tobytes() not in offered for image in train])
    assert keep.sum() == 55_000
    return train[keep], data["y_train"][keep].long(), test, data["y_test"].long()


def train(images: Tensor, labels: Tensor, epochs: int = 3, seed: int = 0) -> DigitFeatures:
    torch.manual_seed(seed)
    network = DigitFeatures()
    batches = Batches(images, labels, size=100, seed=seed)
    steps = epochs * len(images) // batches.size
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for _, (x, y) in zip(range(steps), batches, strict=False):
        loss = functional.cross_entropy(network.logits(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():  # the same network, but with features of mean square 1
        scale = network(images).square().mean().sqrt()
        for tensor in network.body[-2].parameters():
            tensor /= scale
        network.head.weight *= scale
    return network


def measure(network: DigitFeatures, train: Tensor, test: Tensor, labels: Tensor) -> None:
    accuracy = (network.logits(test).argmax(1) == labels).double().mean().item()
    print(f"{network.name}: {100 * accuracy:.2f} % of MNIST's test set read rightly\n")
    generator = torch.Generator().manual_seed(0)
    reference, other = train[torch.randperm(len(train), generator=generator)[:20_000]].split(10_000)
    noise = torch.randn(test.shape, generator=generator)
    pixels = torch.rand(len(test), 784, generator=generator).argsort(1)
    shuffled = test.flatten(1).gather(1, pixels).view_as(test)
    kernel = torch.tensor([1.0, 2.0, 1.0])
    blur = (kernel.outer(kernel) / 16).view(1, 1, 3, 3)
    sets = {
        "other training images": other,
        "test images": test,
        "1,000 test images": test[:1000],
        "test images, noise of σ 0.2": (test + 0.2 * noise).clamp(-1, 1),
        "test images, blurred (1 2 1)": functional.conv2d(test + 1, blur, padding=1) - 1,
        "test images without the 3s": test[labels != 3],
        "test images, pixels shuffled": shuffled,
    }
    real = network(reference)
    print(f"{'against 10,000 training images':32}{'n':>7}{network.frechet_name:>20}{'MMD':>10}")
    for name, images in sets.items():
        found = network(images)
        fd, distance = frechet_distance(real, found), mmd(real, found)
        print(f"{name:32}{len(images):7,}{fd:20.3f}{distance:10.4f}")
    images = digits(0)
    data = network(images.train), network(images.held_out)
    found = with_floor(frechet_distance, *data, network(other))
    print(f"\nlabelled_digits, {network.frechet_name} of other training images: {found}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true", help="write new weights first")
    default = ROOT.parent / "shared/data/images/mnist.npz"
    parser.add_argument("--data", type=Path, default=default, help="the whole of MNIST, .npz")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    train_images, train_labels, test_images, test_labels = mnist(arguments.data)
    if arguments.train:
        start = time.perf_counter()
        network = train(train_images, train_labels)
        print(f"trained in {time.perf_counter() - start:.0f} s")
        weights = safetensors.torch.save(network.state_dict())
        (WEIGHTS / "digits.safetensors").write_bytes(weights)
    measure(features("digits"), train_images, test_images, test_labels)


if __name__ == "__main__":
    main()

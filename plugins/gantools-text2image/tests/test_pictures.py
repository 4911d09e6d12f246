"""The dataclass, and the sources by name."""

import pytest
import torch
from gantools_text2image import openmoji
from gantools_text2image.pictures import Pictures
from gantools_text2image.sources import load

from gantools import UserError


def test_only_keeps_what_belongs_together():
    pictures = Pictures(
        images=torch.arange(4, dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 3, 32, 32),
        captions=[["a"], ["b", "B"], ["c"], ["d"]],
        split=["train", "held-out", "train", "composition"],
        source="four",
        tones=torch.tensor([-1, 0, 1, 2]),
        placed=True,
    )
    train = pictures.only("train")
    assert train.images[:, 0, 0, 0].tolist() == [0, 2]
    assert train.captions == [["a"], ["c"]]
    assert train.split == ["train", "train"]
    assert train.tones.tolist() == [-1, 1]
    assert (train.source, train.placed) == ("four", True)
    assert len(pictures.only("nothing")) == 0
    photographs = Pictures(pictures.images, pictures.captions, pictures.split, "four")
    assert photographs.only("train").tones is None


@pytest.mark.parametrize("resolution", [31, 0, -64, 257])
def test_a_resolution_out_of_range(resolution):
    with pytest.raises(UserError, match=f"32 to 256 pixels, not {resolution}"):
        load("openmoji", resolution, seed=0)


def test_openmoji_is_known_by_its_name(monkeypatch, gantools_cache):
    few = [d for d in openmoji.drawings() if d.group in ("red heart", "thumbs up")]
    monkeypatch.setattr(openmoji, "drawings", lambda: few)
    pictures = load("openmoji", 48, seed=0)
    assert pictures.images.shape == (7, 3, 48, 48)
    assert pictures.captions[-1] == ["red heart", "heart"]
    assert pictures.tones.tolist() == [-1, 0, 1, 2, 3, 4, -1]
    assert pictures.source == "OpenMoji 17.0.0, CC BY-SA 4.0"
    assert pictures.placed
    assert load("openmoji", 48, seed=1).split == pictures.split  # whatever the seed
    assert len(list(gantools_cache.iterdir())) == 2  # at 48, and at 32 to see which look the same

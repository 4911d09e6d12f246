"""Text encoders against sentence-transformers' numbers, torch's own GRU, and paths known in closed form."""

from __future__ import annotations

import json
import math
import zlib

import numpy as np
import pytest
import torch
from gantools_text2image import minilm
from gantools_text2image.encoders import text_encoder
from gantools_text2image.learned import PIECES, Learned
from gantools_text2image.minilm import MiniLM
from gantools_text2image.precomputed import Precomputed
from gantools_text2image.text import TextEncoder, embed, interpolate
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_sequence

from gantools import UserError

CAPTIONS = ["red heart", "woman firefighter: medium-dark skin tone", "❤️", "красное сердце", "红心"]


@pytest.fixture(scope="module")
def frozen():
    return MiniLM()


@pytest.fixture
def learned():
    torch.manual_seed(0)
    return Learned()


# MiniLM


def test_minilm_gives_the_numbers_of_sentence_transformers(frozen):
    # sentence_transformers 6.2.0: SentenceTransformer(folder of the wheel).encode(CAPTIONS[:2])
    theirs = torch.tensor(
        [
            [-0.033748, -0.008057, -0.038663, 0.073061, -0.007184],
            [0.030429, 0.040629, 0.019849, 0.069867, 0.022458],
        ]
    )
    ours = frozen.encode(CAPTIONS[:2])
    assert ours.shape == (2, frozen.width)
    assert ours.dtype == torch.float32
    assert torch.allclose(ours[:, :5], theirs, atol=1e-5)
    assert torch.allclose(ours.norm(dim=1), torch.ones(2))


def test_minilm_keeps_the_order_and_batches_change_nothing(frozen, monkeypatch):
    monkeypatch.setattr(minilm, "BATCH", 2)
    alone = torch.cat([frozen.encode([caption]) for caption in CAPTIONS])
    assert torch.allclose(frozen.encode(CAPTIONS), alone, atol=1e-6)
    assert frozen.encode([]).shape == (0, frozen.width)


def test_minilm_reads_256_tokens_of_which_two_are_its_own(frozen):
    a, b, c = frozen.encode(["word " * 1000, "word " * 254, "word " * 253])
    assert torch.equal(a, b)
    assert not torch.allclose(b, c, atol=1e-5)


def test_minilm_stays_as_it_is(frozen):
    assert not any(p.requires_grad for p in frozen.parameters())
    assert not any(module.training for module in nn.Sequential(frozen).train()[0].modules())


def test_minilm_without_its_wheel_says_what_to_do(monkeypatch):
    monkeypatch.setattr(minilm, "WHEEL", "no_such_wheel")
    with pytest.raises(UserError, match=r"no-such-wheel.*--text learned"):
        MiniLM()


# Learned


def test_a_word_is_its_own_number_and_its_trigrams(learned):
    tokens = learned.tokens(["Hé heart"])
    assert tokens.shape == (1, 240)
    trigrams = ["<he", "hea", "ear", "art", "rt>"]
    word = [1 + zlib.crc32(b"heart") % 4096]
    word += [4097 + zlib.crc32(trigram.encode()) % 2048 for trigram in trigrams]
    assert tokens[0, PIECES : 2 * PIECES].tolist() == word + [0] * (PIECES - 6)
    # Another process, another day: the numbers are the same.
    assert tokens[0, :4].tolist() == [3148, 5469, 4835, 0]
    assert not tokens[0, 2 * PIECES :].any()


def test_tokens_of_any_caption_are_in_the_table(learned):
    tokens = learned.tokens(
        [*CAPTIONS, "!", "\u200b", "word " * 1000, "x" * 10_000, "bad \udcff byte"]
    )
    assert tokens[:, 0].all()
    assert int(tokens.max()) < learned.words.num_embeddings
    assert torch.equal(learned.tokens(["RED  heart\n"]), learned.tokens(["red heart"]))


def test_a_sentence_is_the_state_of_torchs_gru_after_its_last_word(learned):
    captions = ["red heart", "a big red heart", "heart"]
    sentences = []
    for tokens in learned.tokens(captions):
        words = [pieces[pieces > 0] for pieces in tokens.view(-1, PIECES)]
        vectors = [learned.words.weight[pieces].mean(0) for pieces in words if len(pieces)]
        sentences.append(torch.stack(vectors))
    _, last = learned.gru(pack_sequence(sentences, enforce_sorted=False))
    expected = functional.normalize(last[0], dim=1)
    assert torch.allclose(learned.encode(captions), expected, atol=1e-6)


def test_padding_and_other_captions_change_nothing_but_order_does(learned):
    tokens = learned.tokens(CAPTIONS)
    ours = learned(tokens)
    assert torch.allclose(learned(functional.pad(tokens, (0, 5 * PIECES))), ours, atol=1e-6)
    alone = torch.cat([learned.encode([caption]) for caption in CAPTIONS])
    assert torch.allclose(alone, ours, atol=1e-6)
    a, b = learned.encode(["red heart and blue cat", "blue heart and red cat"])
    assert (a - b).abs().max() > 1e-2


def test_an_unseen_word_is_nearer_to_one_that_shares_its_pieces(learned):
    known, related, other = learned.encode(["firefighter", "firefighters", "umbrella"])
    assert known @ related > known @ other + 0.2


def test_learned_learns(learned):
    learned.encode(["red heart"]).sum().backward()
    touched = learned.words.weight.grad.abs().sum(1).nonzero().flatten().tolist()
    assert touched == sorted({n for n in learned.tokens(["red heart"])[0].tolist() if n})
    assert learned.gru.weight_hh_l0.grad.abs().sum() > 0
    assert sum(p.numel() for p in learned.parameters()) < 500_000


# Precomputed

TABLE = torch.tensor([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
NAMES = ["red heart", "cat", "red heart"]


def write(file, embeddings=TABLE, captions=NAMES):
    if file.suffix == ".npz":
        np.savez(file, embeddings=embeddings.numpy(), captions=np.array(captions))
    else:
        save_file({"embeddings": embeddings}, file, {"captions": json.dumps(captions)})
    return file


@pytest.mark.parametrize("name", ["e.npz", "e.safetensors"])
def test_precomputed_looks_captions_up(tmp_path, name):
    encoder = text_encoder(str(write(tmp_path / name)))
    assert encoder.width == 2
    assert encoder.encode(["cat", "red heart", "cat"]).tolist() == [[3, 4], [1, 2], [3, 4]]
    with pytest.raises(UserError, match=r"'dog' \(2 of 3 captions"):
        encoder.encode(["cat", "dog", "cow", "dog"])


@pytest.mark.parametrize("name", ["e.npz", "e.safetensors"])
@pytest.mark.parametrize(
    ("embeddings", "captions", "says"),
    [
        (TABLE[0], NAMES, "table"),
        (TABLE[:0], [], "table"),
        (TABLE, NAMES[:2], "2 captions and 3 embeddings"),
        (TABLE, ["cat", "cat", "dog"], "two different embeddings of 'cat'"),
        (TABLE / 0, NAMES, "'red heart' is not finite"),
        (TABLE, [1, 2, 3], "list of strings"),
    ],
)
def test_a_file_that_does_not_fit_together(tmp_path, name, embeddings, captions, says):
    file = write(tmp_path / name, embeddings, captions)
    with pytest.raises(UserError, match=says):
        Precomputed(file)


def test_files_that_lack_something_or_are_none(tmp_path):
    with pytest.raises(UserError, match="no file"):
        Precomputed(tmp_path / "none.npz")
    for name in ("e.npz", "e.safetensors"):
        (tmp_path / name).write_bytes(b"not a file of tensors")
        with pytest.raises(UserError, match="cannot be read"):
            Precomputed(tmp_path / name)
    np.savez(tmp_path / "e.npz", embeddings=TABLE.numpy())
    save_file({"embeddings": TABLE}, tmp_path / "e.safetensors")
    save_file({"other": TABLE}, tmp_path / "o.safetensors", {"captions": json.dumps(NAMES)})
    for name in ("e.npz", "e.safetensors", "o.safetensors"):
        with pytest.raises(UserError, match="lacks"):
            Precomputed(tmp_path / name)
    np.savez(tmp_path / "p.npz", embeddings=TABLE.numpy(), captions=np.array(NAMES, dtype=object))
    with pytest.raises(UserError, match="cannot be read"):
        Precomputed(tmp_path / "p.npz")


# What they share


class Lengths(TextEncoder):
    """A caption's embedding is its length; says what it was asked."""

    width = 1

    def __init__(self, key):
        super().__init__()
        self.key, self.asked = key, []

    def encode(self, captions):
        self.asked.append(captions)
        return torch.tensor([[float(len(caption))] for caption in captions])


def test_embeddings_are_made_once_for_a_set_of_captions(gantools_cache):
    encoder = Lengths("lengths-1")
    assert embed(["ccc", "a", "ccc"], encoder).tolist() == [[3], [1], [3]]
    assert encoder.asked == [["a", "ccc"]]
    assert embed(["a", "ccc"], encoder).tolist() == [[1], [3]]
    assert len(encoder.asked) == 1
    embed(["a", "bb"], encoder)
    embed(["a", "ccc"], other := Lengths("lengths-2"))
    assert len(encoder.asked) == 2
    assert len(other.asked) == 1


def test_an_encoder_without_a_key_is_asked_each_time(gantools_cache):
    encoder = Lengths(None)
    for _ in range(2):
        assert embed(["bb", "a"], encoder).tolist() == [[2], [1]]
    assert len(encoder.asked) == 2


@pytest.mark.parametrize("blank", ["", " \n\t\u3000"])
def test_blank_captions_are_refused(tmp_path, frozen, learned, blank):
    for encoder in (frozen, learned, Precomputed(write(tmp_path / "e.npz"))):
        with pytest.raises(ValueError, match="caption 2 of 2 is empty"):
            encoder.encode(["cat", blank])


def test_any_text_is_read(frozen, learned):
    captions = [
        "👩🏽‍🚒",
        "قلب",
        "हिन्दी",
        "\u200b",
        "a\0b",
        "bad \udcff byte",
        "[PAD]",
        "\U0010ffff",
    ]
    for encoder in (frozen, learned):
        embeddings = encoder.encode(captions)
        assert embeddings.isfinite().all()
        assert torch.allclose(embeddings.norm(dim=1), torch.ones(len(captions)))


def test_encoders_by_name(tmp_path):
    assert isinstance(text_encoder("minilm"), MiniLM)
    assert text_encoder("learned", 48).encode(["cat"]).shape == (1, 48)
    with pytest.raises(UserError, match="Did you mean 'minilm'"):
        text_encoder("minlm")


# Interpolation


def test_halfway_between_two_axes():
    a, b = torch.eye(2)
    assert torch.allclose(interpolate(a, b, 3)[1], torch.full((2,), math.sqrt(0.5)))


@pytest.mark.parametrize("angle", [1e-3, 1.0, 3.0])
def test_interpolation_goes_round_at_constant_speed(angle):
    a = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    b = torch.tensor([math.cos(angle), 0.0, math.sin(angle)], dtype=torch.float64)
    way = interpolate(a, b, 7)
    assert torch.equal(way[0], a)
    assert torch.equal(way[-1], b)
    expected = torch.linspace(0, angle, 7, dtype=torch.float64)
    assert torch.allclose(torch.atan2(way[:, 2], way[:, 0]), expected, atol=1e-9)
    assert torch.allclose(way.norm(dim=1), torch.ones_like(expected))


def test_interpolation_between_equal_and_opposite_sentences():
    a = functional.normalize(torch.randn(384, generator=torch.Generator().manual_seed(0)), dim=0)
    assert torch.equal(interpolate(a, a, 4)[0], a)
    assert torch.allclose(interpolate(a, a, 4), a.expand(4, -1))
    with pytest.raises(ValueError, match="opposite"):
        interpolate(a, -a, 4)
    with pytest.raises(ValueError, match="two ends"):
        interpolate(a, a, 1)

"""The drawer: files, codes and captions; the verbs on a small model."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gantools_text2image.config import TextToImageConfig
from gantools_text2image.drawer import Drawer, Standard, codes, network, shorten
from gantools_text2image.encoders import text_encoder
from gantools_text2image.learned import Learned
from gantools_text2image.minilm import MiniLM
from gantools_text2image.verbs import drawer_of
from PIL import Image
from program import gantools
from torch.testing import assert_close

from gantools import UserError
from gantools.errors import Note

WORDS = frozenset({"heart", "red", "cat", "dog", "sun", "big"})


def made(encoder=None, **options) -> Drawer:
    torch.manual_seed(0)
    encoder = encoder or Learned()
    text = "minilm" if isinstance(encoder, MiniLM) else "learned"
    config = TextToImageConfig(text=text, generator_width=4, codes=3, **options)
    e = encoder.encode(["a heart", "a cat", "the sun"]).detach()
    net = network(config, encoder.width)
    for parameter in net.parameters():  # captions tell from the beginning
        torch.nn.init.normal_(parameter, std=0.2)
    return Drawer(config, net, encoder, Standard.of(e), WORDS, {"seed": 3})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    made(MiniLM()).save(folder)
    return folder


def test_standard_embeddings_have_mean_zero_and_variance_one():
    e = torch.randn(500, 4) * torch.tensor([1.0, 5, 0.01, 0]) + 3
    found = Standard.of(e)(e)
    assert_close(found.mean(0), torch.zeros(4), atol=1e-3, rtol=0)
    assert_close(found[:, :3].std(0, correction=0), torch.ones(3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("game", ["gan-cls", "contrastive", "stack"])
def test_what_was_saved_draws_the_same(tmp_path, game):
    drawer = made(game=game)
    drawer.save(tmp_path)
    again = Drawer.load(tmp_path)
    assert again.about == {"seed": 3}
    assert again.words == WORDS
    one, other = (d(["a cat", "a dog"], torch.Generator().manual_seed(1)) for d in (drawer, again))
    assert one.shape == (2, 3, 32, 32)
    assert (one - other).abs().mean() < 0.01  # half precision
    assert not torch.allclose(one[0], one[1], atol=0.02)


def test_captions_and_codes_both_tell():
    drawer = made()
    e, z = drawer.read(["a cat", "a dog"]), drawer.fresh(2, torch.Generator().manual_seed(0))
    same = drawer.draw(e[:1].repeat(2, 1), z[:1].repeat(2, 1))
    assert torch.equal(same[0], same[1])
    assert not torch.allclose(*drawer.draw(e, z[:1].repeat(2, 1)), atol=1e-3)
    assert not torch.allclose(*drawer.draw(e[:1].repeat(2, 1), z), atol=1e-3)
    assert codes(TextToImageConfig(game="stack", codes=3)) == 3 + 128


def test_ways_between_end_where_they_should():
    drawer = made()
    e = drawer.between("a cat", "a dog", 5)
    assert_close(e[[0, -1]], drawer.read(["a cat", "a dog"]), atol=1e-4, rtol=1e-4)
    a, b = torch.tensor([3.0, 0, 0]), torch.tensor([0.0, 1, 0])
    z = drawer.between_codes(a, b, 3)
    assert_close(z[[0, -1]], torch.stack([a, b]))
    assert_close(z[1], torch.tensor([2**0.5, 2**0.5, 0]))  # halfway, of length 2


@pytest.mark.parametrize("damage", ["json", "tensors", "neither"])
def test_a_torn_model_is_said(tmp_path, damage):
    if damage != "neither":
        made().save(tmp_path)
        file = tmp_path / ("model.json" if damage == "json" else "model.safetensors")
        file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(UserError, match="There is no whole model in"):
        Drawer.load(tmp_path)


def embeddings(file, *, width=5, seed=0):
    """Embeddings of three captions, which no encoder has made."""
    e = np.random.default_rng(seed).normal(size=(3, width)).astype(np.float32)
    np.savez(file, embeddings=e, captions=np.array(["a heart", "a cat", "the sun"]))
    return text_encoder(str(file))


def test_a_run_s_own_embeddings_are_found_first(tmp_path, monkeypatch):
    from dataclasses import replace

    monkeypatch.chdir(tmp_path)
    drawer = made(embeddings(tmp_path / "emb.npz"))
    drawer.config = replace(drawer.config, text="emb.npz")
    run = tmp_path / "run"
    drawer.save(run)
    (run / "inputs").mkdir()
    (tmp_path / "emb.npz").rename(run / "inputs" / "emb.npz")
    embeddings(tmp_path / "emb.npz", seed=1)  # others, of the same name, where one happens to be
    again = Drawer.load(run)
    assert torch.equal(again.encoder.embeddings, drawer.encoder.embeddings)
    assert_close(again.read(["a cat"]), drawer.read(["a cat"]), atol=0.02, rtol=0.01)
    embeddings(run / "inputs" / "emb.npz", width=4)
    with pytest.raises(UserError, match="it reads embeddings of 5 numbers, not 4"):
        Drawer.load(run)
    for file in (tmp_path / "emb.npz", run / "inputs" / "emb.npz"):
        file.unlink()
    with pytest.raises(UserError, match=r"no file emb\.npz of embeddings"):
        Drawer.load(run)


def test_another_version_of_the_encoder_is_a_note(model, monkeypatch, recwarn):
    Drawer.load(model)
    assert not recwarn
    monkeypatch.setattr("importlib.metadata.version", lambda name: "9.9")
    with pytest.warns(Note, match=r"learned with minilm-.*, and minilm-9\.9 is installed"):
        Drawer.load(model)


def test_weights_of_another_network_are_said(tmp_path):
    made().save(tmp_path)
    file = tmp_path / "model.json"
    for right, wrong in (('"codes": 3', '"codes": 4'), ('"codes"', '"kodes"'), ('"width"', '"w"')):
        text = file.read_text()
        file.write_text(text.replace(right, wrong))
        with pytest.raises(UserError, match="There is no whole model in") as error:
            Drawer.load(tmp_path)
        assert "\n" not in str(error.value)
        file.write_text(text)


def test_without_a_shipped_model_it_is_said_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr("gantools_text2image.drawer.SHIPPED", tmp_path / "model")
    with pytest.raises(UserError, match=r"train one with .gantools run text2image.*--run"):
        drawer_of(None)


def test_prompts_are_understood_or_refused():
    drawer = made(MiniLM())
    assert drawer.understood(["red heart", "❤️"]) == ["red heart", "red heart"]
    with pytest.raises(UserError, match="A prompt is empty"):
        drawer.understood(["red heart", " "])
    with pytest.raises(UserError, match="'красное сердце' has no word that the model can read"):
        drawer.understood(["красное сердце"])
    with pytest.warns(Note, match=r"of 'big 心' the model reads 1 of 2 words"):
        drawer.understood(["big 心"])
    with pytest.warns(Note, match=r"the model reads 254 of 1000 words"):
        drawer.understood([" ".join(["heart"] * 1000)])
    with pytest.warns(Note, match=r"learned from has lion, zebra: it guesses"):
        drawer.understood(["the Zebra and a lion", "a heart"])
    assert shorten("a " * 50) == repr("a " * 19 + "a…")


# -- the command line ------------------------------------------------------------------------------


def test_one_prompt_is_a_picture_and_several_are_a_grid(model, tmp_path):
    one, some = tmp_path / "one.png", tmp_path / "some.png"
    # A folder with a model is taken like a run.
    done = gantools("text2image", "draw", "red heart", "-o", one, "--run", model)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(one)
    assert Image.open(one).size == (256, 256)
    gantools("text2image", "draw", "a", "b", "--variants", 3, "-o", some, "--run", model)
    assert Image.open(some).width > 3 * 256
    again = tmp_path / "again.png"
    gantools("text2image", "draw", "red heart", "-o", again, "--run", model)
    assert one.read_bytes() == again.read_bytes()


def test_ways_are_drawn_between_sentences_and_between_codes(model, tmp_path):
    for name, prompts in {"two": ["cat", "dog"], "one": ["cat"]}.items():
        out = tmp_path / f"{name}.png"
        done = gantools(
            "text2image", "interpolate", *prompts, "-o", out, "--run", model, "--steps", 3
        )
        assert done.returncode == 0, done.stderr
        assert Image.open(out).width >= 3 * 128


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["draw", ""], "A prompt is empty"),
        (["draw", "сердце"], "has no word that the model can read"),
        (["draw", "cat", "-o", "cat.jpg"], "its name must end in .png"),
        (["draw", "cat", "--run", "nowhere"], "nowhere"),
        (["interpolate", "a", "b", "c"], "takes one prompt or two, not 3"),
    ],
)
def test_bad_input_is_one_sentence(model, tmp_path, arguments, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = [] if "--run" in arguments else ["--run", model]
    done = gantools("text2image", *arguments, *run)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.png"))

"""The judge: what it is called, what it sees, and that training it on a few shapes works."""

import hashlib

import pytest
import torch
from gantools_text2image.judge import SHIPPED, Judge, as_seen, tokens
from gantools_text2image.judge_train import info_nce, judge_of, train_judge
from gantools_text2image.metrics import distractors, r_precision
from gantools_text2image.pictures import Pictures
from torch.nn import functional

from gantools import UserError, models

RGB = {
    "red": (220, 30, 30),
    "green": (30, 160, 60),
    "blue": (30, 60, 200),
    "yellow": (250, 230, 40),
    "black": (10, 10, 10),
}
Y, X = torch.meshgrid(torch.arange(32) - 15.5, torch.arange(32) - 15.5, indexing="ij")
SHAPES = {
    "disc": (X**2 + Y**2) < 110,
    "square": (X.abs() < 9) & (Y.abs() < 9),
    "bar": Y.abs() < 4,
    "post": X.abs() < 4,
    "ring": ((X**2 + Y**2) < 180) & ((X**2 + Y**2) > 80),
    "cross": (X.abs() < 3) | (Y.abs() < 3),
    "roof": X.abs() < Y,
    "frame": ((X.abs() < 12) & (Y.abs() < 12)) & ~((X.abs() < 8) & (Y.abs() < 8)),
}


def shapes():
    """Forty pictures, five colours of eight shapes."""
    images, captions = [], []
    for colour, rgb in RGB.items():
        for shape, where in SHAPES.items():
            paint = torch.tensor(rgb).view(3, 1, 1)
            images.append(torch.where(where, paint, 255).to(torch.uint8))
            captions.append([f"{colour} {shape}"])
    return Pictures(torch.stack(images), captions, ["train"] * 40, "shapes", placed=True)


@pytest.fixture(scope="module")
def trained():
    torch.set_num_threads(1)
    return train_judge(shapes(), seed=3, steps=40, batch=32)


def test_a_trained_judge_knows_what_it_sees(trained):
    pictures = shapes()
    names = [captions[0] for captions in pictures.captions]
    scores = trained.scores(pictures.images, names)
    others = distractors(names, torch.arange(40), torch.Generator().manual_seed(0), count=39)
    assert others.shape == (40, 39)
    assert r_precision(scores.diagonal(), scores.gather(1, others)) > 0.8  # chance: 0.025
    assert scores.abs().max() <= 1 + 1e-6


def test_it_was_the_training(trained):
    pictures = shapes()
    names = [captions[0] for captions in pictures.captions]
    torch.manual_seed(0)
    scores = Judge().eval().scores(pictures.images, names)
    assert (scores.argmax(1) == torch.arange(40)).double().mean() < 0.2


def test_the_same_seed_trains_the_same_judge():
    first, again, other = (train_judge(shapes(), seed, steps=2, batch=8) for seed in (0, 0, 1))
    assert first.weights() == again.weights()
    assert first.name == again.name != other.name


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    train_judge(shapes(), 5, steps=1, batch=4)
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_training_split_is_looked_at():
    pictures = shapes()
    pictures.split[7] = "held-out"
    changed = shapes()
    changed.split[7] = "held-out"
    changed.images[7] = 0
    names = {train_judge(p, 0, steps=1, batch=4).name for p in (pictures, changed)}
    assert len(names) == 1
    with pytest.raises(ValueError, match="two pictures"):
        train_judge(pictures.only("held-out"))


def test_info_nce_is_cross_entropy_both_ways():
    logits = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    none = torch.zeros(4, 4, dtype=torch.bool)
    expected = -(logits.log_softmax(0).diagonal() + logits.log_softmax(1).diagonal()).mean() / 2
    assert torch.allclose(info_nce(logits, none), expected)
    shared = none.clone()
    shared[0, 1] = shared[1, 0] = True
    confused = logits.clone()
    confused[0, 1] = confused[1, 0] = 50.0
    assert torch.allclose(info_nce(confused, shared), info_nce(logits, shared))


def test_the_shipped_judge_is_named_after_its_file():
    judge = Judge.load()
    weights = (SHIPPED / "model.safetensors").read_bytes()
    assert len(weights) <= 1_500_000
    assert judge.name == f"emoji-judge-{hashlib.sha256(weights).hexdigest()[:8]}"
    assert judge.frechet_name == f"FD({judge.name})"
    assert judge.weights() == weights
    assert not judge.training
    assert models.load(SHIPPED).about["figures"]["r_precision_real"] > 0.9
    assert Judge.of_weights(weights).name == judge.name.removeprefix("emoji-")


def test_the_shipped_judge_sees_a_red_heart_for_what_it_is():
    from gantools_text2image.openmoji import rasterise

    heart, frog = Judge.load().scores(rasterise(["2764", "1F438"], 48), ["red heart", "frog"])
    assert heart[0] > heart[1] + 0.3
    assert frog[1] > frog[0] + 0.3


def test_the_judge_of_openmoji_is_the_shipped_one():
    pictures = shapes()
    emoji = Pictures(pictures.images, pictures.captions, pictures.split, "OpenMoji 17.0.0, …")
    assert judge_of(emoji).name == Judge.load().name


def test_another_judge_is_trained_once(monkeypatch, tmp_path):
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path))
    judge = judge_of(shapes(), steps=1)
    monkeypatch.setattr("gantools_text2image.judge_train.train_judge", None)
    assert judge_of(shapes(), steps=1).name == judge.name
    assert judge.name.startswith("judge-")
    monkeypatch.setattr("gantools_text2image.judge_train.VERSION", 10**6)
    with pytest.raises(TypeError, match="not callable"):  # one of another version is made anew
        judge_of(shapes(), steps=1)


def test_a_judge_comes_back_from_its_folder(tmp_path):
    judge = train_judge(shapes(), 0, steps=1, batch=4)
    models.save(tmp_path, {"judge": judge}, {}, {})
    again = Judge.load(tmp_path)
    assert again.name == judge.name
    images = shapes().images[:3]
    assert torch.equal(again.scores(images, ["a", "b"]), judge.scores(images, ["a", "b"]))
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(UserError, match="There is no whole model in"):
        Judge.load(tmp_path)


def test_features_do_not_depend_on_the_batch_or_the_type():
    judge = Judge().eval()
    images = shapes().images
    features = judge.features(images)
    assert features.shape == (40, 160)
    assert features.min() >= 0
    assert torch.allclose(judge.features(images[3:5]), features[3:5], atol=1e-5)
    assert torch.allclose(judge.features(images.float() / 127.5 - 1), features, atol=1e-5)
    with pytest.raises(ValueError, match="3, S, S"):
        judge.features(images[:, :1])


def test_larger_pictures_are_seen_by_the_mean_over_areas():
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    larger = images.repeat_interleave(3, 2).repeat_interleave(3, 3)
    assert torch.allclose(as_seen(larger), images, atol=1e-6)
    odd = torch.rand(1, 3, 50, 50)
    assert as_seen(odd).shape == (1, 3, 32, 32)
    assert torch.allclose(as_seen(odd), functional.adaptive_avg_pool2d(odd, 32))


def test_captions_are_bags_of_words_and_trigrams():
    pieces, offsets = tokens(["Red heart", "heart red", "été 火 !", " "])
    first, second, third, nothing = pieces.tensor_split(offsets[1:])
    assert sorted(first.tolist()) == sorted(second.tolist())
    assert len(first) == 2 + 3 + 5  # "<red>", "<heart>"; "<re" "red" "ed>"; "<he" … "rt>"
    assert len(third) > 3
    assert len(nothing) == 0
    assert pieces.min() >= 0
    assert pieces.max() < 3072


def test_pieces_are_dropped_as_often_as_asked():
    captions = ["woman astronaut medium skin tone"] * 200
    every, _ = tokens(captions)
    kept, offsets = tokens(captions, 0.25, torch.Generator().manual_seed(0))
    assert len(kept) / len(every) == pytest.approx(0.75, abs=0.02)
    assert len(offsets) == 200


def test_any_text_has_a_score():
    judge = Judge().eval()
    images = shapes().images[:2]
    scores = judge.scores(images, ["", "火", "word " * 1000])
    assert scores.shape == (2, 3)
    assert scores.isfinite().all()

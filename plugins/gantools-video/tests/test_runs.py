"""Whole small trainings and the verbs: the contract, exact resuming, films, bad input."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from gantools_video import clips as clips_module
from gantools_video import environments, reading
from gantools_video.application import VideoApplication
from gantools_video.clips import kept, load
from gantools_video.config import VideoConfig
from gantools_video.predictor import Predictor
from gantools_video.verbs import predictor_of
from program import assert_same_run
from program import gantools as command
from torch import nn

import gantools
from gantools import Note, Observer, Setting, UserError
from gantools.data import LabelledDigits, Split
from gantools.media import write_video
from gantools.testing import assert_plugin_ok


@pytest.fixture(scope="session")
def small(clips) -> dict[str, object]:
    """Options of a training of a few small turns."""
    return {
        "data": str(clips),
        "steps": 6,
        "size": 32,
        "past": 2,
        "rollout": 3,
        "horizon": 3,
        "width": 4,
        "discriminator_width": 4,
        "batch": 4,
        "samples": 10,
        "checkpoint_every": 2,
        "evaluate_every": 3,
    }


@pytest.fixture(scope="session")
def run(small, tmp_path_factory):
    """A finished run with a clip left out."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return gantools.run("video", out=folder, leave_out="two", progress=False, **small).path


def test_the_contract(gantools_cache, small):
    assert_plugin_ok("video", {"video": {k: v for k, v in small.items() if k != "steps"}})


@pytest.mark.parametrize("game", ["feedback", "mathieu"])
def test_the_other_games_play(small, tmp_path, game):
    gantools.run("video", out=tmp_path / "run", game=game, progress=False, **small)
    assert gantools.evaluate(tmp_path / "run")["game"] == game


def test_the_evaluation_has_every_figure_of_every_step(run):
    found = gantools.evaluate(run)
    for part in (found, found["left_out"]):
        for name in ("ours", "copy", "linear", "flow", "flow-fine"):
            for figure in ("psnr", "ssim", "moving_psnr", "gradient_ratio", "motion_ratio"):
                assert len(part[name][figure]) == 3
        assert part["copy"]["motion_ratio"] == [0, 0, 0]
    assert found["windows"] == 10
    assert found["psnr_first"] == found["ours"]["psnr"][0]
    assert found["psnr_last_of_copy"] == found["copy"]["psnr"][2]
    assert found["seed"] == 0


def test_it_leaves_a_model_films_and_a_report(run):
    assert {"model.json", "model.safetensors", "report.html"} <= {p.name for p in run.iterdir()}
    for name in ("strips.png", "beside.mp4", "turn-0000006.png"):
        assert (run / "samples" / name).stat().st_size > 500
    assert "free-running" in (run / "report.html").read_text()


class Stop(Observer):
    """Ends a training after three turns, as Ctrl-C would."""

    def turn_ended(self, trainer, figures):
        trainer.should_stop = trainer.turn == 3


def test_a_run_goes_on_exactly_though_its_films_have_gone(clips, small, tmp_path):
    copied = tmp_path / "clips"
    shutil.copytree(clips, copied)
    options = {**small, "data": str(copied), "evaluate_every": 0, "progress": False}
    whole = gantools.run("video", out=tmp_path / "one", **options)
    gantools.run("video", out=tmp_path / "two", observers=[Stop()], **options)
    shutil.rmtree(copied)
    gantools.resume(tmp_path / "two", progress=False)
    assert_same_run(whole.path, tmp_path / "two")


def test_moving_digits_go_on_exactly(small, tmp_path, monkeypatch):
    glyphs = torch.full((3, 1, 6, 6), 255, dtype=torch.uint8)
    digits = LabelledDigits(Split(glyphs, glyphs), Split(None, None))
    monkeypatch.setattr(clips_module, "labelled_digits", lambda seed: digits)
    monkeypatch.setattr(clips_module, "DIGITS_TEST", 2)
    options = {**small, "data": "moving-digits", "evaluate_every": 0, "progress": False}
    whole = gantools.run("video", out=tmp_path / "one", **options)
    gantools.run("video", out=tmp_path / "two", observers=[Stop()], **options)
    gantools.resume(tmp_path / "two", progress=False)
    assert_same_run(whole.path, tmp_path / "two")
    assert gantools.load(whole.path).application.config.game == "sprites"
    assert Predictor.load(whole.path).net.layers == 2
    with pytest.warns(Note, match="before a plain background"):
        predictor_of(whole.path)


def test_clips_are_kept_as_they_are(clips, run):
    before, after = load(str(clips), 32, 0, leave_out="two"), kept(run / "inputs" / "clips.npz")
    for part in ("train", "test", "left_out"):
        pairs = zip(getattr(before, part), getattr(after, part), strict=True)
        assert all((a == b).all() for a, b in pairs)


# -- environments ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def acting(small) -> dict[str, object]:
    """Options of a training on an environment of the tests; size 16, one frame every 2 steps."""
    return {**small, "data": "env:Sum-v0", "size": 16, "progress": False}


@pytest.fixture(scope="session")
def acted(acting, tmp_path_factory):
    """A finished run of it."""
    return gantools.run("video", out=tmp_path_factory.mktemp("runs") / "run", **acting).path


def test_an_environment_is_judged_with_wrong_actions_too(acted):
    found = gantools.evaluate(acted)
    assert found["data"].endswith("a frame every 2 steps; random actions, held for 1 to 8 steps")
    for name in ("ours", "wrong_actions", "copy", "linear", "flow"):
        assert len(found[name]["psnr"]) == 3
    assert "ours, wrong actions" in (acted / "report.html").read_text()


@pytest.mark.parametrize("game", ["feedback", "mathieu"])
def test_the_other_games_play_environments(acting, tmp_path, game):
    options = {**acting, "past": 4, "rollout": 1, "horizon": 2}
    run = gantools.run("video", out=tmp_path / "run", game=game, **options)
    assert gantools.evaluate(run.path)["game"] == game


def test_a_run_of_an_environment_goes_on_exactly_by_what_it_kept(acting, tmp_path, monkeypatch):
    options = {**acting, "evaluate_every": 0}
    whole = gantools.run("video", out=tmp_path / "one", **options)
    gantools.run("video", out=tmp_path / "two", observers=[Stop()], **options)
    monkeypatch.delattr(environments, "films")
    gantools.resume(tmp_path / "two", progress=False)
    assert_same_run(whole.path, tmp_path / "two")


class Adds(nn.Module):
    """Adds what was done to the last frame as the environment Sum does: 20 levels of 255."""

    def __init__(self, listens):
        super().__init__()
        self.listens = listens

    def forward(self, past, motion, action):
        last = past[:, -3:].clone()
        last[..., :8] += self.listens * 40 / 255 * (action[:, 2] - action[:, 0]).view(-1, 1, 1, 1)
        return [last], motion


@pytest.mark.parametrize("listens", [True, False])
def test_wrong_actions_tell_who_looks_at_them(acting, monkeypatch, listens):
    config = {k: v for k, v in acting.items() if k != "progress"}
    application = VideoApplication(VideoConfig(**config))
    predictor = Predictor({**application.asked, "size": 16}, Adds(listens))
    monkeypatch.setattr(application, "model", lambda game: predictor)
    found = application.judged(None)
    ours, wrong = (found[name]["psnr"] for name in ("ours", "wrong_actions"))
    if listens:
        assert min(ours) > 58
        assert max(wrong) < 40
    else:
        assert ours == wrong == found["copy"]["psnr"]


def test_a_game_that_is_loaded_needs_no_films(small, acting, monkeypatch):
    monkeypatch.delattr(clips_module, "load")
    for data, channels, actions in (
        ("moving-digits", 1, 0),
        (small["data"], 3, 0),
        ("env:Sum-v0", 3, 3),
    ):
        application = VideoApplication(
            VideoConfig(data=data, width=4, discriminator_width=4).resolved()
        )
        game, data = application.build(Setting(training=False))
        assert data is None
        model = application.model(game)
        assert (model.channels, model.actions) == (channels, actions)


@pytest.mark.parametrize("verb", ["predict", "compare"])
def test_a_clip_does_not_say_what_is_done(clips, acted, tmp_path, verb):
    out = tmp_path / "future.mp4"
    done = command("video", verb, clips / "one.mp4", "--run", acted, "-o", out)
    assert done.returncode == 2
    assert "needs to be told what is done in it, which a clip does not say" in done.stderr
    assert f"gantools evaluate {acted}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()


# -- the verbs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["resizing", "tiles"])
def test_predict_goes_on_at_the_clip_s_own_size_and_rate(clips, run, tmp_path, by):
    out = tmp_path / "future.mp4"
    done = command(
        "video", "predict", clips / "one.mp4", "--run", run, "--frames", 5, "--by", by, "-o", out
    )
    assert done.returncode == 0, done.stderr
    assert reading.describe(out).rate == 25
    assert [f.pixels.shape for f in reading.frames(out)] == [(48, 64, 3)] * 5


def test_what_was_known_may_come_first(clips, run, tmp_path):
    out = tmp_path / "future.mp4"
    done = command(
        "video",
        "predict",
        clips / "two.mp4",
        "--run",
        run,
        "--frames",
        3,
        "--known",
        "--at",
        0.5,
        "-o",
        out,
    )
    assert done.returncode == 0, done.stderr
    film = [f.pixels for f in reading.frames(out)]
    true = [f.pixels for f in reading.frames(clips / "two.mp4")]
    assert len(film) == 5
    for shown, at in zip(film, (14, 15), strict=False):  # 15 / 30 s
        assert np.abs(shown.astype(int) - true[at]).mean() < 3


def test_compare_shows_four_films_beside_each_other(clips, run, tmp_path):
    out = tmp_path / "beside.gif"
    done = command("video", "compare", clips / "one.mp4", "--run", run, "--frames", 4, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "true, ours, copy, flow" in done.stdout
    (film,) = {f.pixels.shape for f in reading.frames(out)}
    assert film[1] == 4 * (64 + 4)


def test_a_clip_of_one_frame_goes_on(run, drawn, tmp_path):
    write_video(tmp_path / "one.mp4", drawn(1), 25)
    out = tmp_path / "future.mp4"
    done = command("video", "predict", tmp_path / "one.mp4", "--run", run, "--frames", 2, "-o", out)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.write_text("not a film"), "cannot be read as a video"),
        (lambda path: path.touch(), "cannot be read as a video"),
    ],
)
def test_what_is_no_video_is_one_sentence(run, tmp_path, make, said):
    make(tmp_path / "clip.mp4")
    out = tmp_path / "future.mp4"
    done = command("video", "predict", tmp_path / "clip.mp4", "--run", run, "-o", out)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()


def test_nothing_after_the_moment_is_one_sentence(clips, run, tmp_path):
    out = tmp_path / "beside.mp4"
    done = command("video", "compare", clips / "one.mp4", "--run", run, "--at", 99, "-o", out)
    assert done.returncode == 2
    assert "no frames before and after that moment" in done.stderr
    assert not out.exists()


def test_a_moment_after_the_end_is_one_sentence(clips, run, tmp_path):
    out = tmp_path / "future.mp4"
    done = command("video", "predict", clips / "one.mp4", "--run", run, "--at", 99, "-o", out)
    assert done.returncode == 2
    assert "ends before --at 99 s" in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 30}, "multiple of 8"),
        ({"batch": 500}, "a batch of 500 cannot be taken of 69 samples to train on"),
        ({"data": "env:Nowhere-v0"}, "Unknown environment 'Nowhere-v0'"),
        ({"horizon": 60}, "smaller --horizon"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(small, tmp_path, options, said):
    with pytest.raises(UserError, match=said):
        gantools.run("video", out=tmp_path / "run", progress=False, **{**small, **options})

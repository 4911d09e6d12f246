"""Whole small trainings on a folder of coloured shapes: what they leave, resuming, bad input."""

from __future__ import annotations

import csv
import json

import pytest
from PIL import Image, ImageDraw
from program import assert_same_run
from program import gantools as program

import gantools
from gantools import Observer

COLOURS = ("red", "green", "blue", "orange", "purple", "black")
SHAPES = ("disc", "box", "bar", "ring")


def shapes(folder):
    """24 pictures, a shape in a colour each, with what is said of them."""
    folder.mkdir()
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file_name", "text"])
        for colour in COLOURS:
            for shape in SHAPES:
                image = Image.new("RGB", (32, 32), "white")
                pen = ImageDraw.Draw(image)
                if shape == "disc":
                    pen.ellipse((6, 6, 25, 25), fill=colour)
                elif shape == "box":
                    pen.rectangle((6, 6, 25, 25), fill=colour)
                elif shape == "bar":
                    pen.rectangle((12, 2, 19, 29), fill=colour)
                else:
                    pen.ellipse((6, 6, 25, 25), outline=colour, width=4)
                image.save(folder / f"{colour}-{shape}.png")
                table.writerow([f"{colour}-{shape}.png", f"{colour} {shape}"])
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> dict[str, object]:
    """Options of a training of a few small turns."""
    return {
        "data": str(shapes(tmp_path_factory.mktemp("shapes") / "pictures")),
        "text": "learned",
        "threads": 1,
        "steps": 6,
        "batch": 8,
        "generator_width": 4,
        "discriminator_width": 4,
        "codes": 4,
        "judge_steps": 5,
        "evaluate_every": 3,
        "checkpoint_every": 2,
    }


@pytest.fixture(scope="module")
def run(small, tmp_path_factory):
    out = tmp_path_factory.mktemp("text2image") / "run"
    return gantools.run("text2image", out=out, progress=False, **small)


def test_the_contract(gantools_cache, small):
    from gantools.testing import assert_plugin_ok

    assert_plugin_ok("text2image", {"text2image": small})


def test_the_evaluation_has_the_figures_and_their_ceilings(run):
    found = json.loads(run.evaluation_file.read_text())
    wanted = "r_precision r_precision_real r_precision_shuffled heldout_r_precision "
    wanted += "skin_tone_accuracy diversity_ratio seed judge n_seen data game resolution"
    assert set(wanted.split()) <= found.keys()
    assert found["skin_tone_accuracy"] is None  # shapes have no skin
    assert gantools.evaluate(run.path) == found


def test_it_leaves_a_model_pictures_of_the_training_and_a_report(run, tmp_path):
    assert (run.path / "model.safetensors").stat().st_size < 6_000_000
    assert len(list(run.samples.glob("turn-*.png"))) == 2
    text = run.report_file.read_text()
    for title in ("Names that were trained on", "Names that were not", "The training"):
        assert title in text
    out = tmp_path / "disc.png"
    done = program("text2image", "draw", "red disc", "--run", run.path, "-o", out)
    assert done.returncode == 0, done.stderr
    assert Image.open(out).size == (256, 256)


class Stop(Observer):
    """Ends a training after three turns, as Ctrl-C would."""

    def turn_ended(self, trainer, figures):
        trainer.should_stop = trainer.turn == 3


@pytest.mark.parametrize("game", ["contrastive", "stack"])
def test_resumed_it_ends_with_the_same_numbers_bit_for_bit(small, tmp_path, game):
    options = {**small, "game": game, "evaluate_every": 0, "progress": False}
    whole = gantools.run("text2image", out=tmp_path / "whole", **options)
    stopped = tmp_path / "stopped"
    gantools.run("text2image", out=stopped, observers=[Stop()], **options)
    gantools.resume(stopped, progress=False)
    assert_same_run(whole.path, stopped)


def test_a_run_stands_by_itself_when_its_pictures_have_gone(small, tmp_path):
    import shutil

    data = tmp_path / "pictures"
    shutil.copytree(small["data"], data)
    options = {**small, "data": str(data), "evaluate_every": 0, "progress": False}
    run = gantools.run("text2image", out=tmp_path / "run", observers=[Stop()], **options)
    shutil.rmtree(data)
    assert gantools.resume(run.path, progress=False).manifest["status"] == "finished"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 64}, "a batch of 64 cannot be taken of \\d+ samples to train on"),
        ({"data": "/nowhere/at/all"}, "/nowhere/at/all"),
        ({"text": "minilmm"}, "Did you mean 'minilm'?"),
        ({"text": "gone.npz"}, "gone.npz"),
        ({"penalty": "ma-gb"}, "There is no penalty 'ma-gb'. Did you mean 'ma-gp'?"),
        ({"resolution": 48}, "is one of 32, 64, 128, 256, not 48"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(small, tmp_path, options, said):
    with pytest.raises(gantools.UserError, match=said):
        gantools.run("text2image", out=tmp_path / "run", progress=False, **{**small, **options})
    assert not (tmp_path / "run").exists()

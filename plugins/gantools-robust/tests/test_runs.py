"""Whole small trainings, and what is refused before one begins."""

from __future__ import annotations

import pytest
import torch
from gantools_robust.application import VALIDATION, Robust
from gantools_robust.config import RobustConfig

import gantools
from gantools import Setting, UserError
from gantools.data import labelled_digits


def test_it_learns_to_withstand_and_shows_it(tmp_path):
    small = {"attack_steps": 3, "samples": 60, "restarts": 1, "batch": 64, "evaluate_every": 120}
    run = gantools.run(
        "robust", steps=120, epsilon=0.15, out=tmp_path / "run", progress=False, **small
    )
    found = run.evaluation
    assert found["advantage"] > 0.2
    assert found["clean_accuracy"] > 0.8
    assert found["pgd_accuracy"] <= found["fgsm_accuracy"] <= found["clean_accuracy"]
    assert found["pgd_accuracy"] <= found["checks"]["one_start_accuracy"]
    assert found["checks"]["one_start_accuracy"] < found["checks"]["transfer_accuracy"]
    assert found["samples"] == 60
    assert found["seed"] == 0
    for picture in ("digits.png", "epsilon.png"):
        assert (run.samples / picture).stat().st_size > 10_000
    assert "Digits under attack" in run.report_file.read_text()
    last = run.metrics[-1]
    assert last["evaluation/score"] == pytest.approx(
        (last["evaluation/clean"] + last["evaluation/pgd"]) / 2
    )


def test_what_is_judged_is_never_trained_on():
    application = Robust(RobustConfig(seed=3, batch=1200))
    _, data = application.build(Setting())
    epoch = iter(data)
    trained = torch.cat([next(epoch)[0] for _ in range(3)])
    kept = torch.cat([application.validation.x, application.held_out.x])
    assert len(kept) == VALIDATION + 1000
    assert torch.cat([trained, kept]).flatten(1).unique(dim=0).shape[0] == 5000
    assert (kept.min(), kept.max()) == (0, 1)
    labels = labelled_digits(3).labels
    assert torch.equal(application.held_out.y, labels.held_out)


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epsilon": -0.1}, "'epsilon' must be at least 0 and at most 1, not -0.1"),
        ({"epsilon": 8.0}, "'epsilon' must be at least 0 and at most 1, not 8.0"),
        ({"epsilon": float("nan")}, "'epsilon' must be a finite number"),
        ({"attack": "pdg"}, "Did you mean 'pgd'"),
        ({"clean": 1.5}, "'clean' must be at least 0 and at most 1"),
        ({"attack_steps": 0}, "'attack_steps' must be at least 1"),
        ({"attack_step_size": -1.0}, "'attack_step_size' must be at least 0"),
        ({"loss": "trades", "attack": "fgsm"}, "--loss trades needs --attack pgd"),
        ({"loss": "trades", "attack": "none"}, "--loss trades needs --attack pgd"),
        ({"loss": "trades", "clean": 0.2}, "--clean is for --loss madry: trades has no use for it"),
        ({"beta": 1.0}, "--beta is for --loss trades: madry has no use for it"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, options, said):
    with pytest.raises(UserError, match=said):
        gantools.run("robust", out=tmp_path / "run", progress=False, **options)
    assert not (tmp_path / "run").exists()


def test_a_batch_that_processes_cannot_share_is_refused():
    with pytest.raises(ValueError, match="128 samples cannot be shared equally by 3 processes"):
        Robust(RobustConfig()).build(Setting(world_size=3))

"""Tables and films beside each other, as they are shown."""

import numpy as np
import torch
from gantools_video.pictures import beside, table

FIGURES = ("psnr", "ssim", "moving_psnr", "gradient_ratio", "motion_ratio")


def figures(first):
    return {name: [first + step for step in range(4)] for name in FIGURES}


def test_a_table_has_the_first_the_middle_and_the_last_step():
    ours = figures(10.0) | {"moving_psnr": [None] * 4}  # nothing moved
    found = {"windows": 3, "steps": 4, "ours": ours, "copy": figures(20.0)}
    head, *rows = table({**found, "left_out": {**found, "wrong_actions": figures(30.0)}})
    assert head[:3] == ["", "step", "PSNR, dB"]
    assert rows[0] == ["ours", "t+1", "10.00", "10.000", "–", "10.00", "10.00"]
    assert rows[1] == ["copy", "t+1", "20.00", "20.000", "20.00", "20.00", "20.00"]
    assert [row[1] for row in rows] == [f"t+{k}" for k in (1, 1, 2, 2, 4, 4)] + [
        f"t+{k}" for k in (1, 1, 1, 2, 2, 2, 4, 4, 4)
    ]
    assert [row[0] for row in rows[6:9]] == [
        "left out: ours",
        "left out: ours, wrong actions",
        "left out: copy",
    ]
    assert len(table({})) == 1


def test_films_lie_beside_each_other():
    past = torch.zeros(1, 1, 1, 2, 2)
    white, grey = torch.ones(1, 1, 1, 2, 2), torch.full((1, 1, 1, 2, 2), 0.2)
    first, second = beside(past, {"one": white, "other": grey}, 2)
    assert first.shape == second.shape == (12, 24, 3)
    for picture, levels in ((first, (0, 0)), (second, (255, 51))):
        for left, level in zip((4, 16), levels, strict=True):
            assert (picture[4:8, left : left + 4] == level).all()
        assert (np.delete(picture[5, :, 0], [*range(4, 8), *range(16, 20)]) == 128).all()

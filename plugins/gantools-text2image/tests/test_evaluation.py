"""The evaluation of drawers whose worth is known: the truth, a constant, one that cannot read."""

import pytest
import torch
from gantools_text2image.evaluation import judge_drawings, table, tone_is_visible, unrelated
from gantools_text2image.judge import Judge
from gantools_text2image.judge_train import real_drawings
from gantools_text2image.metrics import SKIN
from gantools_text2image.pictures import Pictures
from gantools_text2image.placing import place

N = 60


class Oracle(Judge):
    """Knows the number of a picture by its brightness, and that of a name by reading it."""

    def __init__(self):
        super().__init__("oracle")

    def features(self, images):
        mean = images.flatten(1).mean(1, keepdim=True)
        return torch.cat([mean, images[:, 0, :4, :4].flatten(1)], 1)

    def scores_of(self, features, captions):
        number = torch.tensor([float(caption.split()[-1]) for caption in captions])
        return -(features[:, :1] - grey(number)).abs()


class Blind(Oracle):
    """Says the same of everything."""

    def scores_of(self, features, captions):
        return torch.zeros(len(features), len(captions))


def grey(number):
    return number / N * 2 - 1


def numbered(placed=False, split=("train",) * 40 + ("held-out",) * 20):
    levels = ((grey(torch.arange(N)) + 1) * 127.5).round().to(torch.uint8)
    images = levels.view(N, 1, 1, 1).expand(N, 3, 8, 8).clone()
    return Pictures(
        images, [[f"number {i}"] for i in range(N)], list(split), "numbers", None, placed
    )


def truth(captions, generator):
    number = torch.tensor([float(caption.split()[-1]) for caption in captions])
    return grey(number).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def wrong(captions, generator):
    return truth([f"n {(int(caption.split()[-1]) + 30) % N}" for caption in captions], generator)


def test_an_oracle_knows_the_truth():
    found = judge_drawings(truth, numbered(), Oracle(), seed=1, candidates=10)
    for name in ("r_precision", "heldout_r_precision", "retrieval_at_1", "heldout_retrieval_at_1"):
        assert found[name] == found[f"{name}_real"] == found[f"{name}_fraction"] == 1
    assert found["r_precision_shuffled"] < 0.4  # chance, 0.1, and four standard errors
    assert (found["n_seen"], found["n_heldout"], found["candidates"]) == (20, 20, 10)
    assert (found["judge"], found["seed"]) == ("oracle", 1)
    assert found["frechet"] >= 0
    assert found["nearest_ratio"] == pytest.approx(1, abs=0.02)


def test_the_table_has_each_figure_beside_its_ceiling_and_control():
    head, *rows = table(judge_drawings(truth, numbered(), Oracle(), seed=1, candidates=10))
    assert [row[0] for row in rows[:2]] == ["which name? seen ones", "names not seen"]
    told = dict(zip(head, rows[0], strict=True))
    assert told["drawn"] == told["real pictures"] == "1.000"
    assert told["chance"] == "0.100"
    assert told["pictures"] == "20"
    assert all(len(row) == len(head) for row in rows)


def test_a_name_is_related_if_only_gender_or_tone_differ():
    seen = ["woman cook medium-dark skin tone", "pizza"]
    held_out = ["Man cook", "cook", "men cooking", "pizza slice", "person: light skin tone"]
    assert unrelated(held_out, seen) == [2, 3, 4]


def test_the_oracle_knows_what_is_wrong():
    found = judge_drawings(wrong, numbered(), Oracle(), candidates=20)
    assert found["r_precision"] == 0
    assert found["r_precision_real"] == 1
    # Of numbers 40 to 59, 40 is the nearest to 10, which is drawn for it.
    assert found["heldout_r_precision_fraction"] == pytest.approx(1 / 20)


def test_a_blind_judge_gives_chance_to_all():
    found = judge_drawings(truth, numbered(), Blind(), candidates=10)
    for name in ("r_precision", "r_precision_real", "r_precision_shuffled", "retrieval_at_1"):
        assert found[name] == pytest.approx(1 / 10)
    assert found["r_precision_fraction"] == pytest.approx(1)


def test_candidates_are_of_the_same_split():
    found = judge_drawings(truth, numbered(), Oracle(), candidates=30)
    assert (found["candidates"], found["heldout_candidates"]) == (30, 20)
    found = judge_drawings(truth, numbered(), Oracle())
    assert (found["candidates"], found["heldout_candidates"]) == (40, 20)


def test_shuffled_captions_are_at_chance_where_neighbours_are_alike():
    found = [judge_drawings(truth, numbered(), Oracle(), seed, candidates=4) for seed in range(20)]
    shuffled = sum(figures["heldout_r_precision_shuffled"] for figures in found) / 20
    # Of 19 others 3 are candidates; among them the name of what the drawing shows, which wins.
    assert shuffled == pytest.approx(16 / 19 / 4, abs=4 * (0.21 * 0.79 / 400) ** 0.5)


def test_what_cannot_be_told_is_none():
    split = ["train"] * N
    found = judge_drawings(truth, numbered(split=split), Oracle(), candidates=5)
    assert found["heldout_r_precision"] is None
    assert found["skin_tone_accuracy"] is None
    assert found["diversity_ratio"] is None
    three = numbered()
    few = Pictures(three.images[38:41], three.captions[38:41], three.split[38:41], "three")
    found = judge_drawings(truth, few, Oracle())
    assert found["r_precision"] == 1
    assert found["heldout_r_precision"] is None  # there is no other held-out name
    assert "frechet" not in found


@pytest.fixture(scope="module")
def people():
    """A square of each skin tone and an odd corner, for 12 trades; some held out."""
    images, captions, split, tones = [], [], [], []
    generator = torch.Generator().manual_seed(0)
    for trade in range(12):
        corner = torch.randint(60, 255, (3, 1, 1), generator=generator).to(torch.uint8)
        for tone, colour in enumerate(SKIN.split()):
            image = torch.full((3, 32, 32), 255, dtype=torch.uint8)
            image[:, 8:24, 8:24] = torch.tensor(list(bytes.fromhex(colour)))[:, None, None]
            image[:, 4:8, 4 : 6 + 2 * trade] = corner
            images.append(image)
            captions.append([f"trade {trade} tone {tone}"])
            kind = "held-out" if trade < 3 else "train"
            split.append("composition" if trade > 8 and tone == trade % 5 else kind)
            tones.append(tone)
    return Pictures(
        torch.stack(images), captions, split, "people", torch.tensor(tones), placed=True
    )


def untrained():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Judge().eval()


def test_the_true_drawings_are_as_good_as_real(people):
    found = judge_drawings(real_drawings(people), people, untrained(), varied=12)
    assert found["diversity_ratio"] == pytest.approx(1, abs=0.15)
    assert found["pixel_diversity_ratio"] == pytest.approx(1, abs=0.1)
    assert found["skin_tone_accuracy"] == found["skin_tone_accuracy_real"] == 1
    assert found["n_skin_tone"] == found["n_composition"] == 3
    assert found["frechet"] < 2 * found["frechet_floor"]
    assert found["coverage"] > 0.5


def test_a_drawer_of_one_picture_varies_in_nothing(people):
    def draw(captions, generator):
        return people.images[:1].float().expand(len(captions), -1, -1, -1) / 127.5 - 1

    found = judge_drawings(draw, people, untrained())
    assert found["diversity_ratio"] == 0
    assert found["pixel_diversity_ratio"] == 0
    assert found["r_precision"] < 0.1
    assert found["frechet"] > 2 * found["frechet_floor"]
    assert found["coverage"] < 0.5


def test_a_drawer_of_the_next_darker_tone_gets_none_right(people):
    true = real_drawings(people)

    def draw(captions, generator):
        darker = [f"{c[:-1]}{(int(c[-1]) + 1) % 5}" for c in captions]
        return true(darker, generator)

    found = judge_drawings(draw, people, untrained())
    assert found["skin_tone_accuracy"] == 0
    assert found["skin_tone_accuracy_fraction"] == 0


def test_the_same_seed_gives_the_same_figures(people):
    def draw(captions, generator):
        return place(true(captions, generator), generator)

    true = real_drawings(people)
    figures = [judge_drawings(draw, people, untrained(), seed) for seed in (0, 0, 1)]
    assert figures[0] == figures[1] != figures[2]


def test_all_drawers_are_measured_beside_the_same_real_pictures(people):
    true = real_drawings(people)

    def noisy(captions, generator):
        return true(captions, generator) + 0.1 * torch.randn(3, 32, 32, generator=generator)

    ours, theirs = (judge_drawings(draw, people, untrained()) for draw in (true, noisy))
    controls = [name for name in ours if name.endswith(("_real", "_floor"))]
    assert len(controls) > 6
    assert [ours[name] for name in controls] == [theirs[name] for name in controls]


def test_little_skin_is_not_measured(people):
    images = people.images.clone()
    images[0] = 255
    hidden = Pictures(images, people.captions, people.split, "people", people.tones)
    assert tone_is_visible(hidden).tolist() == list(range(1, 60))

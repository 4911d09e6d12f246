"""OpenMoji: known drawings and names; what is held out, and that nothing of it is trained on."""

from collections import Counter

import pytest
import torch
from gantools_text2image import openmoji
from gantools_text2image.openmoji import Drawing, rasterise, split, visible_tones


@pytest.fixture(scope="module")
def every():
    return openmoji.drawings()


@pytest.fixture(scope="module")
def splits(every):
    """As if no two drawings looked the same: without pixels."""
    return split(every, [drawing.code.encode() for drawing in every])


def named(every, name):
    (drawing,) = (drawing for drawing in every if drawing.captions[0] == name)
    return drawing


@pytest.mark.parametrize("resolution", [32, 100])
def test_the_red_heart_is_red_on_white(resolution):
    (heart,) = rasterise(["2764"], resolution)
    assert heart.shape == (3, resolution, resolution)
    assert heart.dtype == torch.uint8
    assert heart[:, resolution // 2, resolution // 2].tolist() == [0xD2, 0x2F, 0x27]  # of its SVG
    assert torch.all(heart[:, 0] == 255)
    assert torch.all(heart[:, :, -1] == 255)


def test_every_skin_tone_is_darker_than_the_one_before():
    hands = rasterise([f"270B-{0x1F3FB + tone:X}" for tone in range(5)], 32)
    palms = hands[:, :, 20, 16].float().mean(1)
    assert torch.all(palms.diff() < 0)


def test_names(every):
    assert 3900 < len(every) < 4495
    heart = named(every, "red heart")
    assert (heart.code, heart.group, heart.tone) == ("2764", "red heart", -1)
    assert "heart" in heart.captions
    assert named(every, "japan").captions[:2] == ["japan", "flag for japan"]
    assert named(every, "eight o'clock").group == "eight o'clock"
    captions = [caption for drawing in every for caption in drawing.captions]
    assert max(Counter(captions).values()) == 1  # nothing goes by another's name
    assert all(caption == caption.strip().lower() and "_" not in caption for caption in captions)
    assert "dog2" not in captions


def test_names_of_skin_tones(every):
    astronaut = named(every, "woman astronaut medium skin tone")
    assert astronaut.captions == [
        "woman astronaut medium skin tone",
        "woman astronaut with medium skin tone",
    ]
    assert (astronaut.group, astronaut.tone) == ("woman astronaut", 2)
    curly = named(every, "man medium-dark skin tone curly hair")
    assert curly.captions[1:] == [
        "man curly hair with medium-dark skin tone",
        "curly haired man with medium-dark skin tone",
    ]
    assert (curly.group, curly.tone) == ("man curly hair", 3)
    two = named(every, "kiss man man light skin tone dark skin tone")
    assert two.captions[1] == "kiss man man with light skin tone and dark skin tone"
    assert (two.group, two.tone) == ("kiss man man", -1)
    assert named(every, "kiss man man dark skin tone").tone == 4  # both of one tone
    assert named(every, "kiss person person light skin tone dark skin tone").group == "kiss"
    sample = named(every, "light skin tone")
    assert (sample.captions, sample.tone) == (["light skin tone"], -1)


def test_a_group_is_a_sequence_of_code_points_without_tones(every):
    def base(code):
        points = [point for point in code.split("-") if point != "FE0F"]
        plain = [point for point in points if not 0x1F3FB <= int(point, 16) <= 0x1F3FF]
        return "-".join(plain or points)

    groups = {}
    for drawing in every:
        groups.setdefault(base(drawing.code), set()).add(drawing.group)
    assert all(len(names) == 1 for names in groups.values())


def test_a_tenth_of_the_groups_is_held_out_whole(every, splits):
    held_out = {d.group for d, its in zip(every, splits, strict=True) if its == "held-out"}
    others = {d.group for d, its in zip(every, splits, strict=True) if its != "held-out"}
    assert not held_out & others
    assert len(held_out) == round(0.1 * len(held_out | others))


def test_of_a_composition_the_person_and_the_tone_are_seen(every, splits):
    rows = list(zip(every, splits, strict=True))
    unseen = [drawing for drawing, its in rows if its == "composition"]
    seen = [drawing for drawing, its in rows if its == "train"]
    trained = {(drawing.group, drawing.tone) for drawing in seen}
    for drawing in unseen:
        assert drawing.tone >= 0
        assert (drawing.group, drawing.tone) not in trained
        assert {(drawing.group, tone) for tone in set(range(5)) - {drawing.tone}} <= trained
        assert not any(  # nor next to someone of another tone
            other.group == drawing.group and "skin tone" in other.captions[0] and other.tone < 0
            for other in seen
        )
    assert max(Counter(drawing.group for drawing in unseen).values()) == 1
    tones = Counter(drawing.tone for drawing in unseen)
    assert set(tones) == set(range(5))
    able = Counter(d.group for d in seen + unseen if d.tone >= 0)
    two = {d.group for d in seen if "skin tone" in d.captions[0] and d.tone < 0}
    quarter = 0.25 * sum(count == 5 and group not in two for group, count in able.items())
    assert len(unseen) == round(quarter)


def test_the_split_is_always_the_same(every, splits):
    torch.manual_seed(7)
    assert split(every, [drawing.code.encode() for drawing in every]) == splits


def people(group):
    plain = Drawing(group, [group], group, -1)
    return [plain] + [Drawing(f"{group}{t}", [f"{group} {t}"], group, t) for t in range(5)]


def test_drawings_that_look_the_same_share_their_split():
    groups = [f"{letter}{number}" for letter in "ab" for number in range(40)]
    every = [drawing for group in groups for drawing in people(group)]
    looks = [drawing.captions[0][1:].encode() for drawing in every]  # an a and a b look the same
    split_of = {}
    for look, its in zip(looks, split(every, looks), strict=True):
        split_of.setdefault(look, set()).add(its)
    assert all(len(its) == 1 for its in split_of.values())
    # Of 40 families of twelve drawings 4 are held out, and of 36 families 9 lack one tone.
    assert Counter(split(every, looks)) == {"held-out": 48, "composition": 18, "train": 414}


def test_a_tone_that_does_not_show_is_none():
    every = people("fencer")
    looks = [b"plain", *[b"masked"] * 3, b"medium-dark", b"dark"]
    assert visible_tones(every, looks) == [-1, -1, -1, -1, 3, 4]
    assert set(split(every, looks)) <= {"train", "held-out"}


@pytest.mark.slow
def test_no_drawing_that_is_held_out_looks_like_one_that_is_trained_on():
    pictures = openmoji.load(32)
    looks = {}
    for image, its in zip(pictures.images, pictures.split, strict=True):
        looks.setdefault(image.numpy().tobytes(), set()).add(its)
    assert all(len(its) == 1 for its in looks.values())
    assert all(image.float().std() > 3 for image in pictures.images)  # none is blank

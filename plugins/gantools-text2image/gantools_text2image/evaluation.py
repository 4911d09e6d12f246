"""How a drawer is judged: does it draw what captions say, beside what real pictures get."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gantools.metrics import density_coverage, frechet_distance, memorisation, with_floor
from gantools_text2image.judge import Judge, as_seen
from gantools_text2image.metrics import (
    distractors,
    diversity_ratio,
    r_precision,
    skin_shares,
    skin_tone,
)
from gantools_text2image.pictures import Pictures
from gantools_text2image.placing import place

Draw = Callable[[list[str], torch.Generator], Tensor]
"""Captions and a generator of codes -> pictures, float [B, 3, S, S] in [−1, 1]."""
KIN = frozenset(
    {"man", "woman", "person", "men", "women", "people", "boy", "girl", "child"}
    | {"light", "medium", "dark", "skin", "tone"}
)
"""Words without which names are of one kind."""
VISIBLE = 0.03
"""The share of a real drawing's pixels that its skin has at least if its tone is measured."""
AT_ONCE = 64
"""How many captions a drawer gets at a time."""
NAMED = {
    "which name? seen ones": "",
    "names not seen": "heldout",
    "of them unlike any seen": "unrelated",
    "combinations not seen": "composition",
}
"""The rows of R-precision in :func:`table`, and what their figures begin with."""
OTHERS = (
    ("which picture? seen names", "retrieval_at_1", "_real", "n_seen"),
    ("right skin tone, combinations not seen", "skin_tone_accuracy", "_real", "n_skin_tone"),
    ("diversity of one name, real = 1", "diversity_ratio", "_real", "n_varied"),
    ("the same, of pixels", "pixel_diversity_ratio", "_real", "n_varied"),
    ("Fréchet distance, seen names (lower is better)", "frechet", "_floor", "n_seen"),
    ("the same, names not seen", "heldout_frechet", "_floor", "n_heldout"),
    ("coverage, seen names", "coverage", "_floor", "n_seen"),
)
"""Its other rows: what, which figure, what stands beside it, how many pictures."""
FEWEST = 10
"""With fewer pictures than this on a side no distributions are compared."""
MOST = 4000
"""How many training pictures are searched for the nearest."""


def judge_drawings(
    draw: Draw,
    pictures: Pictures,
    judge: Judge,
    seed: int = 0,
    *,
    seen: int = 500,
    varied: int = 32,
    variants: int = 8,
    candidates: int = 100,
) -> dict[str, Any]:
    """Measure all that is said of a drawer, each figure with its ceiling and its control.

    Captions are the names of pictures. A picture is asked which of 100 names it shows: its own or
    one of 99 drawn from the same split, fewer where the split has not so many. Real pictures are
    asked the same; those that may be placed are placed anew.

    Args:
        draw: the drawer; it gets at most 64 captions at a time, and one generator for all.
        pictures: with the splits that it was trained with.
        judge: one that was trained on the same split, see ``judge_train.judge_of``.
        seed: of all draws.
        seen: how many names of the training split are drawn, half of them if that is less; of
            the other splits all are.
        varied: how many of the seen names are drawn several times,
        variants: and how often.
        candidates: among which the own one is to be found, 2 or more.

    Returns:
        Shares in [0, 1] where nothing else is said. ``X_real`` is the ceiling, what real pictures
        get; ``X_fraction`` = X / X_real. What these pictures cannot tell is left out, but for
        ``heldout_r_precision``, ``skin_tone_accuracy`` and ``diversity_ratio``, which are None.

        - ``r_precision``: of seen names with fresh codes, ``heldout_r_precision`` of unseen ones,
          ``composition_r_precision`` of unseen compositions. ``r_precision_shuffled`` is the
          control, each name asked of the drawing of another: chance, 1 / candidates, or less, as
          what the drawing does show may be among them.
        - ``unrelated_r_precision``: of those unseen names that are no seen one of another gender or
          skin tone.
        - ``retrieval_at_1`` and ``heldout_retrieval_at_1``: a name is asked which of 100 pictures
          shows it.
        - ``skin_tone_accuracy``: by the colours of pixels, of unseen compositions whose real
          drawing is at least 3 % skin.
        - ``diversity_ratio`` in the judge's features and ``pixel_diversity_ratio`` at 32×32 pixels,
          against the true drawing placed anew: :func:`gantools_text2image.metrics.diversity_ratio`.
        - ``frechet``, ``density`` and ``coverage``, and the same of held-out names
          (``heldout_…``): fakes against real pictures of the same names in the judge's features
          (``frechet_name`` says what the distance may be called). ``X_floor`` is what other real
          ones have: the same drawings placed anew, or training pictures of other names where they
          may not be placed. All have the bias of small samples, so compare with the floor only.
        - ``nearest_distance``, ``nearest_held_out_distance``, ``nearest_ratio``,
          ``nearest_closer_share``: fakes of held-out names and the nearest training pictures, see
          :func:`gantools.metrics.memorisation`; copies have ratio 0 and closer_share 1.
        - ``n_seen``, ``n_heldout``, ``n_unrelated``, ``n_composition``, ``n_skin_tone``,
          ``n_varied``, ``n_variants``: how many pictures; ``candidates``, ``heldout_candidates``,
          …: among how many names, the own one included; ``judge``: its name; ``seed``.
    """
    exam = _Exam(draw, pictures, judge, seed, candidates)
    train, heldout, composition = map(pictures.only, ("train", "held-out", "composition"))
    order = torch.randperm(len(train), generator=exam.generator)
    few = min(seen, max(1, len(train) // 2))
    shown, unused = subset(train, order[:few]), subset(train, order[few : 2 * few])
    found: dict[str, Any] = dict.fromkeys(
        ("heldout_r_precision", "skin_tone_accuracy", "diversity_ratio")
    )
    found |= exam.of_split(shown, unused)[0]
    if len(heldout):
        figures, fake, real = exam.of_split(heldout, unused)
        found |= {f"heldout_{name}": figure for name, figure in figures.items()}
        known = judge.features(exam.real(subset(train, order[:MOST])))
        found |= {f"nearest_{k}": v for k, v in memorisation(known, real, fake).items()}
    if len(composition):
        found |= exam.of_compositions(composition)
    if pictures.placed:
        found |= exam.of_variants(subset(shown, torch.arange(min(varied, len(shown)))), variants)
    alone = unrelated(names(heldout), names(train))
    if 0 < len(alone) < len(heldout):
        some = subset(heldout, torch.tensor(alone))
        fakes, reals = exam.drawn(names(some)), exam.real(some)
        figures = exam.named(some, judge.features(fakes), judge.features(reals))
        found |= {f"unrelated_{name}": figure for name, figure in figures.items()}
        found["n_unrelated"] = len(alone)
    fractions = {
        name.replace("_real", "_fraction"): found[name.removesuffix("_real")] / ceiling
        for name, ceiling in found.items()
        if name.endswith("_real") and ceiling > 0
    }
    counts = {
        "n_seen": len(shown),
        "n_heldout": len(heldout),
        "n_composition": len(composition),
        "judge": judge.name,
        "frechet_name": judge.frechet_name,
        "seed": seed,
    }
    return found | fractions | counts


def table(found: Mapping[str, Any]) -> list[list[str]]:
    """The main figures of :func:`judge_drawings` as rows: each beside its ceiling and control."""

    def said(name: str) -> str:
        return "" if found.get(name) is None else f"{found[name]:.3f}"

    rows = [["", "drawn", "real pictures", "drawings of other names", "chance", "pictures"]]
    for what, split in NAMED.items():
        of = f"{split}_" if split else ""
        if f"{of}r_precision" in found and found[f"{of}r_precision"] is not None:
            three = (said(f"{of}r_precision{which}") for which in ("", "_real", "_shuffled"))
            chance = f"{1 / found[f'{of}candidates']:.3f}"
            rows.append([what, *three, chance, str(found[f"n_{split or 'seen'}"])])
    for what, name, beside, count in OTHERS:
        if found.get(name) is not None:
            rows.append([what, said(name), said(f"{name}{beside}"), "", "", str(found[count])])
    return rows


class _Exam:
    """A drawer, its judge, and the random numbers of one examination."""

    def __init__(
        self, draw: Draw, pictures: Pictures, judge: Judge, seed: int, candidates: int
    ) -> None:
        self.draw, self.pictures, self.judge = draw, pictures, judge
        self.seed, self.candidates = seed, candidates
        self.generator = torch.Generator().manual_seed(seed)
        # The drawer's own, so that all drawers are asked the same, beside the same real pictures.
        self.codes = torch.Generator().manual_seed(seed + 1_000_003)

    def real(self, of: Pictures) -> Tensor:
        """Pictures as floats, placed anew where they may be."""
        images = of.images.float() / 127.5 - 1
        return place(images, self.generator) if of.placed else images

    def drawn(self, captions: list[str]) -> Tensor:
        parts = [captions[i : i + AT_ONCE] for i in range(0, len(captions), AT_ONCE)]
        return torch.cat([self.draw(part, self.codes).detach().cpu().float() for part in parts])

    def of_split(self, of: Pictures, others: Pictures) -> tuple[dict[str, Any], Tensor, Tensor]:
        """All figures of pictures of one split, with the features of fakes and of reals."""
        fake, real = self.judge.features(self.drawn(names(of))), self.judge.features(self.real(of))
        again = self.judge.features(self.real(of if of.placed else others))
        figures = self.named(of, fake, real) | self.retrieved(of, fake, real)
        if min(len(fake), len(again)) >= FEWEST:
            for name, metric in (("frechet", frechet_distance), ("", density_coverage)):
                against = with_floor(metric, again, real, fake, seed=self.seed)
                for key, suffix in (("value", ""), ("floor", "_floor")):
                    of_one = {name: against[key]} if name else against[key]
                    figures |= {f"{what}{suffix}": value for what, value in of_one.items()}
        return figures, fake, real

    def named(self, of: Pictures, fake: Tensor, real: Tensor) -> dict[str, Any]:
        """The share of pictures that the judge gives their own name."""
        pool = names(self.pictures.only(of.split[0]))
        if len(set(pool)) < 2:
            return {}
        own = torch.tensor([pool.index(name) for name in names(of)])
        others = distractors(pool, own, self.generator, self.candidates - 1)
        order = torch.randperm(len(own), generator=self.generator)
        stranger = torch.empty_like(order)
        stranger[order] = order.roll(1)  # nobody is mapped to itself

        def share(features: Tensor) -> float:
            scores = self.judge.scores_of(features, pool).cpu()
            return r_precision(scores[torch.arange(len(own)), own], scores.gather(1, others))

        return {
            "r_precision": share(fake),
            "r_precision_real": share(real),
            "r_precision_shuffled": share(fake[stranger]),
            "candidates": 1 + others.shape[1],
        }

    def retrieved(self, of: Pictures, fake: Tensor, real: Tensor) -> dict[str, Any]:
        """The share of names whose picture the judge finds among those of other names."""
        if len(set(names(of))) < 2:
            return {}
        others = distractors(names(of), torch.arange(len(of)), self.generator, self.candidates - 1)

        def share(features: Tensor) -> float:
            scores = self.judge.scores_of(features, names(of)).cpu().T
            return r_precision(scores.diagonal(), scores.gather(1, others))

        return {"retrieval_at_1": share(fake), "retrieval_at_1_real": share(real)}

    def of_compositions(self, of: Pictures) -> dict[str, Any]:
        """Are they known, and is their skin of the right tone?"""
        fakes, reals = self.drawn(names(of)), self.real(of)
        figures = self.named(of, self.judge.features(fakes), self.judge.features(reals))
        found = {f"composition_{name}": figure for name, figure in figures.items()}
        if of.tones is not None and len(rows := tone_is_visible(of)):
            for suffix, images in (("", fakes), ("_real", reals)):
                right = skin_tone(images[rows]) == of.tones[rows]
                found[f"skin_tone_accuracy{suffix}"] = right.double().mean().item()
            found["n_skin_tone"] = len(rows)
        return found

    def of_variants(self, of: Pictures, variants: int) -> dict[str, Any]:
        """How much drawings of one name vary."""
        many = subset(of, torch.arange(len(of)).repeat_interleave(variants))
        fakes, reals = self.drawn(names(many)), self.real(many)
        shape = (len(of), variants)

        def ratio(view: Callable[[Tensor], Tensor]) -> float:
            return diversity_ratio(*(view(x).unflatten(0, shape) for x in (fakes, reals)))

        return {
            "diversity_ratio": ratio(self.judge.features),
            "pixel_diversity_ratio": ratio(as_seen),
            "n_varied": len(of),
            "n_variants": variants,
        }


def names(pictures: Pictures) -> list[str]:
    """The first caption of each picture."""
    return [captions[0] for captions in pictures.captions]


def unrelated(held_out: list[str], seen: list[str]) -> list[int]:
    """The numbers of those held-out names that differ from every seen one in more than a person's
    gender or skin tone."""

    def core(name: str) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", name.lower())) - KIN

    known = {core(name) for name in seen}
    return [number for number, name in enumerate(held_out) if core(name) not in known]


def subset(pictures: Pictures, rows: Tensor) -> Pictures:
    """The pictures of these rows, int64 [B], in their order, repeated if the rows are."""
    numbers = rows.tolist()
    return replace(
        pictures,
        images=pictures.images[rows],
        captions=[pictures.captions[row] for row in numbers],
        split=[pictures.split[row] for row in numbers],
        tones=None if pictures.tones is None else pictures.tones[rows],
    )


def tone_is_visible(pictures: Pictures) -> Tensor:
    """The rows, int64, of drawings with a tone of which at least 3 % of the pixels have it.

    Raises:
        ValueError: pictures without tones.
    """
    if pictures.tones is None:
        raise ValueError("these pictures have no skin tones")
    shares = skin_shares(pictures.images).gather(1, pictures.tones.clamp(min=0).unsqueeze(1))
    return ((pictures.tones >= 0) & (shares.squeeze(1) >= VISIBLE)).nonzero().squeeze(1)

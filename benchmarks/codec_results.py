"""The tables of docs/results/codec.md: trains what is missing, measures, then writes the page.

python benchmarks/codec_results.py [--only NAME …] [--jobs 2] [--write-only]

The images lie in ../shared/data/images. Standard codecs are measured once for the same test images,
and what a trained model does beyond its own evaluation once for each run; the figures stand in
docs/results/codec-standards.json and codec-measured.json. Remove an entry to measure it again.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from gantools_codec import images as files
from gantools_codec import standards
from gantools_codec.container import Reader, write
from gantools_codec.sources import Pictures
from gantools_codec.verbs import coder_of
from results import ROOT, Experiment, Results, spread

CODEC = Results("codec", "codec")
IMAGES = ROOT.parent / "shared" / "data" / "images"
STANDARDS = CODEC.page.with_name("codec-standards.json")
MEASURED = CODEC.page.with_name("codec-measured.json")
PREPARED = Path("runs", "results", "codec-data")
"""Of ROOT: the splits as files for ``--data``."""

NAMES = {"mnist": "MNIST", "cifar": "CIFAR-10", "emoji": "OpenMoji", "kodak": "Kodak"}
TRAINED = ("mnist", "cifar", "emoji")
"""Of these there is something to train on."""
LINEAR_TRAIN = 10_000
"""The linear code is fitted on the first so many training images."""
STEPS = {
    "mnist": (700, 500, 350, 250, 180, 130, 90, 60, 40),
    "cifar": (500, 350, 250, 180, 130, 95, 70, 50),
}
JPEG, WEBP = (1, 10, 25, 50, 75, 90), (0, 10, 25, 50, 75, 90)
"""Qualities of the lossy standards."""

FINE = {"code": 96, "stride": 16}
LOSSY = {"aim": "lossy", "channels": 24, "batch": 64, "pixels": 8, "lr": 0.002}


def experiment(of: str, suffix: str, what: str, seeds: int, **options: Any) -> Experiment:
    """A training on the images ``of``."""
    base = {"data": str(PREPARED / f"{of}.npz"), "steps": 4_000, "evaluate_every": 0, "threads": 1}
    return Experiment(f"{of}{suffix}", what, {**base, **options}, seeds, of)


WIDE, FEW = {"width": 128}, {"code": 2, "adversarial": 0.001}
EXPERIMENTS = [
    *(experiment(of, "-no-code", "without a code", 3, code=0) for of in TRAINED),
    *(experiment(of, "", "with a code", 3 if of == "mnist" else 1) for of in TRAINED),
    experiment("mnist", "-2", "a code of 2, adversary a tenth", 3, **FEW),
    experiment("mnist", "-wide-no-code", "width 128, without a code", 3, **WIDE, code=0),
    experiment("mnist", "-wide", "width 128, with a code", 1, **WIDE),
    experiment("mnist", "-wide-2", "width 128, a code of 2, adversary a tenth", 3, **WIDE, **FEW),
    experiment("mnist", "-wider-no-code", "width 192, without a code", 1, width=192, code=0),
    experiment("cifar", "-lossy", "lossy", 3, **LOSSY),
    experiment("cifar", "-lossy-16", "lossy, 96 numbers for 16 × 16", 1, **LOSSY, **FINE),
    experiment("cifar", "-lossy-alone", "lossy, no adversary", 1, **LOSSY, adversarial=0),
]

Figures = dict[str, Any]


# -- images ---------------------------------------------------------------------------------------


def split(of: str) -> tuple[Pictures, Pictures]:
    """Training and test images, uint8 [H, W, C] each; the test is the same for ever.

    MNIST: the first 1,000 of its test set. CIFAR-10: the last 846 of the 4,660 in the file. Kodak:
    seven photographs, nothing to train on. OpenMoji: drawings of 32 × 32 pixels, the test those of
    names that have none in training, and people of unseen combinations with a skin tone.
    """
    if of == "emoji":
        from gantools_text2image import sources

        drawn = sources.load("openmoji", 32, 0)
        x, splits = drawn.images.permute(0, 2, 3, 1).numpy(), np.array(drawn.split)
        return x[splits == "train"], x[splits != "train"]
    if not IMAGES.is_dir():
        raise SystemExit(f"There are no images in {IMAGES}.")
    if of == "mnist":
        with np.load(IMAGES / "mnist.npz") as arrays:
            return arrays["x_train"][..., None], arrays["x_test"][:1000, ..., None]
    if of == "cifar":
        with np.load(IMAGES / "cifar10_lossless_train.npz") as arrays:
            return arrays["train"][:-846], arrays["train"][-846:]
    return (), [files.read(path) for path in files.find(IMAGES / "kodak")]


def prepare() -> None:
    """Write the splits as files for ``--data``, where they are not there yet."""
    PREPARED.mkdir(parents=True, exist_ok=True)
    for of in TRAINED:
        if not (path := PREPARED / f"{of}.npz").exists():
            train, test = split(of)
            np.savez(path, train=train, test=test)


# -- standards --------------------------------------------------------------------------------------


def measure_standards() -> dict[str, Figures]:
    """Read what was measured; measure what is missing, or was of other images."""
    saved = load(STANDARDS)
    for of in NAMES:
        if of in saved and not IMAGES.is_dir() and of != "emoji":
            continue
        train, test = split(of)
        digest = hashlib.sha256(b"".join(image.tobytes() for image in test)).hexdigest()
        if saved.get(of, {}).get("sha256") == digest:
            continue
        figures = {"sha256": digest, "versions": versions(), **standards.lossless(test)}
        if of in TRAINED:
            e9 = standards.jxl(standards.atlas(np.asarray(test)), effort=9)
            figures["jxl_e9_atlas"] = 8 * len(e9) / np.asarray(test).size
        if of in STEPS:
            assert isinstance(test, np.ndarray)
            fitted = np.asarray(train[:LINEAR_TRAIN])
            figures["lossy"] = {
                "linear": points(standards.linear_curve(fitted, test, STEPS[of])),
                "jpeg": points(standards.jpeg_curve(test, JPEG)),
                "webp": points(standards.webp_curve(test, WEBP)),
            }
        saved[of] = figures
        keep(STANDARDS, saved)
    return saved


def versions() -> dict[str, str]:
    names = ("pillow", "pillow-jxl-plugin", "constriction", "numpy")
    return {name: version(name) for name in names}


def points(curve: Iterable[standards.Point]) -> list[Figures]:
    return [{k: round(v, 4) for k, v in point._asdict().items()} for point in curve]


# -- ours -------------------------------------------------------------------------------------------


def measure_ours(experiments: Sequence[Experiment]) -> dict[str, Figures]:
    """Read what was measured of each run's model; measure what is missing where the run is here.

    Of every run its bytes on its own test images, at all qualities if it is lossy; of one also
    Kodak; and the speeds of all models of seed 0 and of the standards, in one run.
    """
    saved = load(MEASURED)
    for experiment in experiments:
        for seed in range(experiment.seeds):
            run = CODEC.runs / (name := f"{experiment.name}-{seed}")
            if name in saved or not (run / "evaluation.json").exists():
                continue
            coder, (_, test) = coder_of(run), split(experiment.table)
            lossy = coder.qualities if experiment.options.get("aim") == "lossy" else 0
            figures: Figures = {
                "qualities": [coded(run, test, quality) for quality in range(lossy + 1)]
            }
            if name == "cifar-no-code-0":
                figures["kodak"] = coded(run, split("kodak")[1], 0)
            saved[name] = figures
            keep(MEASURED, saved)
    here = {e.name: e for e in experiments if (CODEC.runs / f"{e.name}-0/model.json").exists()}
    if not here.keys() <= saved.get("speed", {}).keys():
        saved["speed"] = speeds(here)
        keep(MEASURED, saved)
    return saved


def coded(run: Path, test: Pictures, quality: int) -> Figures:
    """Write images into one file, decode it in a fresh process, compare; where its bytes go.

    The images have no names in the file. Lossless ones that do not come back exactly end all.
    """
    gantools = Path(sys.executable).with_name("gantools")
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "images.gtc"), Path(folder, "out")
        with file.open("wb") as stream:
            write(stream, (("", image) for image in test), coder_of(run), quality)
        model = ("--run", str(run))
        subprocess.run([gantools, "codec", "decompress", file, out, *model], check=True)
        back = [files.read(path) for path in files.find(out)]
        about = json.loads(
            subprocess.check_output([gantools, "codec", "info", file, *model, "--json"])
        )
    if quality == 0 and not all(map(np.array_equal, test, back)):
        raise SystemExit(f"{run}: what was decoded in a fresh process is not what was coded.")
    kept = standards.psnr(test, back)
    exact = {} if quality == 0 else {"pooled": kept.pooled, "mean": kept.mean}
    wanted = ("bits_per_subpixel", "bits_code", "bits_pixels", "bits_header", "bytes_total")
    return {
        "quality": quality,
        "images": len(test),
        "bytes": about["bytes_total"] / len(test),
        **{name: about[name] for name in wanted},
        **exact,
    }


def speeds(experiments: Mapping[str, Experiment]) -> dict[str, Figures]:
    """Megabytes of pixels a CPU second, and images, of our models and of PNG and JPEG XL.

    The least time of three rounds, in each of which everybody has a turn.
    """
    tests = {of: split(of)[1][:200] for of in TRAINED}
    work: dict[str, tuple[str, Callable[..., list[bytes]], Callable[..., Any]]] = {}
    for of in TRAINED:
        for name in ("png", "jxl"):
            work[f"{name} {of}"] = of, each(standards.LOSSLESS[name]), each(standards.decoded)
    for name, experiment in experiments.items():
        work[name] = experiment.table, *ours(coder_of(CODEC.runs / f"{name}-0"))
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in work}
    for _ in range(4):  # the first loads whatever is loaded
        for name, (of, encoded, decoded) in work.items():
            begin = time.process_time()
            data = encoded(tests[of])
            middle = time.process_time()
            decoded(data)
            took[name].append((middle - begin, time.process_time() - middle))
    found = {}
    for name, (of, *_) in work.items():
        encode, decode = map(min, zip(*took[name][1:], strict=True))
        size = sum(image.size for image in tests[of]) / 1e6
        rates = {"encode": size / encode, "decode": size / decode}
        found[name] = {"of": of, **rates, "images_per_second": len(tests[of]) / decode}
    return found


def each(one: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    """The same of several."""
    return lambda all_: [one(x) for x in all_]


def ours(coder: Any) -> tuple[Callable[..., list[bytes]], Callable[..., Any]]:
    """A .gtc file of images, and its images."""

    def encode(images: Pictures) -> list[bytes]:
        file = io.BytesIO()
        write(file, (("", image) for image in images), coder)
        return [file.getvalue()]

    def decode(data: Sequence[bytes]) -> list[np.ndarray]:
        return [image for _, image in Reader(io.BytesIO(data[0]), coder).images()]

    return encode, decode


# -- tables -------------------------------------------------------------------------------------------


def lossless_table(saved: Figures, standard: Figures, measured: Figures) -> list[str]:
    columns = {
        "PNG": "png",
        "WebP": "webp",
        "JPEG XL": "jxl",
        "JPEG XL, one atlas": "jxl_atlas",
        "atlas, effort 9": "jxl_e9_atlas",
    }
    rows = []
    for of, name in NAMES.items():
        theirs = [number(standard[of].get(column), 3) for column in columns.values()]
        ours = []
        for suffix in ("-no-code", ""):
            if of == "kodak":
                kodak = {} if suffix == "" else measured.get("cifar-no-code-0", {}).get("kodak")
                bits = [kodak["bits_per_subpixel"]] if kodak else []
            else:
                bits = [row["bits_per_subpixel"] for row in saved.get(of + suffix, [])]
            ours.append(spread(bits, 3))
        n, subpixels = standard[of]["images"], standard[of]["subpixels"]
        rows.append([name, f"{n:,}", f"{subpixels:,}", *theirs, *ours])
    head = ["images", "n", "sub-pixels", *columns, "gantools, no code", "gantools, with a code"]
    return markdown(head, rows)


def shares_table(saved: Figures, measured: Figures) -> list[str]:
    rows = []
    for experiment in EXPERIMENTS:
        if (found := saved.get(experiment.name)) and found[0]["aim"] == "lossless":
            names = ("bits_code", "bits_pixels", "bits_header", "bits_per_subpixel")
            bits = [spread([row[name] for row in found], 4) for name in names]
            rate = measured.get("speed", {}).get(experiment.name)
            decoded = f"{1000 / rate['images_per_second']:.1f}" if rate else "–"
            first = [NAMES[experiment.table], experiment.what, str(len(found))]
            rows.append([*first, *bits, decoded])
    head = ["images", "", "seeds", "code", "pixels", "header", "all", "ms to decode an image"]
    return markdown(head, sorted(rows, key=lambda row: row[0]))


def break_even_table(saved: Figures, standard: Figures) -> list[str]:
    """From how many images on the file and the weights are smaller than the standard's files."""
    columns = {"PNG": "png", "WebP": "webp", "JPEG XL": "jxl", "atlas, effort 9": "jxl_e9_atlas"}
    rows = []
    for of in TRAINED:
        for row in saved.get(f"{of}-no-code", [])[:1]:
            per_image = standard[of]["subpixels"] / standard[of]["images"] / 8
            said = []
            for column in columns.values():
                ours, theirs = (
                    per_image * row["bits_per_subpixel"],
                    per_image * standard[of][column],
                )
                count = break_even(row["weights_bytes"], ours, theirs)
                said.append("never" if count is None else f"{count:,}")
            rows.append([NAMES[of], f"{row['weights_bytes']:,}", *said])
    return markdown(["images", "bytes of weights", *columns], rows)


def break_even(weights: float, ours: float, theirs: float) -> int | None:
    """The least n with weights + n · ours < n · theirs, all in bytes; None: there is none."""
    return math.floor(weights / (theirs - ours)) + 1 if ours < theirs else None


def lossy_table(standard: Figures, measured: Figures, of: str) -> list[str]:
    """Of gantools the mean, the least and the greatest of the seeds."""
    curve = standard[of]["lossy"]["linear"]

    def row(name: str, points: Sequence[Figures], linear: bool) -> list[str]:
        theirs = [at_equal_bytes(curve, p["bytes"]) if linear else None for p in points]
        gains = [p["pooled"] - t for p, t in zip(points, theirs, strict=True) if t is not None]
        said = [spread([p[key] for p in points if key in p], digits) for key, digits in SHOWN]
        return [name, str(points[0]["images"]), *said, spread(gains)]

    rows = []
    for experiment in EXPERIMENTS:
        names = [f"{experiment.name}-{seed}" for seed in range(experiment.seeds)]
        runs = [measured[name]["qualities"][1:] for name in names if name in measured]
        if experiment.table == of and experiment.options.get("aim") == "lossy" and runs:
            for points in zip(*runs, strict=True):
                what = f"gantools, {experiment.what}, quality {points[0]['quality']}"
                rows.append(row(f"{what}, {len(runs)} seed{'s' * (len(runs) > 1)}", points, True))
    for codec, name in (("linear", "linear code, step"), ("jpeg", "JPEG"), ("webp", "WebP")):
        for point in standard[of]["lossy"][codec]:
            rows.append(row(f"{name} {point['setting']:g}", [point], codec != "linear"))
    head = ["", "n", "bytes an image", "without headers", "PSNR", "mean of images' PSNR"]
    return markdown([*head, "gain over a linear code"], rows)


SHOWN = (("bytes", 1), ("payload", 1), ("pooled", 2), ("mean", 2))


def at_equal_bytes(curve: Sequence[Figures], size: float) -> float | None:
    """The linear code's PSNR at so many bytes an image, between its points along log(bytes)."""
    sizes, kept = zip(*sorted((p["bytes"], p["pooled"]) for p in curve), strict=True)
    if not sizes[0] <= size <= sizes[-1]:
        return None
    return float(np.interp(np.log(size), np.log(sizes), kept))


def speed_table(measured: Figures) -> list[str]:
    rows = []
    found = measured.get("speed", {})
    for of in TRAINED:
        own = found.get(f"{of}-no-code")
        if own is None:
            continue
        rates = {"PNG": found[f"png {of}"], "JPEG XL": found[f"jxl {of}"]}
        for experiment in EXPERIMENTS:
            if experiment.table == of and experiment.name in found:
                rates[f"gantools, {experiment.what}"] = found[experiment.name]
        for name, rate in rates.items():
            said = [f"{rate[way]:.3g} ({rate[way] / own[way]:.3g})" for way in ("encode", "decode")]
            rows.append([NAMES[of], name, *said, f"{rate['images_per_second']:.0f}"])
    return markdown(["images", "", "encode, MB/s", "decode, MB/s", "images/s decoded"], rows)


def number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def load(path: Path) -> Figures:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def keep(path: Path, figures: Figures) -> None:
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    os.chdir(ROOT)
    standard = measure_standards()
    if "--write-only" not in sys.argv:
        prepare()
    saved = CODEC.collect(EXPERIMENTS)
    measured = measure_ours(EXPERIMENTS)
    CODEC.write(
        {
            "lossless": lossless_table(saved, standard, measured),
            "shares": shares_table(saved, measured),
            "break-even": break_even_table(saved, standard),
            "lossy cifar": lossy_table(standard, measured, "cifar"),
            "lossy mnist": lossy_table(standard, measured, "mnist"),
            "speed": speed_table(measured),
        }
    )


if __name__ == "__main__":
    main()

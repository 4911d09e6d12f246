"""The tables of docs/results/tts.md: trains what is missing, measures, then writes the page.

python benchmarks/tts_results.py [--only NAME …] [--jobs 2] [--write-only]

The recordings lie in ../shared/data/speech/asterisk_en. What is measured beside a run's evaluation
(speed, espeak's own voice, runs beside each other) is kept in docs/results/tts-measured.json, and is
measured again for other networks, or where its entry is taken out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gantools_tts import espeak, exported, intervals, judged, judges, recognisers
from gantools_tts.application import TTSApplication
from gantools_tts.config import TTSConfig
from gantools_tts.model import Model
from gantools_tts.phonemes import written
from gantools_tts.voice import Voice
from gantools_tts.voices import RATE, utterance
from results import ROOT, Experiment, Measures, Results

from gantools.runs.folder import Run

Figures = dict[str, Any]


class Speech(Results):
    """Without what was found of each utterance, which stays with the runs."""

    def found(self, experiment: Experiment) -> list[Figures]:
        found = super().found(experiment)
        return [{k: v for k, v in row.items() if k != "per_utterance"} for row in found]


TTS = Speech("tts", "tts")
RECORDINGS = "../shared/data/speech/asterisk_en"
ONE: Figures = {"threads": 1}
REAL: Figures = {
    **ONE,
    "data": RECORDINGS,
    "steps": 1_500,
    "samples": 81,  # at most: there are 80, all that are held out
    "evaluate_every": 250,
    "precision": "bf16-mixed",
}
WITHOUT: Figures = {**REAL, "adversarial": 0.0}
LONG: Figures = {**REAL, "steps": 3_000}
WINDOWS: Figures = {**LONG, "discriminators": "windows", "adversarial": 0.25}
EXPERIMENTS = [
    Experiment("espeak", "espeak's voice, the default run", ONE, 1),
    Experiment("real", "a person's voice", REAL, 2),
    Experiment("real-without", "the same without the adversary", WITHOUT, 2),
    Experiment("windows", "against windows, twice as long", WINDOWS, 1),
    Experiment("windows-without", "as long without the adversary", {**LONG, "adversarial": 0.0}, 1),
]
SENTENCES = (
    "Yes.",
    "Please hold the line.",
    "You have 3 new messages, and 12 old ones.",
    "Dr. Green will call you back at 5 p.m. on Tuesday, if you leave your number after the tone.",
    "The number that you have dialed is not in service; please check it and try again, or stay on "
    "the line for one of our agents.",
    "The quick brown fox who had jumped over several lazy dogs in the course of a long and tiring "
    "afternoon decided at last that it would be better for everybody if it went home and slept "
    "a while.",
)
"""What speed is measured with: each at the beginning of a text."""
ROUNDS = 3
"""How often each is said to see how fast."""


# -- what is measured beside the evaluations ---------------------------------------------------------


def speed(run: Path) -> Figures:
    """How fast a voice is on one thread, all stages from the text on: by torch and by ONNX."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    model = Model.load(run)
    found = {"torch": fast(model)}
    with tempfile.TemporaryDirectory() as folder:
        exported.export(model, Path(folder))
        found["ONNX"] = fast(exported.load(Path(folder)))
    torch.set_num_threads(threads)
    return found


def fast(voice: Voice) -> Figures:
    """Seconds for a second of sound, and milliseconds until the first of it is there."""
    list(voice.say("Hello."))  # loads what is loaded once
    first, took, seconds = [], 0.0, 0.0
    for sentence in SENTENCES * ROUNDS:
        begin = time.perf_counter()
        pieces = voice.say(sentence)
        sound = [next(pieces)]
        first.append(1000 * (time.perf_counter() - begin))
        sound += pieces
        took += time.perf_counter() - begin
        seconds += sum(map(len, sound)) / voice.rate
    return {"rtf": took / seconds, "first_ms": first, "sentences": len(SENTENCES)}


def from_shell(run: Path) -> Figures:
    """Milliseconds from the start of the program to the first sound that comes out of it."""
    program = str(Path(sys.executable).with_name("gantools"))
    command = [program, "tts", "say", SENTENCES[1], "-o", "-", "--run", str(run)]
    first = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE) as saying:
            assert saying.stdout is not None
            if not saying.stdout.read(2):
                raise SystemExit(f"{' '.join(command)} says nothing")
            first.append(1000 * (time.perf_counter() - begin))
            saying.stdout.read()
    return {"first_ms": first}


def synthetic(run: Path) -> Figures:
    """What the judges say of espeak's own voice, of the texts that a run is tested with."""
    application = application_of(run)
    said = by_espeak(application)
    sounds = [utterance(r).audio for r in said]
    wanted = [recognisers.sounds(r.phones) for r in said]
    words = [recognisers.words(" ".join(written(r.text))) for r in said]
    phones = recognisers.error_rate(wanted, recognisers.sounds_heard(sounds, RATE))
    heard = recognisers.error_rate(words, recognisers.words_heard(sounds, RATE))
    marks = judges.quality(sounds, RATE)
    windows = judged.windows_of(sounds, RATE)
    beside = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))["speaker_windows"]
    n = min(beside, sum(map(len, windows)))
    return {
        "utterances": len(said),
        "phoneme_error_rate": phones.rate,
        "phoneme_error_rate_interval": [phones.low, phones.high],
        "word_error_rate": heard.rate,
        "word_error_rate_interval": [heard.low, heard.high],
        "dnsmos": float(marks.mean()),
        "dnsmos_interval": intervals.of_mean(marks),
        **apart(windows, learned_from(application), n),
    }


def of_one_number(*runs: Path) -> Figures:
    """Speaker distances of what runs say, of their recordings and of espeak's own voice, all of as
    many windows as the one that has fewest."""
    application = application_of(runs[0])
    sounds = {run.name: said_by(run) for run in runs}
    sounds["espeak's own"] = [utterance(r).audio for r in by_espeak(application)]
    sounds["recordings"] = [u.audio for u in application.tested(application.config.samples)]
    windows = {name: judged.windows_of(of, RATE) for name, of in sounds.items()}
    n = min(sum(map(len, of)) for of in windows.values())
    known = learned_from(application)
    return {name: apart(of, known, n) for name, of in windows.items()}


def apart(windows: Sequence[np.ndarray], known: np.ndarray, n: int) -> Figures:
    """A speaker distance of n windows each, with its interval."""
    distance, interval = intervals.of_distance(windows, known, n)
    return {
        "speaker_distance": distance,
        "speaker_distance_interval": interval,
        "speaker_windows": n,
    }


def by_espeak(application: TTSApplication) -> list[Any]:
    """espeak's own recordings of the texts that a run is tested with."""
    tested = application.tested(application.config.samples)
    return espeak.recordings((u.name, u.text, u.phones) for u in tested)


def between_runs(one: Path, other: Path) -> Figures:
    """The first run less the second, utterance by utterance."""
    first, second = marks_of(one), marks_of(other)
    assert list(first) == list(second), "they were tested with other utterances"
    known = learned_from(application_of(one))
    windows = [judged.windows_of(said_by(run), RATE) for run in (one, other)]
    return differences(list(first.values()), list(second.values()), *windows, known)


def against_griffin_lim(run: Path) -> Figures:
    """A run less Griffin-Lim's sound of its magnitudes, utterance by utterance."""
    sounds = said_by(run)
    windows = [judged.windows_of(x, RATE) for x in (sounds, judged.phaseless(sounds))]
    marks = [list(marks_of(run, whose).values()) for whose in ("", "griffinlim_")]
    return differences(*marks, *windows, learned_from(application_of(run)))


def differences(
    a: Sequence[float],
    b: Sequence[float],
    windows_a: Sequence[np.ndarray],
    windows_b: Sequence[np.ndarray],
    known: np.ndarray,
) -> Figures:
    """As :mod:`gantools_tts.intervals` has them."""
    found = {
        "dnsmos": intervals.between_means(a, b),
        "speaker_distance": intervals.between_distances(windows_a, windows_b, known),
    }
    return {"utterances": len(a)} | {name: of._asdict() for name, of in found.items()}


def marks_of(run: Path, whose: str = "") -> dict[str, float]:
    """DNSMOS of each utterance by its name, as the evaluation found it."""
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    return {of["name"]: of[f"{whose}dnsmos"] for of in found["per_utterance"]}


def said_by(run: Path) -> list[np.ndarray]:
    """What a run says of the texts that it is tested with, as in its evaluation."""
    application = application_of(run)
    tested = application.tested(application.config.samples)
    return application.spoken(Model.load(run), tested)[0]


def application_of(run: Path) -> TTSApplication:
    """As it was asked for, with the recordings that the run keeps; no critics are needed."""
    opened = Run.open(run)
    return TTSApplication(opened.config(TTSConfig), opened.inputs)


def learned_from(application: TTSApplication) -> np.ndarray:
    """Resemblyzer's windows of the recordings of a training, [M, 256]."""
    recordings = [u.audio for u in application.voice.train]
    return np.concatenate(judged.windows_of(recordings, RATE, keep=True))


ASKED_OF_RUNS: Measures = {
    "speed, espeak": (("espeak-0",), speed),
    "speed, real": (("real-0",), speed),
    "from the shell, real": (("real-0",), from_shell),
    "espeak's own": (("real-0",), synthetic),
    "with less without": (("real-0", "real-without-0"), between_runs),
    "with less without, seed 1": (("real-1", "real-without-1"), between_runs),
    "windows less without": (("windows-0", "windows-without-0"), between_runs),
    "less Griffin-Lim": (("real-0",), against_griffin_lim),
    "espeak less Griffin-Lim": (("espeak-0",), against_griffin_lim),
    "of one number": (
        ("real-0", "real-without-0", "windows-0", "windows-without-0"),
        of_one_number,
    ),
}


# -- tables ------------------------------------------------------------------------------------------


def figure(of: Figures, name: str) -> str:
    """A figure and its interval; – where there is none."""
    if of.get(name) is None:
        return "–"
    interval = of.get(f"{name}_interval")
    return f"{of[name]:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def asked_table(saved: dict[str, list[Figures]], measured: Figures) -> list[str]:
    """What was planned, what was found, and whether that is so."""
    rows: list[list[str]] = []

    def add(point: str, asked: str, found: str, n: Any, met: bool | None) -> None:
        rows.append([point, asked, found, str(n), {True: "yes", False: "**no**", None: ""}[met]])

    fast = {n.partition(", ")[2]: of for n, of in measured.items() if n.startswith("speed")}
    for voice, ways in fast.items():
        for way, of in ways.items():
            what, worst, n = f"{voice}, by {way}", max(of["first_ms"]), len(of["first_ms"])
            add(f"1, {what}: seconds for a second of sound", "≤ .05, target .02",
                f"{of['rtf']:.4f}", n, of["rtf"] <= 0.05)  # fmt: skip
            add(f"1, {what}: first sound, the slowest", "≤ 150 ms", f"{worst:.0f} ms", n,
                worst <= 150)  # fmt: skip
    for run, point, name, sign, bound in BOUNDS:
        for of in saved.get(run, []):
            known = bound is not None and of[name] is not None
            met = sign * of[name] >= sign * bound if known else None
            asked = "→ 1" if bound is None else f"{'≥' if sign > 0 else '≤'} {bound:.2f}"
            n = f"{of['utterances']}"
            n += f", {of['speaker_windows']} windows" if name == "speaker_distance" else ""
            add(f"{point}, {run}: {NAMES[name]}", asked, figure(of, name), n, met)
    for name, what in DIFFERENCES.items():
        if of := measured.get(name):
            for of_what, sign in (("dnsmos", 1), ("speaker_distance", -1)):
                d = of[of_what]
                said = f"{d['mean']:+.3f} [{d['low']:+.3f}, {d['high']:+.3f}], p = {d['p']:.2g}"
                asked = "above 0" if sign > 0 else "below 0"
                met = sign * d["mean"] > 0 and d["p"] < 0.05
                add(f"4, {what}: {NAMES[of_what]}", asked, said, of["utterances"], met)
    return markdown(["point", "asked", "found", "n", "met"], rows)


NAMES = {
    "phoneme_error_rate": "phoneme error rate",
    "shuffled_phoneme_error_rate": "the same against another text",
    "word_error_rate": "word error rate",
    "dnsmos": "DNSMOS",
    "speaker_distance": "speaker distance",
    "nearest_recording": "nearest recording",
}
BOUNDS = (
    ("espeak", "2", "phoneme_error_rate", -1, 0.50),
    ("espeak", "2", "shuffled_phoneme_error_rate", 1, None),
    ("real", "3", "phoneme_error_rate", -1, 0.28),
    ("real", "3", "shuffled_phoneme_error_rate", 1, None),
    ("real", "3", "word_error_rate", -1, 0.40),
    ("real", "3", "dnsmos", 1, 2.8),
    ("real", "3", "speaker_distance", -1, 0.28),
)
"""Run, point, figure, whether more (1) or less (−1) of it is better, and what was asked for."""
DIFFERENCES = {
    "with less without": "with the adversary less without",
    "with less without, seed 1": "with the adversary less without, seed 1",
    "less Griffin-Lim": "the voice less Griffin-Lim of its magnitudes",
    "windows less without": "the first attempt, against windows, less without",
    "espeak less Griffin-Lim": "espeak, less Griffin-Lim of its magnitudes",
}
ATTEMPTS = (
    ("first attempt, against windows", "windows", "windows-without"),
    ("second attempt, against spectrograms", "real", "real-without"),
)
"""With the adversary and without."""


def found_lines(saved: dict[str, list[Figures]]) -> list[str]:
    """What the figures say, in sentences that are true of them."""
    lines = []
    for number, one, other in ATTEMPTS:
        for a, b in zip(saved.get(one, []), saved.get(other, []), strict=False):
            for name, sign in (("dnsmos", 1), ("speaker_distance", -1)):
                if a.get(name) is None or b.get(name) is None:
                    continue
                better = sign * (a[name] - b[name]) > 0
                said = f"Point 4, the {number}: {NAMES[name]} with the adversary is "
                said += f"{a[name]:.3f}, without {b[name]:.3f}: "
                said += "better with it." if better else "**point 4 is missed for it**."
                lines.append(f"- {said}")
    for of in saved.get("espeak", []):
        voice, griffin, real = (of[f"{w}dnsmos"] for w in ("", "griffinlim_", "real_"))
        said = f"Of espeak's voice, DNSMOS is {voice:.3f}, and of its magnitudes by Griffin-Lim "
        said += f"{griffin:.3f}: " + ("less than the voice." if griffin < voice else "**more**.")
        if min(voice, griffin) > real:
            said += f" It puts both above the recordings themselves, {real:.3f}, so it is no "
            said += "evidence by itself for that voice."
        lines.append(f"- {said}")
    return lines


def voices_table(saved: dict[str, list[Figures]], measured: Figures) -> list[str]:
    """Every voice, and what it is beside: by all judges."""
    rows = []

    def add(voice: str, whose: str, of: Figures, prefix: str = "") -> None:
        said = [figure(of, prefix + name) for name in NAMES if "shuffled" not in name]
        said.insert(-1, str(of["speaker_windows"]))
        rows.append([voice, whose, str(of["utterances"]), *said])

    for experiment in EXPERIMENTS:
        for of in saved.get(experiment.name, []):
            add(experiment.what, "said", of)
            add(experiment.what, "its magnitudes by Griffin-Lim", of, "griffinlim_")
            if experiment.name in ("espeak", "real"):  # others' recordings are the same
                add(experiment.what, "the recordings themselves", of, "real_")
        if experiment.name == "real" and "espeak's own" in measured:
            add(experiment.what, "the same texts by espeak", measured["espeak's own"])
    head = [name for key, name in NAMES.items() if "shuffled" not in key]
    head.insert(-1, "its windows")
    return markdown(["voice", "", "n", *head], rows)


def windows_table(measured: Figures) -> list[str]:
    """Speaker distances that can be compared."""
    called = {f"{e.name}-0": e.what for e in EXPERIMENTS} | {
        "espeak's own": "the same texts by espeak",
        "recordings": "the recordings themselves",
    }
    rows = [
        [called[name], figure(of, "speaker_distance"), str(of["speaker_windows"])]
        for name, of in measured.get("of one number", {}).items()
    ]
    return markdown(["voice", "speaker distance", "windows"], rows) if rows else []


def trainings_table(saved: dict[str, list[Figures]]) -> list[str]:
    rows = []
    for experiment in EXPERIMENTS:
        for seed, of in enumerate(saved.get(experiment.name, [])):
            minutes = f"{of['train_seconds'] / 60:.1f}"
            dirty = "-dirty" * of["commit"].endswith("-dirty")
            commit = f"{of['commit'][:8]}{dirty}"
            rows.append([experiment.what, of["voice"], str(seed), minutes, commit])
    return markdown(["", "learned from", "seed", "minutes, by the clock", "commit"], rows)


def speed_table(measured: Figures) -> list[str]:
    rows = []
    for name, ways in measured.items():
        if name.startswith("speed"):
            for way, of in ways.items():
                first = np.array(of["first_ms"])
                times = f"{np.median(first):.0f}", f"{first.max():.0f}"
                rows.append([f"{name.partition(', ')[2]}, by {way}", f"{of['rtf']:.4f}", *times])
    if of := measured.get("from the shell, real"):
        times = f"{np.median(of['first_ms']):.0f}", f"{max(of['first_ms']):.0f}"
        rows.append(["real, by torch, from the start of the program", "–", *times])
    head = ["voice", "seconds for a second", "ms to the first sound, median", "the slowest"]
    return markdown(head, rows)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def main() -> None:
    os.chdir(ROOT)
    saved = TTS.collect(EXPERIMENTS)
    measured = TTS.measured(ASKED_OF_RUNS)
    TTS.write(
        {
            "asked": asked_table(saved, measured),
            "found": found_lines(saved),
            "voices": voices_table(saved, measured),
            "windows": windows_table(measured),
            "speed": speed_table(measured),
            "trainings": trainings_table(saved),
        }
    )


if __name__ == "__main__":
    main()

"""Judges, tested on distances that can be counted by hand and on damage of known strength."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from gantools_tts import judges, recognisers
from gantools_tts.griffinlim import griffin_lim
from gantools_tts.recordings import PAUSE, PHONES, Phone
from torchaudio.functional import frechet_distance
from torchaudio.transforms import MelSpectrogram, Spectrogram

from gantools import UserError

RATE = 16_000


def noise(seed: int, seconds: float) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return (0.1 * draws.standard_normal(round(seconds * RATE))).clip(-1, 1).astype(np.float32)


def babble(seed: int, seconds: float) -> np.ndarray:
    """A buzz through two resonances that jump ten times a second: a voice that says nothing."""
    draws = np.random.default_rng(seed)
    t = np.arange(round(seconds * RATE)) / RATE
    syllable = (10 * t).astype(int)
    low, high = (
        draws.uniform(*at, syllable.max() + 1)[syllable] for at in ((250, 900), (900, 3000))
    )
    audio = np.zeros_like(t)
    for partial in 120.0 * np.arange(1, 40):
        strength = np.exp(-(((partial - low) / 150) ** 2)) + np.exp(
            -(((partial - high) / 250) ** 2)
        )
        audio += strength * np.sin(2 * np.pi * partial * t)
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


def with_noise(audio: np.ndarray, snr: float) -> np.ndarray:
    hiss = np.random.default_rng(0).standard_normal(len(audio))
    hiss *= np.sqrt((audio**2).mean() / (hiss**2).mean() / 10 ** (snr / 10))
    return ((audio + hiss) / 2).clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def spoken():
    """Two sentences as eSpeak speaks them, with their words and phones."""
    pytest.importorskip("espeakng_loader")
    from gantools_tts.espeak import speak
    from gantools_tts.recordings import VOWELS

    said = {
        "the conference is now being recorded": "DH AH K AA N F R AH N S IH Z N AW B IY IH NG R IH K AO R D IH D",
        "please enter your number": "P L IY Z EH N T ER Y AO R N AH M B ER",
    }
    made = []
    for text, names in said.items():
        sounds = [Phone(x, stress=int(x in VOWELS)) for x in names.split()]
        made.append(speak(text, text, [Phone(PAUSE), *sounds, Phone(PAUSE, mark=".")]))
    return made


# Errors


def test_errors_over_all_of_the_length():
    found = recognisers.error_rate(["abcd", "ab"], ["abxd", "abc"])
    assert (found.edits, found.length) == (2, 6)  # a substitution and an insertion
    assert found.rate == 2 / 6  # not the mean of 1/4 and 1/2


def test_interval_of_a_known_binomial():
    """400 utterances of a phone each, 20 % wrong: ± 1.96 √(.2 · .8 / 400) by the normal curve."""
    heard = ["b"] * 80 + ["a"] * 320
    found = recognisers.error_rate(["a"] * 400, heard, seed=3)
    assert found.rate == 0.2
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.02, rel=0.1)
    assert found == recognisers.error_rate(["a"] * 400, heard, seed=3)
    assert recognisers.error_rate(["a"] * 3, ["b"] * 3).low == 1


def test_errors_of_nothing_are_refused():
    with pytest.raises(ValueError, match="nothing was to be spoken"):
        recognisers.error_rate([[]], [["a"]])
    with pytest.raises(ValueError):
        recognisers.error_rate([["a"]], [])


def test_words_and_sounds_are_compared_alike():
    assert recognisers.words("Don’t call-forward, THE 'end'.") == [
        "don't",
        "call",
        "forward",
        "the",
        "end",
    ]
    assert recognisers.sounds(
        [Phone(PAUSE), Phone("AA", 1), Phone("T", last=True), Phone(PAUSE)]
    ) == ["AA", "T"]


def test_symbols_of_hama_are_phones():
    pytest.importorskip("hama")
    from hama import Vocabulary

    names = recognisers._names()
    assert set(names.values()) == set(PHONES) - {PAUSE}
    known = {recognisers._plain(symbol) for symbol in Vocabulary.load().decoder}
    assert set(names) - known == {"ɔɪ"} - known  # none that hama could never say
    assert names[recognisers._plain("t͡ʃ")] == "CH"
    assert recognisers._plain("ː") == ""


# Recognisers


def test_noise_is_misheard(spoken):
    pytest.importorskip("hama")
    phones = [recognisers.sounds(x.phones) for x in spoken]

    def misheard(audios):
        return recognisers.error_rate(phones, recognisers.sounds_heard(audios, RATE)).rate

    assert misheard([x.audio for x in spoken]) < 0.5
    assert misheard([with_noise(x.audio, 0) for x in spoken]) > 0.5


def test_words_do_not_depend_on_what_was_heard_before(spoken):
    pytest.importorskip("pocketsphinx")
    audio = spoken[1].audio
    first, _, again = recognisers.words_heard([audio, noise(0, 0.4), audio], RATE)
    assert len(first) > 1
    assert first == again


def test_noise_is_rated_lower(spoken):
    pytest.importorskip("speechmos")
    audio = spoken[0].audio
    clean, hissing = judges.quality([audio, with_noise(audio, 0)], RATE)
    assert 1 <= hissing < clean - 0.5 <= 4.5


@pytest.mark.slow  # librosa takes seconds to import
@pytest.mark.filterwarnings("ignore")
def test_a_full_window_is_rated_as_speechmos_rates_it(spoken):
    dnsmos = pytest.importorskip("speechmos.dnsmos")
    audio = np.tile(spoken[0].audio, 6)[: judges.RATED]
    theirs = dnsmos.run(audio, RATE)["ovrl_mos"]
    assert judges.quality([audio], RATE)[0] == pytest.approx(theirs, abs=1e-4)


def test_a_sound_is_rated_by_as_few_windows_as_hold_it():
    full, t = judges.RATED, np.arange(3 * judges.RATED)
    assert (judges.rated_windows(t[:5]) == np.resize(t[:5], full)).all()
    assert (judges.rated_windows(t[:full]) == t[:full]).all()
    both = judges.rated_windows(t[: full + 9])
    assert both.shape == (2, full)
    assert both[:, 0].tolist() == [0, 9]
    assert judges.rated_windows(t).ravel().tolist() == t.tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_voices_of_windows(spoken):
    pytest.importorskip("resemblyzer")
    found = judges.voices([x.audio for x in spoken] + [np.zeros(RATE, np.float32)], RATE)
    assert found.shape[0] >= 2  # none of silence
    assert found.shape[1] == 256
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)
    strange = judges.voices([babble(0, 1.6)], RATE)
    assert found[0] @ found[1] > found[0] @ strange[0]  # one voice is itself


def test_progress_and_rate():
    told = []
    at_8k = noise(0, 0.5)[::2]
    lengths = recognisers.each(len, [at_8k, at_8k], 8000, lambda *x: told.append(x))
    assert lengths == [RATE // 2] * 2
    assert told == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "audio", [np.empty(0), np.zeros((1, 9)), np.array([np.nan, 0]), np.array([0, 1.5])]
)
def test_what_cannot_be_judged(audio):
    with pytest.raises(ValueError, match="utterance 1 cannot be judged"):
        recognisers.each(len, [audio.astype(np.float32)], RATE, None)


@pytest.mark.parametrize(
    ("module", "judge", "made"),
    [
        ("hama", recognisers.sounds_heard, recognisers._hama),
        ("speechmos", judges.quality, judges._dnsmos),
        ("resemblyzer", judges.voices, judges._resemblyzer),
    ],
)
def test_missing_models_are_named_with_the_cure(monkeypatch, module, judge, made):
    made.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"{module}.*pip install 'gantools-tts\[judges\]'"):
        judge([noise(0, 0.1)], RATE)


def test_setuptools_without_pkg_resources(monkeypatch):
    """As setuptools 82 comes: webrtcvad, which Resemblyzer imports, cannot be."""
    pytest.importorskip("resemblyzer")
    judges._resemblyzer.cache_clear()
    for name in [x for x in sys.modules if x.split(".")[0] in ("resemblyzer", "webrtcvad")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    with pytest.raises(UserError, match="setuptools<82"):
        judges.voices([noise(0, 0.1)], RATE)


@pytest.mark.slow  # imports torch anew
def test_importing_the_judges_loads_no_model():
    """In a fresh process, as the command line begins."""
    code = "import sys, gantools_tts.judges; print({'hama', 'pocketsphinx', 'speechmos', 'resemblyzer', 'librosa'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        == "set()\n"
    )


# Voices


def test_speaker_distance_is_the_frechet_distance():
    draws = np.random.default_rng(0)
    a, b = (draws.standard_normal((40, 4)).astype(np.float32) for _ in range(2))
    x, y = (torch.from_numpy(z).double() for z in (a, b + 1))
    truth = frechet_distance(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T)).item()
    assert judges.speaker_distance(a, b + 1, 40) == pytest.approx(truth)
    assert judges.speaker_distance(a, a[::-1], 40) == pytest.approx(0, abs=1e-9)
    # What two halves have is bias alone, and more of it the fewer they are.
    assert judges.speaker_distance(a, b, 8) > 2 * judges.speaker_distance(a, b, 40)
    assert judges.speaker_distance(a, b, 8, seed=1) != judges.speaker_distance(a, b, 8, seed=2)


def test_too_few_windows_are_refused():
    with pytest.raises(ValueError, match="of 9 windows cannot be had from 8 and 20"):
        judges.speaker_distance(np.zeros((8, 4)), np.zeros((20, 4)), 9)


# Replays


def test_a_replay_is_found_wherever_it_is():
    training = [babble(seed, 3) for seed in range(5)]
    copy = np.concatenate([noise(9, 0.4), 0.1 * training[3][13_371:], noise(8, 0.5)])
    unheard = babble(77, 3)
    found = judges.nearest_recordings([copy, unheard, noise(7, 2)], training, RATE)
    assert found.similarity[0] > 0.95
    assert found.recording[0] == 3
    assert found.seconds[0] == pytest.approx(13_371 / RATE, abs=1.1)
    assert found.similarity[1:].max() < 0.7


def test_similarity_is_a_correlation():
    """By numpy's corrcoef of all coefficients, each less its mean, at every lag."""
    training, sought = babble(1, 2), babble(2, 1)
    known = torch.nn.functional.pad(judges._cepstra(training), (100, 100)).numpy()
    piece = judges._cepstra(sought).numpy()[:, :100]
    piece = piece - piece.mean(1, keepdims=True)
    lags = [known[:, i : i + 100] for i in range(known.shape[1] - 99)]
    lags = [x - x.mean(1, keepdims=True) for x in lags]
    truth = [
        np.corrcoef(piece.ravel(), x.ravel())[0, 1] if (x**2).mean() > judges.STILL else -1
        for x in lags
    ]
    found = judges.nearest_recordings([sought], [training], RATE)
    assert found.similarity[0] == pytest.approx(max(truth), abs=1e-4)
    assert found.seconds[0] == pytest.approx((np.argmax(truth) - 100) / 100)


def test_short_and_silent_utterances():
    training = [babble(0, 0.5), babble(1, 0.6)]
    found = judges.nearest_recordings([training[1] / 2, np.zeros(800, np.float32)], training, RATE)
    assert found.similarity[0] == pytest.approx(1, abs=1e-3)
    assert found.recording[0] == 1
    assert found.similarity[1] == pytest.approx(0, abs=1e-3)


# Griffin and Lim


@pytest.mark.parametrize("kind", [Spectrogram, MelSpectrogram])
def test_sound_has_the_spectrogram_it_is_made_of(kind):
    made_by = (
        kind(n_fft=512) if kind is Spectrogram else kind(RATE, 1024, hop_length=256, n_mels=80)
    )
    true = made_by(torch.from_numpy(babble(0, 1)))

    def error(iterations):
        sound = griffin_lim(true, made_by, RATE, iterations)
        assert sound.shape == (RATE,)
        return ((made_by(sound).sqrt() - true.sqrt()).norm() / true.sqrt().norm()).item()

    assert error(32) < 0.3 < error(0)
    assert error(32) < error(2)


def test_griffin_lim_draws_of_its_own():
    made_by = Spectrogram()
    true = made_by(torch.from_numpy(babble(0, 0.2)))
    torch.manual_seed(5)
    first = griffin_lim(true, made_by, seed=1)
    here = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), here)
    assert torch.equal(first, griffin_lim(true, made_by, seed=1))
    assert not torch.equal(first, griffin_lim(true, made_by, seed=2))

"""``gantools tts say``, ``align`` and ``export``: text to speech with a trained voice."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantools.errors import UserError
from gantools.verbs import AnyOut, ModelOf, bar, group, model_of, unused, writing

if TYPE_CHECKING:
    import numpy as np

    from gantools_tts.model import Model
    from gantools_tts.voice import Voice

app = group("Say texts with a trained voice.")

STDIN = "-"


@app.command()
def say(
    text: Annotated[
        str | None, typer.Argument(help="What to say; - is what comes in by a pipe.")
    ] = None,
    out: AnyOut = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="A file of text to say instead.")
    ] = None,
    speed: Annotated[float, typer.Option(help="2 is twice as fast.", min=0.25, max=4)] = 1.0,
    pitch: Annotated[float, typer.Option(help="Semitones higher.", min=-12, max=12)] = 0.0,
    seed: Annotated[int, typer.Option(help="Of what is random in the sound.", min=0)] = 0,
    run: ModelOf = None,
    exported: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="An exported voice; torch is not needed.")
    ] = None,
) -> None:
    """Say a text of any length, sentence by sentence, to a .wav; or with -o - to a pipe, as
    16-bit samples (little endian, one channel) as they are ready."""
    with _text(text, file) as said:
        voice = _voice(run, exported)
        sound = voice.say(said, speed, pitch, seed)
        if out is not None and str(out) == STDIN:
            for piece in sound:
                sys.stdout.buffer.write(_samples(piece).astype("<i2").tobytes())
                sys.stdout.buffer.flush()
            return
        out = out or unused(Path("speech.wav"))
        seconds = 0.0
        with writing(out, (".wav",)) as temporary:
            import soundfile

            with soundfile.SoundFile(temporary, "w", voice.rate, 1, "PCM_16", format="WAV") as wav:
                for piece in sound:
                    wav.write(_samples(piece))
                    seconds += len(piece) / voice.rate
    print(f"{out}: {seconds:.2f} s")


@app.command()
def align(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Recordings as LJSpeech's: metadata.csv, wavs.")
    ],
    out: AnyOut = None,
) -> None:
    """Find when each phone of recordings is spoken, in a .csv: name, phone, stress (of a vowel),
    end of a word, begin and end in seconds. Recordings that cannot be aligned are named."""
    out = out or unused(Path(f"{folder.resolve().name}-aligned.csv"))
    with writing(out, (".csv",)) as temporary:
        import csv

        from gantools_tts import corpus
        from gantools_tts.voices import RATE

        with bar("align", None) as done:
            recordings = corpus.read(folder, RATE, progress=lambda number, rows: done(1))
        with temporary.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["name", "phone", "stress", "word_ends", "begin", "end"])
            for r in recordings:
                for phone, begin, end in zip(r.phones, r.starts[:-1], r.starts[1:], strict=True):
                    when = f"{begin:.3f}", f"{end:.3f}"
                    table.writerow([r.name, phone.name, phone.stress, int(phone.last), *when])
    print(f"{out}: {len(recordings):,} recordings")


@app.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet.")],
    run: ModelOf = None,
) -> None:
    """Write a voice as ONNX, which speaks without torch (``say --exported FOLDER``)."""
    import shutil

    from gantools.files import aside
    from gantools_tts import exported
    from gantools_tts.model import COPYRIGHT

    if out.exists():
        raise UserError(f"{out} exists already and is left as it is: choose another name.")
    model = model_for(run)
    with aside(out) as temporary:
        temporary.mkdir()
        exported.export(model, temporary)
        if run is None and COPYRIGHT.is_file():
            shutil.copyfile(COPYRIGHT, temporary / COPYRIGHT.name)
    print(f"{out}: gantools tts say TEXT --exported {out}")


def model_for(run: Path | None) -> Model:
    """Load the voice of a run; None stands for the one that comes with the plugin.

    Raises:
        UserError: as :func:`gantools.verbs.model_of` says.
    """
    from gantools_tts.model import SHIPPED, Model

    return model_of(run, "tts", Model.load, SHIPPED)


def _voice(run: Path | None, folder: Path | None) -> Voice:
    if folder is None:
        return model_for(run)
    if run is not None:
        raise UserError("--run and --exported are two voices: give one of them.")
    from gantools_tts.exported import load

    return load(folder)


@contextmanager
def _text(text: str | None, file: Path | None) -> Iterator[str | Iterable[str]]:
    """What is to be said, as it comes."""
    if text is not None and file is not None:
        raise UserError("A text and --file are two texts: give one of them.")
    if text is None and file is None:
        raise UserError("Give a text, or - for what comes in by a pipe, or --file FILE.")
    if file is not None:
        try:
            opened = file.open(encoding="utf-8")
        except OSError as error:
            raise UserError(f"Cannot read {str(file)!r}: {error.strerror}.") from None
        with opened:
            yield _lines(opened, str(file))
    elif text == STDIN:
        yield _lines(sys.stdin, "what came in by the pipe")
    else:
        assert text is not None
        yield text


def _lines(file: Iterable[str], name: str) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError:
        raise UserError(f"{name} is no text in UTF-8.") from None


def _samples(sound: np.ndarray) -> np.ndarray:
    return (sound * 32767).round().astype("int16")

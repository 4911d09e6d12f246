"""Decoding: which frame is shown when, upright and square, and what bad files are told."""

import tracemalloc
import warnings
import wave
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
from gantools_video import reading
from gantools_video.reading import describe, frames
from PIL import Image

from gantools import Note, UserError

LEVELS = [20 + 12 * i for i in range(18)]
"""Greys that name the frames; coding changes them by less than half their distance."""


@pytest.fixture(autouse=True)
def _no_other_notes():
    """A Note that a test does not expect fails it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        yield


def flat(levels, height=32, width=48):
    return [np.full((height, width, 3), level, np.uint8) for level in levels]


def write(path, pictures, times=None, prepare=lambda stream: None, sound=False, **options):
    """Write a film at 25 frames a second, or with its frames at some hundredths of a second."""
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("h264", rate=25, options={"crf": "8"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        clock = 25 if path.suffix == ".avi" else 100  # an .avi's clock is its rate
        stream.codec_context.time_base = Fraction(1, clock)
        prepare(stream)
        if sound:
            voice = container.add_stream("aac", rate=16000, layout="mono")
            noise = np.random.default_rng(0).normal(0, 0.1, (1, 16000)).astype(np.float32)
            samples = av.AudioFrame.from_ndarray(noise, "fltp", "mono")
            samples.sample_rate = 16000
            container.mux(voice.encode(samples))
            container.mux(voice.encode())
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts = times[i] if times else i * clock // 25
            frame.time_base = Fraction(1, clock)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def named(shown):
    """The numbers of the frames that are shown, by their greys."""
    return [round((float(frame.pixels.mean()) - 20) / 12) for frame in shown]


@pytest.mark.parametrize("name", ["x.mp4", "x.mkv", "x.avi", "x.ts"])
def test_every_frame_of_a_constant_rate_is_shown_once(tmp_path, name):
    path = write(tmp_path / name, flat(LEVELS))
    shown = list(frames(path))
    assert named(shown) == list(range(18))
    assert [frame.time for frame in shown] == [i / 25 for i in range(18)]
    assert all(frame.pixels.shape == (32, 48, 3) for frame in shown)
    assert all(frame.pixels.dtype == np.uint8 for frame in shown)
    film = describe(path)
    assert film.rate == 25
    assert film.count == pytest.approx(18, abs=1)


def test_no_more_frames_than_asked_for(tmp_path):
    path = write(tmp_path / "x.mp4", flat(LEVELS))
    assert named(frames(path, most=5)) == [0, 1, 2, 3, 4]
    assert len(list(frames(path, most=99))) == 18


def test_sound_is_left_out(tmp_path):
    path = write(tmp_path / "x.mp4", flat(LEVELS), sound=True)
    with av.open(str(path)) as container:
        assert len(container.streams.audio) == 1
    assert named(frames(path)) == list(range(18))


@pytest.mark.parametrize(
    "times",
    [
        [0, 4, 8, 12, 40, 44, 48, 52, 56, 60],  # a pause
        [0, 3, 9, 12, 15, 22, 24, 27, 33, 36],  # a camera that keeps no time
        [7, 9, 11, 13, 15, 35, 55, 75, 95, 115],  # quick, then slow, and late from the beginning
    ],
)
def test_variable_rates_are_shown_as_a_player_would(tmp_path, times):
    path = write(tmp_path / "x.mp4", flat(LEVELS[:10]), times)
    rate = describe(path).rate
    assert rate == pytest.approx(10 / (times[-1] - times[0] + 4) * 100, rel=0.2)
    rounded = [round(Fraction(time - times[0], 100) * rate) for time in times]
    expected = [
        max(i for i in range(10) if rounded[i] <= number) for number in range(rounded[-1] + 1)
    ]
    shown = list(frames(path))
    assert named(shown) == expected
    assert [frame.time for frame in shown] == [float(i / rate) for i in range(len(expected))]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([0, 0.1, 0.2], "012"),
        ([0, 0.1, 0.4, 0.5], "011123"),  # a pause repeats the frame before it
        ([0, 0.01, 0.02, 0.1], "23"),  # of three at one time the last
        ([0, 0.1, 3600, 3600.1, 3600.3], "012334"),  # a jump is damage: the next follows at once
        ([3600, 3600.1, 0, 0.1], "0123"),
        ([0, 0.1, 0.03, 0.2], "023"),  # a little back: at the same time as before
        ([None, None, None], "012"),
        ([0, None, 0.2, 0.3], "0123"),
        ([None, 5, 5.1], "012"),
        ([], ""),
    ],
)
def test_times_are_rounded_and_damaged_ones_passed_over(times, expected):
    decoded = [SimpleNamespace(time=time, name=str(i)) for i, time in enumerate(times)]
    shown = list(reading._evenly(iter(decoded), Fraction(10)))
    assert [number for number, _ in shown] == list(range(len(expected)))
    assert "".join(frame.name for _, frame in shown) == expected


def halves(height, width, across):
    """White, with black below it or to the right of it."""
    picture = np.full((height, width, 3), 255, np.uint8)
    picture[:, width // 2 :] = 0 if across else 255
    picture[height // 2 :] *= across
    return picture


def test_a_phone_held_upright(tmp_path):
    # The matrix a phone writes for x' = −y, y' = x: shown, the left of the picture is above.
    turned = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]
    path = write(
        tmp_path / "x.mp4",
        [halves(32, 64, across=True)] * 3,
        prepare=lambda stream: stream.set_display_matrix(turned),
    )
    upright = halves(64, 32, across=False)
    for frame in frames(path):
        np.testing.assert_allclose(frame.pixels.astype(int), upright, atol=12)
    for frame in frames(path, size=16):
        np.testing.assert_allclose(frame.pixels.astype(int), halves(16, 16, False), atol=12)


@pytest.mark.parametrize("shape", [(32, 96), (96, 32)])
@pytest.mark.parametrize("size", [16, 32, 48])
def test_the_centre_square_is_cut_and_resized(tmp_path, shape, size):
    picture = np.full((*shape, 3), 255, np.uint8)  # white, with a black square in the middle
    top, left = (side // 2 - 16 for side in shape)
    picture[top : top + 32, left : left + 32] = 0
    path = write(tmp_path / "x.mp4", [picture] * 2)
    for frame in frames(path, size):
        assert frame.pixels.shape == (size, size, 3)
        assert frame.pixels[2:-2, 2:-2].max() < 12
    assert next(frames(path)).pixels.shape == (*shape, 3)
    whole = next(frames(path, size, whole=True)).pixels
    assert whole.shape == (*(side * size // 32 for side in shape), 3)
    assert whole.min() < 12
    assert whole.max() > 243


def test_colours_are_in_the_order_red_green_blue(tmp_path):
    path = write(tmp_path / "x.mp4", [np.full((32, 32, 3), (200, 100, 50), np.uint8)])
    pixel = next(frames(path, 8)).pixels.reshape(-1, 3).mean(0)
    np.testing.assert_allclose(pixel, (200, 100, 50), atol=5)


def test_pixels_that_are_not_square_are_made_so(tmp_path):
    def prepare(stream):
        stream.sample_aspect_ratio = Fraction(2, 1)

    path = write(tmp_path / "x.mp4", flat(LEVELS[:2]), prepare=prepare)
    assert next(frames(path)).pixels.shape == (32, 96, 3)


def test_one_frame(tmp_path):
    path = write(tmp_path / "x.mp4", flat(LEVELS[3:4]))
    assert named(frames(path)) == [3]
    assert describe(path).count == 1
    Image.fromarray(flat([56])[0]).save(tmp_path / "x.png")
    assert named(frames(tmp_path / "x.png")) == [3]
    assert describe(tmp_path / "x.png").rate == 25


def test_no_more_than_a_few_frames_are_in_memory(tmp_path):
    pictures = flat([100], 128, 128) * 200
    path = write(tmp_path / "x.mp4", pictures)
    tracemalloc.start()
    count = sum(1 for _ in frames(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200
    assert peak < 10 * pictures[0].nbytes


NOISE = list(np.random.default_rng(0).integers(0, 256, (18, 32, 48, 3), dtype=np.uint8))


def test_a_film_that_was_cut_off_gives_what_is_there(tmp_path):
    path = write(tmp_path / "x.mp4", NOISE, movflags="faststart")
    whole, data = list(frames(path)), path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with pytest.warns(Note, match=r"x.mp4' is damaged: \d+ frames could be decoded, about 1 not"):
        shown = list(frames(path))
    assert 6 <= len(shown) < 14
    for frame, before in zip(shown, whole, strict=False):
        np.testing.assert_array_equal(frame.pixels, before.pixels)


def test_frames_damaged_in_the_middle_are_passed_over(tmp_path):
    path = write(tmp_path / "x.mp4", NOISE)
    with av.open(str(path)) as container:
        broken = [packet.pos for packet in container.demux(video=0)][8]
    data = bytearray(path.read_bytes())
    data[broken : broken + 400] = b"\xff" * 400
    path.write_bytes(data)
    with pytest.warns(Note, match=r"damaged: \d+ frames could be decoded, about \d+ not"):
        shown = list(frames(path))
    assert 17 <= len(shown) <= 18  # later times hold


def bad(folder, kind):
    path = folder / kind
    if kind == "torn.mp4":  # its table of contents is at its end
        data = write(path, NOISE).read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif kind == "sound.wav":
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, 8000, 4000, "NONE", ""))
            file.writeframes(bytes(8000))
    elif kind == "words.txt":
        path.write_text("Once upon a time there was no video.\n" * 99)
    elif kind == "noise.mp4":
        path.write_bytes(np.random.default_rng(0).bytes(5000))
    elif kind == "empty.mp4":
        path.touch()
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("torn.mp4", "torn.mp4' cannot be read as a video: Invalid data.* or damaged"),
        ("noise.mp4", "cannot be read as a video"),
        ("empty.mp4", "cannot be read as a video"),
        ("words.txt", "words.txt' (has no video|cannot be read)"),
        ("sound.wav", "sound.wav' has no video in it"),
        ("missing.mp4", "no video '.*missing.mp4': no such file"),
        (".", "no such file"),
    ],
)
def test_what_is_no_video(tmp_path, kind, said):
    path = bad(tmp_path, kind)
    with pytest.raises(UserError, match=said):
        describe(path)
    with pytest.raises(UserError, match=said):
        next(frames(path))


def test_not_one_frame_can_be_decoded(tmp_path):
    path = write(tmp_path / "x.mp4", NOISE[:1])
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        place, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[place : place + size] = b"\xff" * size
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"Not one frame of '.*x\.mp4' can be decoded"):
        next(frames(path))

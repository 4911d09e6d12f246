"""The command line: what it imports, shows and refuses, and how plugins that break are borne."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from program import environment, gantools

from gantools.runs import checkpoint, folder
from gantools.runs.checkpoint import Checkpoints
from gantools.runs.metrics import read

TOY_SECONDS = ["--log-every", 5, "--checkpoint-every", 5, "--evaluate-every", 0]


@pytest.fixture
def cli(gantools_cli, monkeypatch):
    """The program, without the plugin that is broken, and with room for its lines."""
    monkeypatch.setenv("GANTOOLS_DISABLE_PLUGINS", "broken")
    monkeypatch.setenv("COLUMNS", "200")
    return gantools_cli


def the_error(done: SimpleNamespace) -> str:
    """The one sentence of a refusal, which is the last that was said."""
    assert done.code == 2, done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    (sentence,) = [line for line in done.err.splitlines() if line.startswith("Error: ")]
    assert done.err.splitlines()[-1] == sentence
    return sentence


def content(path: Path) -> dict[str, str]:
    """What is in a folder, bit for bit."""
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> SimpleNamespace:
    """A toy that the real program trained, its output piped, with all that goes wrong beside it."""
    made = tmp_path_factory.mktemp("cli")
    (made / "toy.yaml").write_text("steps: 25\nlr: 1e-4\nseed: 5\n")
    arguments = ["run", "toy", "--config", made / "toy.yaml", "--seed", 7, "--json"]
    arguments += [*TOY_SECONDS[:-1], 10, "--out", made / "run"]  # short evaluations too
    done = gantools(*arguments)
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(run=made / "run", out=done.stdout, err=done.stderr)


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory) -> Path:
    """Two CartPole episodes of three steps each, as a file of good demonstrations holds them."""
    path = tmp_path_factory.mktemp("demonstrations") / "two.npz"
    steps = np.zeros((6, 4), np.float32)
    np.savez(
        path,
        obs=steps,
        act=np.array([0, 1, 0, 1, 0, 1]),
        next_obs=steps,
        ep_len=np.array([3, 3]),
        ep_ret=np.array([3.0, 3.0]),
        terminated=np.array([True, True]),
    )
    return path


# -- starting ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    ["--help", "run --help", "run gail --help", "run toy --help", "apps", "plugins list --json"],
)
def test_help_and_lists_import_neither_torch_nor_numpy(arguments):
    script = (
        "import sys\n"
        "from gantools.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        "    heavy = {'torch', 'numpy', 'gymnasium', 'rich.progress'} & sys.modules.keys()\n"
        "    print('heavy:', *heavy, file=sys.stderr)\n"
    )
    command = [sys.executable, "-c", script, *arguments.split()]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "heavy:"


def test_options_come_from_the_dataclass(cli):
    said = " ".join(cli("run", "gail", "--help").out.split())
    for option, shown in (
        ("--env", "[default: Hopper]"),
        ("--algorithm", "[default: ppo]"),
        ("--gamma", "[default: 0.995; 0<=x<=0.9999]"),
        ("--trajectories", "[default: 4; x>=1]"),
        ("--absorbing / --no-absorbing", "[default: absorbing]"),
    ):
        _, _, rest = said.partition(f" {option} ")
        assert shown in rest.split(" --")[0], option
    for choices in ("ppo|trpo|sac", "auto|envpool|gymnasium", "stop|rollback"):
        assert choices in said


def test_help_says_what_each_command_is_for(cli):
    said = cli("--help").out
    for word in ("run", "resume", "evaluate", "report", "apps", "plugins", "Train an application."):
        assert word in said
    assert cli("--version").out.startswith("gantools 0.")


# -- a run from the command line ----------------------------------------------------------------


def test_default_is_overridden_by_yaml_and_yaml_by_the_command_line(trained):
    used = yaml.safe_load((trained.run / "config.yaml").read_text())
    assert (used["steps"], used["lr"], used["seed"]) == (25, 1e-4, 7)
    assert used["solver"] == "alternating"


def test_json_is_one_object_on_standard_output_and_nothing_else(trained):
    (line,) = trained.out.splitlines()
    assert json.loads(line) == json.loads((trained.run / "evaluation.json").read_text())
    assert json.loads(line)["seed"] == 7


def test_progress_is_plain_lines_when_piped(trained):
    assert "\x1b" not in trained.err
    assert "\r" not in trained.err
    (line,) = [line for line in trained.err.splitlines() if line.startswith("25/25 steps")]
    assert "steps/s" in line
    assert "loss" in line


def test_what_broke_beside_the_run_is_said_once_and_the_run_went_on(trained):
    lines = trained.err.splitlines()
    (broken,) = [line for line in lines if "'broken'" in line]
    assert "this plugin is broken on purpose" in broken
    (observer,) = [line for line in lines if "evaluated" in line]
    assert "plugin 'toy' failed in evaluated: RuntimeError: an observer that fails" in observer
    assert "Traceback" not in trained.err
    assert (trained.run / "report.html").is_file()


def test_quiet_shows_no_progress_and_results_are_readable(cli, tmp_path):
    done = cli("run", "toy", "--steps", 5, *TOY_SECONDS, "--quiet", "--out", tmp_path / "run")
    assert done.code == 0
    assert "steps/s" not in done.err
    assert f"Run: {tmp_path / 'run'}" in done.out
    assert done.out.startswith("samples           256\ndistance ")


def test_evaluate_and_report_of_a_run(cli, trained):
    best = json.loads(cli("evaluate", trained.run, "--checkpoint", "best", "--json").out)
    turn, _ = Checkpoints(trained.run / "checkpoints").best()
    assert (best["checkpoint"], best["turn"]) == ("best", turn)
    done = cli("evaluate", trained.run, "--json")
    assert json.loads(done.out) == json.loads(trained.out)
    assert cli("report", trained.run).out.strip() == str(trained.run / "report.html")


def test_the_best_checkpoint_is_the_best_of_all_that_were_scored(trained):
    rows = read(trained.run / "metrics.csv")
    scores = {row["turn"]: row["evaluation/score"] for row in rows if "evaluation/score" in row}
    assert list(scores) == [10, 20, 25]
    assert Checkpoints(trained.run / "checkpoints").best() == max(
        scores.items(), key=lambda scored: scored[1]
    )


def test_asking_for_the_best_of_a_run_without_scores_is_refused(cli, tmp_path):
    assert cli("run", "toy", "--steps", 5, *TOY_SECONDS, "--out", tmp_path / "run").code == 0
    done = cli("evaluate", tmp_path / "run", "--checkpoint", "best")
    assert done.code == 2
    assert "No checkpoint of" in done.err


# -- plugins -------------------------------------------------------------------------------------


def plugin(folder: Path, name: str, code: str, *, entry: str, distribution: str) -> None:
    """Install a plugin of one module into a folder on the path."""
    about = folder / f"{distribution}-1.0.dist-info"
    about.mkdir(parents=True)
    about.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nSummary: A third party's\n"
    )
    about.joinpath("entry_points.txt").write_text(f"[gantools]\n{entry} = {name}\n")
    (folder / f"{name}.py").write_text(code)


PAIR = """
from gantools import RunConfig, Spec, hookimpl

@hookimpl
def register_applications():
    return [Spec(n, f"the {n} one", RunConfig, "nowhere:Nothing") for n in ("left", "right")]
"""

GRUMBLER = """
from gantools import hookimpl

@hookimpl
def figures_recorded(turn):
    raise ValueError(f"no figures please, least of all at turn {turn}")
"""


def test_apps_lists_the_applications_that_can_be_used(cli, monkeypatch):
    monkeypatch.delenv("GANTOOLS_DISABLE_PLUGINS")
    listed = json.loads(cli("apps", "--json").out)
    found = [(a["name"], a["plugin"]) for a in listed]
    assert {("gail", "gantools-gail"), ("toy", "gantools-toy")} <= set(found)
    assert found == sorted(found)
    assert "broken" not in dict(found)
    said = cli("apps")
    assert "toy            A ring of Gaussians" in said.out
    assert said.err.splitlines() == [
        "plugin 'broken' failed: RuntimeError: this plugin is broken on purpose"
    ]


def test_plugins_list_says_which_ones_work_and_why_others_do_not(cli, monkeypatch):
    monkeypatch.setenv("GANTOOLS_DISABLE_PLUGINS", "gail")
    listed = {p["name"]: p for p in json.loads(cli("plugins", "list", "--json").out)}
    known = {"broken": "failed", "gail": "disabled", "toy": "ok"}
    assert {name: listed[name]["status"] for name in known} == known
    assert all(p["status"] == "ok" for name, p in listed.items() if name not in known)
    assert listed["broken"]["reason"] == "RuntimeError: this plugin is broken on purpose"
    shown = cli("plugins", "list").out.splitlines()
    assert shown[0].split() == ["PLUGIN", "DISTRIBUTION", "APPLICATIONS", "STATUS"]
    assert "failed: RuntimeError: this plugin is broken on purpose" in shown[1]


@pytest.mark.parametrize(
    "arguments", [["run", "broken"], ["broken", "play"], ["run", "broken", "--help"]]
)
def test_a_broken_plugin_says_why_when_it_is_named(cli, monkeypatch, arguments):
    monkeypatch.delenv("GANTOOLS_DISABLE_PLUGINS")
    done = cli(*arguments)
    assert done.code == 3
    assert done.err == (
        "Error: The plugin 'broken' cannot be used "
        "(failed: RuntimeError: this plugin is broken on purpose).\n"
    )


def test_a_disabled_plugin_is_not_imported(cli, monkeypatch):
    monkeypatch.setenv("GANTOOLS_DISABLE_PLUGINS", "all")
    assert cli("apps").out == ""
    done = cli("run", "toy")
    assert done.code == 3
    assert "disabled: by GANTOOLS_DISABLE_PLUGINS" in done.err


def test_strict_mode_raises_what_a_plugin_raised(cli, monkeypatch):
    monkeypatch.delenv("GANTOOLS_DISABLE_PLUGINS")
    monkeypatch.setenv("GANTOOLS_STRICT_PLUGINS", "1")
    with pytest.raises(RuntimeError, match="broken on purpose"):
        cli("run", "broken")
    assert cli("run", "toy", "--help").code == 0


def test_strict_mode_raises_what_an_observer_raised(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("GANTOOLS_STRICT_PLUGINS", "1")
    with pytest.raises(RuntimeError, match="an observer that fails"):
        cli("run", "toy", "--steps", 2, "--out", tmp_path / "run")


def test_an_observer_that_raises_is_reported_once_and_the_run_goes_on(cli, monkeypatch, tmp_path):
    plugin(tmp_path, "grumbler", GRUMBLER, entry="grumbler", distribution="grumbler")
    monkeypatch.syspath_prepend(tmp_path)
    done = cli("run", "toy", "--steps", 20, *TOY_SECONDS, "--out", tmp_path / "run")
    assert done.code == 0
    assert done.err.count("no figures please") == 1
    assert "plugin 'grumbler' failed in figures_recorded: ValueError" in done.err
    rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["turn", "5", "10", "15", "20"]


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_of_two_plugins_with_one_name_the_first_party_s_wins(cli, monkeypatch, tmp_path, first):
    plugin(tmp_path, "impostor", "raise SystemExit('imported')", entry="gail", distribution="other")
    path = [str(tmp_path), *sys.path] if first == "theirs" else [*sys.path, str(tmp_path)]
    monkeypatch.setattr(sys, "path", path)
    listed = json.loads(cli("plugins", "list", "--json").out)
    status = {p["distribution"]: (p["status"], p["reason"]) for p in listed if p["name"] == "gail"}
    assert status == {
        "gantools-gail": ("ok", ""),
        "other": ("shadowed", "gantools-gail has the name 'gail' too"),
    }
    assert "--discriminator-lr" in cli("run", "gail", "--help").out
    assert "impostor" not in sys.modules


def test_a_plugin_may_register_several_applications(cli, monkeypatch, tmp_path):
    plugin(tmp_path, "pair", PAIR, entry="pair", distribution="pair")
    monkeypatch.syspath_prepend(tmp_path)
    assert "the left one" in cli("run", "left", "--help").out
    names = [a["name"] for a in json.loads(cli("apps", "--json").out)]
    assert {"gail", "left", "right", "toy"} <= set(names)
    assert "There is no application 'pair'" in the_error(cli("run", "pair"))


# -- bad input: one sentence, exit code 2, nothing touched -------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run tox", "There is no application 'tox'. Did you mean 'toy'?"),
        ("tox", "There is no command 'tox'. Did you mean 'toy'?"),
        ("run toy --stpes 3", "No such option: --stpes"),
        ("run toy --steps 0", "'--steps': 0 is not in the range"),
        ("run toy --steps many", "'--steps': 'many' is not a valid int"),
        ("run toy --lr -1", "'--lr': -1.0 is not in the range"),
        ("run toy --lr nan", "The option 'lr' must be a finite number, not nan."),
        ("run toy --device tpu", "'--device': 'tpu' is not one of"),
        ("run toy --solver alternatin", "no solver 'alternatin'. Did you mean 'alternating'?"),
        ("run toy extra", "unexpected extra argument"),
        ("run gail --env Hoper", "Unknown environment 'Hoper'. Did you mean 'Hopper"),
        ("run gail --env nowhere:Task-v0", "Cannot import module 'nowhere'"),
        ("run gail --env FrozenLake-v1", "no built-in demonstrations of FrozenLake-v1"),
        ("run gail --env CartPole-v1 --demos gone.npz", "No demonstrations at 'gone.npz'"),
        ("toy play", "'toy' has no verbs of its own"),
    ],
)
def test_a_bad_command_is_refused(cli, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    words = arguments.split()
    out = ["--out", "made"] if words[0] == "run" else []
    out += ["--steps", 1] if words[:2] == ["run", "gail"] else []
    assert message in the_error(cli(*words, *out))
    assert list(tmp_path.iterdir()) == []


def test_cuda_is_refused_where_there_is_none(cli, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = cli("run", "toy", "--device", "cuda", "--out", tmp_path / "run")
    assert "no cuda device" in the_error(done)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stepz: 3\n", "stepz'. Did you mean 'steps'?"),
        ("- steps\n", "must hold one `option: value` a line"),
        ("steps: [1\n", "is not valid YAML (line 2)"),
        ("steps: 0\n", "'steps' must be at least 1, not 0"),
        ("steps: soon\n", "'steps' must be a whole number, not 'soon'"),
        ("steps: true\n", "'steps' must be a whole number, not True"),
        ("device: tpu\n", "'device' is one of auto, cpu, cuda, mps, not 'tpu'"),
        ("seed:\n", "'seed' cannot be empty"),
        (None, "No such file or directory"),
    ],
)
def test_a_bad_configuration_file_is_refused(cli, tmp_path, text, message):
    file = tmp_path / "toy.yaml"
    if text is not None:
        file.write_text(text)
    said = the_error(cli("run", "toy", "--config", file, "--out", tmp_path / "run"))
    assert message in said
    assert str(file) in said
    assert not (tmp_path / "run").exists()


def harmed(demonstrations: Path, path: Path, **columns: object) -> Path:
    np.savez(path, **{**np.load(demonstrations), **columns})
    return path


@pytest.mark.parametrize(
    ("harm", "options", "message"),
    [
        (lambda good, path: path.write_bytes(b""), [], "is empty"),
        (lambda good, path: path.write_text("hello"), [], "cannot be read"),
        (
            lambda good, path: path.write_bytes(good.read_bytes()[:500]),
            [],
            "cannot be read",
        ),
        (
            lambda good, path: harmed(good, path, obs=np.zeros((6, 11))),
            [],
            "obs in .* has shape (6, 11), and CartPole-v1 .* needs (6, 4): is it another task's?",
        ),
        (
            lambda good, path: harmed(good, path, obs=np.full((6, 4), np.nan)),
            [],
            "obs in .* holds NaN or infinity",
        ),
        (
            lambda good, path: harmed(good, path, act=np.full(6, 2)),
            [],
            "actions 0 to 1: is it another task's?",
        ),
        (lambda good, path: harmed(good, path, obs=np.full((6, 4), "x")), [], "cannot be read"),
        (lambda good, path: harmed(good, path, ep_len=np.int64(6)), [], "cannot be read"),
        (
            lambda good, path: harmed(good, path, ep_len=np.array([7, -1])),
            [],
            "holds -1: every episode has steps",
        ),
        (harmed, ["--trajectories", 3], "3 trajectories were asked for, .* has 2"),
        (harmed, ["--algorithm", "sac"], "SAC needs continuous actions, and 'CartPole-v1' has"),
    ],
)
def test_bad_demonstrations_are_refused(cli, tmp_path, demonstrations, harm, options, message):
    file = tmp_path / "demos.npz"
    harm(demonstrations, file)
    arguments = ["run", "gail", "--env", "CartPole-v1", "--demos", file, "--trajectories", 2]
    said = the_error(cli(*arguments, *options, "--out", tmp_path / "run"))
    pattern = ".*".join(map(re.escape, message.split(".*")))
    assert re.search(pattern, said), said
    assert [path.name for path in tmp_path.iterdir()] == ["demos.npz"]


def test_out_on_anything_that_exists_is_refused(cli, tmp_path, trained):
    before = content(trained.run)
    said = the_error(cli("run", "toy", "--out", trained.run))
    assert f"gantools resume {trained.run}" in said
    assert content(trained.run) == before
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name in ("file", "folder", "file/inside"):
        assert str(tmp_path / name) in the_error(cli("run", "toy", "--out", tmp_path / name))
    assert content(tmp_path) == {"file": hashlib.sha256(b"mine").hexdigest()}
    assert list((tmp_path / "folder").iterdir()) == []


@pytest.mark.parametrize("command", ["resume", "evaluate", "report"])
def test_what_is_no_run_is_refused(cli, tmp_path, command):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "manifest.json").write_text('{"format": ')
    for name in ("missing", "folder", "file", "torn"):
        assert "is not a run folder" in the_error(cli(command, tmp_path / name))
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "manifest.json").write_text('{"format": "other"}')
    assert "not written by this version" in the_error(cli(command, foreign))
    assert len(content(tmp_path)) == 3


def test_a_run_without_its_configuration_or_checkpoints_is_refused(cli, tmp_path):
    run = tmp_path / "run"
    assert cli("run", "toy", "--steps", 2, "--quiet", "--out", run).code == 0
    for path in (run / "checkpoints").glob("turn-*/state.json"):
        path.write_text("torn")
    before = content(run)
    done = cli("evaluate", run)
    assert done.code == 2
    assert "has no whole checkpoint" in done.err.splitlines()[-1]
    gone = ("config.yaml", "resolved.yaml")
    for name in gone:
        (run / name).unlink()
    assert "Cannot read the configuration file" in the_error(cli("resume", run))
    assert content(run) == {name: sha for name, sha in before.items() if name not in gone}


def test_an_unknown_checkpoint_is_refused(cli, trained):
    said = the_error(cli("evaluate", trained.run, "--checkpoint", "nonsense"))
    assert said == "Error: There is no checkpoint called 'nonsense': it is last or best."


def test_resuming_a_finished_run_changes_none_of_its_numbers(cli, trained):
    before = content(trained.run)
    done = cli("resume", trained.run, "--json", "--quiet")
    assert done.code == 0
    assert json.loads(done.out) == json.loads(trained.out)
    after = content(trained.run)
    for name, sha in before.items():
        if name.endswith((".csv", ".safetensors", ".yaml")) or name == "evaluation.json":
            assert after[name] == sha, name


# -- no space left ------------------------------------------------------------------------------------


def test_a_disk_that_fills_up_is_said_and_the_run_goes_on_later(cli, monkeypatch, tmp_path):
    write, written = checkpoint._write, []

    def fills_up(path: Path, data: bytes) -> None:
        written.append(path)
        if len(written) > 9:  # in the middle of the checkpoint at turn 10
            path.write_bytes(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, data)

    run = tmp_path / "run"
    arguments = ["--steps", 15, "--seed", 3, *TOY_SECONDS, "--quiet"]
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_write", fills_up)
        said = the_error(cli("run", "toy", *arguments, "--out", run))
    assert f"No space left for {run}" in said
    assert "gantools resume" in said
    assert sorted(p.name for p in (run / "checkpoints").iterdir()) == [
        "turn-000000000",
        "turn-000000005",
    ]
    assert json.loads((run / "manifest.json").read_text())["status"] == "failed"
    assert cli("resume", run, "--quiet").code == 0
    assert cli("run", "toy", *arguments, "--out", tmp_path / "whole").code == 0
    assert content(run)["metrics.csv"] == content(tmp_path / "whole")["metrics.csv"]


def test_no_half_made_run_folder_stays_on_a_full_disk(cli, monkeypatch, tmp_path):
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(folder, "write_aside", full)
        done = cli("run", "toy", "--steps", 2, "--out", tmp_path / "run")
    assert "No space left" in the_error(done)
    assert not (tmp_path / "run").exists()


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 128 KiB, and a function that makes it larger."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    if not mount("size=128k"):
        pytest.skip("no file system can be mounted here")
    try:
        yield disk, lambda: mount("remount,size=64m")
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_really_full_disk_is_said_and_the_run_goes_on_later(cli, tiny_disk):
    disk, enlarge = tiny_disk
    run = disk / "run"
    arguments = ["--steps", 60, "--keep", 20, "--log-every", 1, "--checkpoint-every", 1]
    said = the_error(cli("run", "toy", *arguments, "--quiet", "--out", run))
    assert f"No space left for {run}" in said
    turns = checkpoint.Checkpoints(run / "checkpoints").turns()
    assert turns
    for turn in turns:
        checkpoint.load_state(run / "checkpoints" / f"turn-{turn:09d}", "state")
    assert enlarge()
    assert cli("resume", run, "--quiet").code == 0
    assert (run / "report.html").is_file()


def test_a_folder_that_cannot_be_written_is_said(cli, tmp_path, monkeypatch):
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", refuse)
        done = cli("run", "toy", "--steps", 2, "--out", tmp_path / "run")
    assert "Cannot make the run folder" in the_error(done)
    assert "Permission denied" in the_error(done)


def test_who_is_told_to_end_leaves_no_half_written_file(tmp_path):
    lines = (
        "import os, signal, sys, time",
        "from pathlib import Path",
        "from gantools.cli import main",
        "from gantools.files import aside",
        "def work():",
        "    with aside(Path(sys.argv[1])) as temporary:",
        "        temporary.write_text('half')",
        "        os.kill(os.getpid(), signal.SIGTERM)",
        "        time.sleep(60)",
        "main.app = work",
        "main.main()",
    )
    script = tmp_path / "script.py"
    script.write_text("\n".join(lines))
    done = subprocess.run([sys.executable, script, tmp_path / "out"], env=environment())
    assert done.returncode == 143
    assert list(tmp_path.iterdir()) == [script]

"""The run folder: what one training leaves, and where in it everything is."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from gantools.config import RunConfig, make, plain, read_yaml, resolve
from gantools.errors import UserError
from gantools.files import aside
from gantools.runs.metrics import read

FORMAT = "gantools-run-1"


class Run:
    """A run folder.

    Attributes:
        path: the folder.
        manifest: versions, seed, command, hardware, commit, plugin, status and times.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, {self.manifest.get('status')})"

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """What the last evaluation found, or None if there was none."""
        if not self.evaluation_file.exists():
            return None
        return json.loads(self.evaluation_file.read_text(encoding="utf-8"))

    @property
    def metrics(self) -> list[dict[str, float]]:
        """The rows of the metrics table: ``turn``, and what was logged at it."""
        return read(self.metrics_file)

    checkpoints = property(lambda self: self.path / "checkpoints")
    config_file = property(lambda self: self.path / "config.yaml")
    evaluation_file = property(lambda self: self.path / "evaluation.json")
    events = property(lambda self: self.path / "events")
    inputs = property(lambda self: self.path / "inputs")
    metrics_file = property(lambda self: self.path / "metrics.csv")
    report_file = property(lambda self: self.path / "report.html")
    resolved_file = property(lambda self: self.path / "resolved.yaml")
    samples = property(lambda self: self.path / "samples")

    @property
    def resume_command(self) -> str:
        """What to type to go on with this run."""
        return f"gantools resume {shlex.quote(str(self.path))}"

    @classmethod
    def create(cls, path: Path | None, config: RunConfig, about: Mapping[str, Any]) -> Run:
        """Make a new run folder with its configuration and manifest.

        Args:
            path: where; None makes ``runs/<application>-<date>-<time>``.
            config: what was asked: ``config.yaml`` keeps it as it is, to be given to ``--config``
                again, and ``resolved.yaml`` with what was left out filled in.
            about: what the manifest says of application, plugin and command.

        Raises:
            UserError: the path exists already, or cannot be made.
        """
        started = datetime.now(UTC)
        if path is None:
            path = Path("runs") / f"{about['application']}-{started:%Y%m%d-%H%M%S-%f}"[:-3]
        refuse_existing(path)
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise UserError(f"Cannot make the run folder {path}: {error.strerror}.") from None
        import yaml

        run = cls(path, {"format": FORMAT, **about, **surroundings()})
        run.manifest |= {"started": started.isoformat(timespec="seconds"), "status": "new"}
        run.manifest |= {"seed": config.seed}
        try:
            for file, values in (run.config_file, config), (run.resolved_file, resolve(config)):
                write_aside(file, yaml.safe_dump(plain(values), sort_keys=False))
            run.samples.mkdir()
            run.update()
        except OSError:
            shutil.rmtree(path, ignore_errors=True)
            raise
        return run

    @classmethod
    def open(cls, path: Path) -> Run:
        """Open an existing run folder.

        Raises:
            UserError: there is none, or the folder is not a run.
        """
        try:
            manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UserError(
                f"{path} is not a run folder: it has no readable manifest.json. "
                "Give the folder that `gantools run` printed."
            ) from None
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise UserError(f"{path} was not written by this version of gantools ({FORMAT}).")
        return cls(path, manifest)

    def update(self, **values: Any) -> None:
        """Change entries of the manifest and write it."""
        self.manifest |= values
        write_aside(self.path / "manifest.json", json.dumps(self.manifest, indent=2) + "\n")

    def config(self, kind: type[RunConfig]) -> RunConfig:
        """Read the run's resolved configuration; that of an older run is its ``config.yaml``."""
        file = self.resolved_file if self.resolved_file.exists() else self.config_file
        return resolve(make(kind, read_yaml(file), f"key in {file}"))


def refuse_existing(path: Path) -> None:
    """Raise a UserError if there is anything at ``path``."""
    if path.exists():
        cure = "choose another --out"
        if (path / "manifest.json").exists():
            cure += f", or go on with it: gantools resume {shlex.quote(str(path))}"
        raise UserError(f"{path} exists already and is left as it is: {cure}.")


def write_aside(path: Path, text: str) -> None:
    """Write a file of text that is never seen half-written."""
    with aside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def surroundings() -> dict[str, Any]:
    """Versions, hardware and the commit of the working folder, for the manifest."""
    import torch

    names = ("gantools", "torch", "numpy", "lightning-fabric", "safetensors")
    rl = ("gymnasium", "stable-baselines3", "sb3-contrib", "envpool", "mujoco")
    versions = {"python": platform.python_version()}
    for name in names + rl:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    hardware = {"machine": platform.machine(), "cores": os.cpu_count(), "gpus": gpus}
    hardware["processor"] = _processor()
    return {
        "versions": versions,
        "hardware": hardware,
        "commit": _commit(),
        "platform": sys.platform,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor()


def _commit() -> str | None:
    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None

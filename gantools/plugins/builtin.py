"""What gantools itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from gantools.hookspecs import hookimpl


@hookimpl
def register_objectives() -> dict[str, str]:
    """The objectives of :mod:`gantools.losses`."""
    names = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic")
    return {name.replace("_", "-"): f"gantools.losses:{name}" for name in names}


@hookimpl
def register_penalties() -> dict[str, str]:
    """The penalties of :mod:`gantools.losses`."""
    names = {"r1": "r1", "r2": "r2", "wgan-gp": "wgan_gp"}
    return {name: f"gantools.losses:{function}" for name, function in names.items()}


@hookimpl
def register_solvers() -> dict[str, str]:
    """The solvers of :mod:`gantools.engine`."""
    names = ("Alternating", "Simultaneous")
    return {name.lower(): f"gantools.engine:{name}" for name in names}


@hookimpl
def register_metrics() -> dict[str, str]:
    """The metrics of :mod:`gantools.metrics`."""
    names = {"energy": "energy_distance", "frechet": "frechet_distance"}
    return {name: f"gantools.metrics:{function}" for name, function in names.items()}


@hookimpl
def register_data() -> dict[str, str]:
    """The sources of :mod:`gantools.data`."""
    return {name: f"gantools.data.gaussians:{name}" for name in ("ring", "grid")}

"""What gantools itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from gantools.hookspecs import hookimpl


@hookimpl
def register_objectives() -> dict[str, str]:
    """The objectives of :mod:`gantools.losses`."""
    names = (
        "minimax non-saturating least-squares hinge wasserstein relativistic relativistic-average "
        "label-smoothing f-kl f-reverse-kl f-jensen-shannon f-pearson f-hellinger f-total-variation"
    )
    return {name: f"gantools.losses:{name.replace('-', '_')}" for name in names.split()}


@hookimpl
def register_penalties() -> dict[str, str]:
    """The penalties of :mod:`gantools.losses`."""
    names = "r1 r2 wgan-gp wgan-lp wgan-div ct dragan roth ma-gp orthogonal qp"
    return {name: f"gantools.losses:{name.replace('-', '_')}" for name in names.split()}


@hookimpl
def register_constraints() -> dict[str, str]:
    """The constraints of :mod:`gantools.nn`."""
    names = {
        "spectral-norm": "spectral_norm",
        "weight-clip": "weight_clip",
        "equalized": "equalized_learning_rate",
    }
    return {name: f"gantools.nn:{function}" for name, function in names.items()}


@hookimpl
def register_augmentations() -> dict[str, str]:
    """The augmentations of :mod:`gantools.nn`."""
    names = {"instance-noise": "InstanceNoise", "diffaugment": "DiffAugment", "ada": "ADA"}
    return {name: f"gantools.nn:{kind}" for name, kind in names.items()}


@hookimpl
def register_solvers() -> dict[str, str]:
    """The solvers of :mod:`gantools.engine`."""
    names = {
        "alternating": "Alternating",
        "simultaneous": "Simultaneous",
        "extragradient": "Extragradient",
        "optimistic": "Optimistic",
        "consensus": "Consensus",
        "nagarajan-kolter": "NagarajanKolter",
        "lookahead": "Lookahead",
    }
    return {name: f"gantools.engine:{kind}" for name, kind in names.items()}


@hookimpl
def register_metrics() -> dict[str, str]:
    """The metrics of :mod:`gantools.metrics`."""
    names = {
        "energy": "energy_distance",
        "frechet": "frechet_distance",
        "mmd": "mmd",
        "sliced-wasserstein": "sliced_wasserstein",
    }
    return {name: f"gantools.metrics:{function}" for name, function in names.items()}


@hookimpl
def register_data() -> dict[str, str]:
    """The sources of :mod:`gantools.data`."""
    return {
        "ring": "gantools.data.gaussians:ring",
        "grid": "gantools.data.gaussians:grid",
        "gaussians-25": "gantools.data.gaussians:gaussians_25",
        "digits": "gantools.data.digits:digits",
    }


@hookimpl
def register_bonuses() -> dict[str, str]:
    """The bonus that is none; plugins have the others."""
    return {"none": "gantools.agents.bonuses:none"}

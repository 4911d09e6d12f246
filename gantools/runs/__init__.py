"""Run folders: configuration, manifest, metrics, checkpoints, evaluation, report."""

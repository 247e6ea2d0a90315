"""The worker: jobs, sweeps and pruning."""

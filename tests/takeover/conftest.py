"""Somebody of every kind in front of the real server, as for the attacks; a worker with a real queue, as for its tests."""

from tests.attacks.conftest import stage
from tests.entrypoints.worker.conftest import bench

__all__ = ["bench", "stage"]

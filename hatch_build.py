"""Reads the runtime dependencies from requirements/runtime.in, so that they are written once."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RequirementsHook(MetadataHookInterface):
    """Sets `project.dependencies`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill `dependencies` from the requirement file's lines, comments left out."""
        lines = (Path(self.root) / "requirements" / "runtime.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]

"""`kapda demo`: the whole stack, driven over the real wire, and what came of it."""

from kapda.entrypoints.cli.demo.run import run_demo as run_demo

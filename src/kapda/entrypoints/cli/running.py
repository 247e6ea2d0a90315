"""Runs a process or chore of the `kapda` command in the settings of its environment."""

import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer
import uvloop

from kapda.domain.shared.errors import DomainError
from kapda.entrypoints.settings import Settings, SettingsError, load_settings
from kapda.entrypoints.telemetry import configure_logging


def process_settings() -> Settings:
    """The settings from the environment, and logging as they want it; unfit settings end the process with status 2."""
    try:
        settings = load_settings()
    except SettingsError as error:
        cannot_start(error)
    configure_logging(settings.log_level)
    return settings


def cannot_start(reason: Exception) -> NoReturn:
    """Say why, and end the process with status 2."""
    typer.echo(f"kapda cannot start:\n{reason}", err=True)
    sys.exit(2)


def run(process: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Run a process's coroutine with settings from the environment; a refusal of the domain's ends it with status 1."""
    settings = process_settings()
    try:
        uvloop.run(process(settings))
    except DomainError as refusal:
        typer.echo(f"{refusal.reason.value}: {refusal.message}", err=True)
        sys.exit(1)

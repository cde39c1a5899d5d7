"""Runs of a component or of the whole program without an engine. All requests to the engine are recorded."""

from tests.unit.harness.fakes import Fakes, ProviderError
from tests.unit.harness.recording import UNKNOWN, Recording, Registration
from tests.unit.harness.runner import PROJECT, REPOSITORY, run, run_stack, stack_config

__all__ = [
    "PROJECT",
    "REPOSITORY",
    "UNKNOWN",
    "Fakes",
    "ProviderError",
    "Recording",
    "Registration",
    "run",
    "run_stack",
    "stack_config",
]

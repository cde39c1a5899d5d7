"""Runs a component or the whole program without an engine and gives every request as the engine would see it."""

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

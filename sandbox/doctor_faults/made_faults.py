"""Faults that are made at the moment. A file of the sandbox keeps what is to be restored."""

import json
from pathlib import Path
from typing import Any

from sandbox.cluster.netns import inside
from sandbox.doctor_faults import probe_claim
from sandbox.doctor_faults.fault_context import FaultContext, FaultError
from sandbox.doctor_faults.fault_table import FAULTS, NOT_MADE, Fault
from sandbox.layout import SandboxInstance


def list_made(instance: SandboxInstance) -> list[str]:
    """Return the names of the faults, in the order in which they were made."""
    return [each["name"] for each in _read(instance)]


def make(context: FaultContext, name: str, *, restart: bool = True) -> Fault:
    """Make a fault.

    With `restart`, also restart the driver if it would notice the fault only an hour later, and create a claim that
    shows it. Raise FaultError if there is no such fault, it is made already, or it cannot be made.
    """
    if name in NOT_MADE:
        raise FaultError(f"the sandbox cannot make {name}: {NOT_MADE[name]}")
    if name not in FAULTS:
        raise FaultError(f"there is no fault {name!r}; `sandbox break --list` lists them")
    made = _read(context.instance)
    if name in [each["name"] for each in made]:
        raise FaultError(f"{name} is made already; `sandbox mend {name}` takes it back")
    fault = FAULTS[name]
    with inside(context.instance.control_netns):
        # Saved before anything changes, so that a fault that was interrupted can be mended too.
        saved = [each.save(context) for each in fault.touches]
        shown = restart and fault.cached
        _write(context.instance, [*made, {"name": name, "saved": saved, "shown": shown}])
        fault.make(context)
        if shown:
            context.restart_driver()
            probe_claim.show(context)
    return fault


def mend(context: FaultContext, name: str = "") -> list[str]:
    """Take back one fault, or all, the latest first. Return their names.

    Raise FaultError if the fault is not made, or a later one has changed the same resource.
    """
    made = _read(context.instance)
    names = [each["name"] for each in made]
    if name and name not in names:
        raise FaultError(f"{name} is not made; made are: {', '.join(names) or 'none'}")
    if name:
        _check_order(names, name)
    mended = [name] if name else names[::-1]
    for each in mended:
        _mend_one(context, each)
    return mended


def _mend_one(context: FaultContext, name: str) -> None:
    made = _read(context.instance)
    (entry,) = [each for each in made if each["name"] == name]
    with inside(context.instance.control_netns):
        if entry["shown"]:
            probe_claim.Probe().restore(context, None)
        for resource, saved in reversed(list(zip(FAULTS[name].touches, entry["saved"], strict=True))):
            resource.restore(context, saved)
        if entry["shown"]:
            context.restart_driver()
            context.roll_out()
    _write(context.instance, [each for each in made if each["name"] != name])


def _check_order(names: list[str], name: str) -> None:
    later = names[names.index(name) + 1 :]
    for each in later:
        if set(FAULTS[each].touches) & set(FAULTS[name].touches):
            raise FaultError(f"{each} was made after {name} and changes the same resource; mend {each} first")


def _file(instance: SandboxInstance) -> Path:
    return instance.root / "made-faults.json"


def _read(instance: SandboxInstance) -> list[dict[str, Any]]:
    file = _file(instance)
    return json.loads(file.read_text()) if file.exists() else []


def _write(instance: SandboxInstance, made: list[dict[str, Any]]) -> None:
    file = _file(instance)
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(made, default=str))
    beside.replace(file)

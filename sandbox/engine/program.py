"""Run one Pulumi program in a new process, for `language_host.py`.

The process starts early: it imports the SDK, then reads its job, one JSON line on standard input. Without a job, it
ends with the input. The program's interpreter runs this file, so it imports only the standard library and the SDK.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

import pulumi
from pulumi.runtime import Settings, configure, run_in_stack, set_all_config

# Exit code after an error that the engine has: the host reports no other one.
ALREADY_REPORTED = 32
_THREADS_PER_OPERATION = 4


class Job(TypedDict):
    """Request of the engine: addresses of its services, settings of the program, and its folder."""

    project: str
    stack: str
    organization: str
    monitor: str
    engine: str
    parallel: int
    dry_run: bool
    config: dict[str, str]
    secret_keys: list[str]
    root_directory: str
    program_directory: str
    entry_point: str
    arguments: list[str]


def run(job: Job) -> int:
    """Run the program to its end; returns the exit code of this process."""
    program = Path(job["program_directory"]) / job["entry_point"]
    configure(
        Settings(
            project=job["project"],
            stack=job["stack"],
            organization=job["organization"],
            monitor=job["monitor"],
            engine=job["engine"],
            parallel=job["parallel"],
            dry_run=job["dry_run"],
            root_directory=job["root_directory"],
        )
    )
    set_all_config(job["config"], job["secret_keys"])
    sys.argv = [str(program), *job["arguments"]]
    os.chdir(job["program_directory"])
    # asyncio logs tasks that a failed program does not await.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    if program.is_dir() and not (program / "__main__.py").is_file():
        pulumi.log.error(f"unable to find main python program `__main__.py` in `{program}`")
        return ALREADY_REPORTED

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    with ThreadPoolExecutor(max(job["parallel"], 1) * _THREADS_PER_OPERATION) as executor:
        loop.set_default_executor(executor)
        try:
            loop.run_until_complete(run_in_stack(lambda: _run_program(program)))
        except pulumi.RunError as error:
            pulumi.log.error(str(error))
            return 1
        except Exception as error:  # noqa: BLE001 - any error of the program
            pulumi.log.error(f"Program failed with an unhandled exception:\n{users_traceback(error, program)}")
            return ALREADY_REPORTED
        finally:
            loop.close()
    return 0


def users_traceback(error: BaseException, program: Path) -> str:
    """Return the traceback from the program's first frame on; all of it without such a frame."""
    main = str(program / "__main__.py") if program.is_dir() else str(program)
    trace = error.__traceback__
    while trace is not None and os.path.realpath(trace.tb_frame.f_code.co_filename) != os.path.realpath(main):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace or error.__traceback__))


def _run_program(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


def main() -> None:
    line = sys.stdin.readline()
    if not line:
        return
    code = run(json.loads(line))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()

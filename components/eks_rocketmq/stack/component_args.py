"""Arguments of a component from an object of the stack file. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

from eks_rocketmq.args.arg_schema import FieldPath, convert_from_camel_case, to_camel_case, validate_args
from eks_rocketmq.args.errors import ErrorCollector
from eks_rocketmq.stack.spelling import as_spelled


def part(  # noqa: PLR0913, PLR0917 - `place` and `program` are for few parts
    key: str,
    given: Any,  # noqa: ANN401 - what `wanted` says
    wanted: Any,  # noqa: ANN401 - as above
    wired: Mapping[str, Any],
    place: FieldPath = (),
    program: Collection[str] = (),
) -> Any:  # noqa: ANN401 - as above
    """Return the arguments of one component from an object of the stack file.

    Args:
        key: where it stands.
        given: what stands there.
        wanted: TypedDict of the component.
        wired: arguments that the stack gives itself.
        place: where it stands, as a path; the key unless it is given.
        program: names of arguments that the program gives later.

    Raises:
        ValueError: for each field that is not accepted.
    """
    problems, path, own = ErrorCollector(), place or (key,), (*wired, *program)
    args = convert_from_camel_case(given, wanted, key, path, problems)
    taken = [to_camel_case(name) for name in own if isinstance(args, dict) and name in args]
    if taken:
        problems.add(ValueError(f"{key} has {', '.join(taken)}, which the stack sets itself; leave it out"))
    complete = {**args, **wired} if isinstance(args, dict) else args
    with problems.collect(), as_spelled():
        validate_args(complete, wanted, key, path, own)
    problems.raise_errors()
    return complete

"""Templates in the tags of a StorageClass, which the EBS CSI driver evaluates for each claim. Pure.

The driver uses Go's `text/template`:
https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md
It creates no volume if it cannot evaluate the template, so the claim stays Pending. The check finds unknown variables
and functions, wrong numbers of values, and text that is no template. It does not evaluate the template.
"""

import re
from collections.abc import Iterator

from eks_rocketmq.args.argument_path import ArgumentPath
from eks_rocketmq.args.errors import ArgumentError

VARIABLES = (".PVCName", ".PVCNamespace", ".PVName")
FUNCTIONS = {"contains": 2, "field": 3, "index": 2, "lastIndex": 2, "substring": 3, "toLower": 1, "toUpper": 1}
"""Functions of the driver, with the number of their values. The value before a `|` is the last one."""
_GO_FUNCTIONS = frozenset(
    {"and", "or", "not", "len", "slice", "print", "printf", "println", "eq", "ne", "lt", "le", "gt", "ge"}
)
"""Functions of Go. The driver disables `js`, `call`, `html` and `urlquery`."""
_BLOCKS = frozenset({"if", "range", "with"})
_CONTROLS = frozenset({"break", "continue", "else", "end"})
_DECLARATIONS = frozenset({":=", "=", ","})
_CONSTANTS = frozenset({"true", "false", "nil"})
_ACTION = re.compile(r"""\{\{(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|(?!\}\}|["`']).)*\}\}""", re.DOTALL)
_COMMENT = re.compile(r"\{\{(- )?/\*.*?\*/( -)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?:(?P<value>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|[+-]?\d[\w.]*|\$\w*(?:\.\w+)*|(?:\.\w+)+|\.)"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<sign>:=|[=|(),]))""",
    re.ASCII,
)


def validate_tag_template(value: str, path: ArgumentPath) -> None:
    """Validate the value of a tag as a template.

    Raise ValueError if the driver cannot evaluate the template.
    """
    problem = _find_problem(value)
    if problem is not None:
        raise ArgumentError(
            path,
            "tag-template",
            "the EBS CSI driver cannot evaluate the template {given!r}: {problem}",
            accepted="templates of Go with the variables {variables} and the functions {functions}, such as "
            "'{{{{ .PVCNamespace | toUpper }}}}'",
            remedy="Claims stay Pending with other templates",
            given=value,
            problem=problem,
            variables=", ".join(VARIABLES),
            functions=", ".join(FUNCTIONS),
        )


def _find_problem(value: str) -> str | None:
    rest = _COMMENT.sub("", value)
    open_blocks = 0
    for action in _ACTION.findall(rest):
        inner = re.sub(r"^-\s|\s-$", " ", action[2:-2])
        tokens = list(_split_tokens(inner))
        if not tokens:
            return "a pair of braces is empty"
        if None in tokens:
            return f"{inner.strip()!r} is no expression"
        known = [token for token in tokens if token is not None]
        open_blocks += known[0] in _BLOCKS
        open_blocks -= known[0] == "end"
        if open_blocks < 0:
            return "'end' has no beginning"
        if problem := _find_problem_in_action(known):
            return problem
    if "{{" in _ACTION.sub("", rest):
        return "'{{' has no end"
    return "a block has no 'end'" if open_blocks else None


def _split_tokens(text: str) -> Iterator[str | None]:
    """Yield the tokens of an action. None stands for text that is no token."""
    position, text = 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            yield None
            return
        yield match[0].strip()
        position = match.end()


def _find_problem_in_action(tokens: list[str]) -> str | None:
    if tokens[0] in _CONTROLS:
        tokens = tokens[1:]
        if not tokens:
            return None
    if tokens[0] in _BLOCKS:
        tokens = tokens[1:]
    problems = filter(None, map(_find_problem_in_token, tokens))
    # A declaration of variables has other rules.
    return next(problems, None) or (None if _DECLARATIONS & set(tokens) else _find_problem_in_pipeline(tokens))


def _find_problem_in_token(token: str) -> str | None:
    variable = token.removeprefix("$")
    if variable.startswith(".") and variable != "." and variable not in VARIABLES:
        return f"there is no variable {variable}"
    if token.isidentifier() and token not in _CONSTANTS | _GO_FUNCTIONS | FUNCTIONS.keys():
        return f"there is no function {token}"
    return None


def _find_problem_in_pipeline(tokens: list[str]) -> str | None:
    # Each open parenthesis has its own pipeline. A command is its words, and "|" first if it gets a value.
    commands: list[list[str]] = [[]]
    for token in tokens:
        if token == "(":  # noqa: S105 - a parenthesis
            commands.append([])
        elif token in {"|", ")"}:
            if problem := _find_problem_in_command(commands.pop()):
                return problem
            if token == "|":  # noqa: S105 - a pipe
                commands.append(["|"])
            elif not commands:
                return "')' has no '('"
            else:
                commands[-1].append("()")
        else:
            commands[-1].append(token)
    return "'(' has no ')'" if len(commands) > 1 else _find_problem_in_command(commands[0])


def _find_problem_in_command(words: list[str]) -> str | None:
    piped = words[:1] == ["|"]
    name, *values = words[piped:] or [""]
    if not name:
        return "a value is missing"
    expected, given = FUNCTIONS.get(name), len(values) + piped
    if expected not in {None, given}:
        return f"{name} takes {expected} values, and {given} are given"
    return f"{name} after '|' is no function" if piped and not name.isidentifier() else None

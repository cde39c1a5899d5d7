"""`python -m scripts.docs_site`: build the documentation as a site with search, in `build/site`.

The pages are read on the code host too, so their links are relative, and some lead to files that are no pages. The
pages are copied into one folder, with such links pointed at the repository. The generator then checks every link.
"""

import posixpath
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIG = "zensical.toml"
PAGES = (
    "*.md",
    "docs/**/*.md",
    "components/*.md",
    "examples/*.md",
    "examples/*/README.md",
    "sandbox/**/*.md",
)
"""Every file that is a page of the site."""
_FENCE = re.compile(r"\s*(?:> )?```")
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
_IMAGES = {".svg", ".png"}


class DocsError(Exception):
    """The site cannot be built; the message names page and reason."""


def list_pages(repository: Path) -> list[str]:
    """Return every page of a repository, as a path relative to its root."""
    return sorted({path.relative_to(repository).as_posix() for pattern in PAGES for path in repository.glob(pattern)})


def read_configuration(repository: Path) -> dict[str, Any]:
    """Return the generator's settings."""
    return tomllib.loads((repository / CONFIG).read_text(encoding="utf-8"))["project"]


def walk_navigation(entries: list[Any]) -> Iterator[str]:
    """Yield the pages that a navigation names, in its order."""
    for entry in entries:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(target, list):
                yield from walk_navigation(target)
            else:
                yield target


def check_navigation(repository: Path) -> None:
    """Compare the navigation with the pages; the generator checks neither direction.

    Raises:
        DocsError: for a page that is not in the navigation or is there twice, and for an entry without its page.
    """
    named = list(walk_navigation(read_configuration(repository)["nav"]))
    existing = list_pages(repository)
    problems = [
        *(f"{page}: it is not in `nav`. Add it there." for page in existing if page not in named),
        *(
            f"{page}: `nav` names it, and it does not exist. Correct the path."
            for page in named
            if page not in existing
        ),
        *(f"{page}: `nav` names it twice. Remove one entry." for page in dict.fromkeys(named) if named.count(page) > 1),
    ]
    if problems:
        raise DocsError("\n".join(f"{CONFIG}: {problem}" for problem in problems))


def rewrite_links(text: str, page: str, repository: Path, url: str) -> str:
    """Return a page's text with the links that the site needs.

    Args:
        text: Markdown of the page.
        page: its path relative to the repository.
        repository: root of the repository.
        url: address of the repository on the code host.

    Raises:
        DocsError: for a link to a file that does not exist.
    """
    known = set(list_pages(repository))
    folder = posixpath.dirname(page)

    def replace(found: re.Match[str]) -> str:
        target = found[2]
        path, mark, anchor = target.partition("#")
        if path.startswith(f"{url}/blob/main/"):
            path = posixpath.relpath(path.removeprefix(f"{url}/blob/main/"), folder or ".")
        elif not path or re.match(r"[a-z]+:", path):
            return found[0]
        place = posixpath.normpath(posixpath.join(folder, path))
        if not (repository / place).exists():
            msg = f"{page}: the link {target!r} leads to no file. Correct it."
            raise DocsError(msg)
        if place not in known and Path(place).suffix not in _IMAGES:
            kind = "tree" if (repository / place).is_dir() else "blob"
            path = f"{url}/{kind}/main/{place}"
        return f"{found[1]}{path}{mark}{anchor}{found[3]}"

    lines, fenced = [], False
    for line in text.splitlines(keepends=True):
        fenced ^= bool(_FENCE.match(line))
        lines.append(line if fenced else _LINK.sub(replace, line))
    return "".join(lines)


def assemble_pages(repository: Path, target: Path) -> None:
    """Copy pages and images into an empty folder, under the paths that they have in the repository."""
    url = read_configuration(repository)["repo_url"]
    shutil.rmtree(target, ignore_errors=True)
    for page in list_pages(repository):
        copy = target / page
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = (repository / page).read_text(encoding="utf-8")
        copy.write_text(rewrite_links(text, page, repository, url), encoding="utf-8")
    for image in repository.glob("docs/images/*"):
        (target / image.relative_to(repository)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target / image.relative_to(repository))


def build_site(repository: Path) -> Path:
    """Build the site and return its folder.

    Raises:
        DocsError: for a page outside the navigation, a missing page, and a link or anchor that leads nowhere.
    """
    check_navigation(repository)
    settings = read_configuration(repository)
    assemble_pages(repository, repository / settings["docs_dir"])
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        output = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr.partition("Traceback")[0])
        msg = f"The generator found errors.\n{output}"
        raise DocsError(msg)
    return repository / settings["site_dir"]


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build_site(REPOSITORY)}\n")
    except DocsError as error:
        sys.exit(str(error))

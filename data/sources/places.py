"""Where coding agents keep their logs on this machine: the `places` that formats declare.

A place is a path below the home folder (`~`) or below that of a variable (`$CODEX_HOME`, left out
where it is not set; several folders with commas between them are several places); a star stands for
any name. What lies there is a format's only if its head says so: other files are none of our
business and nobody hears of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from data.errors import EventError, SourceError
from data.sources import Input, formats, head_of
from data.sources.files import File, files_in
from data.sources.format import Format


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a format, and the folders they lie in."""

    format: Format
    folders: tuple[Path, ...]
    inputs: tuple[Input, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(each.file.path.stat().st_size for each in self.inputs if each.file.path)


def found_here() -> list[Found]:
    """What there is on this machine, by the formats' names."""
    found = []
    for each in formats().values():
        there = folders(each)
        inputs = tuple(Input(file, each) for file in files_of(each) if recognised(each, file))
        if inputs:
            found.append(Found(each, tuple(there), inputs))
    return found


def folders(form: Format) -> list[Path]:
    """The places of a format that exist, each once."""
    there = (path for place in form.places for path in _existing(place))
    return list({path.resolve(): path for path in there}.values())


def files_of(form: Format) -> Iterator[File]:
    """All files that could be of a format, each once; what cannot be read is left out."""
    for folder in folders(form):
        try:
            yield from files_in(folder)
        except SourceError:
            continue


def recognised(form: Format, file: File) -> bool:
    """Whether a file is of a format."""
    try:
        return form.recognises(head_of(file))
    except EventError:
        return False


def _existing(place: str) -> Iterator[Path]:
    root, _, below = place.partition("/")
    bases = [str(Path.home())] if root == "~" else os.environ.get(root[1:], "").split(",")
    for base in filter(None, map(str.strip, bases)):
        yield from sorted(Path(base).expanduser().glob(below))

"""What the command line says: strangers' text without steering characters, problems, progress."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from typing import IO, Any

from semkit.errors import SemkitError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def told(result: Any) -> int:
    for line in result.summary():
        say(line)
    for path in result.files:
        say(f"wrote {path}")
    return 0


def plain(text: str) -> str:
    """Strangers' text without characters that steer a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def say(text: str, stream: IO[str] | None = None) -> None:
    stream = stream or sys.stdout
    shown = plain(text)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(shown.encode(encoding, "replace").decode(encoding), file=stream)


def print_problems(error: SemkitError) -> None:
    count = len(error.problems)
    say(f"semkit: {count} problem{'s' if count > 1 else ''}", sys.stderr)
    for number, problem in enumerate(error.problems, start=1):
        head = f"{problem.where}: {problem.what}" if problem.where else problem.what
        say(f"{number}. {head.rstrip()} [{problem.code}]", sys.stderr)
        if problem.allowed:
            say(f"   allowed: {problem.allowed}", sys.stderr)
        if problem.remedy:
            say(f"   remedy: {problem.remedy}", sys.stderr)


class Progress:
    """Stages with their time on stderr; nothing when stderr is no terminal, unless asked."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.on = options.progress or (sys.stderr.isatty() and not options.quiet)
        self.live = sys.stderr.isatty()
        self.start = time.perf_counter()

    def __enter__(self) -> Callable[[str], None]:
        return self.show

    def show(self, text: str) -> None:
        if self.on:
            seconds = time.perf_counter() - self.start
            line = f"[{seconds:5.1f} s] {plain(text)}"
            print(f"\r\x1b[K{line}" if self.live else line, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.on and self.live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

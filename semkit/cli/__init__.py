"""The command line: ``semkit new | new-instrument | check | run | clean | validate | fit | export |
monitor | restrict | simulate``.

Exit codes: 0 done; 1 the study's answer is "no" (bad data), or a mistake in semkit itself; 2 wrong usage (arguments,
files, models).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from semkit.cli.arguments import build_parser
from semkit.cli.forms import FORMS
from semkit.cli.speech import plain, print_problems
from semkit.errors import OptionError, Problem, SemkitError, suggest

__all__ = ["COMMANDS", "FORMS", "main"]

COMMANDS = ("new", "new-instrument", "check", "run", "clean", "validate", "fit", "export", "monitor", "restrict",
            "simulate")  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; a user's mistake never shows a traceback."""
    arguments = [str(argument) for argument in (sys.argv[1:] if argv is None else argv)]
    debug = "--debug" in arguments
    try:
        options = _read([argument for argument in arguments if argument != "--debug"])
        return int(options.action(options))
    except SemkitError as error:
        if debug:
            raise
        print_problems(error)
        return error.exit_code
    except SystemExit as stop:  # --help and --version
        return int(stop.code or 0)
    except KeyboardInterrupt:
        print("semkit: stopped; nothing half-written was left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of our output has gone; keep the interpreter from complaining when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if debug:
            raise
        text = plain(f"{type(error).__name__}: {error}".splitlines()[0][:300])
        print(
            f"semkit: a mistake in semkit itself, not in your files: {text}\n"
            "        Run the same command with --debug to see where, and report it with that text.",
            file=sys.stderr,
        )
        return 1


def _read(arguments: list[str]) -> argparse.Namespace:
    words = [argument for argument in arguments if not argument.startswith("-")]
    flags = {"-h", "--help", "--version"} & set(arguments)
    if words and words[0] not in COMMANDS and arguments[0] == words[0]:
        near = suggest(words[0], COMMANDS).strip()
        if not near and words[0].endswith(".toml"):
            near = f"Did you mean `semkit run {words[0]}`?"
        raise OptionError(
            Problem("cli.unknown-command", "semkit", f'"{words[0]}" is no command', ", ".join(COMMANDS),
                    near or "`semkit --help` explains them.")
        )  # fmt: skip
    if not words and not flags:
        build_parser().print_help(sys.stderr)
        raise OptionError(
            Problem("cli.no-command", "semkit", "no command was given", ", ".join(COMMANDS), "Start with `semkit new`.")
        )
    return build_parser().parse_args(arguments)

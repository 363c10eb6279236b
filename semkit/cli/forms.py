"""Commands that write instruments in other forms."""

from __future__ import annotations

import argparse
from pathlib import Path

from semkit.cli.speech import say
from semkit.errors import OptionError, Problem, suggest

FORMS = ("codebook", "xlsform", "limesurvey", "qualtrics", "google-forms", "html", "docx", "entry-workbook", "workbook")


def export(options: argparse.Namespace) -> int:
    from semkit.instrument import combine, load_instrument, write_codebook
    from semkit.instrument.export import export_files

    if options.to not in FORMS:
        raise OptionError(
            Problem(
                "cli.unknown-form",
                "--to",
                f'"{options.to}" is no form an instrument can be written in',
                ", ".join(FORMS),
                suggest(options.to, FORMS).strip() or "Use one of these.",
            )
        )
    if options.to == "workbook":
        return _workbook(options)
    settings = dict(map(_setting, options.settings))
    forms = [load_instrument(name) for name in options.instrument]
    languages = tuple(part.strip() for part in options.lang.split(",") if part.strip())
    if options.to == "codebook":
        path = Path(options.output) if options.output else Path(f"{combine(forms).name}_codebook.html")
        say(f"wrote {write_codebook(forms, path, languages or forms[0].languages)}")
    else:
        for path in export_files(forms, options.to, options.output, languages or forms[0].languages, settings):
            say(f"wrote {path}")
    return 0


def _workbook(options: argparse.Namespace) -> int:
    """One file, one workbook: it is the file that is edited, with every language it has."""
    from semkit.instrument import to_workbook

    if len(options.instrument) > 1:
        raise OptionError(
            Problem("cli.one-instrument", "--to workbook", f"{len(options.instrument)} instruments were named",
                    "one instrument", "Write a workbook for each.")
        )  # fmt: skip
    name = options.instrument[0]
    say(f"wrote {to_workbook(name, options.output or f'{Path(name).stem}_workbook.xlsx')}")
    return 0


def _setting(text: str) -> tuple[str, str]:
    name, equals, words = text.partition("=")
    if not equals or not name.strip():
        raise OptionError(
            Problem("cli.setting", "--set", f'"{text}" is no setting', "NAME=WORDS", 'For example --set topic="trade".')
        )
    return name.strip(), words

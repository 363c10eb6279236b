"""Commands that start, check and run studies."""

from __future__ import annotations

import argparse
from pathlib import Path

from semkit.cli.speech import Progress, say, told


def new(options: argparse.Namespace) -> int:
    from semkit.study.templates import new_study

    written = new_study(options.folder, options.template)
    for path in written:
        say(f"wrote {path}")
    say(f"next: semkit run {Path(options.folder) / 'study.toml'}")
    return 0


def new_instrument(options: argparse.Namespace) -> int:
    from semkit.instrument import from_workbook, new_instrument

    path = from_workbook(options.workbook, options.file) if options.workbook else new_instrument(options.file)
    say(f"wrote {path}")
    say(f"next: semkit check {path}")
    return 0


def check(options: argparse.Namespace) -> int:
    from semkit.study import read_study
    from semkit.study.reading import looks_like_instrument

    if looks_like_instrument(options.file):
        from semkit.instrument import load_instrument

        form = load_instrument(Path(options.file))
        say(f"{options.file}: no problem ({len(form.items)} items, {len(form.constructs)} constructs)")
        return 0
    study = read_study(options.file)
    file = study.file
    say(
        f"{options.file}: no problem ({len(study.instruments)} instruments, {len(file.models)} models, "
        f"{len(file.claims)} claims)"
    )
    return 0


def run(options: argparse.Namespace) -> int:
    from semkit.study import run

    with Progress(options) as progress:
        result = run(options.file, output=options.output, progress=progress)
    for line in result.summary():
        say(line)
    say(f"report: {result.folder / 'report.html'}")
    return 0


def clean(options: argparse.Namespace) -> int:
    from semkit.study import run_cleaning

    with Progress(options) as progress:
        result = run_cleaning(options.file, output=options.output, progress=progress)
    return told(result)


def validate(options: argparse.Namespace) -> int:
    from semkit.study import run_validation

    with Progress(options) as progress:
        result = run_validation(options.file, output=options.output, progress=progress)
    return told(result)


def fit(options: argparse.Namespace) -> int:
    from semkit.study import run_fitting

    with Progress(options) as progress:
        result = run_fitting(options.file, output=options.output, progress=progress)
    return told(result)

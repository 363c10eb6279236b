"""Commands for the time of the fieldwork, and invented answers."""

from __future__ import annotations

import argparse
from pathlib import Path

from semkit.cli.speech import say
from semkit.errors import OptionError, Problem


def monitor(options: argparse.Namespace) -> int:
    from semkit.instrument import load_instrument
    from semkit.monitoring import monitor, read_quotas
    from semkit.responses import read_responses
    from semkit.writing import write_text

    if options.output and not options.output.casefold().endswith((".html", ".htm")):
        raise OptionError(
            Problem("cli.page-ending", "--output", f"{options.output} is no name of a page", "a name ending in .html",
                    "Name the page .html; without --output the text is shown here.")
        )  # fmt: skip
    forms = [load_instrument(name) for name in options.instrument]
    answers = read_responses(options.file, forms, mapping=options.mapping)
    found = monitor(answers, quotas=read_quotas(options.quota) if options.quota else None, region=options.region)
    if options.output:
        say(f"wrote {write_text(options.output, found.html())}")
    else:
        say(found.text().rstrip())
    return 0


def restrict(options: argparse.Namespace) -> int:
    from semkit.instrument import load_instrument
    from semkit.responses import (
        check_format,
        new_key,
        outside,
        read_key,
        read_responses,
        respondent_pseudonyms,
        write_responses,
        write_restricted,
    )

    _check_files(options)
    check_format(options.output)
    outside(options.restricted, options.study)
    forms = [load_instrument(name) for name in options.instrument]
    answers = read_responses(options.file, forms, mapping=options.mapping)
    if options.new_key:
        say(f"wrote {new_key(options.key, study=options.study)}")
    key = read_key(options.key, study=options.study)
    names = respondent_pseudonyms(answers, key, by=options.by)
    say(f"wrote {write_restricted(answers, options.restricted, key, by=options.by)}")
    say(f"wrote {write_responses(answers, options.output, pseudonyms=names)}")
    say(f"{len(answers.personal.columns)} columns that look personal are in the restricted file only")
    return 0


def _check_files(options: argparse.Namespace) -> None:
    """Four files, none in the place of another: who writes people over answers loses both."""
    named = {"EXPORT": options.file, "--key": options.key, "--restricted": options.restricted, "-o": options.output}
    places: dict[Path, list[str]] = {}
    for name, path in named.items():
        places.setdefault(Path(path).resolve(), []).append(name)
    twice = [" and ".join(names) for names in places.values() if len(names) > 1]
    if twice:
        raise OptionError(
            Problem("cli.same-file", "semkit restrict", f"{', '.join(twice)} name the same file",
                    "a file of its own for each", "One would be written over the other: choose other names.")
        )  # fmt: skip
    if Path(options.restricted).suffix.casefold() != ".csv":
        raise OptionError(
            Problem("cli.restricted-ending", "--restricted", f"{options.restricted} is no name of a CSV file",
                    "a name ending in .csv", "The restricted file is CSV.")
        )  # fmt: skip


def simulate(options: argparse.Namespace) -> int:
    from semkit.planning import simulate_responses

    if not 1000 <= options.draws <= 10_000_000:
        few = "few" if options.draws < 1000 else "many"
        raise OptionError(
            Problem("cli.draws", "--draws", f"{options.draws} is too {few}", "1000 to 10000000",
                    "Leave it out: the planted values come from 1,000,000 draws.")
        )  # fmt: skip
    invented = simulate_responses(options.study, n=options.n, seed=options.seed)
    more = {} if options.study == "border_cases30" else {"draws": options.draws}
    for path in invented.write(options.output, **more):
        say(f"wrote {path}")
    say("invented data; no respondent exists")
    return 0

"""The command line: ``semkit new | new-instrument | check | run | clean | validate | fit | export |
monitor | restrict | simulate``.

Exit codes: 0 done; 1 the study's answer is "no" (bad data), or a mistake in semkit itself; 2 wrong usage (arguments,
files, models).
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from semkit import __version__
from semkit.errors import OptionError, Problem, SemkitError, suggest

FORMS = ("codebook", "xlsform", "limesurvey", "qualtrics", "google-forms", "html", "docx", "entry-workbook", "workbook")
COMMANDS = ("new", "new-instrument", "check", "run", "clean", "validate", "fit", "export", "monitor", "restrict",
            "simulate")  # fmt: skip

_EPILOG = """examples:
  semkit new mystudy                        a study folder to start from
  semkit check mystudy/study.toml           every problem of the file at once
  semkit run mystudy/study.toml             all stages, verdicts, report.html
  semkit run mystudy/study.toml -o out      the same, results in the folder out
  semkit export government_role --to codebook --lang id,en -o codebook.html
  semkit monitor export.csv -i government_role   who has answered so far, and what looks wrong
  semkit simulate governance -o data        invented answers with a known truth
  semkit export government_role --to xlsform --set organisation=... --set topic=... -o form.xlsx

exit codes: 0 done, 1 the data give no answer, 2 wrong usage (arguments, files, models)
"""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Parser(argparse.ArgumentParser):
    """Says what was wrong in the same form as every other error."""

    def error(self, message: str) -> NoReturn:
        match = re.search(r"unrecognized arguments: (\S+)", message)
        options = [name for action in self._actions for name in action.option_strings]
        remedy = suggest(match.group(1), options).strip() if match else ""
        raise OptionError(
            Problem("cli.arguments", self.prog, message, self.format_usage().replace("usage: ", "").strip(),
                    remedy or f"`{self.prog} --help` explains them.")
        )  # fmt: skip


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
        _print_problems(error)
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
        text = _plain(f"{type(error).__name__}: {error}".splitlines()[0][:300])
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
        _parser().print_help(sys.stderr)
        raise OptionError(
            Problem("cli.no-command", "semkit", "no command was given", ", ".join(COMMANDS), "Start with `semkit new`.")
        )
    return _parser().parse_args(arguments)


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="semkit", description="From a survey to a verdict.", epilog=_EPILOG, formatter_class=form)
    parser.add_argument("--version", action="version", version=f"semkit {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error arose (a traceback)")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)

    def command(name: str, action: Callable[[argparse.Namespace], int], text: str, example: str) -> Any:
        sub = commands.add_parser(
            name,
            help=text,
            description=text[:1].upper() + text[1:] + ".",
            epilog=f"example:\n  {example}",
            formatter_class=form,
        )
        sub.set_defaults(action=action)
        return sub

    sub = command(
        "new", _new, "make a study folder to start from", "semkit new mystudy --template border_collaboration"
    )
    sub.add_argument("folder", metavar="STUDY_DIR", help="a new or empty folder")
    sub.add_argument(
        "--template", default="border_collaboration", help="example to copy (default: border_collaboration)"
    )
    sub = command(
        "new-instrument", _new_instrument, "make a questionnaire file to start from, or from a workbook",
        "semkit new-instrument my_survey.toml\n  semkit export my_survey.toml --to workbook -o my_survey.xlsx\n"
        "  semkit new-instrument my_survey_2.toml --from my_survey.xlsx",
    )  # fmt: skip
    sub.add_argument("file", metavar="FILE.toml", help="a new file; its name is the name of the questionnaire")
    sub.add_argument("--from", dest="workbook", metavar="WORKBOOK.xlsx", help="a workbook of `export --to workbook`")
    sub = command(
        "check", _check, "list every problem of a study or instrument file", "semkit check mystudy/study.toml"
    )
    sub.add_argument("file", metavar="FILE.toml", help="a study file or an instrument file")
    for name, action, text in (
        ("run", _run, "run every stage: read, clean, validate, fit, probe, judge, report"),
        ("clean", _clean, "read and clean the responses; who was excluded and why"),
        ("validate", _validate, "read, clean and validate the scales"),
        ("fit", _fit, "read, clean and fit the models"),
    ):
        sub = command(name, action, text, f"semkit {name} mystudy/study.toml -o results")
        sub.add_argument("file", metavar="STUDY.toml", help="the study file")
        sub.add_argument("-o", "--output", metavar="DIR", help="folder for the results")
        _talk(sub)
    sub = command("export", _export, "write an instrument in another form",
                  "semkit export government_role --to codebook --lang id,en -o codebook.html")  # fmt: skip
    sub.add_argument(
        "instrument",
        metavar="INSTRUMENT",
        nargs="+",
        help="name of one of semkit's instruments, or a .toml file; several make one form",
    )
    sub.add_argument("--to", required=True, metavar="FORM", help=", ".join(FORMS))
    sub.add_argument("--lang", default="id,en", help="languages, separated by commas (default: id,en)")
    sub.add_argument(
        "-o", "--output", metavar="PATH",
        help="file to write; a codebook: .html, .xlsx, .csv or .xml (DDI) (default: NAME... here)"
    )
    sub.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=WORDS",
        help="words for a placeholder of the consent text, NAME.id=WORDS for one language; may be repeated",
    )
    _field_commands(command)
    return parser


def _field_commands(command: Callable[..., Any]) -> None:
    """Commands for the time of the fieldwork."""
    sub = command("monitor", _monitor, "say how a survey stands while it is in the field",
                  "semkit monitor export.csv -i government_role --quota quota.toml -o now.html")  # fmt: skip
    sub.add_argument("file", metavar="EXPORT", help="a half-finished export of the field tool")
    sub.add_argument("-i", "--instrument", action="append", required=True, metavar="INSTRUMENT",
                     help="name of one of semkit's instruments, or a .toml file; may be repeated")  # fmt: skip
    sub.add_argument("--quota", metavar="FILE.toml", help="[quota.<question>] with <choice> = <interviews>")
    sub.add_argument("--region", metavar="QUESTION", help="question whose choices are the regions")
    sub.add_argument("--mapping", metavar="FILE", help="table that says which column is which (CSV or XLSX)")
    sub.add_argument("-o", "--output", metavar="FILE.html", help="page to write (default: text here)")
    sub = command("restrict", _restrict, "split an export: answers to share, and people in a file of their own",
                  "semkit restrict export.csv -i government_role --study mystudy --key ~/keys/mystudy.key --new-key "
                  "-o mystudy/answers.csv --restricted ~/people.csv")  # fmt: skip
    sub.add_argument("file", metavar="EXPORT", help="an export of the field tool")
    sub.add_argument("-i", "--instrument", action="append", required=True, metavar="INSTRUMENT",
                     help="name of one of semkit's instruments, or a .toml file; may be repeated")  # fmt: skip
    sub.add_argument("--study", required=True, metavar="DIR", help="folder that may be shared; key and people stay out")
    sub.add_argument("--key", required=True, metavar="FILE", help="key of the pseudonyms, outside the study")
    sub.add_argument("--new-key", action="store_true", help="make the key")
    sub.add_argument("--restricted", required=True, metavar="FILE.csv", help="personal columns, outside the study")
    sub.add_argument("--by", metavar="COLUMN", help="column that identifies a respondent (default: the platform's)")
    sub.add_argument("--mapping", metavar="FILE", help="table that says which column is which (CSV or XLSX)")
    sub.add_argument("-o", "--output", required=True, metavar="FILE", help="answers: .csv, .xlsx, .sav or .dta")
    sub = command("simulate", _simulate, "draw a file of invented answers from a study's stated population",
                  "semkit simulate governance -o data")  # fmt: skip
    sub.add_argument("study", metavar="STUDY", help="border, border_nointeraction, border_cases30, marketing_network, "
                     "export_compliance, digital or governance")  # fmt: skip
    sub.add_argument("-o", "--output", metavar="DIR", default=".", help="folder for STUDY_synthetic.csv and .json")
    sub.add_argument("--n", type=int, help="submissions received (default: the study's own number)")
    sub.add_argument("--seed", type=int, help="root of all draws (default: the study's own)")
    sub.add_argument("--draws", type=int, default=1_000_000, help="size of the draw behind the planted values")


def _talk(sub: argparse.ArgumentParser) -> None:
    group = sub.add_mutually_exclusive_group()
    group.add_argument("--progress", action="store_true", help="show progress even when the output is no terminal")
    group.add_argument("--quiet", action="store_true", help="show no progress")


# --- commands ---------------------------------------------------------------------------------------------------------


def _new(options: argparse.Namespace) -> int:
    from semkit.study.templates import new_study

    written = new_study(options.folder, options.template)
    for path in written:
        _say(f"wrote {path}")
    _say(f"next: semkit run {Path(options.folder) / 'study.toml'}")
    return 0


def _new_instrument(options: argparse.Namespace) -> int:
    from semkit.instrument import from_workbook, new_instrument

    path = from_workbook(options.workbook, options.file) if options.workbook else new_instrument(options.file)
    _say(f"wrote {path}")
    _say(f"next: semkit check {path}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from semkit.study import read_study
    from semkit.study.reading import looks_like_instrument

    if looks_like_instrument(options.file):
        from semkit.instrument import load_instrument

        form = load_instrument(Path(options.file))
        _say(f"{options.file}: no problem ({len(form.items)} items, {len(form.constructs)} constructs)")
        return 0
    study = read_study(options.file)
    file = study.file
    _say(
        f"{options.file}: no problem ({len(study.instruments)} instruments, {len(file.models)} models, "
        f"{len(file.claims)} claims)"
    )
    return 0


def _run(options: argparse.Namespace) -> int:
    from semkit.study import run

    with _Progress(options) as progress:
        result = run(options.file, output=options.output, progress=progress)
    for line in result.summary():
        _say(line)
    _say(f"report: {result.folder / 'report.html'}")
    return 0


def _clean(options: argparse.Namespace) -> int:
    from semkit.study import run_cleaning

    with _Progress(options) as progress:
        result = run_cleaning(options.file, output=options.output, progress=progress)
    return _told(result)


def _validate(options: argparse.Namespace) -> int:
    from semkit.study import run_validation

    with _Progress(options) as progress:
        result = run_validation(options.file, output=options.output, progress=progress)
    return _told(result)


def _fit(options: argparse.Namespace) -> int:
    from semkit.study import run_fitting

    with _Progress(options) as progress:
        result = run_fitting(options.file, output=options.output, progress=progress)
    return _told(result)


def _export(options: argparse.Namespace) -> int:
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
        _say(f"wrote {write_codebook(forms, path, languages or forms[0].languages)}")
    else:
        for path in export_files(forms, options.to, options.output, languages or forms[0].languages, settings):
            _say(f"wrote {path}")
    return 0


def _monitor(options: argparse.Namespace) -> int:
    from semkit.instrument import load_instrument
    from semkit.monitoring import monitor, read_quotas
    from semkit.responses import read_responses
    from semkit.writing import write_text

    forms = [load_instrument(name) for name in options.instrument]
    answers = read_responses(options.file, forms, mapping=options.mapping)
    found = monitor(answers, quotas=read_quotas(options.quota) if options.quota else None, region=options.region)
    if options.output:
        _say(f"wrote {write_text(options.output, found.html())}")
    else:
        _say(found.text().rstrip())
    return 0


def _restrict(options: argparse.Namespace) -> int:
    from semkit.instrument import load_instrument
    from semkit.responses import (
        new_key,
        outside,
        read_key,
        read_responses,
        respondent_pseudonyms,
        write_responses,
        write_restricted,
    )

    outside(options.restricted, options.study)
    forms = [load_instrument(name) for name in options.instrument]
    answers = read_responses(options.file, forms, mapping=options.mapping)
    if options.new_key:
        _say(f"wrote {new_key(options.key, study=options.study)}")
    key = read_key(options.key, study=options.study)
    names = respondent_pseudonyms(answers, key, by=options.by)
    _say(f"wrote {write_restricted(answers, options.restricted, key, by=options.by)}")
    _say(f"wrote {write_responses(answers, options.output, pseudonyms=names)}")
    _say(f"{len(answers.personal.columns)} columns that look personal are in the restricted file only")
    return 0


def _simulate(options: argparse.Namespace) -> int:
    from semkit.planning import simulate_responses

    if options.draws < 1000:
        raise OptionError(
            Problem("cli.draws", "--draws", f"{options.draws} is too few", "at least 1000",
                    "Leave it out: the planted values come from 1,000,000 draws.")
        )  # fmt: skip
    invented = simulate_responses(options.study, n=options.n, seed=options.seed)
    more = {} if options.study == "border_cases30" else {"draws": options.draws}
    for path in invented.write(options.output, **more):
        _say(f"wrote {path}")
    _say("invented data; no respondent exists")
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
    _say(f"wrote {to_workbook(name, options.output or f'{Path(name).stem}.xlsx')}")
    return 0


def _setting(text: str) -> tuple[str, str]:
    name, equals, words = text.partition("=")
    if not equals or not name.strip():
        raise OptionError(
            Problem("cli.setting", "--set", f'"{text}" is no setting', "NAME=WORDS", 'For example --set topic="trade".')
        )
    return name.strip(), words


# --- talking ----------------------------------------------------------------------------------------------------------


def _told(result: Any) -> int:
    for line in result.summary():
        _say(line)
    for path in result.files:
        _say(f"wrote {path}")
    return 0


def _plain(text: str) -> str:
    """Strangers' text without characters that steer a terminal."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def _say(text: str, stream: IO[str] | None = None) -> None:
    stream = stream or sys.stdout
    shown = _plain(text)
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(shown.encode(encoding, "replace").decode(encoding), file=stream)


def _print_problems(error: SemkitError) -> None:
    count = len(error.problems)
    _say(f"semkit: {count} problem{'s' if count > 1 else ''}", sys.stderr)
    for number, problem in enumerate(error.problems, start=1):
        head = f"{problem.where}: {problem.what}" if problem.where else problem.what
        _say(f"{number}. {head.rstrip()} [{problem.code}]", sys.stderr)
        if problem.allowed:
            _say(f"   allowed: {problem.allowed}", sys.stderr)
        if problem.remedy:
            _say(f"   remedy: {problem.remedy}", sys.stderr)


class _Progress:
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
            line = f"[{seconds:5.1f} s] {_plain(text)}"
            print(f"\r\x1b[K{line}" if self.live else line, end="" if self.live else "\n", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self.on and self.live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Commands, arguments and their help."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any, NoReturn

from semkit import __version__
from semkit.cli import fieldwork, forms, studies
from semkit.errors import OptionError, Problem, suggest

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


def build_parser() -> argparse.ArgumentParser:
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
        "new", studies.new, "make a study folder to start from", "semkit new mystudy --template border_collaboration"
    )
    sub.add_argument("folder", metavar="STUDY_DIR", help="a new or empty folder")
    sub.add_argument(
        "--template", default="border_collaboration", help="example to copy (default: border_collaboration)"
    )
    sub = command(
        "new-instrument", studies.new_instrument, "make a questionnaire file to start from, or from a workbook",
        "semkit new-instrument my_survey.toml\n  semkit export my_survey.toml --to workbook -o my_survey.xlsx\n"
        "  semkit new-instrument my_survey_2.toml --from my_survey.xlsx",
    )  # fmt: skip
    sub.add_argument("file", metavar="FILE.toml", help="a new file; its name is the name of the questionnaire")
    sub.add_argument("--from", dest="workbook", metavar="WORKBOOK.xlsx", help="a workbook of `export --to workbook`")
    sub = command(
        "check", studies.check, "list every problem of a study or instrument file", "semkit check mystudy/study.toml"
    )
    sub.add_argument("file", metavar="FILE.toml", help="a study file or an instrument file")
    for name, action, text in (
        ("run", studies.run, "run every stage: read, clean, validate, fit, probe, judge, report"),
        ("clean", studies.clean, "read and clean the responses; who was excluded and why"),
        ("validate", studies.validate, "read, clean and validate the scales"),
        ("fit", studies.fit, "read, clean and fit the models"),
    ):
        sub = command(name, action, text, f"semkit {name} mystudy/study.toml -o results")
        sub.add_argument("file", metavar="STUDY.toml", help="the study file")
        sub.add_argument("-o", "--output", metavar="DIR", help="folder for the results")
        _talk(sub)
    _export_command(command)
    _field_commands(command)
    return parser


def _export_command(command: Callable[..., Any]) -> None:
    """The command that writes an instrument in another form."""
    sub = command("export", forms.export, "write an instrument in another form",
                  "semkit export government_role --to codebook --lang id,en -o codebook.html")  # fmt: skip
    sub.add_argument(
        "instrument",
        metavar="INSTRUMENT",
        nargs="+",
        help="name of one of semkit's instruments, or a .toml file; several make one form",
    )
    sub.add_argument("--to", required=True, metavar="FORM", help=", ".join(forms.FORMS))
    sub.add_argument("--lang", default="id,en", help="languages, separated by commas (default: id,en)")
    sub.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="file to write; a codebook: .html, .xlsx, .csv or .xml (DDI) (default: NAME... here)",
    )
    sub.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=WORDS",
        help="words for a placeholder of the consent text, NAME.id=WORDS for one language; may be repeated",
    )


def _field_commands(command: Callable[..., Any]) -> None:
    """Commands for the time of the fieldwork."""
    sub = command("monitor", fieldwork.monitor, "say how a survey stands while it is in the field",
                  "semkit monitor export.csv -i government_role --quota quota.toml -o now.html")  # fmt: skip
    sub.add_argument("file", metavar="EXPORT", help="a half-finished export of the field tool")
    sub.add_argument("-i", "--instrument", action="append", required=True, metavar="INSTRUMENT",
                     help="name of one of semkit's instruments, or a .toml file; may be repeated")  # fmt: skip
    sub.add_argument("--quota", metavar="FILE.toml", help="[quota.<question>] with <choice> = <interviews>")
    sub.add_argument("--region", metavar="QUESTION", help="question whose choices are the regions")
    sub.add_argument("--mapping", metavar="FILE", help="table that says which column is which (CSV or XLSX)")
    sub.add_argument("-o", "--output", metavar="FILE.html", help="page to write (default: text here)")
    sub = command("restrict", fieldwork.restrict,
                  "split an export: answers to share, and people in a file of their own",
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
    sub = command("simulate", fieldwork.simulate, "draw a file of invented answers from a study's stated population",
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

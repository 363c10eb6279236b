"""The command line as a new user meets it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from semkit import __version__
from semkit.cli import COMMANDS, main
from tests.study import small

QUIET = small.STUDY + "\n[output]\nfigures = false\n"


def told(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    shown = capsys.readouterr()
    return shown.out, shown.err


@pytest.mark.parametrize(
    ("argv", "code", "place", "allowed", "remedy"),
    [
        ([], "cli.no-command", "semkit", "run", "semkit new"),
        (["rnu", "x.toml"], "cli.unknown-command", '"rnu"', "run", 'Did you mean "run"'),
        (["study.toml"], "cli.unknown-command", '"study.toml"', "run", "semkit run study.toml"),
        (["run"], "cli.arguments", "semkit run", "STUDY.toml", "--help"),
        (["run", "x.toml", "--outptu", "y"], "cli.arguments", "--outptu", "semkit", ""),
        (["export", "government_role"], "cli.arguments", "--to", "semkit export", "--help"),
        (["export", "government_role", "--to", "codebok"], "cli.unknown-form", "codebok", "codebook", "Did you mean"),
        (["export", "govrole", "--to", "codebook"], "instrument.unknown-instrument", "govrole", "government_role", ""),
        (["export", "government_role", "--to=codebook", "--lang=fr"], "instrument.unknown-language", "fr", "", ""),
        (["new"], "cli.arguments", "semkit new", "STUDY_DIR", "--help"),
        (["simulate", "governance", "--n", "9999999999"], "planning.bad-size", "9999999999", "at most", "seeds"),
        (["simulate", "governance", "--draws", "99999999999"], "cli.draws", "too many", "10000000", ""),
        (["monitor", "export.csv", "-i", "x", "-o", "now.pdf"], "cli.page-ending", "now.pdf", ".html", ""),
        (["export", "government_role", "government_role", "--to=html", "--set=topic=x"], "instrument.named-twice",
         "government_role: named more than once", "different", "Name each once"),
        (["check", "nosuch/study.toml"], "study.file-not-found", "nosuch/study.toml", "study file", "semkit new"),
    ],
)  # fmt: skip
def test_wrong_arguments_say_what_would_be_right(argv, code, place, allowed, remedy, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(argv) == 2
    out, err = told(capsys)
    assert out == "" and f"[{code}]" in err and "Traceback" not in err
    assert place in err and allowed in err and remedy in err
    assert not list(tmp_path.iterdir())


def test_help_of_every_command_has_an_example(capsys):
    assert main(["--help"]) == 0
    text = told(capsys)[0]
    assert "examples:" in text and "exit codes:" in text and all(name in text for name in COMMANDS)
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        assert f"semkit {name} " in told(capsys)[0].split("example:")[1]


def test_version(capsys):
    assert main(["--version"]) == 0
    assert told(capsys)[0] == f"semkit {__version__}\n"


def test_new_check_and_nothing_overwritten(tmp_path, capsys):
    folder = tmp_path / "mine"
    assert main(["new", str(folder)]) == 0
    assert (folder / "study.toml").is_file() and (folder / "border_synthetic.csv").is_file()
    assert "semkit run" in told(capsys)[0]
    assert main(["check", str(folder / "study.toml")]) == 0
    assert "no problem (3 instruments, 4 models, 2 claims)" in told(capsys)[0]
    before = small.fingerprint(folder)
    assert main(["new", str(folder)]) == 2
    assert "[study.folder-not-empty]" in told(capsys)[1] and small.fingerprint(folder) == before


@pytest.mark.parametrize("template", ["border_collaboration", "personality_survey"])
def test_templates_are_whole(template, tmp_path):
    assert main(["new", str(tmp_path / "s"), "--template", template]) == 0
    assert main(["check", str(tmp_path / "s" / "study.toml")]) == 0


def test_check_knows_instruments(tmp_path, capsys):
    path = small.make(tmp_path / "s", n=20)
    assert main(["check", str(path.parent / "mini.toml")]) == 0
    assert "6 items, 2 constructs" in told(capsys)[0]


@pytest.mark.parametrize(
    ("command", "said", "files"),
    [
        ("clean", "analysed: 200", {"cleaned.csv", "ledger.csv", "flow.csv", "manifest.json"}),
        ("validate", "alpha", {"constructs.csv", "items.csv", "htmt.csv", "fit.csv", "manifest.json"}),
        ("fit", "M: converged, n = 200", {"M_estimates.csv", "M_fit.csv", "M.lav", "manifest.json"}),
    ],
)
def test_single_stages(command, said, files, tmp_path, capsys):
    path = small.make(tmp_path / "s", study=QUIET, n=200)
    before = small.fingerprint(tmp_path)
    assert main([command, str(path)]) == 0
    assert said in told(capsys)[0]
    assert small.fingerprint(tmp_path) == before, "without -o nothing is written"
    assert main([command, str(path), "-o", str(tmp_path / "out")]) == 0
    assert {entry.name for entry in (tmp_path / "out").iterdir()} >= files
    assert main([command, str(path), "-o", str(tmp_path / "out")]) == 0, "its own results are replaced"


def test_progress_is_for_people(tmp_path, capsys):
    path = small.make(tmp_path / "s", study=QUIET, n=150)
    assert main(["run", str(path)]) == 0
    out, err = told(capsys)
    assert err == "" and "H-1: " in out and "report.html" in out
    assert main(["run", str(path), "--progress"]) == 0
    err = told(capsys)[1]
    assert "cleaning" in err and "model M" in err and "report" in err and "\x1b" not in err


@pytest.mark.parametrize("suffix", ["html", "csv"])
def test_export_codebook(suffix, tmp_path, capsys):
    target = tmp_path / f"book.{suffix}"
    assert main(["export", "government_role", "--to", "codebook", "--lang", "en,id", "-o", str(target)]) == 0
    assert f"wrote {target}" in told(capsys)[0]
    text = target.read_text(encoding="utf-8-sig")
    assert "The cost of permits is affordable" in text and "Biaya mengurus izin" in text


def test_a_mistake_of_semkit_is_short_and_has_a_way_on(tmp_path, capsys, monkeypatch):
    path = small.make(tmp_path / "s", n=20)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("division\x1b[31m by zero")

    monkeypatch.setattr("semkit.study.read_study", broken)
    assert main(["check", str(path)]) == 1
    err = told(capsys)[1]
    assert "a mistake in semkit itself" in err and "ZeroDivisionError" in err and "--debug" in err
    assert "Traceback" not in err and "\x1b" not in err
    with pytest.raises(ZeroDivisionError):
        main(["check", str(path), "--debug"])


def test_interrupting_leaves_nothing_half_written(tmp_path, capsys, monkeypatch):
    path = small.make(tmp_path / "s", study=QUIET, n=150)
    before = small.fingerprint(tmp_path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("semkit.study.content.write_report", stop)
    assert main(["run", str(path)]) == 130
    assert "stopped" in told(capsys)[1] and small.fingerprint(tmp_path) == before


def test_a_terminal_that_cannot_show_a_letter(tmp_path):
    path = small.make(tmp_path / "s", study=small.STUDY.replace('"H-1.0", model = "M"', '"H-1.0", model = "Mé"'), n=20)
    done = subprocess.run(
        [sys.executable, "-m", "semkit.cli", "check", str(path)],
        capture_output=True, env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin", "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert done.returncode == 2 and b"[study.bad-name]" in done.stderr and b"Traceback" not in done.stderr


def test_export_of_a_field_form(capsys, tmp_path):
    settings = [f"--set={name}=words" for name in ("organisation", "topic", "minutes", "contact")]
    target = tmp_path / "form.xlsx"
    command = ["export", "government_role", "marketing_performance", "--to", "xlsform", "-o", str(target)]
    assert main([*command, *settings[:2]]) == 2
    assert not target.exists()
    err = told(capsys)[1]
    assert "2 problems" in err and 'setting "minutes"' in err and "--set contact=" in err
    assert main([*command, "--set", "topic"]) == 2
    assert "[cli.setting]" in told(capsys)[1]
    assert main([*command, *settings]) == 0
    assert told(capsys)[0] == f"wrote {target}\n" and target.exists()


def test_a_questionnaire_through_a_spreadsheet(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["new-instrument", "mine.toml"]) == 0
    assert told(capsys)[0] == "wrote mine.toml\nnext: semkit check mine.toml\n"
    assert main(["export", "mine.toml", "--to", "workbook"]) == 0
    assert told(capsys)[0] == "wrote mine_workbook.xlsx\n"  # mine.xlsx is the XLSForm
    assert main(["new-instrument", "again.toml", "--from", "mine_workbook.xlsx"]) == 0
    assert main(["check", "again.toml"]) == 0
    told(capsys)
    for argv, code in (
        (["new-instrument", "mine.toml"], "instrument.file-exists"),
        (["new-instrument", "again.toml", "--from", "mine_workbook.xlsx"], "instrument.file-exists"),
        (["new-instrument", "third.toml", "--from", "mine.toml"], "instrument.not-a-workbook"),
        (["export", "mine.toml", "again.toml", "--to", "workbook"], "cli.one-instrument"),
    ):
        assert main(argv) == 2 and f"[{code}]" in told(capsys)[1]
    assert not Path("third.toml").exists()


def test_every_form_of_export_can_be_asked_for(capsys, tmp_path):
    from semkit.cli import FORMS
    from semkit.instrument.export import TARGETS

    assert set(FORMS) == {"codebook", "workbook", *TARGETS}
    settings = [f"--set={name}=words" for name in ("organisation", "topic", "minutes", "contact")]
    endings = {"xlsform": ".xlsx", "entry-workbook": ".xlsx", "google-forms": ".gs", "html": ".html", "docx": ".docx"}
    for to in TARGETS:
        target = tmp_path / f"{to}{endings.get(to, '.txt')}"
        assert main(["export", "government_role", "--to", to, "-o", str(target.with_suffix(".pdf")), *settings]) == 2
        assert "[instrument.bad-path]" in told(capsys)[1]
        assert main(["export", "government_role", "--to", to, "-o", str(target), *settings]) == 0
        made = sorted(tmp_path.glob(f"{to}*"))  # Qualtrics: a file for each language, and the logic
        assert len(made) == (3 if to == "qualtrics" else 1) and made[0].stat().st_size > 5000

"""The import commands: a summary on standard output, skipped rows on standard error, one line when nothing goes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.test_bad_rows import COMMUNES, written

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def rdv(database_url: str) -> Run:
    def run(*arguments: object, url: str = database_url) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from rdv.cli import app; app()", *map(str, arguments)]
        environment = os.environ | {"RDV_DATABASE_URL": url}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    return run


def test_skipped_rows_are_told_and_do_not_fail_the_command(rdv: Run, tmp_path: Path) -> None:
    done = rdv("import-communes", written(tmp_path, "c.csv", COMMUNES + "7505,X,,75,,,1,75001,,\n"))
    assert done.returncode == 0
    assert done.stdout == "communes: 4 rows read, 3 inserted, 0 updated, 0 unchanged, 1 skipped, 0 warnings\n"
    assert done.stderr == "skipped: line 5: code: '7505' is no code of a commune\n"


def test_only_the_first_twenty_are_told_unless_all_are_asked_for(rdv: Run, tmp_path: Path) -> None:
    file = written(tmp_path, "c.csv", COMMUNES + "x\n" * 23)
    some, every = rdv("import-communes", file), rdv("import-communes", file, "--all-faults")
    assert some.stderr.splitlines()[-1] == "skipped: and 3 more (--all-faults tells them)"
    assert (len(some.stderr.splitlines()), len(every.stderr.splitlines())) == (21, 23)
    assert every.stdout == "communes: 26 rows read, 0 inserted, 0 updated, 3 unchanged, 23 skipped, 0 warnings\n"


def test_a_file_that_is_not_there_ends_in_one_line(rdv: Run, tmp_path: Path) -> None:
    done = rdv("import-offices", tmp_path / "none.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "rdv: none.csv: cannot be read: No such file or directory\n"


def test_a_database_without_tables_ends_in_one_line(rdv: Run, tmp_path: Path, empty_database_url: str) -> None:
    done = rdv("import-communes", written(tmp_path, "c.csv", COMMUNES), url=empty_database_url)
    assert (done.returncode, done.stderr) == (1, "rdv: the database has no rdv tables yet: run `rdv migrate`\n")

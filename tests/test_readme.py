"""What README says: its commands, its keys."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mqtttui.cli.check import check_from
from mqtttui.cli.open_file import open_settings
from mqtttui.cli.record import job_from
from mqtttui.cli.start import settings_from
from mqtttui.config.guard import Guard
from mqtttui.config.profiles import read
from mqtttui.ui.bindings import KEYS, key_label
from tests.support import captures

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.partition(" #")[0].strip() for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def test_one_line_starts_the_demo_and_one_runs_the_tests() -> None:
    demo, tests = (command for command in COMMANDS if command.startswith("python3 -m venv"))
    assert demo.endswith("mqtttui --demo")
    assert " -m pytest" in tests
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {*re.findall(r"\[(\w+)\]", tests)} == {"test"} <= extras.keys()
    # .ci/run takes the line from here; the environments must not show up as files of the project.
    for command in (demo, tests):
        folder = shlex.split(command)[3]
        assert folder.startswith(".venv")
        assert all(word.startswith(f"{folder}/") for word in shlex.split(command) if "/bin/" in word)


def test_its_commands_are_understood() -> None:
    starts = [shlex.split(command)[1:] for command in COMMANDS if re.match(r"mqtttui(?! decode| record| open| check| profiles)", command)]
    assert len(starts) >= 4
    for words in starts:
        settings, warnings = settings_from([word for word in words if word != "--ask-password"], {})
        assert warnings == []
        assert settings.demo == ("--demo" in words)
        assert settings.connect_now == bool(words and not settings.demo)


def test_its_profiles_can_be_used() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    found = read(example, Path("profiles.toml"), {})
    assert found.problems == ()
    assert found.profiles["live"].guard is Guard.ASK
    for line in (line for line in COMMANDS if line.startswith("mqtttui profiles")):
        assert set(shlex.split(line)[2:]) <= {"--export", *found.profiles}


def test_its_record_commands_are_understood() -> None:
    records = [shlex.split(command)[2:] for command in COMMANDS if command.startswith("mqtttui record")]
    assert records
    for words in records:
        job, warnings = job_from(words, {})
        assert warnings == []
        assert job.subscriptions and job.record.path.endswith(".pcapng")


def test_its_open_commands_are_understood() -> None:
    opened = [shlex.split(command.rpartition("mqtttui open")[2]) for command in COMMANDS if "mqtttui open" in command]
    assert [open_settings(words).capture.path for words in opened] == ["night.pcapng", "-"]  # type: ignore[union-attr]


def test_its_check_commands_are_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    checks = [shlex.split(command)[2:] for command in COMMANDS if command.startswith("mqtttui check")]
    assert len(checks) >= 2
    for words in checks:
        job, warnings = check_from(words, {})
        assert warnings == []
        assert job.options.host == "broker.lan"


def test_its_decode_commands_decode(tmp_path: Path) -> None:
    (tmp_path / "night.pcapng").write_bytes(captures.pcapng(captures.frames(captures.golden_talk("C").segments)))
    decodes = [command for command in COMMANDS if "mqtttui decode" in command]
    assert len(decodes) >= 2
    for command in decodes:
        line = command.replace("mqtttui decode", f"{shlex.quote(sys.executable)} -m mqtttui decode")
        result = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, ""), command
        assert "CONNECT" in result.stdout or "PINGREQ" in result.stdout


def test_its_keys_are_bound() -> None:
    rows = [line.replace(r"\|", "\0").split("|") for line in README.splitlines() if line.startswith("| `")]
    named = [name.replace("\0", "|") for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert len(named) > 15
    bound = {part.lower() for key in KEYS for part in key_label(key.keys, every=True).split()}
    assert {name.lower() for name in named} - bound == set()

"""What is shipped: the wheel, the image, the pinned requirements."""

import re
import subprocess
import sys
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINNED = [ROOT / "requirements" / name for name in ("server.txt", "dev.txt", "build.txt")]


def pins(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9-]*)==(\S+)", file.read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as opened:
        yield opened


def test_the_wheel_has_the_migrations_and_nothing_that_is_not_ours(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert "heketipy/_migrations/env.py" in names
    revisions = {f"heketipy/_migrations/versions/{file.name}" for file in (ROOT / "migrations/versions").glob("*.py")}
    assert revisions
    assert revisions <= set(names)
    assert "heketipy/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {
        "heketipy",
        f"heketipy-{PROJECT['project']['version']}.dist-info",
    }


def test_every_dependency_is_pinned_with_hashes_and_without_a_place_to_get_it_from() -> None:
    server = pins(PINNED[0])
    for requirement in PROJECT["project"]["dependencies"]:
        name = re.split(r"[\[<>=~ ;]", requirement)[0].lower()
        assert name in server, f"{name}: run `make requirements`"
    for file in PINNED:
        text = file.read_text()
        assert pins(file)
        assert len(re.findall(r"^\S+==", text, re.MULTILINE)) <= text.count("--hash=sha256:")
        assert "://" not in text
        assert "index" not in re.sub(r"^    # via .*|^    #   .*", "", text, flags=re.MULTILINE)


def test_what_is_tested_is_what_is_shipped() -> None:
    server, dev = pins(PINNED[0]), pins(PINNED[1])
    assert {name: dev.get(name) for name in server} == server


class Dockerfile:
    """The instructions of the Dockerfile, lines joined."""

    def __init__(self) -> None:
        text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self.steps = [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]

    def of(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]


def test_the_image_copies_what_is_there_and_what_docker_may_see() -> None:
    ignore = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line]
    seen = [pattern[1:] for pattern in ignore if pattern.startswith("!")]
    for step in Dockerfile().of("COPY"):
        *sources, _target = [word for word in step.split() if not word.startswith("--")]
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in seen), source


def test_the_image_runs_as_nobody_special_and_can_be_stopped_and_asked() -> None:
    docker = Dockerfile()
    assert docker.of("USER") == ["heketi"]
    assert docker.of("STOPSIGNAL") == ["SIGTERM"]
    assert docker.of("EXPOSE") == ["8080"]
    assert docker.of("VOLUME") == ["/var/lib/heketi"]
    assert len(docker.of("FROM")) == 2
    check = docker.of("HEALTHCHECK")[0]
    program = re.search(r'"-c", "(.*)"\]', check)
    assert program
    compile(program[1], "HEALTHCHECK", "exec")
    assert docker.of("ENTRYPOINT") == ['["heketipy"]']
    assert "heketipy" in PROJECT["project"]["scripts"]


def test_the_licence_is_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert PROJECT["project"]["license"] == "Apache-2.0"

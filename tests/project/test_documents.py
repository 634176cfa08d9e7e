"""What the documents say is there, and what no file may say."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
FILES = [ROOT / name for name in TRACKED.split("\0") if name and (ROOT / name).is_file()]
DOCUMENTS = [file for file in FILES if file.suffix == ".md"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

pytestmark = pytest.mark.skipif(not FILES, reason="this is no git clone")


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(file.relative_to(ROOT)) for file in DOCUMENTS])
def test_every_make_target_that_a_document_names_exists(document: Path) -> None:
    named = re.findall(r"(?:^    |`)make ([a-z-]+)", document.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) <= TARGETS


@pytest.mark.parametrize("document", DOCUMENTS, ids=[str(file.relative_to(ROOT)) for file in DOCUMENTS])
def test_every_link_to_a_file_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_readme_begins_with_the_two_commands_that_set_everything_up() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:12]
    assert [line.split("#")[0].strip() for line in head if line.startswith("    ")] == ["make demo", "make test"]


def test_no_file_names_the_host_of_a_package_registry() -> None:
    # Written in pieces: this file is looked at too.
    hosts = [
        "py" + "pi.org", "python" + "hosted", "proxy." + "golang", "registry." + "npmjs", "deb." + "debian.org",
        "repo." + "maven", "repo1." + "maven",
    ]  # fmt: skip
    found = re.compile("|".join(re.escape(host) for host in hosts))
    named = [str(file.relative_to(ROOT)) for file in FILES if found.search(file.read_text("utf-8", errors="replace"))]
    assert named == []


def test_the_samples_are_topologies_by_their_own_schema() -> None:
    import json

    import jsonschema

    schema = json.loads((ROOT / "topology/schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    samples = sorted((ROOT / "topology").glob("topology-*.json"))
    assert len(samples) == 2
    for sample in samples:
        jsonschema.validate(json.loads(sample.read_text()), schema)

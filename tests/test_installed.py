"""`pip install .` is the engine as a library; with the extra `app` it is all that the app needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.browser import free_port, wait_until_healthy
from tests.reader import Reader

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WEB = "components/web"
APP = ("figures", "components", "pages", "service", "export", "lessons")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, installed by pip from what is here, without asking any registry."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("descent_lab-*.whl")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-compile", "--target", str(folder / "site"), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "site"


def python(folder: Path, text: str) -> str:
    """What a program says that finds its packages in FOLDER and where pip put them."""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_engine_is_a_library_that_knows_no_streamlit(installed: Path) -> None:
    said = python(
        installed,
        "import sys, engine\n"
        "run = engine.descend('bowl', 'adam', (5.0, 3.0), 60)\n"
        "print(engine.__file__, len(run.path), {'streamlit', 'plotly'} & set(sys.modules))",
    )
    assert said == f"{installed / 'engine' / '__init__.py'} 61 set()"


def test_the_app_comes_whole(installed: Path) -> None:
    files = [path for room in (*APP, "engine") for path in (ROOT / room).rglob("*.*")]
    files = [path for path in files if path.is_file() and path.suffix != ".pyc"]
    files += [ROOT / "app.py", ROOT / ".streamlit" / "config.toml"]
    assert len(files) > 300
    for name in (path.relative_to(ROOT).as_posix() for path in files):
        place = installed / name if name.startswith("engine/") else installed / "descent_lab" / name
        assert place.read_bytes() == (ROOT / name).read_bytes(), name
    names = {path.name.partition("-")[0] for path in installed.iterdir()}
    assert names == {"engine", "descent_lab", "bin"}


def test_an_installed_app_finds_its_rooms(installed: Path) -> None:
    app = installed / "descent_lab"
    said = python(
        installed,
        f"import sys; sys.path.insert(0, {str(app)!r})\n"
        "from descent_lab.__main__ import APP\n"
        "from components import assets\n"
        "from pages import course\n"
        "from export.document import theme_css\n"
        "print(APP, len(course.lessons()), len(assets.modules().files), bool(theme_css()))",
    )
    files = sum(path.suffix in (".js", ".css", ".html") for path in (ROOT / WEB).rglob("*"))
    lessons = len(list((ROOT / "lessons").glob("*.md")))
    assert said == f"{app} {lessons} {files} True"


def test_the_command_starts_the_app_from_anywhere(installed: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "server.log"
    flags = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [installed / "bin" / "descent-lab", *flags], cwd=tmp_path, stdout=output,
            stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(installed)},
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_healthy(process, f"{address}/_stcore/health", log)
        with Reader(address, "/") as reader:
            reader.ask()
            assert reader.answer(60.0)
            assert reader.errors == []
            assert {"descent_lab.stage", "descent_lab.topics"} <= set(reader.components)
    finally:
        process.terminate()
        process.wait(10)


def test_the_command_makes_files_of_a_page(installed: Path, tmp_path: Path) -> None:
    command = [installed / "bin" / "descent-lab", "export", "graph", "--no-presets"]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    subprocess.run([*command, "--out", "graph.html"], cwd=tmp_path, env=environment, check=True)
    assert "Computational graph" in (tmp_path / "graph.html").read_text("utf-8")
    said = subprocess.run(
        [sys.executable, "-S", "-m", "descent_lab", "export", "race"],  # no site-packages: no app
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert said.returncode == 2
    assert said.stderr == "This needs more than the library: pip install 'descent-lab[app]'\n"


def test_both_lists_of_what_is_needed_say_the_same() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = {re.sub(r"\s*#.*", "", line) for line in lines} - {""}
    assert listed == {*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]}


def test_the_changelog_knows_the_version() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {PROJECT['version']}" in changes

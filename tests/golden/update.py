"""Writes the golden files anew: `python -m tests.golden.update` from the project's root."""

import sys
from pathlib import Path
from shutil import rmtree

HERE = Path(__file__).resolve().parent
# The six built in, and `linux` with everything that is off by default: networks, a site.
ENVIRONMENTS = ("local", "dev", "prod", "linux", "azure", "aws", "linux-guarded")


def rendered(environment: str) -> dict[str, str]:
    """Return every artefact of a built-in environment as file name → text.

    Firewall rules are listed in `rules.txt` and modes in `modes.txt`: a repository keeps neither.
    """
    from tests.unit.render.plans import built_in, guarded, secrets_of

    from keywright_ops.model.artefact import Rule, WholeFile
    from keywright_ops.render.artefacts import render

    plan = guarded() if environment == "linux-guarded" else built_in(environment)
    files, modes, rules = {}, [], []
    for artefact in render(plan, secrets_of(plan)):
        if isinstance(artefact, WholeFile):
            # (under its own name it would keep the golden files beside it out of this repository)
            path = artefact.path.replace("/.gitignore", "/dot.gitignore")
            files[path.lstrip("/")] = artefact.text()
            modes.append(f"{artefact.mode:04o} {artefact.path}")
        elif isinstance(artefact, Rule):
            rules.append(" ".join(str(field) for field in artefact if field != ""))
    files["modes.txt"] = "\n".join(modes) + "\n"
    if rules:
        files["rules.txt"] = "\n".join(rules) + "\n"
    return files


def main() -> None:
    """Replace every environment's folder."""
    for environment in ENVIRONMENTS:
        folder = HERE / environment
        rmtree(folder, ignore_errors=True)
        for name, text in rendered(environment).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{environment}: {len(list(folder.rglob('*')))} files and folders")


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parents[1] / "src")]
    main()

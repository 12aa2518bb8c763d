"""Hold the dashboards against Grafana's own types: `make grafana-check`. Needs npm, and the npm registry once.

There is no Grafana in the tests; its published schema, read by the TypeScript compiler, refuses unknown keys and wrong
types of everything that is common to all panels.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.monitoring.__main__ import dashboard_file
from deploy.monitoring.dashboards import DASHBOARDS

FOLDER: Final = Path(".cache/grafana-schema")
PACKAGES: Final = ("@grafana/schema@12.1.0", "typescript@5.9.3")
_HEAD: Final = """import { ThresholdsMode } from '@grafana/schema';
import type { AnnotationQuery, Dashboard } from '@grafana/schema';
// What the Prometheus data source adds to an annotation.
type Firing = AnnotationQuery & { expr: string; titleFormat: string };
type Page = Partial<Omit<Dashboard, 'annotations'>> & { annotations: { list: Firing[] } };
export const page: Page = """
_COMPILER: Final = ("--strict", "--noEmit", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler")


def main() -> int:
    """Return the compiler's exit code; 2 if there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        sys.stderr.write("npm is not installed: the dashboards cannot be held against Grafana's types\n")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "package.json").write_text("{}\n")
    fetch = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", *PACKAGES]
    subprocess.run(fetch, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
    names = []
    for each in DASHBOARDS:
        # An enum of TypeScript takes its member only, not the member's value.
        page = dashboard_file(each).replace('"mode": "absolute"', '"mode": ThresholdsMode.Absolute')
        (FOLDER / f"{each.uid}.ts").write_text(_HEAD + page)
        names.append(f"{each.uid}.ts")
    compiler = ["node_modules/.bin/tsc", *_COMPILER, "--target", "es2022", *names]
    return subprocess.run(compiler, cwd=FOLDER, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

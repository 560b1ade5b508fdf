"""What the image is built with, as far as it can be tried without a builder of images."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[2]
DOCKERFILE = re.sub(r"\\\n\s*", " ", (TOP / "Dockerfile").read_text(encoding="utf-8"))


def test_modules_are_not_compiled_again_when_the_way_into_the_image_changes_their_times(tmp_path: Path) -> None:
    (options,) = re.findall(r"-m compileall (.*) /opt/pipewright/lib", DOCKERFILE)
    module = tmp_path / "lib" / "said.py"
    module.parent.mkdir()
    module.write_text("print('compiled when the image was built')\n")
    compileall = [sys.executable, "-m", "compileall"]
    subprocess.run([*compileall, "-q", module.parent], check=True)  # as pip does when it installs
    subprocess.run([*compileall, *shlex.split(options), module.parent], check=True)
    module.write_text("print('compiled at every start')\n")
    os.utime(module, (1_800_000_000, 1_800_000_000))
    done = subprocess.run([sys.executable, "-c", "import said"], cwd=module.parent, capture_output=True, check=True)
    assert done.stdout == b"compiled when the image was built\n"

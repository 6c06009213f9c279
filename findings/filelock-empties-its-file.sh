#!/usr/bin/env bash
# FileLock on a file that exists empties it: the lock's path must be a file of the lock's own.
#
# Seen with filelock 3.20.0 on Linux. Locking "run.json" itself, which reads as the natural way to keep
# others from it, opens it with O_TRUNC: its content is gone before the lock is even held, and a second
# process that only tries and fails has emptied it as well. Lock "run.json.lock" beside it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "filelock==3.20.0"
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
from pathlib import Path

from filelock import FileLock, Timeout

path = Path("run.json")
path.write_text('{"epochs": 20}')
with FileLock(path):
    print("held:", repr(path.read_text()))
    path.write_text('{"epochs": 30}')
    try:
        FileLock(path).acquire(timeout=0)
    except Timeout:
        print("refused to another:", repr(path.read_text()))
print("afterwards:", repr(path.read_text()))
assert path.read_text() == ""
PY

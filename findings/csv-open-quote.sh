#!/usr/bin/env bash
# A quote that is opened and never closed swallows the rest of a table: no error in csv or pandas.
#
# Seen with pandas 3.0.0 and Python's csv. Of four rows, the second has a stray quote. pandas returns two
# rows whenever another quote follows, csv one where none does; neither warns. A reader of label tables
# has to look for entries with a line break itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pandas==3.0.0"
"$folder/venv/bin/python" -W ignore - <<'PY'
import csv, io
import pandas

two = 'file,hair\na.png,blond\nb.png,"black\nc.png,red\nd.png,grey"\ne.png,blond\n'
one = 'file,hair\na.png,blond\nb.png,"black\nc.png,red\nd.png,grey\n'
table = pandas.read_csv(io.StringIO(two))
rows = list(csv.DictReader(io.StringIO(one)))
print(f"pandas: {len(table)} of 5 rows, {table.hair.tolist()}")
print(f"csv: {len(rows)} of 4 rows, {[row['hair'] for row in rows]}")
assert len(table) == 3 and len(rows) == 2
PY

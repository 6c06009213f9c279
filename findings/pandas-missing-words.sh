#!/usr/bin/env bash
# pandas takes the words None, null and NA for missing, and not ?, - or unknown.
#
# Seen with pandas 3.0.0, by default. A class called "None" (no tumour, no glasses) disappears from a table
# without a word, while "?" (UCI), "-" and "unknown" become classes. And a column of 0 and 1 with one
# empty entry becomes floats, so its classes are read back as "0.0" and "1.0".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pandas==3.0.0"
"$folder/venv/bin/python" -W ignore - <<'PY'
import io
import pandas

words = ["None", "null", "NA", "n/a", "nan", "?", "-", "unknown"]
table = pandas.read_csv(io.StringIO("finding\n" + "\n".join(words) + "\n"))
lost = [word for word, missing in zip(words, table.finding.isna()) if missing]
codes = pandas.read_csv(io.StringIO("y,z\n1,a\n,b\n0,c\n")).y.map(repr).tolist()
print(f"missing: {lost}; codes: {codes}")
assert lost == ["None", "null", "NA", "n/a", "nan"]
assert codes == ["1.0", "nan", "0.0"]
PY

#!/usr/bin/env bash
# dask's wait and as_completed do not ask futures for their client: set_as_default=False fails.
#
# Seen with distributed 2026.8.0. Given futures of a client that is not the process's default, both
# look for a default client and raise ValueError ("No clients found"), though each future knows its
# client; future.result() and client.gather(futures) work, and as_completed does with
# loop=client.loop. A library that keeps its client to itself meets this.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "dask==2026.8.0" "distributed==2026.8.0"
cat > "$folder/seen.py" <<'PY'
from distributed import Client, LocalCluster, as_completed, wait


def main():
    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        with Client(cluster, set_as_default=False) as client:
            futures = client.map(abs, [-1, -2])
            print("gathered:", client.gather(futures))
            named = sorted(f.result() for f in as_completed(futures, loop=client.loop))
            assert named == [1, 2], named
            for ask in (wait, as_completed):
                try:
                    ask(futures)
                except ValueError as error:
                    print(f"{ask.__name__}: {str(error).splitlines()[0]}")
                else:
                    raise AssertionError(f"{ask.__name__} finds the client of its futures now")


main()
PY
"$folder/venv/bin/python" -W ignore "$folder/seen.py"

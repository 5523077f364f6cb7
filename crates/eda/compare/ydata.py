"""One file through ydata-profiling and through `eda profile`, in turn, three times: wall and CPU seconds and peak memory of each process.

    python ydata.py FILE.parquet PATH_OF_seafin-eda --map text=input,label=output

Made with Python 3.11, ydata-profiling 4.18, pandas as it brings it.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PEER = """
import sys
import pandas
from ydata_profiling import ProfileReport
ProfileReport(pandas.read_parquet(sys.argv[1]), progress_bar=False).to_file(sys.argv[2])
"""


def cost(command):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed: {status}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


file, eda, *flags = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    commands = {
        "ydata-profiling": [sys.executable, "-c", PEER, file, f"{folder}/peer.html"],
        "eda profile": [eda, "profile", "--quiet", "--force", "--source", file, *flags, "--out", f"{folder}/all"],
        "eda profile, counts only": [
            *[eda, "profile", "--quiet", "--force", "--source", file, *flags, "--out", f"{folder}/counts"],
            *["--set", "label_error_texts=0", "--set", "clusters=0", "--set", "sample_texts=1"],
        ],
    }
    costs = {name: [] for name in commands}
    for _ in range(3):
        for name, command in commands.items():
            costs[name].append(cost(command))
    peer = [statistics.median(c) for c in zip(*costs["ydata-profiling"])]
    for name, runs in costs.items():
        wall, cpu, memory = (statistics.median(c) for c in zip(*runs))
        print(f"{name:26} {wall:7.2f} s wall ({peer[0] / wall:5.1f} x), {cpu:7.2f} s CPU ({peer[1] / cpu:5.1f} x), {memory:6.0f} MB")

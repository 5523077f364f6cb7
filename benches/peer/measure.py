"""What every peer measures alike."""

import os
import platform
import resource


def forget_peak_memory():
    """Makes the kernel count the peak of resident memory anew, so that loading does not hide what a step needs."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
    except OSError:
        pass  # not Linux: the peak then includes loading


def peak_memory_gib():
    """Highest resident memory since `forget_peak_memory`, GiB."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 2**20
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def machine():
    """Processor and the malloc settings a figure was taken with."""
    return {"machine": platform.machine(), "cores": os.cpu_count(), "malloc": "tuned" if "mmap_threshold" in os.environ.get("GLIBC_TUNABLES", "") else "stock"}

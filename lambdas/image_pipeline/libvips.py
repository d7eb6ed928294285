"""libvips, loaded once and locked down.

The library is loaded on the first call, not on import: importing any module of this project does
no I/O and reads no environment.
"""

import functools
import os
from typing import Any

# A vCPU is what Lambda gives per this much memory; the machine underneath shows more of them.
_MEGABYTES_PER_VCPU = 1769
_ALLOWED_LOADERS = ("Jpeg", "Png", "Nsgif", "Webp", "Tiff", "Heif")


@functools.cache
def libvips() -> Any:
    """The pyvips module, with every loader that is not on the allow-list switched off.

    The operation cache is off: each upload is new, so it would only hold memory. Each operation
    uses one thread, because an AVIF's bytes depend on the number of threads that made it and must
    not depend on the machine; several vCPUs encode several renditions instead (see `threads`).
    Raises OSError when the shared library cannot be loaded.
    """
    # Both are read by the library itself: the first while it starts, the second when it meets a
    # file that cannot be streamed, which is then held in memory and not in a temporary file.
    os.environ["VIPS_BLOCK_UNTRUSTED"] = "1"
    os.environ["VIPS_DISC_THRESHOLD"] = "100g"
    import pyvips  # here and nowhere else: it opens shared libraries

    pyvips.block_untrusted_set(True)  # somebody else may have started it earlier
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in _ALLOWED_LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    pyvips.cache_set_max(0)
    pyvips.cache_set_max_mem(0)
    pyvips.voperation.concurrency_set(1)
    return pyvips


def threads() -> int:
    """How many renditions to encode at once: one per vCPU. VIPS_CONCURRENCY overrides it."""
    if chosen := os.environ.get("VIPS_CONCURRENCY"):
        return max(1, int(chosen))
    available = os.cpu_count() or 1
    if memory := os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"):
        return max(1, min(available, round(int(memory) / _MEGABYTES_PER_VCPU)))
    return available

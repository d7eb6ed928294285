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

    The operation cache is off (each upload is new, it would only hold memory) and the number of
    threads is the number of vCPUs; VIPS_CONCURRENCY overrides it.
    Raises OSError when the shared library cannot be loaded.
    """
    os.environ["VIPS_BLOCK_UNTRUSTED"] = "1"  # read while the library starts
    import pyvips  # here and nowhere else: it opens shared libraries

    pyvips.block_untrusted_set(True)  # somebody else may have started it earlier
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in _ALLOWED_LOADERS:
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)
    pyvips.cache_set_max(0)
    pyvips.cache_set_max_mem(0)
    pyvips.voperation.concurrency_set(threads())
    return pyvips


def threads() -> int:
    """How many threads decoding and encoding may use."""
    if chosen := os.environ.get("VIPS_CONCURRENCY"):
        return max(1, int(chosen))
    available = os.cpu_count() or 1
    if memory := os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"):
        return max(1, min(available, round(int(memory) / _MEGABYTES_PER_VCPU)))
    return available

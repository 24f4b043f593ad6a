"""Memory that is kept for the next arrays, in place of new memory for each."""
import ctypes

# malloc.h of glibc
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def keep_memory():
    """From now on, keep the memory of large arrays that are no longer needed for those that come next.

    The C library gives the memory of an array of more than a few MB back to the system when the array is dropped, and
    takes new memory for the next one, which the system has to fill with zeros first. That costs more than what most
    operations do with it: painting 105 MB takes three times as long. This holds for all libraries of the process, which
    keeps as much memory as it once needed at a time, until it ends. A second call changes nothing.

    Returns
    -------
    kept : bool
        Whether the C library can: that of GNU (glibc) can, others such as musl cannot and go on as before.
    """
    set_option = getattr(ctypes.CDLL(None), 'mallopt', None)
    return set_option is not None and bool(set_option(M_MMAP_MAX, 0)) and bool(set_option(M_TRIM_THRESHOLD, -1))

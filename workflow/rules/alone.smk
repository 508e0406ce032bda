# One pipeline at a time in a checkout, however it was started. What a job starts inherits the
# lock, so that the next start is refused until the last of it has ended.
import sys

from ferbook.core import lock


onstart:
    try:
        lock.lead()
        # Snakemake closes every descriptor but these in the shells that it starts.
        shell._process_args["pass_fds"] = (lock.hold(lock.PIPELINE, "this checkout"),)
    except lock.BusyError as error:
        sys.exit(f"error: {error}")

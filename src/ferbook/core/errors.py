"""The one root of errors that a user can mend."""


class FerbookError(Exception):
    """Something given to ferbook is not as it should be; the message says what and what to do.

    The command line prints it in one line. Any other exception is a bug and shows its traceback.
    """

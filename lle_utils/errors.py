"""The exceptions that a user of the package may see."""


class LleError(Exception):
    """Something went wrong that the user can understand and usually put right.

    The message is complete by itself: what was wrong, with which file or value, and what to do.
    The command line prints it without a traceback and exits with code 1.
    """

"""The one error that a user's input can cause."""


class InputError(ValueError):
    """Input that cannot be used; its message says what came, what was wanted and what to do.

    The command line prints it in one line and exits with 2.
    """

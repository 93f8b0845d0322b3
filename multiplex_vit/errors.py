"""The one error that a user's input can cause."""

_LONGEST = 1_000


class InputError(ValueError):
    """Input that cannot be used; its message says what came, what was wanted and what to do.

    The command line prints it in one line and exits with 2. So the message is always one line of at
    most 1,000 characters, whatever value it quotes: white space is folded, and the middle of a
    longer text left out.

    Examples
    --------
    >>> str(InputError("min_cut is [0.1\\n 0.2]; give a number"))
    'min_cut is [0.1 0.2]; give a number'
    """

    def __init__(self, message: object = ""):
        line = " ".join(str(message).split())
        if len(line) > _LONGEST:
            half = _LONGEST // 2
            line = f"{line[:half]} [...] {line[-half:]}"
        super().__init__(line)

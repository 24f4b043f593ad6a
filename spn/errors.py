"""Errors in what the user gave: a sentence that says what is wrong, and how to mend it."""


def readable(text):
    """The text made printable: bytes of a file name that are not UTF-8 become backslash escapes."""
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


class SpnError(Exception):
    """The command line prints only its text. Raising it loses no results."""

    def __str__(self):
        return readable(super().__str__())


class UnreadablePicture(SpnError):
    """One of many pictures cannot be used: it is reported and skipped."""

"""What is wrong with something that the user gave, in a sentence that tells the cure."""


def readable(text):
    """A text that can be printed: bytes of a file's name that are not UTF-8 become backslash escapes."""
    return text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')


class SpnError(Exception):
    """The command line prints its text and nothing else. Nothing is lost when it is raised."""

    def __str__(self):
        return readable(super().__str__())


class UnreadablePicture(SpnError):
    """One picture of many cannot be used: it is named and skipped."""

"""What is wrong with something that the user gave, in a sentence that tells the cure."""


class SpnError(Exception):
    """The command line prints its text and nothing else. Nothing is lost when it is raised."""


class UnreadablePicture(SpnError):
    """One picture of many cannot be used: it is named and skipped."""

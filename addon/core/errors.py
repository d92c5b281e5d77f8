"""The one kind of error that is meant for the user's eyes."""

from __future__ import annotations


class UserError(Exception):
    """Something that the user can put right: a bad file, a rig without arms, an empty page.

    Its text is one plain sentence that says what to do. Scripts print it and exit with status 2,
    operators report it; neither shows a traceback.
    """

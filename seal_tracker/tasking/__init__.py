"""Tasks: what one unit instructs another to do, by which document, until when; and what became of it. Pure.

::

    given ──► accepted ──► in_progress ──► done ──► confirmed
                 │              ▲   ▲       │
                 └──────────────┘   └─── returned          not as it was asked for: it goes on
    any that is not over ──► cancelled

    states      the life of a task, and its row
    attached    which files may be attached
    words       by which words a task is found
    letters     the mail to who answers for what is overdue
    rows        rows and figures
"""

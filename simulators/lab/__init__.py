"""The testers' lab: scenarios as files, what they make of the simulated world, the truth of it, and how a service's events compare.

language, acts
    what a scenario file may say
loading
    files to scenarios: included, merged, checked; every fault with file, key, reason and remedy
ground
    a scenario's routes and zones on earth, and its plan folder
staging, fitting
    its vehicles, seals and equipment, with what the script does to them
running
    messages in order of arrival, the plan folder and the truth, byte for byte the same for a seed
truth
    what really happened and how detectable it was
scoring, baseline, report, page
    events against the truth: figures, what got worse, and the worst cases drawn
commands
    ``seal-sim run`` and ``seal-sim score``
"""

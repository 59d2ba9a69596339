# SPDX-License-Identifier: BSD-3-Clause
"""The ramp of a comparison: how many packets a second a relay takes until a copy is lost.

Pure: what sends and counts is passed in. A step is one line of stentor-load as a dictionary.
"""

# How long after the last packet its copies may still be under way, on top of one packet's time: who
# is slower has only filled a buffer, and would lose the next one.
GRACE_S = 0.05
# The share that GOALS and the literature allow to be missing.
HALF_PERCENT = 0.005
LATE_MAX = 0.02


def due(step, listeners):
    return step["sent"] * listeners


def missing(step, listeners):
    """The share of copies that did not come, 0 to 1."""
    copies = due(step, listeners)
    return max(0.0, 1 - step["received"] / copies) if copies else 1.0


def in_time(step):
    return step["lag_s"] <= GRACE_S + 1 / step["rate"]


def whole(step, listeners, tolerance=0.0):
    return step["sent"] > 0 and in_time(step) and missing(step, listeners) <= tolerance


def kept_pace(step):
    """The sender was on time, so that what is missing is the relay's."""
    return not step["failed"] and step["late"] <= LATE_MAX * max(1, step["sent"])


def ramp(measure, good, start, limit, bisections, factor=2, enough=lambda: False):
    """Multiplies start by factor until a step is not good, then bisects; returns all steps in their
    order, those there are as soon as enough() says so.

    measure(rate) makes a step, good(step) judges it. One that is not good is tried once more, so that
    a hiccup of the machine is not held against a relay; one whose sender was late, twice. From limit
    on it is over.
    """
    steps = []

    def attempt(rate):
        tries = 0
        while tries < 2 or (tries == 2 and not kept_pace(steps[-1])):
            tries += 1
            steps.append(measure(rate))
            if good(steps[-1]):
                return True
            if enough():
                break
        return False

    low, high, rate = 0.0, None, start
    while high is None and low < limit and not enough():
        if attempt(rate):
            low, rate = rate, min(factor * rate, limit)
        else:
            high = rate
    if high is None:
        return steps
    if low == 0.0:
        # Not even the first: look below it.
        low = start / 16
    for _ in range(bisections):
        if enough():
            break
        middle = (low + high) / 2
        if attempt(middle):
            low = middle
        else:
            high = middle
    return steps


def best(steps, good):
    """Of the good steps the one with the highest rate, or None."""
    return max((step for step in steps if good(step)), key=lambda step: step["rate"], default=None)

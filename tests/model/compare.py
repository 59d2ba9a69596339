# SPDX-License-Identifier: BSD-3-Clause
"""Where what the program did is not what the model says."""
import json

from world import ANY


def sorted_ops(ops):
    return sorted(json.dumps(op, sort_keys=True) for op in ops)


def first_difference(want, have, path=""):
    """A sentence, or None. Of objects only what the model names is compared."""
    if want == ANY:
        return None
    if isinstance(want, dict) and isinstance(have, dict):
        for name, value in want.items():
            if name not in have:
                return f"{path}.{name}: is missing"
            found = first_difference(value, have[name], f"{path}.{name}")
            if found:
                return found
        return None
    if isinstance(want, list) and isinstance(have, list):
        if len(want) != len(have):
            return f"{path}: {len(want)} expected, {len(have)} found: {want!r} and {have!r}"
        for at, (one, other) in enumerate(zip(want, have)):
            found = first_difference(one, other, f"{path}[{at}]")
            if found:
                return found
        return None
    same = want == have and isinstance(want, bool) == isinstance(have, bool)
    return None if same else f"{path}: {want!r} expected, {have!r} found"


def whole(want, have, path):
    """Neither side has a member that the other has not."""
    extra = sorted(set(have) - set(want))
    return f"{path}: {extra} not expected" if extra else None


def outcome_difference(want, have):
    if want.get("code") != have.get("code"):
        return f"code: {want.get('code')} expected, {have.get('code')} found: {have.get('message')}"
    if want.get("code") != "ok":
        return None
    for part in ("events", "live", "audit"):
        found = first_difference(want[part], have[part], part)
        for one, other in zip(want[part], have[part]):
            found = found or whole(one, other, part)
        if found:
            return found
    if sorted_ops(want["ops"]) != sorted_ops(have["ops"]):
        return f"ops: {want['ops']} expected, {have['ops']} found"
    return first_difference(want["answer"], have["answer"], "answer") if "answer" in want else None


def difference(want, have):
    if "code" in want:
        return outcome_difference(want, have)
    if "steps" not in want:
        return first_difference(want, have)
    for at, (one, other) in enumerate(zip(want["steps"], have["steps"])):
        found = outcome_difference(one, other)
        if found:
            return f"step {at} of the clock: {found}"
    return first_difference(want, have)

# SPDX-License-Identifier: BSD-3-Clause
"""As much of JSON Schema as perf/report.schema.json uses; a keyword it does not know is an error, so
that nothing in the schema is believed to be checked that is not."""
import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
ANNOTATIONS = {"$schema", "title", "description"}


def is_type(value, name):
    if name in ("number", "integer"):
        kinds = int if name == "integer" else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def check_type(schema, value):
    names = schema if isinstance(schema, list) else [schema]
    if not any(is_type(value, name) for name in names):
        return f"{value!r} is no {' or '.join(names)}"
    return None


SIMPLE = {
    "type": check_type,
    "const": lambda want, value: None if value == want else f"{value!r} is not {want!r}",
    "enum": lambda want, value: None if value in want else f"{value!r} is none of {want}",
    "pattern": lambda want, value: None if not isinstance(value, str) or re.search(want, value)
    else f"{value!r} does not match {want}",
    "minimum": lambda want, value: None if not is_type(value, "number") or value >= want
    else f"{value} is less than {want}",
    "minItems": lambda want, value: None if not isinstance(value, list) or len(value) >= want
    else f"fewer than {want} items",
    "required": lambda want, value: None if not isinstance(value, dict) or set(want) <= set(value)
    else f"misses {sorted(set(want) - set(value))}",
}


def errors(schema, value, path="$"):
    """Each as a text with the place it is at."""
    if schema is False:
        yield f"{path}: may not be there"
        return
    unknown = set(schema) - set(SIMPLE) - ANNOTATIONS - {"properties", "additionalProperties", "items"}
    if unknown:
        raise ValueError(f"{path}: keywords {sorted(unknown)}")
    for keyword, check in SIMPLE.items():
        message = check(schema[keyword], value) if keyword in schema else None
        if message:
            yield f"{path}: {message}"
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
        for name, member in value.items():
            yield from errors(known.get(name, others), member, f"{path}.{name}")
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from errors(schema.get("items", {}), item, f"{path}[{index}]")

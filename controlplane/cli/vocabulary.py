#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""vocabulary.py CATALOG.json: prints vocabulary.c, the tables that vocabulary.h declares."""
import json
import sys


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        types = json.load(file)
    out = ["/* SPDX-License-Identifier: BSD-3-Clause */", '#include "controlplane/cli/vocabulary.h"',
           "#include <string.h>", ""]
    for number, entry in enumerate(types):
        fields = []
        for position, field in enumerate(entry["fields"]):
            choices = "NULL"
            if "choices" in field:
                choices = f"choices_{number}_{position}"
                values = ", ".join(quote(choice) for choice in field["choices"])
                out.append(f"static const char *const {choices}[] = {{{values}, NULL}};")
            fields.append(f'\t{{{quote(field["name"])}, VOCABULARY_{field["kind"].upper()}, '
                          f'{str(field["required"]).lower()}, {field["min"]}ull, '
                          f'{field["max"]}ull, {choices}}},')
        if fields:
            out += [f"static const struct vocabulary_field fields_{number}[] = {{", *fields, "};"]
    out.append("const struct vocabulary_type vocabulary[] = {")
    for number, entry in enumerate(types):
        count = len(entry["fields"])
        out.append(f'\t{{{quote(entry["type"])}, {str(entry["actor"]).lower()}, '
                   f'VOCABULARY_ROOM_{entry["room"].upper()}, '
                   f'{f"fields_{number}" if count else "NULL"}, {count}}},')
    out += ["};", f"const size_t vocabulary_count = {len(types)};", "",
            "const struct vocabulary_type *vocabulary_find(const char *name)", "{",
            "\tfor (size_t i = 0; i < vocabulary_count; i++) {",
            "\t\tif (strcmp(vocabulary[i].name, name) == 0)", "\t\t\treturn &vocabulary[i];", "\t}",
            "\treturn NULL;", "}", "",
            "const struct vocabulary_field *vocabulary_field(",
            "\tconst struct vocabulary_type *type, const char *name)", "{",
            "\tfor (size_t i = 0; i < type->field_count; i++) {",
            "\t\tif (strcmp(type->fields[i].name, name) == 0)",
            "\t\t\treturn &type->fields[i];", "\t}", "\treturn NULL;", "}"]
    print("\n".join(out))


main()

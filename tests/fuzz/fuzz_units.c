/* fuzz_units.c - any text as a value of every dimension: what is read is written and read back.
 *
 * Built as fuzz_tree.c.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sim/base/arena.h"
#include "sim/base/check.h"
#include "sim/base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(enum unit_dim dim, const char *text)
{
    union unit_value value, again;
    char out[UNITS_TEXT_MAX];
    if (units_parse(dim, text, &value)) return;
    CHECK(strlen(units_format(dim, value, out)) < UNITS_TEXT_MAX, "too long: %s", out);
    const char *wrong = units_parse(dim, out, &again);
    CHECK(!wrong, "'%s' became '%s': %s", text, out, wrong);
    bool real = dim == UNIT_FRACTION || dim == UNIT_REAL;
    CHECK(real ? value.d == again.d : value.i == again.i, "'%s' became '%s'", text, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    char *text = arena_alloc(&arena, size + 1);
    if (size) memcpy(text, data, size);
    /* one value per line */
    for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
        for (enum unit_dim dim = 0; dim < UNIT_DIMS; dim++)
            round_trip(dim, line);
    arena_free(&arena);
    return 0;
}

#ifndef FUZZ
#include "tests/fuzz/replay.h"
#endif

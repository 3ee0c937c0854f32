/* schema_value.h - one value of one key: text to number and back, limits, names of types. For the
 * schema's files only. */
#ifndef RAILSIM_IO_SCHEMA_VALUE_H
#define RAILSIM_IO_SCHEMA_VALUE_H

#include "sim/base/units.h"
#include "sim/io/schema.h"

/* union schema_value: i for TIME .. COUNT, d for FRACTION and REAL, b, word (index), text. */
union schema_value {
    union unit_value unit;
    bool b;
    int word;
    const char *text;
};

/* schema_value_read reads text as a value of field (of COUNTS: as one item) and checks its limits.
 * Returns NULL, or what is wrong (in arena, or static); *out is then untouched. */
const char *schema_value_read(struct arena *arena, const struct schema_field *field,
                              const char *text, union schema_value *out);
/* schema_value_text is the way back, with units. */
const char *schema_value_text(struct arena *arena, const struct schema_field *field,
                              union schema_value value);
/* schema_value_items parses the fallback of a COUNTS field: "[3, 7, 11]" or "[]". */
struct schema_counts schema_value_items(struct arena *arena, const struct schema_field *field);

/* schema_value_dim: is a value (or item) of type a number, and of which dimension? */
bool schema_value_dim(enum schema_type type, enum unit_dim *dim);
/* schema_value_type names a type: "time", "boolean", "section", ... */
const char *schema_value_type(enum schema_type type);
/* schema_value_example: what one may look like: ", such as 15ms", or "". */
const char *schema_value_example(enum schema_type type);
/* schema_value_limits: "0s .. 10s", "at least 0s"; for types without limits "". */
const char *schema_value_limits(struct arena *arena, const struct schema_field *field);
/* schema_value_limit is the min (upper false) or max of a number field; false if there is none. */
bool schema_value_limit(const struct schema_field *field, bool upper, union unit_value *out);
/* schema_value_words joins NULL-terminated words with ", ". */
const char *schema_value_words(struct arena *arena, const char *const *words);

#endif

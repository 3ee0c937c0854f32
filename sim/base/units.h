/* units.h - the units of railsim and the only conversions between them.
 *
 * Inside the program every quantity is an integer in one unit: time in picoseconds, data in bytes,
 * rates in bit/s, lengths in millimetres. Text carries the unit ("15ms", "400Gbps", "16MiB",
 * "1000km"); a bare number is refused, except 0. Fractions ("1%", "0.3") and reals are doubles.
 */
#ifndef RAILSIM_BASE_UNITS_H
#define RAILSIM_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_PER_NS INT64_C(1000)
#define PS_PER_US INT64_C(1000000)
#define PS_PER_MS INT64_C(1000000000)
#define PS_PER_S INT64_C(1000000000000)
#define UNITS_TEXT_MAX 40 /* bytes that units_format needs at most, with the final 0 */

/* enum unit_dim: what a value measures. UNIT_COUNT, UNIT_FRACTION, UNIT_REAL take bare numbers. */
enum unit_dim {
    UNIT_TIME,     /* int64_t ps */
    UNIT_SIZE,     /* int64_t bytes */
    UNIT_RATE,     /* int64_t bit/s */
    UNIT_LENGTH,   /* int64_t mm */
    UNIT_COUNT,    /* int64_t */
    UNIT_FRACTION, /* double, 1% = 0.01 */
    UNIT_REAL,     /* double */
    UNIT_DIMS
};

/* union unit_value: i for TIME SIZE RATE LENGTH COUNT, d for FRACTION and REAL. */
union unit_value {
    int64_t i;
    double d;
};

/* units_parse reads text as a value of dimension dim into *out. Decimal text is converted exactly
 * ("0.1ns" is 100 ps; "1e6" and a blank before the unit are allowed); a value that is no whole
 * number of the base unit is rounded to nearest, a count that is none is refused.
 * Returns NULL, or a static message that says what is wrong ("a time needs a unit: ps ns us ms s
 * min h"); *out is then untouched. Negative values are accepted here: ranges are the schema's. */
const char *units_parse(enum unit_dim dim, const char *text, union unit_value *out);

/* units_format writes value in the unit that gives the shortest exact text, the largest of several
 * ("15ms", "400Gbps", "16MiB", "90s"), into buf[UNITS_TEXT_MAX] and returns buf. units_parse reads
 * it back to the same value. */
char *units_format(enum unit_dim dim, union unit_value value, char *buf);

/* units_dim_name returns "time", "size", ...; units_dim_units the units allowed ("ps ns us"). */
const char *units_dim_name(enum unit_dim dim);
const char *units_dim_units(enum unit_dim dim);

/* units_serialise_ps returns ceil(bytes * 8e12 / rate_bps): the time in ps that a link of rate_bps
 * takes for so many bytes; needs rate_bps > 0 and bytes >= 0; saturates at INT64_MAX. */
int64_t units_serialise_ps(int64_t bytes, int64_t rate_bps);

/* units_carried_bytes returns floor(rate_bps * time_ps / 8e12), saturating at INT64_MAX. */
int64_t units_carried_bytes(int64_t rate_bps, int64_t time_ps);

/* units_s returns a time in ps as seconds; units_ps the reverse, rounded to nearest. */
double units_s(int64_t time_ps);
int64_t units_ps(double time_s);

#endif

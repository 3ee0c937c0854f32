/* units.c - text with units to integers and back, exactly.
 *
 * Why apart: the only conversions of the program stand here; elsewhere a quantity is an integer in
 * its base unit. The one idea: a decimal is digits * 10^exponent in 128-bit integers, so "0.1ns"
 * is 100 ps and not 99.99...; doubles serve only fractions and reals.
 * Source of the prefixes: SI Brochure 9th ed. (k = 10^3), IEC 80000-13 (Ki = 2^10). KB is taken
 * as kB, as storage vendors write it.
 * Not modelled: locales (the program never calls setlocale), digits past the 22nd (refused).
 */
#include "sim/base/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* 22 digits times the largest unit (1 h) stay below 2^126. */
#define MANTISSA_MAX 100 /* characters of a number before its exponent */
#define DECIMALS_MAX 6   /* that units_format writes */
#define EXPONENT_MAX 10000

struct unit {
    const char *name;
    int64_t scale; /* in base units */
    bool input_only;
};

#define E3 INT64_C(1000)
#define E6 INT64_C(1000000)
#define E9 INT64_C(1000000000)
#define E12 INT64_C(1000000000000)
#define E15 INT64_C(1000000000000000)
#define KI (INT64_C(1) << 10)
#define MI (INT64_C(1) << 20)
#define GI (INT64_C(1) << 30)
#define TI (INT64_C(1) << 40)
#define PI (INT64_C(1) << 50)

/* Largest first: units_format prefers the first of equally short texts. The last is the base. */
static const struct unit time_units[] = {
    {"h", 3600 * PS_PER_S, false}, {"min", 60 * PS_PER_S, false}, {"s", PS_PER_S, false},
    {"ms", PS_PER_MS, false},      {"us", PS_PER_US, false},      {"\u00b5s", PS_PER_US, true},
    {"\u03bcs", PS_PER_US, true},  {"ns", PS_PER_NS, false},      {"ps", 1, false},
};
static const struct unit size_units[] = {
    {"PiB", PI, false}, {"PB", E15, false}, {"TiB", TI, false}, {"TB", E12, false},
    {"GiB", GI, false}, {"GB", E9, false},  {"MiB", MI, false}, {"MB", E6, false},
    {"KiB", KI, false}, {"kB", E3, false},  {"KB", E3, true},   {"B", 1, false},
};
static const struct unit rate_units[] = {
    {"Tbps", E12, false},    {"Gbps", E9, false},     {"Mbps", E6, false},
    {"kbps", E3, false},     {"Kbps", E3, true},      {"TBps", 8 * E12, true},
    {"GBps", 8 * E9, true},  {"MBps", 8 * E6, true},  {"kBps", 8 * E3, true},
    {"KBps", 8 * E3, true},  {"Bps", 8, true},        {"GiBps", 8 * GI, true},
    {"MiBps", 8 * MI, true}, {"KiBps", 8 * KI, true}, {"bps", 1, false},
};
static const struct unit length_units[] = {
    {"km", E6, false},
    {"m", E3, false},
    {"cm", 10, false},
    {"mm", 1, false},
};
static const struct unit no_units[] = {{"", 1, false}};

#define TIME_UNITS "ps ns us ms s min h"
#define SIZE_UNITS "B kB MB GB TB PB KiB MiB GiB TiB PiB"
#define RATE_UNITS                                                                                 \
    "bps kbps Mbps Gbps Tbps (bits), Bps kBps MBps GBps TBps KiBps MiBps GiBps (bytes)"
#define LENGTH_UNITS "mm cm m km"
#define NEEDS(name, units) "a " name " needs a unit: " units
#define TAKES(name, units) "unknown unit; a " name " takes: " units

/* What a dimension is called, and every message about it: messages are static. */
static const struct {
    const char *name, *units, *missing, *unknown, *zero;
} dims[] = {
    [UNIT_TIME] = {"time", TIME_UNITS, NEEDS("time", TIME_UNITS), TAKES("time", TIME_UNITS), "0s"},
    [UNIT_SIZE] = {"size", SIZE_UNITS, NEEDS("size", SIZE_UNITS), TAKES("size", SIZE_UNITS), "0B"},
    [UNIT_RATE] = {"rate", RATE_UNITS, NEEDS("rate", RATE_UNITS), TAKES("rate", RATE_UNITS),
                   "0bps"},
    [UNIT_LENGTH] = {"length", LENGTH_UNITS, NEEDS("length", LENGTH_UNITS),
                     TAKES("length", LENGTH_UNITS), "0m"},
    [UNIT_COUNT] = {"count", "", "", "a count is a whole number without a unit", "0"},
    [UNIT_FRACTION] = {"fraction", "%", "", "a fraction is a bare number or has the unit %", "0"},
    [UNIT_REAL] = {"number", "", "", "a number has no unit here", "0"},
};
_Static_assert(sizeof dims / sizeof dims[0] == UNIT_DIMS, "one row per dimension");

#define UNITS(array)                                                                               \
    {                                                                                              \
        array, array + sizeof array / sizeof array[0]                                              \
    }
static const struct {
    const struct unit *first, *end;
} units[] = {
    [UNIT_TIME] = UNITS(time_units), [UNIT_SIZE] = UNITS(size_units),
    [UNIT_RATE] = UNITS(rate_units), [UNIT_LENGTH] = UNITS(length_units),
    [UNIT_COUNT] = UNITS(no_units),
};

/* struct decimal: sign, digits * 10^exponent, and where its text lies. */
struct decimal {
    bool negative;
    u128 digits;
    int exponent;
    const char *mantissa; /* digits and point, without sign */
    int mantissa_n, written_exponent;
};

static const char not_a_number[] = "expected a number";
static const char too_many_digits[] = "too many digits (at most 22 count)";

/* scan_exponent reads "e+12" at s, if it is one ("1e6", but not the e of a unit). */
static const char *scan_exponent(const char *s, int *exponent)
{
    const char *t = s;
    *exponent = 0;
    if (*t != 'e' && *t != 'E') return s;
    bool negative = *++t == '-';
    if (*t == '+' || *t == '-') t++;
    if (!isdigit((unsigned char)*t)) return s;
    for (; isdigit((unsigned char)*t); t++)
        if (*exponent < EXPONENT_MAX) *exponent = *exponent * 10 + (*t - '0');
    if (negative) *exponent = -*exponent;
    return t;
}

static bool push_digit(u128 *digits, int digit)
{
    if (*digits >= (u128)E15 * E6) return false; /* 22 digits stand */
    *digits = *digits * 10 + (unsigned)digit;
    return true;
}

/* scan reads a decimal number at *text and moves *text behind it; NULL or a message. */
static const char *scan(const char **text, struct decimal *out)
{
    const char *s = *text;
    struct decimal d = {.negative = *s == '-'};
    if (*s == '+' || *s == '-') s++;
    d.mantissa = s;
    bool any = false, point = false;
    int zeros = 0; /* held back, so that trailing ones cost no digits */
    for (; isdigit((unsigned char)*s) || (*s == '.' && !point); s++) {
        if (*s == '.') {
            point = true;
            continue;
        }
        any = true;
        d.exponent -= point;
        if (*s == '0') {
            zeros += d.digits != 0;
            continue;
        }
        for (; zeros > 0; zeros--)
            if (!push_digit(&d.digits, 0)) return too_many_digits;
        if (!push_digit(&d.digits, *s - '0')) return too_many_digits;
    }
    if (!any || s - d.mantissa > MANTISSA_MAX) return any ? too_many_digits : not_a_number;
    d.mantissa_n = (int)(s - d.mantissa);
    s = scan_exponent(s, &d.written_exponent);
    d.exponent += zeros + d.written_exponent;
    *text = s;
    *out = d;
    return NULL;
}

/* to_integer returns round(digits * 10^exponent * scale), ties away from zero, in *out;
 * false past 2^63 - 1. *whole: nothing was rounded. */
static bool to_integer(const struct decimal *d, int64_t scale, int64_t *out, bool *whole)
{
    u128 value = d->digits * (uint64_t)scale; /* < 10^22 * 2^52 < 2^126 */
    *whole = true;
    int exponent = value ? d->exponent : 0;
    for (; exponent > 0; exponent--) {
        if (value > INT64_MAX) return false;
        value *= 10;
    }
    if (exponent < -38) { /* below 2^126 / 10^39 < 1/2 */
        *whole = false;
        value = 0;
    } else if (exponent < 0) {
        u128 divisor = 1;
        for (; exponent < 0; exponent++)
            divisor *= 10;
        u128 rest = value % divisor;
        *whole = rest == 0;
        value = value / divisor + (rest >= divisor - rest);
    }
    if (value > INT64_MAX) return false;
    *out = d->negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* to_double lets strtod round once: percent becomes an exponent, not a division. */
static bool to_double(const struct decimal *d, int percent, double *out)
{
    char text[MANTISSA_MAX + 32];
    snprintf(text, sizeof text, "%s%.*se%d", d->negative ? "-" : "", d->mantissa_n, d->mantissa,
             d->written_exponent - percent);
    double value = strtod(text, NULL);
    if (!isfinite(value)) return false;
    *out = value;
    return true;
}

static const char *skip_space(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

/* unit_is compares a name with the rest of a text, but for blanks at its end. */
static bool unit_is(const char *name, const char *rest)
{
    size_t n = strlen(name);
    return strncmp(name, rest, n) == 0 && *skip_space(rest + n) == 0;
}

static const char *parse_integer(enum unit_dim dim, const struct decimal *d, const char *rest,
                                 int64_t *out)
{
    int64_t value;
    bool whole;
    const struct unit *unit = units[dim].first, *end = units[dim].end;
    if (dim != UNIT_COUNT && *rest == 0) {
        if (d->digits != 0) return dims[dim].missing;
        *out = 0;
        return NULL;
    }
    while (unit < end && !unit_is(unit->name, rest))
        unit++;
    if (unit == end) return dims[dim].unknown;
    if (!to_integer(d, unit->scale, &value, &whole)) return "too large for 63 bits";
    if (dim == UNIT_COUNT && !whole) return dims[dim].unknown;
    *out = value;
    return NULL;
}

const char *units_parse(enum unit_dim dim, const char *text, union unit_value *out)
{
    struct decimal d;
    const char *s = skip_space(text);
    const char *wrong = scan(&s, &d);
    if (wrong) return wrong;
    s = skip_space(s);
    if (dim != UNIT_FRACTION && dim != UNIT_REAL) return parse_integer(dim, &d, s, &out->i);
    bool percent = dim == UNIT_FRACTION && unit_is("%", s);
    if (!percent && *s) return dims[dim].unknown;
    return to_double(&d, percent ? 2 : 0, &out->d) ? NULL : "too large for a double";
}

/* format_in writes value / scale with up to 6 decimals; false if that is not exact. */
static bool format_in(uint64_t value, const struct unit *unit, char *buf)
{
    uint64_t scale = (uint64_t)unit->scale;
    u128 micro = (u128)(value % scale) * (u128)E6;
    if (value < scale || micro % scale) return false;
    char decimals[DECIMALS_MAX + 2];
    snprintf(decimals, sizeof decimals, ".%06d", (int)(micro / scale));
    int n = DECIMALS_MAX + 1;
    while (n > 0 && (decimals[n - 1] == '0' || decimals[n - 1] == '.'))
        n--;
    snprintf(buf, UNITS_TEXT_MAX, "%" PRIu64 "%.*s%s", value / scale, n, decimals, unit->name);
    return true;
}

static void format_double(double value, char *buf)
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buf, UNITS_TEXT_MAX, "%.*g", digits, value);
        if (strtod(buf, NULL) == value) return;
    }
}

char *units_format(enum unit_dim dim, union unit_value value, char *buf)
{
    if (dim == UNIT_FRACTION || dim == UNIT_REAL) {
        format_double(value.d, buf);
        return buf;
    }
    if (value.i == 0) return strcpy(buf, dims[dim].zero);
    char *digits = buf;
    uint64_t size = (uint64_t)value.i;
    if (value.i < 0) {
        *digits++ = '-';
        size = -size;
    }
    /* The shortest exact text: 16MiB rather than 16.777216MB, 90s rather than 1.5min. */
    char best[UNITS_TEXT_MAX] = "", text[UNITS_TEXT_MAX];
    for (const struct unit *unit = units[dim].first; unit < units[dim].end; unit++) {
        if (unit->input_only || !format_in(size, unit, text)) continue;
        if (!*best || strlen(text) < strlen(best)) strcpy(best, text);
    }
    strcpy(digits, best);
    return buf;
}

const char *units_dim_name(enum unit_dim dim)
{
    return dims[dim].name;
}

const char *units_dim_units(enum unit_dim dim)
{
    return dims[dim].units;
}

static int64_t saturate(u128 value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

#define BITS_PER_BYTE_PS (8 * E12) /* bits per byte times ps per second */

int64_t units_serialise_ps(int64_t bytes, int64_t rate_bps)
{
    /* Messages up to 1 MB need no 128-bit division. */
    if (bytes <= (INT64_MAX - BITS_PER_BYTE_PS) / BITS_PER_BYTE_PS) {
        uint64_t bits_ps = (uint64_t)bytes * (uint64_t)BITS_PER_BYTE_PS, rate = (uint64_t)rate_bps;
        return (int64_t)(bits_ps / rate + (bits_ps % rate != 0));
    }
    u128 bits_ps = (u128)bytes * (u128)BITS_PER_BYTE_PS, rate = (u128)rate_bps;
    return saturate(bits_ps / rate + (bits_ps % rate != 0));
}

int64_t units_carried_bytes(int64_t rate_bps, int64_t time_ps)
{
    int64_t product;
    if (!__builtin_mul_overflow(rate_bps, time_ps, &product)) return product / BITS_PER_BYTE_PS;
    return saturate((u128)rate_bps * (u128)time_ps / (u128)BITS_PER_BYTE_PS);
}

double units_s(int64_t time_ps)
{
    return (double)time_ps / 1e12;
}

int64_t units_ps(double time_s)
{
    double ps = time_s * 1e12;
    if (!(ps < 0x1p63)) return INT64_MAX;
    if (ps < -0x1p63) return INT64_MIN;
    return llround(ps);
}

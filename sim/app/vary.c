/* vary.c - turns --vary into lists of values.
 *
 * Apart from sweep.c because it is pure: text in, texts out. The one idea: a range is interpolated
 * in the integer base unit of its dimension and written back with units, so that a point of a
 * range is the same point (and has the same label) as the one typed by hand. A logarithmic range
 * finds its ratio by bisection with * and / alone: pow() would give other bits on another libm.
 * Not modelled: ranges of words or lists.
 */
#include "sim/app/vary.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/base/units.h"

/* struct range: what stands behind KEY=. */
struct range {
    enum unit_dim dim;
    union unit_value from, to;
    int64_t n;
    bool log;
    bool binary; /* sizes in powers of two: round to bits, not to decimals */
};

static const struct err_pos nowhere = {0};

static bool is_real(enum unit_dim dim)
{
    return dim == UNIT_FRACTION || dim == UNIT_REAL;
}

/* ---- interpolation --------------------------------------------------------------------------- */

/* power returns x^n for n >= 0, by squaring. */
static double power(double x, int64_t n)
{
    double product = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) product *= x;
    return product;
}

/* root returns the n-th root of r >= 1. */
static double root(double r, int64_t n)
{
    double low = 1, high = r;
    for (;;) {
        double mid = low + (high - low) / 2;
        if (mid <= low || mid >= high) return low;
        if (power(mid, n) < r)
            low = mid;
        else
            high = mid;
    }
}

/* ratio_at returns low * (high / low)^(i / (n - 1)). */
static double ratio_at(double low, double high, int64_t i, int64_t n)
{
    return low * power(root(high / low, n - 1), i);
}

/* round_digits rounds value > 0 to 4 significant decimal digits, or to 11 bits. */
static int64_t round_digits(double value, bool binary)
{
    int64_t unit = 1;
    while (value / (double)unit >= (binary ? 2048 : 10000))
        unit *= binary ? 2 : 10;
    return (int64_t)(value / (double)unit + 0.5) * unit;
}

static int64_t integer_at(const struct range *range, int64_t i)
{
    int64_t from = range->from.i, to = range->to.i, last = range->n - 1;
    if (i == 0) return from;
    if (i == last) return to;
    if (range->log) {
        bool up = to > from;
        double value = ratio_at((double)(up ? from : to), (double)(up ? to : from),
                                up ? i : last - i, range->n);
        return round_digits(value, range->binary);
    }
    /* from + (to - from) i / (n - 1), rounded to nearest */
    __extension__ typedef __int128 wide;
    wide span = (wide)to - from, twice = 2 * span * i + (span < 0 ? -last : last);
    return (int64_t)(from + twice / (2 * last));
}

static double real_at(const struct range *range, int64_t i)
{
    double from = range->from.d, to = range->to.d;
    int64_t last = range->n - 1;
    if (i == 0) return from;
    if (i == last) return to;
    if (!range->log) return from + (to - from) * (double)i / (double)last;
    bool up = to > from;
    return ratio_at(up ? from : to, up ? to : from, up ? i : last - i, range->n);
}

static const char *value_at(struct arena *arena, const struct range *range, int64_t i)
{
    char buf[UNITS_TEXT_MAX];
    int digits = range->log ? 4 : 10;
    switch (range->dim) {
    case UNIT_REAL:
        return arena_printf(arena, "%.*g", digits, real_at(range, i));
    case UNIT_FRACTION:
        return arena_printf(arena, "%.*g%%", digits, 100 * real_at(range, i));
    default:
        break;
    }
    union unit_value value = {.i = integer_at(range, i)};
    return arena_strdup(arena, units_format(range->dim, value, buf));
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* range_dim finds the dimension in which both ends can be read. */
static bool range_dim(struct range *range, const char *from, const char *to)
{
    static const enum unit_dim dims[] = {UNIT_COUNT,  UNIT_TIME, UNIT_SIZE,    UNIT_RATE,
                                         UNIT_LENGTH, UNIT_REAL, UNIT_FRACTION};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        range->dim = dims[i];
        if (!units_parse(dims[i], from, &range->from) && !units_parse(dims[i], to, &range->to))
            return true;
    }
    return false;
}

static bool range_check(const struct range *range, const char *spec, struct err *err)
{
    bool real = is_real(range->dim);
    double from = real ? range->from.d : (double)range->from.i;
    double to = real ? range->to.d : (double)range->to.i;
    if (range->n < 2 || range->n > VARY_VALUES_MAX)
        return err_add(err, nowhere, "--vary %s: a range has 2 to %d values", spec,
                       VARY_VALUES_MAX);
    if (range->log && (from <= 0 || to <= 0))
        return err_add(err, nowhere, "--vary %s: a logarithmic range begins and ends above 0",
                       spec);
    return true;
}

/* parse_range reads "A..B/N" (text, a copy); spec is the whole for messages. */
static bool parse_range(char *text, const char *spec, struct range *range, struct err *err)
{
    char *dots = strstr(text, ".."), *slash = strrchr(text, '/'), *end;
    if (!dots || !slash || slash < dots)
        return err_add(err, nowhere, "--vary %s: a range is FROM..TO/NUMBER, as in 0ms..40ms/9",
                       spec);
    *dots = *slash = 0;
    const char *from = text, *to = dots + 2;
    if (!range_dim(range, from, to))
        return err_add(err, nowhere,
                       "--vary %s: '%s' and '%s' are no two values of one kind (units are needed: "
                       "0ms..40ms/9)",
                       spec, from, to);
    range->n = strtoll(slash + 1, &end, 10);
    if (end == slash + 1 || *end)
        return err_add(err, nowhere, "--vary %s: '%s' is no number of values", spec, slash + 1);
    range->binary = range->dim == UNIT_SIZE && (range->from.i | range->to.i) % 1024 == 0;
    return range_check(range, spec, err);
}

/* next_item cuts text at the next comma outside of brackets and quotes; returns what follows. */
static char *next_item(char *text)
{
    int depth = 0;
    char quote = 0;
    for (; *text; text++) {
        if (quote) {
            if (*text == quote) quote = 0;
        } else if (*text == '"' || *text == '\'') {
            quote = *text;
        } else if (*text == '[' || *text == '{') {
            depth++;
        } else if (*text == ']' || *text == '}') {
            depth--;
        } else if (*text == ',' && depth <= 0) {
            *text = 0;
            return text + 1;
        }
    }
    return NULL;
}

static bool parse_list(struct arena *arena, char *text, struct vary_axis *axis, struct err *err)
{
    int64_t commas = 0;
    for (const char *c = text; *c; c++)
        commas += *c == ',';
    if (commas >= VARY_VALUES_MAX)
        return err_add(err, nowhere, "--vary %s: more than %d values", axis->key, VARY_VALUES_MAX);
    axis->value = ARENA_ARRAY(arena, const char *, commas + 1);
    for (char *item = text, *rest; item; item = rest) {
        rest = next_item(item);
        if (!*item) return err_add(err, nowhere, "--vary %s: an empty value", axis->key);
        axis->value[axis->n++] = item;
    }
    return true;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* check_unique complains about the first value that occurs twice. */
static bool check_unique(const struct vary_axis *axis, struct err *err)
{
    struct arena scratch = {0};
    const char **sorted = ARENA_ARRAY(&scratch, const char *, axis->n);
    memcpy(sorted, axis->value, (size_t)axis->n * sizeof *sorted);
    qsort(sorted, (size_t)axis->n, sizeof *sorted, compare_texts);
    bool ok = true;
    for (int64_t i = 1; ok && i < axis->n; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            ok =
                err_add(err, nowhere, "--vary %s: the value %s occurs twice", axis->key, sorted[i]);
    arena_free(&scratch);
    return ok;
}

bool vary_parse(struct arena *arena, const char *spec, struct vary_axis *axis, struct err *err)
{
    const char *equals = strchr(spec, '=');
    *axis = (struct vary_axis){0};
    if (!equals || equals == spec || !equals[1])
        return err_add(err, nowhere, "--vary %s: expected KEY=VALUE,VALUE,... or KEY=FROM..TO/N",
                       spec);
    axis->key = arena_printf(arena, "%.*s", (int)(equals - spec), spec);
    char *text = arena_strdup(arena, equals + 1);
    struct range range = {.log = strncmp(text, "log:", 4) == 0};
    if (!range.log && !strstr(text, ".."))
        return parse_list(arena, text, axis, err) && check_unique(axis, err);
    if (!parse_range(text + (range.log ? 4 : 0), spec, &range, err)) return false;
    axis->value = ARENA_ARRAY(arena, const char *, range.n);
    for (int64_t i = 0; i < range.n; i++)
        axis->value[axis->n++] = value_at(arena, &range, i);
    return check_unique(axis, err);
}

/* ---- grid ------------------------------------------------------------------------------------ */

int64_t vary_points(const struct vary_axis *axes, int n, int64_t times)
{
    int64_t points = times;
    if (points > VARY_POINTS_MAX) return -1;
    for (int i = 0; i < n; i++) {
        points *= axes[i].n; /* both <= 1e5: no overflow */
        if (points > VARY_POINTS_MAX) return -1;
    }
    return points;
}

void vary_pick(const struct vary_axis *axes, int n, int64_t index, int64_t *choice)
{
    for (int i = n - 1; i >= 0; i--) {
        choice[i] = index % axes[i].n;
        index /= axes[i].n;
    }
}

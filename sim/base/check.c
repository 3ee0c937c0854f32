/* check.c - a failed CHECK: say where, what, and at which simulated moment; then abort.
 *
 * Why apart: it stands below everything, so it knows no clock; the engine lends it a context.
 * The one idea: `lent` is the program's only mutable static (docs/decisions/0002-no-globals.md).
 */
#include "sim/base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct check_context *lent;

void check_lend(const struct check_context *context)
{
    lent = context;
}

/* Exact seconds in integers: a double would hide the picoseconds of a long run. */
static void print_context(const struct check_context *context)
{
    const int64_t ps_per_s = INT64_C(1000000000000);
    int64_t ps = context->now_ps < 0 ? 0 : context->now_ps;
    fprintf(stderr, "  at simulated time %" PRId64 ".%012" PRId64 " s, seed %" PRIu64 ", run %s\n",
            ps / ps_per_s, ps % ps_per_s, context->seed, context->label);
}

void check_fail(const char *file, int line, const char *cond, const char *fmt, ...)
{
    va_list ap;
    fflush(stdout);
    fprintf(stderr, "%s:%d: check failed: %s: ", file, line, cond);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    if (lent) print_context(lent);
    abort();
}

/* check.h - our own mistakes: CHECK aborts with the simulated time, the seed and the run's label.
 *
 * For what the user did wrong there is err.h; what a network does (drops, pauses) is data.
 * The engine lends check_lend() a pointer to its context while a run is under way, so that this
 * file needs to know no clock. That pointer is the one mutable static of the program (see
 * docs/decisions/0002-no-globals.md).
 */
#ifndef RAILSIM_BASE_CHECK_H
#define RAILSIM_BASE_CHECK_H

#include <stdint.h>

/* struct check_context: what a failed CHECK prints beside the place; owned by the lender. */
struct check_context {
    int64_t now_ps;
    uint64_t seed;
    const char *label; /* "topologies/x.yaml workloads/y.yaml wan.rtt=15ms" */
};

/* check_lend makes context the one that is printed; NULL takes it back. */
void check_lend(const struct check_context *context);

/* check_fail prints place, condition, message and context to stderr and aborts. */
_Noreturn void check_fail(const char *file, int line, const char *cond, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(cond), 0)) check_fail(__FILE__, __LINE__, #cond, __VA_ARGS__);      \
    } while (0)

/* DCHECK: as CHECK, only in debug and sanitizer builds; for hot paths. */
#ifdef RAILSIM_DEBUG
#define DCHECK(cond, ...) CHECK(cond, __VA_ARGS__)
#else
#define DCHECK(cond, ...) ((void)sizeof(cond))
#endif

#endif

/* client_law.h - for properties: a storage client, what a law allows it, and how long to read. */
#ifndef RAILSIM_TESTS_CLIENT_LAW_H
#define RAILSIM_TESTS_CLIENT_LAW_H

#include <math.h>

#include "tests/unit/rig.h"

#define ROUND_TRIPS 400 /* of the reading, and seconds, both at least: start and end, and an */
#define SECONDS 5       /* uneven number of requests per target, weigh less than the tolerance */
#define ROUND_BYTES (32.0 * MiB)  /* a file: so often round all targets */
#define TCP_SHARE (8948.0 / 9038) /* payload on the wire */
#define MIB 1048576.0

/* struct law_case: one client, one limit. Rates in bytes/s, times in s. */
struct law_case {
    const char *client, *server, *nic, *wan;
    int readers;
    double rtt_s, service_s;
    double bytes_per_s; /* what the law says */
    bool brief;         /* a fifth of the reading is enough */
    const char *bound;
};

/* law_workload: one file per reader: each has a read-ahead window of its own in both readings. */
static inline char *law_workload(struct arena *arena, const struct law_case *law)
{
    double time_s = (law->rtt_s + law->service_s) * ROUND_TRIPS;
    double bytes = law->bytes_per_s * (time_s > SECONDS ? time_s : SECONDS);
    if (law->brief) bytes /= 5;
    bytes = ceil(bytes / law->readers / ROUND_BYTES) * ROUND_BYTES * law->readers;
    return arena_printf(arena,
                        "kind: training\n"
                        "load: {size: %.0fB, files: %d, streams: %d}\n"
                        "dataset: {size: %.0fB, files: %d, records: %d}\n"
                        "step: {compute: 1ns}\n",
                        bytes, law->readers, law->readers, bytes, law->readers, 100 * law->readers);
}

/* law_bound: the bound with the largest share of a category in a phase. */
static inline const char *law_bound(const struct job *job, const char *phase, const char *category)
{
    const char *best = "none";
    int64_t most_ps = 0;
    for (int b = 0; b < BOUND_N; b++) {
        int64_t time_ps = job_share(job, phase, category, bound_name((enum bound)b));
        if (time_ps <= most_ps) continue;
        most_ps = time_ps;
        best = bound_name((enum bound)b);
    }
    return best;
}

#endif

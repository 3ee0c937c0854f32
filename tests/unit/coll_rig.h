/* coll_rig.h - for tests: one collective on a cluster_rig, timed; no closed form is known here.
 *
 * A byte takes a nanosecond, a hop `A` more. cmocka.h is included before.
 */
#ifndef RAILSIM_TESTS_COLL_RIG_H
#define RAILSIM_TESTS_COLL_RIG_H

#include "cluster_rig.h"

#define HEADER CLUSTER_RIG_HEADER
#define A 700 /* ns: software time of a hop */

struct job {
    struct cluster_rig rig;
    struct coll_plan plan;
    struct coll_run *run;
    int32_t done, rounds; /* ranks; rounds to go */
    int64_t end_ps;
};

static inline void rank_done(struct sim *sim, struct coll_run *run, int32_t rank)
{
    (void)rank;
    struct job *job = coll_run_owner(run);
    job->end_ps = sim_now_ps(sim);
    if (++job->done % job->plan.ask.ranks == 0 && --job->rounds > 0) coll_run_start(run);
}

static const struct coll_run_cfg plain = {.lag = {A * NS, A *NS}, .slots = 8};

/* As many nodes as ask has domains, a NIC per GPU. */
static inline void job_open_pxn(struct job *job, const char *name, const struct coll_ask *ask,
                                const struct coll_run_cfg *cfg, bool pxn)
{
    *job = (struct job){.rounds = 1};
    int32_t domains = ask->ranks / ask->local;
    cluster_rig_open(&job->rig,
                     &(struct cluster_rig_cfg){
                         .nodes = domains, .gpus = ask->local, .ports = ask->local, .pxn = pxn});
    const char *wrong = coll_plan(&job->plan, coll_list[coll_find(name)], ask, &job->rig.arena);
    if (wrong) fail_msg("%s: %s", name, wrong);
    struct coll_run_cfg with = *cfg;
    with.plan = &job->plan;
    with.done = rank_done;
    with.owner = job;
    job->run = coll_run_new(job->rig.cluster, &with);
}

static inline void job_open(struct job *job, const char *name, const struct coll_ask *ask,
                            const struct coll_run_cfg *cfg)
{
    job_open_pxn(job, name, ask, cfg, false);
}

static inline void job_close(struct job *job)
{
    cluster_rig_close(&job->rig);
}

static inline int64_t job_ns(struct job *job)
{
    coll_run_start(job->run);
    sim_run(job->rig.sim, &(struct sim_limits){0});
    assert_int_equal(job->done % job->plan.ask.ranks, 0);
    assert_true(job->done > 0);
    const struct coll_run_count count = coll_run_count(job->run);
    assert_int_equal(count.sent, count.received);
    assert_string_equal(coll_run_waits_for(job->run, &job->rig.arena), "");
    return (job->end_ps + NS / 2) / NS;
}

/* Where messages share links, times are no whole nanoseconds. */
static inline int64_t run_ns(const char *name, const struct coll_ask *ask, bool shares)
{
    struct job job;
    job_open(&job, name, ask, &plain);
    int64_t ns = job_ns(&job);
    if (!shares) assert_int_equal(job.end_ps % NS, 0);
    job_close(&job);
    return ns;
}

static inline int64_t time_ns(const char *name, const struct coll_ask *ask)
{
    return run_ns(name, ask, false);
}

static inline struct coll_ask ask_of(enum coll_op op, int32_t ranks, int32_t local, int64_t bytes)
{
    return (struct coll_ask){.op = op,
                             .protocol = COLL_SIMPLE,
                             .bytes = bytes,
                             .ranks = ranks,
                             .local = local,
                             .channels = 1,
                             .slices = 1};
}

#endif

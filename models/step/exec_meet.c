/* exec_meet.c - where ranks meet: collectives and plain meetings of a group.
 *
 * The one idea: a run is built at the first call of its kind (group, operation, size, algorithm,
 * category) and started again for every further one. A member that comes again before all members
 * have left waits at the door for the next round.
 * NOT modelled: two collectives of one kind on one group under way at a time.
 */
#include "models/cluster/coll_run.h"
#include "models/step/exec_live.h"
#include "models/step/group.h"
#include "sim/base/check.h"

struct exec_run {
    struct exec *exec;
    struct exec_run *next; /* of the group */
    struct exec_op op;     /* of the first call */
    struct coll_plan plan;
    struct coll_run *coll;     /* NULL: a plain meeting, or a group of one */
    const char *wrong;         /* why it cannot run */
    struct exec_live **inside; /* [n] by member */
    bool *been;                /* [n] in this round */
    struct exec_live *door, **door_end;
    struct timer timer;
    int64_t last_ps; /* when the last member entered */
    int32_t n, entered;
    int32_t done;  /* members whose part has ended */
    bool together; /* see group_made */
};

static void all_met(struct sim *sim, void *self);
static void member_done(struct sim *sim, struct coll_run *coll, int32_t member);

/* ---- building -------------------------------------------------------------------------------- */

static bool same_kind(const struct exec_op *a, const struct exec_op *b)
{
    if (a->kind != b->kind || a->category != b->category) return false;
    if (a->kind == EXEC_MEET) return true;
    return a->op == b->op && a->bytes == b->bytes && a->algorithm == b->algorithm &&
           a->root == b->root;
}

static const int32_t *places_of(const struct exec *exec, const struct exec_group *group)
{
    if (!exec->cfg.gpu) return group->rank;
    int32_t *gpu = ARENA_ARRAY(sim_arena(exec_sim(exec)), int32_t, group->n);
    for (int32_t m = 0; m < group->n; m++)
        gpu[m] = exec->cfg.gpu[group->rank ? group->rank[m] : m];
    return gpu;
}

static void build_collective(struct exec_run *run, const struct exec_group *group)
{
    struct exec *exec = run->exec;
    const struct group_site site = {.cluster = exec->cfg.cluster,
                                    .facts = exec->cfg.facts,
                                    .device = exec->cfg.device,
                                    .gpu = places_of(exec, group),
                                    .n = group->n,
                                    .messages_max = exec->cfg.messages_max};
    struct group_made made;
    run->wrong = group_plan(&site,
                            &(struct group_ask){.op = run->op.op,
                                                .bytes = run->op.bytes,
                                                .algorithm = run->op.algorithm,
                                                .root = run->op.root},
                            &run->plan, &made);
    run->together = made.together;
    if (run->wrong) return;
    made.run.plan = &run->plan;
    made.run.gpu = site.gpu;
    made.run.stream = (uint32_t)run->op.group * 256;
    made.run.done = member_done;
    made.run.owner = run;
    run->coll = coll_run_new(exec->cfg.cluster, &made.run);
}

static struct exec_run *find_run(struct exec *exec, const struct exec_op *op)
{
    CHECK(op->group < exec->cfg.group_n, "group %d of %d", op->group, exec->cfg.group_n);
    struct exec_run **at = &exec->run[op->group];
    for (; *at; at = &(*at)->next)
        if (same_kind(&(*at)->op, op)) return *at;
    struct arena *arena = sim_arena(exec_sim(exec));
    const struct exec_group *group = &exec->cfg.group[op->group];
    struct exec_run *run = *at = ARENA_NEW(arena, struct exec_run);
    run->exec = exec;
    run->op = *op;
    run->n = group->n;
    run->inside = ARENA_ARRAY(arena, struct exec_live *, group->n);
    run->been = ARENA_ARRAY(arena, bool, group->n);
    run->door_end = &run->door;
    timer_init(&run->timer, all_met, run, exec->component, EXEC_TIMER_MEET);
    if (op->kind == EXEC_COLLECTIVE && group->n > 1) build_collective(run, group);
    return run;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void enter(struct exec_run *run, struct exec_live *live)
{
    struct sim *sim = exec_sim(run->exec);
    int32_t member = live->op.member;
    run->inside[member] = live;
    run->been[member] = true;
    run->entered++;
    if (run->entered == run->n) run->last_ps = sim_now_ps(sim);
    if (run->wrong) return; /* exec_waits_for says why */
    if (run->coll)
        coll_run_enter(run->coll, member);
    else if (run->entered == run->n)
        timer_after(sim, &run->timer, live->op.kind == EXEC_MEET ? live->op.duration_ps : 0);
}

/* A round is over: those at the door come in, unless they are there twice. */
static void next_round(struct exec_run *run)
{
    struct exec_live *live = run->door, *next;
    run->entered = run->done = 0;
    for (int32_t m = 0; m < run->n; m++)
        run->been[m] = false;
    run->door = NULL;
    run->door_end = &run->door;
    for (; live; live = next) {
        next = live->next;
        exec_enter(live);
    }
}

static void leave(struct exec_run *run, int32_t member)
{
    struct exec_live *live = run->inside[member];
    if (run->entered == run->n) live->moving_ps = run->last_ps;
    exec_over(live);
}

static void leave_all(struct exec_run *run)
{
    for (int32_t m = 0; m < run->n; m++)
        leave(run, m);
    next_round(run);
    exec_go_on(run->exec);
}

static void member_done(struct sim *sim, struct coll_run *coll, int32_t member)
{
    (void)sim;
    struct exec_run *run = coll_run_owner(coll);
    run->done++;
    if (run->together) {
        if (run->done == run->n) leave_all(run);
        return;
    }
    leave(run, member);
    if (run->done == run->n) next_round(run);
    exec_go_on(run->exec);
}

static void all_met(struct sim *sim, void *self)
{
    (void)sim;
    leave_all(self);
}

void exec_enter(struct exec_live *live)
{
    struct exec_run *run = find_run(live->stream->exec, &live->op);
    CHECK(live->op.member >= 0 && live->op.member < run->n, "member %d of %d", live->op.member,
          run->n);
    if (!run->been[live->op.member]) {
        enter(run, live);
        return;
    }
    live->next = NULL;
    *run->door_end = live;
    run->door_end = &live->next;
}

/* ---- what there is to say -------------------------------------------------------------------- */

const char *exec_meet_waits_for(const struct exec_live *live, struct arena *arena)
{
    const struct exec_run *run = find_run(live->stream->exec, &live->op);
    const struct exec_group *group = &run->exec->cfg.group[live->op.group];
    if (run->wrong) return run->wrong;
    for (int32_t m = 0; m < run->n; m++)
        if (!run->been[m])
            return arena_printf(arena, "rank %d has not come (%d of %d have)",
                                group->rank ? group->rank[m] : m, run->entered, run->n);
    return run->coll ? coll_run_waits_for(run->coll, arena) : "";
}

int64_t exec_meet_bytes(const struct exec *exec, enum exec_category category)
{
    int64_t sum = 0;
    for (int32_t g = 0; g < exec->cfg.group_n; g++)
        for (const struct exec_run *run = exec->run[g]; run; run = run->next)
            if (run->coll && run->op.category == category) sum += coll_run_count(run->coll).bytes;
    return sum;
}

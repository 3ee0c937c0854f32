/* bulk.c - collectives of many ranks in few, long messages.
 *
 * The one idea: of a ring of n ranks, each sends n - 1 pieces to the next one, the next piece when
 * the one from behind has come; here it sends PIECES pieces of the same sum. So links carry what
 * they carry in the hierarchical algorithm (a ring inside each NVLink domain, a ring along each
 * rail), a slow rank or link holds its neighbours up, and what the steps left out would have taken
 * of software time is put on those that stay (group.c). Rings follow one another in a pipeline. As
 * a rank is coupled to PIECES others only, the executor lets nobody leave before all are done.
 *
 * Blocks: 0 a ring inside the domain (reduce-scatter), 1 the rail's ring, 2 a ring inside the
 * domain (all-gather); an operation has those that it needs, the others are empty.
 * NOT modelled: the order of data; propagation on the hops that are left out.
 */
#include "models/step/bulk.h"

enum { BEFORE, RAIL, AFTER, RINGS };
#define PIECES 8

struct bulk {
    int64_t bytes[RINGS];  /* that a rank sends; 0 = there is no such ring */
    int32_t before[RINGS]; /* the ring that has to come first; -1 = none */
};

int32_t bulk_messages(void)
{
    return PIECES;
}

static const char *bulk_plan(struct coll_plan *plan, struct arena *arena)
{
    const struct coll_ask *ask = &plan->ask;
    struct bulk *bulk = ARENA_NEW(arena, struct bulk);
    int64_t local = ask->local, domains = ask->ranks / ask->local;
    int64_t times = ask->op == COLL_ALL_REDUCE ? 2 : 1;
    int64_t inside = ask->bytes / local * (local - 1);
    if (ask->op != COLL_ALL_GATHER) bulk->bytes[BEFORE] = inside;
    if (ask->op != COLL_REDUCE_SCATTER) bulk->bytes[AFTER] = inside;
    bulk->bytes[RAIL] = times * (ask->bytes / local) / domains * (domains - 1);
    for (int32_t ring = 0, last = -1; ring < RINGS; ring++) {
        bulk->before[ring] = last;
        if (bulk->bytes[ring] > 0) last = ring;
    }
    plan->blocks = plan->lanes = RINGS;
    plan->state = bulk;
    return NULL;
}

/* The neighbour of a rank in a ring: by = 1 the next one, -1 the one before. */
static int32_t neighbour(const struct coll_ask *ask, int32_t ring, int32_t rank, int32_t by)
{
    int32_t inside = rank % ask->local, domain = rank / ask->local;
    int32_t domains = ask->ranks / ask->local;
    if (ring == RAIL)
        domain = (domain + by + domains) % domains;
    else
        inside = (inside + by + ask->local) % ask->local;
    return domain * ask->local + inside;
}

static bool bulk_step(const struct coll_plan *plan, int32_t rank, int32_t ring, int64_t index,
                      struct coll_step *step)
{
    const struct bulk *bulk = plan->state;
    const struct coll_range all = {0, bulk->bytes[ring]};
    if (all.bytes == 0 || index > PIECES) return false;
    *step = COLL_STEP_NONE;
    step->recv_lane = step->send_lane = ring;
    if (index > 0) {
        step->recv_from = neighbour(&plan->ask, ring, rank, -1);
        step->recv_bytes = coll_part(all, PIECES, (int32_t)index - 1).bytes;
    }
    if (index < PIECES) {
        step->send_to = neighbour(&plan->ask, ring, rank, 1);
        step->send_bytes = coll_part(all, PIECES, (int32_t)index).bytes;
        step->after_block = bulk->before[ring];
        step->after_step = index + 1; /* in which piece `index` has come */
    }
    return true;
}

const struct coll_ops bulk_ops = {
    .help = "rings inside domains and along rails in few, long messages",
    .can = COLL_BIT(COLL_ALL_REDUCE) | COLL_BIT(COLL_ALL_GATHER) | COLL_BIT(COLL_REDUCE_SCATTER),
    .plan = bulk_plan,
    .step = bulk_step,
};

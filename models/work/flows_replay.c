/* flows_replay.c - the flows of a file, at their times or when what they wait for has happened.
 *
 * Times of the file count from the start of the workload. Each flow is a queue pair of its own.
 */
#include <stdlib.h>

#include "models/work/flows_live.h"

enum { TIMER_LATE };

/* struct late: an item whose trigger has fired, but whose time has not come. */
struct late {
    struct timer timer;
    struct flows *flows;
    int32_t item;
};

struct replay {
    int32_t *order; /* [order_n] items without a trigger, by their times */
    int64_t order_n, at;
    int64_t base_ps;
    uint32_t component;
    struct pool late;
};

/* struct moment: for sorting; items of the same time stay in the order of the file. */
struct moment {
    int64_t start_ps;
    int32_t item;
};

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->start_ps != y->start_ps) return x->start_ps < y->start_ps ? -1 : 1;
    return x->item < y->item ? -1 : 1;
}

static struct replay *begin(struct flows *flows)
{
    const struct flows_plan *plan = &flows->loaded.plan;
    struct arena *arena = sim_arena(flows->sim), scratch = {0};
    struct replay *replay = ARENA_NEW(arena, struct replay);
    struct moment *moment = ARENA_ARRAY(&scratch, struct moment, plan->n);
    for (int64_t i = 0; i < plan->n; i++)
        if (plan->item[i].trigger < 0)
            moment[replay->order_n++] = (struct moment){plan->item[i].start_ps, (int32_t)i};
    qsort(moment, (size_t)replay->order_n, sizeof *moment, by_time);
    replay->order = ARENA_ARRAY(arena, int32_t, replay->order_n);
    for (int64_t i = 0; i < replay->order_n; i++)
        replay->order[i] = moment[i].item;
    arena_free(&scratch);
    replay->base_ps = sim_now_ps(flows->sim);
    replay->component = sim_component(flows->sim);
    pool_init(&replay->late, arena, sizeof(struct late));
    flows->total = plan->n;
    return replay;
}

static void send_item(struct flows *flows, int32_t i)
{
    const struct flows_item *item = &flows->loaded.plan.item[i];
    flows_live_send(flows, &(struct flows_ask){.src = item->src,
                                               .dst = item->dst,
                                               .stream = (uint32_t)i,
                                               .traffic_class = item->traffic_class,
                                               .confirm = item->on_confirmed >= 0,
                                               .bytes = item->bytes,
                                               .tag = i});
}

static void tick(struct flows *flows)
{
    struct replay *replay = flows->state;
    if (!replay) flows->state = replay = begin(flows);
    int64_t now_ps = sim_now_ps(flows->sim);
    for (; replay->at < replay->order_n; replay->at++) {
        int32_t i = replay->order[replay->at];
        int64_t start_ps = replay->base_ps + flows->loaded.plan.item[i].start_ps;
        if (start_ps > now_ps) {
            timer_arm(flows->sim, &flows->timer, start_ps);
            return;
        }
        send_item(flows, i);
    }
}

static void on_late(struct sim *sim, void *self)
{
    (void)sim;
    struct late *late = self;
    struct flows *flows = late->flows;
    struct replay *replay = flows->state;
    int32_t item = late->item;
    pool_put(&replay->late, late);
    send_item(flows, item);
}

static void fire(struct flows *flows, int32_t trigger)
{
    if (trigger < 0) return;
    struct replay *replay = flows->state;
    struct flows_plan *plan = &flows->loaded.plan;
    for (int32_t i = flows_read_fire(plan, trigger); i >= 0; i = plan->item[i].next) {
        int64_t start_ps = replay->base_ps + plan->item[i].start_ps;
        if (start_ps <= sim_now_ps(flows->sim)) {
            send_item(flows, i);
            continue;
        }
        struct late *late = pool_get(&replay->late);
        late->flows = flows;
        late->item = i;
        timer_init(&late->timer, on_late, late, replay->component, TIMER_LATE);
        timer_arm(flows->sim, &late->timer, start_ps);
    }
}

static void arrived(struct flows *flows, const struct flows_flow *flow)
{
    const struct flows_item item = flows->loaded.plan.item[flow->tag];
    fire(flows, item.on_confirmed);
    fire(flows, item.on_arrived);
}

const struct flows_pattern_ops flows_replay = {.tick = tick, .arrived = arrived};

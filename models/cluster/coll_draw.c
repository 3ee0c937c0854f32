/* coll_draw.c - steps of collectives for a timeline.
 *
 * Apart from coll_run.c because nobody may be looking. The one idea: a block does one step after
 * the other, so from the end of one to the end of the next it waits and moves for that one.
 * NOT drawn: agents, which are no GPUs.
 */
#include "models/cluster/coll_draw.h"

#include <stdio.h>

static int32_t node_gpus(const struct coll_draw_place *place)
{
    return (int32_t)cluster_facts(place->cluster)->node_gpus;
}

struct spans_lane coll_draw_lane(const struct coll_draw_place *place)
{
    int32_t gpus = node_gpus(place);
    return (struct spans_lane){place->gpu / gpus,
                               place->gpu % gpus * (1 + place->blocks) + 1 + place->block};
}

void coll_draw_name(const struct spans *to, const struct coll_draw_place *place)
{
    char name[64];
    struct coll_draw_place whole = *place;
    whole.block = -1;
    int n = snprintf(name, sizeof name, "GPU %d", place->gpu % node_gpus(place));
    if (place->block == 0) spans_name(to, coll_draw_lane(&whole), name);
    snprintf(name + n, sizeof name - (size_t)n, " block %d", place->block);
    spans_name(to, coll_draw_lane(place), name);
}

void coll_draw_step(const struct spans *to, const struct coll_draw_place *place,
                    const struct coll_step *step, int64_t start_ps)
{
    char name[64] = "";
    int n = 0;
    int64_t now_ps = sim_now_ps(cluster_sim(place->cluster));
    if (step->recv_from >= 0) n = snprintf(name, sizeof name, "from %d ", step->recv_from);
    if (step->send_to >= 0) snprintf(name + n, sizeof name - (size_t)n, "to %d", step->send_to);
    if (!*name || start_ps == now_ps) return;
    spans_add(to,
              &(struct span){.at = coll_draw_lane(place),
                             .name = name,
                             .category = "communication",
                             .start_ps = start_ps,
                             .end_ps = now_ps,
                             .bytes = step->send_to >= 0 ? step->send_bytes : step->recv_bytes});
}

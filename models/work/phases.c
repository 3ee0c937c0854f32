/* phases.c - the ledger of a job's time (phases.h).
 *
 * The one idea of the drawing: what is charged is what is drawn, so that a timeline and the shares
 * cannot tell two stories. Loading is drawn by its readers alone, as it is charged in crumbs.
 */
#include "models/work/phases.h"

static const char *const category_names[] = {
    [PHASE_START] = "start",           [PHASE_LOAD] = "load",
    [PHASE_COMPUTE] = "compute",       [PHASE_ALL_REDUCE] = "all_reduce",
    [PHASE_READ_STALL] = "read_stall", [PHASE_EVALUATION] = "evaluation",
    [PHASE_SERIAL] = "serial",         [PHASE_CHECKPOINT] = "checkpoint",
};
_Static_assert(sizeof(category_names) / sizeof(category_names[0]) == PHASE_CATEGORIES,
               "every category has a name");

void phases_end(struct phases *phases, int64_t now_ps, int64_t read_bytes)
{
    if (phases->n == 0) return;
    struct phase *phase = &phases->list[phases->n - 1];
    phase->end_ps = now_ps;
    phase->read_bytes = read_bytes - phase->read_bytes;
}

void phases_begin(struct phases *phases, const char *name, int64_t now_ps, int64_t read_bytes)
{
    phases_end(phases, now_ps, read_bytes);
    phases->list =
        arena_grow(phases->arena, phases->list, &phases->cap, phases->n + 1, sizeof(struct phase));
    struct phase *phase = &phases->list[phases->n++];
    *phase = (struct phase){.name = name, .start_ps = now_ps, .read_bytes = read_bytes};
}

static void draw(const struct phases *phases, const char *name, const char *category,
                 int64_t start_ps, int64_t time_ps)
{
    for (int64_t i = 0; i < phases->nodes; i++)
        spans_add(phases->spans, &(struct span){.at = {(int32_t)i, PHASES_LANE},
                                                .name = name,
                                                .category = category,
                                                .start_ps = start_ps,
                                                .end_ps = start_ps + time_ps,
                                                .bytes = -1});
}

void phases_add(struct phases *phases, enum phase_category category, enum bound bound,
                int64_t start_ps, int64_t time_ps)
{
    static const char *const kinds[] = {
        [PHASE_START] = "start",     [PHASE_LOAD] = NULL,
        [PHASE_COMPUTE] = "compute", [PHASE_ALL_REDUCE] = "communication",
        [PHASE_READ_STALL] = "wait", [PHASE_EVALUATION] = "compute",
        [PHASE_SERIAL] = "io",       [PHASE_CHECKPOINT] = "io",
    };
    char name[64];
    bound_add(&phases->list[phases->n - 1].share[category], bound, time_ps);
    if (!phases->spans || time_ps == 0 || !kinds[category]) return;
    snprintf(name, sizeof name, "%s", category_names[category]);
    if (category == PHASE_READ_STALL)
        snprintf(name, sizeof name, "waits for data: %s", bound_name(bound));
    draw(phases, name, kinds[category], start_ps, time_ps);
}

int64_t phases_sum(const struct phases *phases, enum phase_category category)
{
    int64_t sum_ps = 0;
    for (int64_t p = 0; p < phases->n; p++)
        for (int b = 0; b < BOUND_N; b++)
            sum_ps += phases->list[p].share[category].ps[b];
    return sum_ps;
}

void phases_record(const struct phases *phases, int64_t clock_ps, struct record *record)
{
    for (int64_t p = 0; p < phases->n; p++) {
        const struct phase *phase = &phases->list[p];
        int row =
            record_phase(record, phase->name, phase->start_ps - clock_ps, phase->end_ps - clock_ps);
        struct bound_ledger all = {{0}};
        for (int c = 0; c < PHASE_CATEGORIES; c++)
            for (int b = 0; b < BOUND_N; b++) {
                record_share(record, row, category_names[c], bound_name((enum bound)b),
                             phase->share[c].ps[b]);
                bound_add(&all, (enum bound)b, phase->share[c].ps[b]);
            }
        record->phases[row].bound = bound_name(bound_largest(&all, BOUND_COMPUTE));
        record->phases[row].read_bytes = phase->read_bytes;
    }
}

/* phases.c - the ledger of a job's time (phases.h). */
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

void phases_add(struct phases *phases, enum phase_category category, enum bound bound,
                int64_t time_ps)
{
    bound_add(&phases->list[phases->n - 1].share[category], bound, time_ps);
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

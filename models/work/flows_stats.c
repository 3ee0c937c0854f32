/* flows_stats.c - samples of finished flows and their percentiles.
 *
 * Apart from the life of flows. The one idea: samples are kept, so that percentiles are exact:
 * a slowdown that is compared within a few percent must not carry the error of a histogram's bins.
 * Sizes are grouped as in the slowdown figures of HPCC, which show twentieths of the flows of
 * WebSearch by size, each at its largest (fct_analysis.py;
 * tests/validation-long/hpcc_fct_slowdown_websearch30.csv).
 */
#include "models/work/flows_stats.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sim/base/units.h"

#define BLOCK 1024

struct flows_samples {
    struct flows_samples *next;
    struct flows_sample sample[BLOCK];
};

static const int64_t edges[] = {3333,    6700,    10000,   20000,   25000,   30000,   40000,
                                50000,   61500,   73000,   114000,  200000,  600000,  1000000,
                                1500000, 2000000, 3500000, 5000000, 8570000, 30000000};
#define EDGES ((int)(sizeof edges / sizeof edges[0]))

void flows_stats_add(struct flows_stats *stats, const struct flows_sample *sample)
{
    if (stats->n % BLOCK == 0) {
        struct flows_samples *block = ARENA_NEW(stats->arena, struct flows_samples);
        if (stats->last) {
            stats->last->next = block;
        } else {
            stats->first = block;
        }
        stats->last = block;
    }
    stats->last->sample[stats->n++ % BLOCK] = *sample;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Value below which a fraction of the sorted values lies, linear between neighbours. */
static double quantile(const double *sorted, int64_t n, double fraction)
{
    double at = fraction * (double)(n - 1);
    int64_t below = (int64_t)at;
    if (below >= n - 1) return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/* struct table: values of one kind, to be summed up under an entity and a name. */
struct table {
    const char *entity, *name, *unit;
    double *value;
    int64_t n;
};

static void record_table(struct record *record, struct table *table)
{
    static const struct {
        const char *name;
        double fraction;
    } quantiles[] = {{"min", 0},    {"p5", 0.05},    {"p50", 0.5}, {"p95", 0.95},
                     {"p99", 0.99}, {"p999", 0.999}, {"max", 1}};
    double sum = 0;
    qsort(table->value, (size_t)table->n, sizeof(double), ascending);
    for (int64_t i = 0; i < table->n; i++)
        sum += table->value[i];
    record_metric(record, table->entity, arena_printf(&record->arena, "%s_mean", table->name),
                  table->unit, sum / (double)table->n);
    for (unsigned q = 0; q < sizeof quantiles / sizeof quantiles[0]; q++)
        record_metric(record, table->entity,
                      arena_printf(&record->arena, "%s_%s", table->name, quantiles[q].name),
                      table->unit, quantile(table->value, table->n, quantiles[q].fraction));
}

static double time_s(const struct flows_sample *sample)
{
    return units_s(sample->time_ps);
}

static double goodput_bps(const struct flows_sample *sample)
{
    return (double)sample->bytes * 8 / units_s(sample->time_ps > 0 ? sample->time_ps : 1);
}

static double slowdown(const struct flows_sample *sample)
{
    return sample->slowdown;
}

/* Fill the table with what `value` says of all samples with low < bytes <= high. */
static void collect(const struct flows_stats *stats, struct table *table,
                    double (*value)(const struct flows_sample *), const int64_t range[2])
{
    table->n = 0;
    int64_t left = stats->n;
    for (const struct flows_samples *block = stats->first; block; block = block->next) {
        for (int64_t i = 0; i < BLOCK && left > 0; i++, left--) {
            const struct flows_sample *sample = &block->sample[i];
            if (sample->bytes > range[0] && sample->bytes <= range[1])
                table->value[table->n++] = value(sample);
        }
    }
}

static const char *size_entity(struct record *record, int edge)
{
    if (edge < EDGES) return arena_printf(&record->arena, "flows/size<=%" PRId64, edges[edge]);
    return arena_printf(&record->arena, "flows/size>%" PRId64, edges[EDGES - 1]);
}

void flows_stats_record(const struct flows_stats *stats, struct record *record)
{
    if (stats->n == 0) return;
    static const int64_t all[2] = {-1, INT64_MAX};
    struct table table = {.entity = "flows",
                          .value = ARENA_ARRAY(&record->arena, double, stats->n)};
    table.name = "fct";
    table.unit = "s";
    collect(stats, &table, time_s, all);
    record_table(record, &table);
    table.name = "goodput";
    table.unit = "bit/s";
    collect(stats, &table, goodput_bps, all);
    record_table(record, &table);
    table.name = "slowdown";
    table.unit = "1";
    collect(stats, &table, slowdown, all);
    record_table(record, &table);
    for (int e = 0; e <= EDGES; e++) {
        int64_t range[2] = {e > 0 ? edges[e - 1] : -1, e < EDGES ? edges[e] : INT64_MAX};
        collect(stats, &table, slowdown, range);
        if (table.n == 0) continue;
        table.entity = size_entity(record, e);
        record_metric(record, table.entity, "done", "1", (double)table.n);
        record_table(record, &table);
    }
}

/* stats.c - histograms, time averages, windowed rates.
 *
 * Why apart: components embed these structs and the record stores them in one form.
 * The one idea: bounded memory whatever the run: bins grow with the value (1/8 octave), windows
 * with the run (they double when all are used).
 * Not modelled: confidence intervals; quantiles are those of the bins.
 */
#include "sim/engine/stats.h"

#include <string.h>

#include "sim/base/check.h"
#include "sim/base/units.h"

#define OCTAVE_BITS 3 /* 2^3 bins per octave */
#define OCTAVE (1 << OCTAVE_BITS)

/* Values below 16 have a bin of their own; above, the bin is the octave and the 3 bits behind the
 * leading one. */
static int bin_of(int64_t value)
{
    if (value < OCTAVE) return (int)value;
    int shift = 63 - __builtin_clzll((uint64_t)value) - OCTAVE_BITS;
    return (shift << OCTAVE_BITS) + (int)(value >> shift);
}

static double bin_low(int bin)
{
    if (bin < OCTAVE) return bin;
    int shift = (bin >> OCTAVE_BITS) - 1;
    return (double)((uint64_t)(bin - (shift << OCTAVE_BITS)) << shift);
}

void stats_hist_add(struct stats_hist *hist, int64_t value)
{
    if (value < 0) value = 0;
    if (hist->count == 0 || value < hist->min) hist->min = value;
    if (hist->count == 0 || value > hist->max) hist->max = value;
    hist->count++;
    hist->sum += (double)value;
    hist->bin[bin_of(value)]++;
}

double stats_hist_quantile(const struct stats_hist *hist, double q)
{
    double below = q * (double)hist->count; /* samples wanted below the result */
    for (int bin = 0; bin < STATS_HIST_BINS && hist->count > 0; bin++) {
        double n = (double)hist->bin[bin];
        if (n == 0 || below > n) {
            below -= n;
            continue;
        }
        double low = bin_low(bin), high = bin_low(bin + 1);
        if (low < (double)hist->min) low = (double)hist->min;
        if (high > (double)hist->max) high = (double)hist->max;
        return low + (high - low) * (below / n);
    }
    return (double)hist->max;
}

void stats_hist_record(const struct stats_hist *hist, struct record *record,
                       const struct stats_name *name)
{
    struct arena scratch = {0};
    double count = (double)hist->count, scale = name->scale;
    const struct {
        const char *suffix;
        double value;
    } rows[] = {
        {"mean", hist->count ? hist->sum / count * scale : 0},
        {"min", (double)hist->min * scale},
        {"max", (double)hist->max * scale},
        {"p50", stats_hist_quantile(hist, 0.50) * scale},
        {"p95", stats_hist_quantile(hist, 0.95) * scale},
        {"p99", stats_hist_quantile(hist, 0.99) * scale},
    };
    const char *count_name = arena_printf(&scratch, "%s_count", name->name);
    record_metric(record, name->entity, count_name, "1", count);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *row = arena_printf(&scratch, "%s_%s", name->name, rows[i].suffix);
        record_metric(record, name->entity, row, name->unit, rows[i].value);
    }
    for (int bin = 0; bin < STATS_HIST_BINS; bin++) {
        if (!hist->bin[bin]) continue;
        record_bin(record, &(struct record_bin){
                               .entity = name->entity,
                               .name = name->name,
                               .unit = name->unit,
                               .low = bin_low(bin) * scale,
                               .high = bin_low(bin + 1) * scale,
                               .count = hist->bin[bin],
                           });
    }
    arena_free(&scratch);
}

void stats_rate_init(struct stats_rate *rate, int64_t window_ps)
{
    CHECK(window_ps > 0, "a window of %lld ps", (long long)window_ps);
    rate->window_ps = window_ps;
    rate->total = rate->used = 0;
    memset(rate->amount, 0, sizeof rate->amount);
}

/* halve merges neighbours into windows of twice the width. */
static void halve(struct stats_rate *rate)
{
    for (int64_t i = 0; i < STATS_RATE_WINDOWS / 2; i++)
        rate->amount[i] = rate->amount[2 * i] + rate->amount[2 * i + 1];
    memset(&rate->amount[STATS_RATE_WINDOWS / 2], 0, sizeof rate->amount / 2);
    rate->used = (rate->used + 1) / 2;
    rate->window_ps *= 2;
}

void stats_rate_add(struct stats_rate *rate, int64_t now_ps, int64_t amount)
{
    while (now_ps / rate->window_ps >= STATS_RATE_WINDOWS)
        halve(rate);
    int64_t i = now_ps / rate->window_ps;
    rate->amount[i] += amount;
    rate->total += amount;
    if (i >= rate->used) rate->used = i + 1;
}

void stats_rate_record(const struct stats_rate *rate, struct record *record,
                       const struct stats_name *name, int64_t end_ps)
{
    int series = record_series(record, name->entity, name->name, name->unit, rate->window_ps);
    for (int64_t i = 0; i < rate->used; i++) {
        if (i > 0 && rate->amount[i] == 0 && rate->amount[i - 1] == 0) continue;
        int64_t start_ps = i * rate->window_ps;
        /* The last window ends with the run, not after it. */
        int64_t width_ps =
            end_ps - start_ps < rate->window_ps ? end_ps - start_ps : rate->window_ps;
        if (width_ps <= 0) width_ps = rate->window_ps;
        record_sample(record, series, start_ps,
                      name->scale * (double)rate->amount[i] / units_s(width_ps));
    }
    int64_t idle_ps = rate->used * rate->window_ps;
    if (idle_ps < end_ps) record_sample(record, series, idle_ps, 0);
}

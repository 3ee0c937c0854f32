/* progress.c - points done, simulated time, events per second and ETA, on stderr.
 *
 * Apart from sweep.c because run shows it too. It uses no colours, so NO_COLOR has nothing to turn
 * off; a dumb terminal gets no line that is redrawn.
 * Not modelled: progress inside a point (a child reports only its result).
 */
#include "sim/app/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_PLAIN_S 30.0
#define PROGRESS_LINE_S 0.2

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_begin(struct progress *progress, int64_t total, bool quiet, bool verbose)
{
    const char *term = getenv("TERM");
    bool dumb = !term || !*term || strcmp(term, "dumb") == 0;
    bool line = !quiet && !dumb && isatty(STDERR_FILENO);
    double start_s = now_s();
    *progress = (struct progress){.line = line,
                                  .plain = !quiet && !line && verbose,
                                  .total = total,
                                  .start_s = start_s,
                                  .shown_s = start_s};
}

void progress_add(struct progress *progress, const struct record *record)
{
    progress->done++;
    progress->events += record->events;
    progress->sim_ps += record->sim_time_ps;
    progress->cpu_s += record->run_cpu_s;
}

void progress_show(struct progress *progress)
{
    double time_s = now_s(), passed_s = time_s - progress->start_s;
    double due_s = progress->line ? PROGRESS_LINE_S : PROGRESS_PLAIN_S;
    if ((!progress->line && !progress->plain) || time_s - progress->shown_s < due_s) return;
    progress->shown_s = time_s;
    if (progress->line) fprintf(stderr, "\r");
    fprintf(stderr, "%" PRId64 "/%" PRId64 " points, %.0f s", progress->done, progress->total,
            passed_s);
    if (progress->done)
        fprintf(stderr, ", %.3g h simulated", (double)progress->sim_ps * 1e-12 / 3600);
    if (progress->cpu_s > 0)
        fprintf(stderr, ", %.3g events/s", (double)progress->events / progress->cpu_s);
    if (progress->done) {
        double left = (double)(progress->total - progress->done) / (double)progress->done;
        int64_t eta_s = (int64_t)(passed_s * left + 0.5);
        fprintf(stderr, ", ETA %" PRId64 ":%02d", eta_s / 60, (int)(eta_s % 60));
    }
    fprintf(stderr, progress->line ? "\033[K" : "\n");
    fflush(stderr);
}

void progress_clear(const struct progress *progress)
{
    if (progress->line) fprintf(stderr, "\r\033[K");
    fflush(stderr);
}

/* run_timeline.c - the file of a timeline in the parent and in the worker.
 *
 * Apart from run.c because two processes share one file. The one idea: the parent opens it, so that
 * a bad name is an error before anything is simulated; the worker writes and flushes it, and the
 * parent, which writes nothing, looks whether the document has its end.
 */
#include "sim/app/run_timeline.h"

#include <errno.h>
#include <string.h>

static const char last[] = "]}\n"; /* of a complete document */
static const char entity[] = "timeline";

bool run_timeline_open(struct run_timeline *run, struct err *err)
{
    if (!chosen_parse(&run->chosen, run->nodes, run->time, err)) return false;
    if (!run->file && (run->nodes || run->time))
        return err_add(err, (struct err_pos){0}, "%s needs --timeline FILE",
                       run->nodes ? "--timeline-nodes" : "--timeline-time");
    if (!run->file) return true;
    run->out = fopen(run->file, "w+");
    return run->out || err_io(err, "cannot write %s: %s", run->file, strerror(errno));
}

const struct spans *run_timeline_begin(struct run_timeline *run)
{
    if (!run->out) return NULL;
    timeline_begin(&run->timeline, run->out, run->events_max);
    if (run->nodes) timeline_keep_hosts(&run->timeline);
    sketch_begin(&run->sketch, &run->timeline.spans);
    chosen_begin(&run->chosen, &run->sketch.spans);
    return &run->chosen.spans;
}

/* Counts of what is not drawn: in the record, because they are told by another process. */
static void record_gaps(const struct timeline *timeline, bool chosen, struct record *record)
{
    if (timeline->offered == timeline->events && !(chosen && timeline->events == 0)) return;
    record_metric(record, entity, "events", "1", (double)timeline->events);
    record_metric(record, entity, "events_all", "1", (double)timeline->offered);
    record_metric(record, entity, "nodes", "1",
                  timeline->drawn < timeline->nodes ? timeline->drawn : timeline->nodes);
    record_metric(record, entity, "nodes_all", "1", timeline->nodes);
    if (timeline->left_out > 0)
        record_metric(record, entity, "cut_s", "s", (double)timeline->left_out_ps * 1e-12);
}

void run_timeline_end(struct run_timeline *run, struct record *record)
{
    if (!run->out) return;
    sketch_record(&run->sketch, record);
    if (!timeline_end(&run->timeline))
        fprintf(stderr, "cannot write %s: %s\n", run->file, strerror(errno));
    record_gaps(&run->timeline, run->nodes || run->time, record);
}

void run_timeline_notice(const struct run_timeline *run, const struct record *record, FILE *out)
{
    double events, all, nodes = 0, nodes_all = 0, cut_s;
    if (!run->file || !record_find(record, entity, "events", &events) ||
        !record_find(record, entity, "events_all", &all))
        return;
    record_find(record, entity, "nodes", &nodes);
    record_find(record, entity, "nodes_all", &nodes_all);
    if (events == 0 && all == 0) {
        fprintf(out, "%s: nothing happened in the chosen nodes and time\n", run->file);
        return;
    }
    fprintf(out, "%s: %.0f of %.0f events are drawn", run->file, events, all);
    if (nodes < nodes_all && nodes == 1)
        fprintf(out, ", those of node 0 of %.0f", nodes_all);
    else if (nodes < nodes_all)
        fprintf(out, ", those of nodes 0..%.0f of %.0f", nodes - 1, nodes_all);
    if (record_find(record, entity, "cut_s", &cut_s)) fprintf(out, ", up to %.4g s", cut_s);
    fprintf(out, "; to see others: --timeline-nodes FIRST..LAST, --timeline-time FROM..TO; "
                 "to see more: --timeline-events N\n");
}

static bool is_complete(FILE *in)
{
    char text[sizeof last] = "";
    const long n = (long)strlen(last);
    return fseek(in, -n, SEEK_END) == 0 && fread(text, 1, (size_t)n, in) == (size_t)n &&
           strcmp(text, last) == 0;
}

bool run_timeline_close(struct run_timeline *run, bool complete, struct err *err)
{
    if (!run->out) return true;
    bool ok = !complete || is_complete(run->out);
    ok = fclose(run->out) == 0 && ok;
    run->out = NULL;
    return ok || err_io(err, "%s is not complete: is there room on the disk?", run->file);
}

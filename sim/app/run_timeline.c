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

bool run_timeline_open(struct run_timeline *run, struct err *err)
{
    if (!run->file) return true;
    run->out = fopen(run->file, "w+");
    return run->out || err_io(err, "cannot write %s: %s", run->file, strerror(errno));
}

const struct spans *run_timeline_begin(struct run_timeline *run)
{
    if (!run->out) return NULL;
    timeline_begin(&run->timeline, run->out, run->events_max);
    sketch_begin(&run->sketch, &run->timeline.spans);
    return &run->sketch.spans;
}

void run_timeline_end(struct run_timeline *run, struct record *record)
{
    if (!run->out) return;
    sketch_record(&run->sketch, record);
    if (!timeline_end(&run->timeline))
        fprintf(stderr, "cannot write %s: %s\n", run->file, strerror(errno));
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

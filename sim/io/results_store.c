/* results_store.c - writes a finished run into the results database.
 *
 * Apart from results_plan.c because it knows the record and nothing of sweeps. The one idea: all
 * rows of a run in one transaction, in the order of its record, so that the content does not depend
 * on which run finished first.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "sim/io/results.h"
#include "sim/io/results_sql.h"

bool results_clear(struct results *r, int64_t run_id, struct err *err)
{
    static const char *const deletes[] = {
        "DELETE FROM metric WHERE run_id = ?", "DELETE FROM phase WHERE run_id = ?",
        "DELETE FROM share WHERE run_id = ?",  "DELETE FROM series WHERE run_id = ?",
        "DELETE FROM sample WHERE run_id = ?", "DELETE FROM bin WHERE run_id = ?",
    };
    bool ok = true;
    for (size_t i = 0; ok && i < sizeof deletes / sizeof *deletes; i++)
        ok = results_put(r, err, deletes[i], "i", run_id);
    return ok;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool refuse_nan(struct results *r, const char *entity, const char *name, struct err *err)
{
    return err_io(err, "%s: '%s %s' is not a finite number; the run is not stored", results_path(r),
                  entity, name);
}

static bool check_finite(struct results *r, const struct record *rec, struct err *err)
{
    for (int64_t i = 0; i < rec->metric_n; i++)
        if (!isfinite(rec->metrics[i].value))
            return refuse_nan(r, rec->metrics[i].entity, rec->metrics[i].name, err);
    for (int64_t s = 0; s < rec->series_n; s++)
        for (int64_t i = 0; i < rec->series[s].n; i++)
            if (!isfinite(rec->series[s].value[i]))
                return refuse_nan(r, rec->series[s].entity, rec->series[s].name, err);
    for (int64_t i = 0; i < rec->bin_n; i++)
        if (!isfinite(rec->bins[i].low) || !isfinite(rec->bins[i].high))
            return refuse_nan(r, rec->bins[i].entity, rec->bins[i].name, err);
    if (!isfinite(rec->run_cpu_s) || !isfinite(rec->run_wall_s) || !isfinite(rec->setup_cpu_s))
        return refuse_nan(r, "run", "CPU and wall time", err);
    return true;
}

static bool store_metrics(struct results *r, int64_t run_id, const struct record *rec,
                          struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO metric VALUES(?, ?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t i = 0; ok && i < rec->metric_n; i++) {
        const struct record_metric *m = &rec->metrics[i];
        ok = results_put_row(r, stmt, err, "ittidt", run_id, m->entity, m->name, i, m->value,
                             m->unit);
    }
    return results_end(stmt, ok);
}

static bool store_phases(struct results *r, int64_t run_id, const struct record *rec,
                         struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO phase VALUES(?, ?, ?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t i = 0; ok && i < rec->phase_n; i++) {
        const struct record_phase *p = &rec->phases[i];
        ok = results_put_row(r, stmt, err, "iittiii", run_id, i, p->name, or_empty(p->bound),
                             p->start_ps, p->end_ps, p->read_bytes);
    }
    if (!results_end(stmt, ok)) return false;
    stmt = results_prepare(r, err, "INSERT INTO share VALUES(?, ?, ?, ?, ?, ?)", "");
    ok = stmt != NULL;
    for (int64_t i = 0; ok && i < rec->share_n; i++) {
        const struct record_share *s = &rec->shares[i];
        ok = results_put_row(r, stmt, err, "iiitti", run_id, i, (int64_t)s->phase, s->category,
                             or_empty(s->bound), s->time_ps);
    }
    return results_end(stmt, ok);
}

static bool store_samples(struct results *r, int64_t run_id, const struct record *rec,
                          struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO sample VALUES(?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t s = 0; ok && s < rec->series_n; s++)
        for (int64_t i = 0; ok && i < rec->series[s].n; i++)
            ok = results_put_row(r, stmt, err, "iiiid", run_id, s, i, rec->series[s].time_ps[i],
                                 rec->series[s].value[i]);
    return results_end(stmt, ok);
}

static bool store_series(struct results *r, int64_t run_id, const struct record *rec,
                         struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO series VALUES(?, ?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t i = 0; ok && i < rec->series_n; i++) {
        const struct record_series *s = &rec->series[i];
        ok = results_put_row(r, stmt, err, "iittti", run_id, i, s->entity, s->name, s->unit,
                             s->window_ps);
    }
    return results_end(stmt, ok) && store_samples(r, run_id, rec, err);
}

static bool store_bins(struct results *r, int64_t run_id, const struct record *rec, struct err *err)
{
    struct sqlite3_stmt *stmt =
        results_prepare(r, err, "INSERT INTO bin VALUES(?, ?, ?, ?, ?, ?, ?, ?)", "");
    bool ok = stmt != NULL;
    for (int64_t i = 0; ok && i < rec->bin_n; i++) {
        const struct record_bin *b = &rec->bins[i];
        ok = results_put_row(r, stmt, err, "iitttddi", run_id, i, b->entity, b->name, b->unit,
                             b->low, b->high, b->count);
    }
    return results_end(stmt, ok);
}

/* utc_text writes Unix seconds as 2025-11-20T22:00:00.123Z into buf[32]. */
static const char *utc_text(double unix_s, char *buf)
{
    int64_t ms = (int64_t)(unix_s * 1e3 + 0.5);
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    size_t n = gmtime_r(&seconds, &tm) ? strftime(buf, 32, "%Y-%m-%dT%H:%M:%S", &tm) : 0;
    snprintf(buf + n, 32 - n, ".%03dZ", (int)(ms % 1000));
    return buf;
}

static bool store_run(struct results *r, int64_t run_id, const struct record *rec,
                      const char *const when[2], struct err *err)
{
    char fingerprint[17];
    snprintf(fingerprint, sizeof fingerprint, "%016" PRIx64, rec->fingerprint);
    if (!results_put(
            r, err,
            "UPDATE run SET status = ?, message = ?, fingerprint = ?, sim_time_ps = ?, events = ?,"
            " data_hops = ?, ack_hops = ?, peak_rss_bytes = ?, run_cpu_s = ?, wall_s = ?,"
            " setup_cpu_s = ?, started = ?, ended = ? WHERE run_id = ?",
            "tttiiiiidddtti", rec->status, or_empty(rec->message), fingerprint, rec->sim_time_ps,
            rec->events, rec->data_hops, rec->ack_hops, rec->peak_rss_bytes, rec->run_cpu_s,
            rec->run_wall_s, rec->setup_cpu_s, when[0], when[1], run_id))
        return false;
    return results_changes(r) == 1 ||
           err_io(err, "%s: there is no run %" PRId64, results_path(r), run_id);
}

bool results_store(struct results *r, const struct results_finished *finished, struct err *err)
{
    char started[32], ended[32];
    const char *const when[] = {utc_text(finished->started_unix_s, started),
                                utc_text(finished->ended_unix_s, ended)};
    const struct record *record = finished->record;
    int64_t run_id = finished->run_id;
    if (!check_finite(r, record, err) || !results_begin(r, err)) return false;
    bool ok = results_clear(r, run_id, err) && store_run(r, run_id, record, when, err) &&
              store_metrics(r, run_id, record, err) && store_phases(r, run_id, record, err) &&
              store_series(r, run_id, record, err) && store_bins(r, run_id, record, err);
    return results_commit(r, ok, err);
}

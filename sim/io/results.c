/* results.c - the results database, a SQLite file: opens, closes, runs statements.
 *
 * Apart because this is the only file that knows SQLite; what is written through it is decided in
 * results_plan.c and results_store.c. The one idea: every call of SQLite is checked here, and what
 * it says becomes a message with the name of the file.
 * Source: sqlite.org/wal.html, /pragma.html, /fileformat2.html; the tables: results_schema.h.
 * Not modelled: several writers (a second one waits for the lock), older layouts (there are none).
 */
#include "sim/io/results.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "sim/base/arena.h"
#include "sim/base/check.h"
#include "sim/io/json.h"
#include "sim/io/results_schema.h"
#include "sim/io/results_sql.h"

#define BUSY_MS 20000      /* how long to wait for another process's lock */
#define CLOSE_BUSY_MS 1000 /* the same at close, where only tidiness is at stake */

struct results {
    struct arena arena; /* holds this struct and the path */
    sqlite3 *db;
    const char *path; /* for messages */
    enum results_mode mode;
};

const char *results_library(void)
{
    return "sqlite " SQLITE_VERSION;
}

/* ---- errors and statements ------------------------------------------------------------------- */

/* fail reports what SQLite says about the last call; false. */
static bool fail(struct results *r, const char *doing, struct err *err)
{
    int code = sqlite3_extended_errcode(r->db) & 0xff, system_errno = sqlite3_system_errno(r->db);
    const char *why = sqlite3_errmsg(r->db);
    if (code == SQLITE_NOTADB) why = "this is not a database";
    if (code == SQLITE_CORRUPT) why = "the file is damaged (keep a copy; sqlite3 can .recover it)";
    if (code == SQLITE_BUSY) why = "another process is writing to it";
    if (code == SQLITE_FULL) why = "the disk is full";
    if ((code == SQLITE_IOERR || code == SQLITE_CANTOPEN) && system_errno)
        why = strerror(system_errno);
    return err_io(err, "%s: cannot %s: %s", r->path, doing, why);
}

/* bind_values returns a result code of SQLite. */
static int bind_values(sqlite3_stmt *stmt, const char *types, va_list ap)
{
    int code = SQLITE_OK;
    for (int i = 1; *types && code == SQLITE_OK; types++, i++) {
        if (*types == 'i')
            code = sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
        else if (*types == 'd')
            code = sqlite3_bind_double(stmt, i, va_arg(ap, double));
        else
            code = sqlite3_bind_text(stmt, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
    }
    return code;
}

static sqlite3_stmt *prepare(struct results *r, struct err *err, const char *sql, const char *types,
                             va_list ap)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(r->db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK) code = bind_values(stmt, types, ap);
    if (code == SQLITE_OK) return stmt;
    fail(r, "use it", err);
    sqlite3_finalize(stmt); /* it never ran */
    return NULL;
}

struct sqlite3_stmt *results_prepare(struct results *r, struct err *err, const char *sql,
                                     const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *stmt = prepare(r, err, sql, types, ap);
    va_end(ap);
    return stmt;
}

bool results_put_row(struct results *r, struct sqlite3_stmt *stmt, struct err *err,
                     const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    int code = bind_values(stmt, types, ap);
    va_end(ap);
    if (code == SQLITE_OK) code = sqlite3_step(stmt);
    bool ok = code == SQLITE_DONE || fail(r, "write", err);
    code = sqlite3_reset(stmt); /* repeats the error of the step */
    return ok && (code == SQLITE_OK || fail(r, "write", err));
}

bool results_next(struct results *r, struct sqlite3_stmt *stmt, bool *row, struct err *err)
{
    int code = sqlite3_step(stmt);
    *row = code == SQLITE_ROW;
    return *row || code == SQLITE_DONE || fail(r, "read", err);
}

int64_t results_int(struct sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt, column);
}

const char *results_text(struct sqlite3_stmt *stmt, int column)
{
    return (const char *)sqlite3_column_text(stmt, column);
}

bool results_end(struct sqlite3_stmt *stmt, bool ok)
{
    int code = sqlite3_finalize(stmt); /* repeats the error of the last step */
    CHECK(!ok || code == SQLITE_OK, "statement ends with %d after success", code);
    return ok;
}

bool results_put(struct results *r, struct err *err, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    sqlite3_stmt *stmt = prepare(r, err, sql, types, ap);
    va_end(ap);
    return stmt && results_end(stmt, sqlite3_step(stmt) == SQLITE_DONE || fail(r, "write", err));
}

int64_t results_last_id(struct results *r)
{
    return sqlite3_last_insert_rowid(r->db);
}

int64_t results_changes(struct results *r)
{
    return sqlite3_changes64(r->db);
}

const char *results_path(const struct results *r)
{
    return r->path;
}

/* run_sql runs statements without parameters and drops their rows. */
static bool run_sql(struct results *r, const char *sql, struct err *err)
{
    return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(r, "write", err);
}

/* get_int fills *out with the only value of a query. */
static bool get_int(struct results *r, const char *sql, int64_t *out, struct err *err)
{
    bool row;
    sqlite3_stmt *stmt = results_prepare(r, err, sql, "");
    if (!stmt) return false;
    bool ok = results_next(r, stmt, &row, err);
    if (ok) *out = sqlite3_column_int64(stmt, 0);
    return results_end(stmt, ok);
}

bool results_begin(struct results *r, struct err *err)
{
    return run_sql(r, "BEGIN IMMEDIATE", err);
}

bool results_commit(struct results *r, bool ok, struct err *err)
{
    if (ok && run_sql(r, "COMMIT", err)) return true;
    /* Some errors have rolled back already; a ROLLBACK cannot fail otherwise. */
    if (!sqlite3_get_autocommit(r->db)) sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* ---- open and close -------------------------------------------------------------------------- */

/* network_file: is path on a file system where WAL's shared memory does not reach all readers?
 * Magic numbers: statfs(2). */
static bool network_file(const char *path)
{
    static const uint32_t magic[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                     0x01021997, 0x00c36400, 0x0bd00bd0, 0x47504653, 0x19830326,
                                     0x65735546, 0x7461636f, 0x01161970};
    struct statfs fs;
    if (statfs(path, &fs) != 0) return false;
    for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
        if ((uint32_t)fs.f_type == magic[i]) return true;
    return false;
}

/* set_journal asks for a journal mode; *got tells whether that is the mode now. */
static bool set_journal(struct results *r, const char *mode, bool *got, struct err *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s", mode);
    sqlite3_stmt *stmt = results_prepare(r, err, sql, "");
    if (!stmt) return false;
    int code = sqlite3_step(stmt);
    const char *now = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    *got = now && sqlite3_stricmp(now, mode) == 0;
    sqlite3_finalize(stmt); /* its result is that of the step */
    return true;
}

static bool open_journal(struct results *r, struct err *err)
{
    bool wal = false, plain;
    if (!network_file(r->path) && !set_journal(r, "WAL", &wal, err)) return false;
    if (!wal && !set_journal(r, "DELETE", &plain, err)) return false;
    return run_sql(r, "PRAGMA synchronous=FULL", err);
}

/* create makes the tables in a database that holds nothing yet. */
static bool create(struct results *r, struct err *err)
{
    char pragmas[96];
    snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d",
             RESULTS_APPLICATION_ID, RESULTS_VERSION);
    bool ok = results_begin(r, err) && run_sql(r, RESULTS_TABLES_SQL, err) &&
              run_sql(r, RESULTS_VIEWS_SQL, err) && run_sql(r, pragmas, err);
    return results_commit(r, ok, err);
}

/* recognise refuses what is no results database of this or an earlier railsim. *empty: there is
 * nothing in the file at all. */
static bool recognise(struct results *r, bool *empty, struct err *err)
{
    int64_t objects, application, version;
    if (!get_int(r, "SELECT count(*) FROM sqlite_schema", &objects, err) ||
        !get_int(r, "PRAGMA application_id", &application, err) ||
        !get_int(r, "PRAGMA user_version", &version, err))
        return false;
    *empty = objects == 0 && application == 0 && version == 0;
    if (*empty) {
        if (r->mode != RESULTS_READ) return true;
        return err_io(err, "%s: holds no results (the file is empty)", r->path);
    }
    if (application != RESULTS_APPLICATION_ID)
        return err_io(err, "%s: this is a database of another program, not of railsim", r->path);
    if (version != RESULTS_VERSION)
        return err_io(err, "%s: written by a newer railsim (layout %" PRId64 ", this one knows %d)",
                      r->path, version, RESULTS_VERSION);
    return true;
}

/* check_file refuses what SQLite would wait for or turn into something else, and makes a missing
 * file: the system's reason why that is impossible is better than SQLite's. */
static bool check_file(const char *path, enum results_mode mode, struct err *err)
{
    struct stat st;
    int flags = O_CLOEXEC | O_NONBLOCK | (mode == RESULTS_WRITE ? O_RDWR | O_CREAT : O_RDONLY);
    bool other = stat(path, &st) == 0 && !S_ISREG(st.st_mode); /* opening might wait, or act */
    int fd = other ? -1 : open(path, flags, 0666);
    if (other || fd < 0)
        return err_io(err, "cannot open %s: %s", path, other ? "not a file" : strerror(errno));
    close(fd);
    return true;
}

static bool open_file(struct results *r, struct err *err)
{
    int flags = SQLITE_OPEN_READWRITE | (r->mode == RESULTS_WRITE ? SQLITE_OPEN_CREATE : 0);
    /* "./" keeps names such as "file:x" and ":memory:" names of files. */
    const char *name = r->mode == RESULTS_MEMORY ? ":memory:"
                       : r->path[0] == '/'       ? r->path
                                                 : arena_printf(&r->arena, "./%s", r->path);
    if (sqlite3_open_v2(name, &r->db, flags, NULL) != SQLITE_OK) return fail(r, "open it", err);
    if (sqlite3_busy_timeout(r->db, BUSY_MS) != SQLITE_OK ||
        sqlite3_db_config(r->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
        sqlite3_db_config(r->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK)
        return fail(r, "open it", err);
    bool empty;
    if (!recognise(r, &empty, err)) return false;
    if (r->mode == RESULTS_READ) return run_sql(r, "PRAGMA query_only=1", err);
    return open_journal(r, err) && (!empty || create(r, err));
}

struct results *results_open(const char *path, enum results_mode mode, struct err *err)
{
    if (mode != RESULTS_MEMORY && !check_file(path, mode, err)) return NULL;
    struct arena arena = {0};
    struct results *r = ARENA_NEW(&arena, struct results);
    *r = (struct results){.arena = arena, .mode = mode};
    r->path = arena_strdup(&r->arena, path ? path : "results");
    if (open_file(r, err)) return r;
    sqlite3_close(r->db); /* nothing is open in it */
    arena = r->arena;
    arena_free(&arena);
    return NULL;
}

bool results_close(struct results *r, struct err *err)
{
    bool ok = true, plain;
    if (r->mode == RESULTS_WRITE) {
        /* Leaving WAL moves everything into the file. It fails harmlessly while others read; what
         * is wrong otherwise shows in the checkpoint. */
        sqlite3_busy_timeout(r->db, CLOSE_BUSY_MS);
        ok = run_sql(r, "PRAGMA wal_checkpoint(TRUNCATE)", err);
        ok = set_journal(r, "DELETE", &plain, err) && ok;
    }
    int code = sqlite3_close(r->db);
    CHECK(code == SQLITE_OK, "the database closes with %d: a statement is open", code);
    struct arena arena = r->arena;
    arena_free(&arena);
    return ok;
}

/* ---- query ----------------------------------------------------------------------------------- */

/* struct row_room: where the row of a query is put together. */
struct row_room {
    int n;
    const char **names, **values;
    char (*numbers)[JSON_NUMBER_MAX]; /* reals as text */
};

static void row_room_init(struct row_room *room, struct arena *arena, sqlite3_stmt *stmt)
{
    room->n = sqlite3_column_count(stmt);
    room->names = ARENA_ARRAY(arena, const char *, room->n);
    room->values = ARENA_ARRAY(arena, const char *, room->n);
    room->numbers = arena_array(arena, sizeof *room->numbers, room->n);
    for (int i = 0; i < room->n; i++)
        room->names[i] = sqlite3_column_name(stmt, i);
}

static void row_room_fill(struct row_room *room, sqlite3_stmt *stmt)
{
    for (int i = 0; i < room->n; i++)
        room->values[i] = sqlite3_column_type(stmt, i) == SQLITE_FLOAT
                              ? json_number_text(sqlite3_column_double(stmt, i), room->numbers[i])
                              : (const char *)sqlite3_column_text(stmt, i);
}

/* prepare_query is prepare for SQL that comes from elsewhere: one statement, which only reads. */
static sqlite3_stmt *prepare_query(struct results *r, const char *sql, struct err *err)
{
    const char *rest;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(r->db, sql, -1, &stmt, &rest) != SQLITE_OK) {
        fail(r, "answer this query", err);
        return NULL;
    }
    if (stmt && sqlite3_stmt_readonly(stmt) && !rest[strspn(rest, "; \t\n")]) return stmt;
    sqlite3_finalize(stmt); /* it never ran */
    err_io(err, "%s: not a single SELECT: %s", r->path, sql);
    return NULL;
}

bool results_query(struct results *r, const struct results_query *query, struct err *err)
{
    sqlite3_stmt *stmt = prepare_query(r, query->sql, err);
    if (!stmt) return false;
    struct arena arena = {0};
    struct row_room room;
    row_room_init(&room, &arena, stmt);
    int code = SQLITE_OK;
    for (int i = 0; i < query->param_n && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(stmt, i + 1, query->params[i], -1, SQLITE_STATIC);
    bool ok = code == SQLITE_OK || fail(r, "answer this query", err), more = ok;
    while (more && (ok = results_next(r, stmt, &more, err)) && more) {
        row_room_fill(&room, stmt);
        more = query->row(query->self, room.n, room.names, room.values);
    }
    arena_free(&arena);
    return results_end(stmt, ok);
}

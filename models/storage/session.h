/* session.h - one node's storage client at run time: requests through gates to the server and back.
 *
 * A read asks with a small message and gets its data back; a write sends its data and gets a small
 * reply; a metadata operation is small both ways. Each passes the gates of its plan in order, then
 * a connection, the server, and the connection back. Where it waited, and for what, is kept, so
 * that every stall can be named.
 */
#ifndef RAILSIM_MODELS_STORAGE_SESSION_H
#define RAILSIM_MODELS_STORAGE_SESSION_H

#include "models/storage/cache.h"
#include "models/storage/client.h"
#include "models/storage/transport.h"
#include "sim/base/record.h"

enum request_kind { REQUEST_READ, REQUEST_WRITE, REQUEST_META };

struct request;
struct session;
typedef void request_done_fn(struct sim *sim, struct request *request);

#define REQUEST_STAGES (CLIENT_GATES_MAX + 3) /* gates, way there, server, way back */

/* struct request: owned by the caller until done. */
struct request {
    enum request_kind kind;
    int64_t file, off, bytes; /* file: number among all sets */
    request_done_fn *done;
    void *owner;
    struct request *next; /* the owner's */
    bool complete;        /* the owner's */
    /* ---- filled by the session */
    enum bound bound; /* what it waited for most; fallback: the caller's business */
    int64_t wait_ps;  /* all waiting */
    int64_t start_ps;
    struct session *session;
    struct request *queue; /* in a gate's line */
    int gate;              /* the gate it waits at or passes next */
    int32_t target, peer;
    struct transport *back;
    struct transport_msg msg;
    struct server_op op;
    int64_t stage_since_ps;
    int64_t passed_ps[CLIENT_GATES_MAX];
    struct {
        int64_t wait_ps;
        enum bound bound;
    } stage[REQUEST_STAGES];
};

/* struct session_cfg: what a session is built from. server is the remote one, or the node's drive
 * (plan.local); fabric and wan are NULL then. */
struct session_cfg {
    const struct client_plan *plan;
    struct fabric *fabric;
    struct wan *wan;
    struct server *server;
    struct cache *cache;
    const int32_t *port; /* [port_n] nodes of the graph: connections take turns; for session_new */
    int64_t port_n;
    int32_t server_node;
    const char *name; /* "storage/client0" */
};
struct session *session_new(struct sim *sim, const struct session_cfg *cfg);

/* session_submit sends request on its way. done comes from a later event. */
void session_submit(struct session *session, struct request *request);

const struct client_plan *session_plan(const struct session *session);
struct cache *session_cache(const struct session *session);
struct server *session_server(const struct session *session);
struct sim *session_sim(const struct session *session);
/* session_pool hands out struct request objects for those who need many. */
struct pool *session_pool(struct session *session);

/* struct readahead: the budget of bytes read ahead over all files of a node. */
struct stream;
struct readahead {
    int64_t limit_bytes, used_bytes; /* limit 0 = none */
    struct stream *waiting, *last_waiting;
};
struct readahead *session_readahead(struct session *session);

/* session_read_bytes returns the bytes read from storage so far. */
int64_t session_read_bytes(const struct session *session);
/* session_record stores counters, latencies and the read rate over time. */
void session_record(const struct session *session, struct record *record);

#endif

/* session.c - gates, connections and the way of a request (session.h). */
#include "models/storage/session.h"

#include <string.h>

#include "sim/base/units.h"
#include "sim/engine/stats.h"

struct gate {
    int64_t used;
    struct request *first, *last; /* waiting */
    struct bound_ledger holders;  /* what holders spend their time on */
};

struct connection {
    struct transport *up, *down;
};

struct session {
    struct session_cfg cfg;
    struct sim *sim;
    struct gate *gates[CLIENT_GATES_MAX]; /* per gate of the plan: one per scope member */
    struct connection *connections;       /* [peers * plan.connections], then one for metadata */
    int64_t *turn;                        /* [peers] next connection */
    struct pool requests;
    struct readahead readahead;
    struct stats_rate read_rate;
    struct stats_hist read_latency, meta_latency;
    int64_t read_bytes, written_bytes, reads, writes, metas;
};

#define LEDGER_PS (10 * PS_PER_S) /* gates remember about this much holding time */
#define STAGE_UP (CLIENT_GATES_MAX)
#define STAGE_SERVER (CLIENT_GATES_MAX + 1)
#define STAGE_DOWN (CLIENT_GATES_MAX + 2)
#define READ_RATE_WINDOW_PS (100 * PS_PER_MS)

static void leave_node(struct session *session, struct request *request);

/* ---- gates ----------------------------------------------------------------------------------- */

static struct gate *gate_of(struct session *session, const struct request *request, int g)
{
    switch (session->cfg.plan->gate[g].scope) {
    case CLIENT_PER_PEER:
        return &session->gates[g][request->peer];
    case CLIENT_PER_TARGET:
        return &session->gates[g][request->target];
    case CLIENT_ALL:
        break;
    }
    return &session->gates[g][0];
}

static int64_t units_of(const struct client_gate *plan, const struct request *request)
{
    if (plan->unit_bytes == 0) return 1;
    int64_t units = (request->bytes + plan->unit_bytes - 1) / plan->unit_bytes;
    return units < plan->capacity ? units : plan->capacity;
}

/* Pass the gates from request->gate on; false if it waits at one. */
static bool pass_gates(struct session *session, struct request *request)
{
    const struct client_plan *plan = session->cfg.plan;
    int64_t now_ps = sim_now_ps(session->sim);
    for (; request->gate < plan->gate_n; request->gate++) {
        const struct client_gate *limit = &plan->gate[request->gate];
        struct gate *gate = gate_of(session, request, request->gate);
        if (gate->first || gate->used + units_of(limit, request) > limit->capacity) {
            request->stage_since_ps = now_ps;
            request->queue = NULL;
            if (gate->last) {
                gate->last->queue = request;
            } else {
                gate->first = request;
            }
            gate->last = request;
            return false;
        }
        gate->used += units_of(limit, request);
        request->passed_ps[request->gate] = now_ps;
    }
    return true;
}

/* Let in those who wait at a gate as long as there is room. */
static void admit(struct session *session, struct gate *gate, int g)
{
    const struct client_gate *limit = &session->cfg.plan->gate[g];
    int64_t now_ps = sim_now_ps(session->sim);
    while (gate->first && gate->used + units_of(limit, gate->first) <= limit->capacity) {
        struct request *request = gate->first;
        gate->first = request->queue;
        if (!gate->first) gate->last = NULL;
        gate->used += units_of(limit, request);
        request->stage[g].wait_ps = now_ps - request->stage_since_ps;
        request->stage[g].bound = bound_largest(&gate->holders, limit->bound);
        request->passed_ps[g] = now_ps;
        request->gate = g + 1;
        if (pass_gates(session, request)) leave_node(session, request);
    }
}

/* What the holder did while it held gate g: waiting further on, or plain latency. */
static void account_holder(struct session *session, struct request *request, int g)
{
    struct gate *gate = gate_of(session, request, g);
    int64_t held_ps = sim_now_ps(session->sim) - request->passed_ps[g];
    for (int s = g + 1; s < REQUEST_STAGES; s++) {
        bound_add_fading(&gate->holders, request->stage[s].bound, request->stage[s].wait_ps,
                         LEDGER_PS);
        held_ps -= request->stage[s].wait_ps;
    }
    bound_add_fading(&gate->holders, session->cfg.plan->gate[g].bound, held_ps > 0 ? held_ps : 0,
                     LEDGER_PS);
}

static void release_gates(struct session *session, struct request *request)
{
    int gate_n = request->kind == REQUEST_META ? 0 : session->cfg.plan->gate_n;
    for (int g = 0; g < gate_n; g++) {
        account_holder(session, request, g);
        gate_of(session, request, g)->used -= units_of(&session->cfg.plan->gate[g], request);
    }
    for (int g = gate_n - 1; g >= 0; g--)
        admit(session, gate_of(session, request, g), g);
}

/* ---- the way of a request -------------------------------------------------------------------- */

static void finish(struct session *session, struct request *request)
{
    int64_t now_ps = sim_now_ps(session->sim);
    int64_t took_ps = now_ps - request->start_ps;
    struct bound_ledger waits = {{0}};
    for (int s = 0; s < REQUEST_STAGES; s++) {
        bound_add(&waits, request->stage[s].bound, request->stage[s].wait_ps);
        request->wait_ps += request->stage[s].wait_ps;
    }
    request->bound = bound_largest(&waits, BOUND_METADATA);
    switch (request->kind) {
    case REQUEST_READ:
        session->reads++;
        session->read_bytes += request->bytes;
        stats_rate_add(&session->read_rate, now_ps, request->bytes);
        stats_hist_add(&session->read_latency, took_ps);
        break;
    case REQUEST_WRITE:
        session->writes++;
        session->written_bytes += request->bytes;
        break;
    case REQUEST_META:
        session->metas++;
        stats_hist_add(&session->meta_latency, took_ps);
        break;
    }
    release_gates(session, request);
    request->done(session->sim, request);
}

static void on_back(struct sim *sim, struct transport_msg *msg)
{
    (void)sim;
    struct request *request = msg->owner;
    request->stage[STAGE_DOWN].wait_ps = msg->wait_ps;
    request->stage[STAGE_DOWN].bound = msg->bound;
    finish(request->session, request);
}

static void on_served(struct sim *sim, struct server_op *op)
{
    (void)sim;
    struct request *request = op->owner;
    struct session *session = request->session;
    bool local = session->cfg.plan->local;
    request->stage[STAGE_SERVER].wait_ps = op->wait_ps;
    request->stage[STAGE_SERVER].bound = local ? BOUND_DEVICE : BOUND_SERVER;
    if (local) {
        finish(session, request);
        return;
    }
    int64_t data = request->kind == REQUEST_READ ? request->bytes : 0;
    request->msg = (struct transport_msg){
        .bytes = session->cfg.plan->header_bytes + data, .done = on_back, .owner = request};
    transport_send(request->back, &request->msg);
}

static void serve(struct request *request)
{
    request->op = (struct server_op){
        .bytes = request->bytes, .target = request->target, .done = on_served, .owner = request};
    server_submit(request->session->cfg.server, &request->op);
}

static void on_there(struct sim *sim, struct transport_msg *msg)
{
    (void)sim;
    struct request *request = msg->owner;
    request->stage[STAGE_UP].wait_ps = msg->wait_ps;
    request->stage[STAGE_UP].bound = msg->bound;
    serve(request);
}

/* All gates passed: choose the next connection to the peer, send the request. */
static void leave_node(struct session *session, struct request *request)
{
    const struct client_plan *plan = session->cfg.plan;
    if (plan->local) {
        serve(request);
        return;
    }
    int64_t peers = server_cfg(session->cfg.server)->peers;
    int64_t at = peers * plan->connections; /* metadata */
    if (request->kind != REQUEST_META) {
        at = request->peer * plan->connections + session->turn[request->peer];
        session->turn[request->peer] = (session->turn[request->peer] + 1) % plan->connections;
    }
    struct connection *connection = &session->connections[at];
    request->back = connection->down;
    int64_t data = request->kind == REQUEST_WRITE ? request->bytes : 0;
    request->msg = (struct transport_msg){
        .bytes = plan->header_bytes + data, .done = on_there, .owner = request};
    transport_send(connection->up, &request->msg);
}

void session_submit(struct session *session, struct request *request)
{
    request->session = session;
    request->start_ps = sim_now_ps(session->sim);
    request->gate = 0;
    request->wait_ps = 0;
    memset(request->stage, 0, sizeof(request->stage));
    if (request->kind == REQUEST_META) {
        request->target = -1;
        leave_node(session, request);
        return;
    }
    int64_t run_bytes;
    request->target = server_target(session->cfg.server, request->file, request->off, &run_bytes);
    request->peer = (int32_t)(request->target % server_cfg(session->cfg.server)->peers);
    if (pass_gates(session, request)) leave_node(session, request);
}

/* ---- building -------------------------------------------------------------------------------- */

static void connect(struct session *session)
{
    const struct session_cfg *cfg = &session->cfg;
    struct arena *arena = sim_arena(session->sim);
    int64_t peers = server_cfg(cfg->server)->peers, n = peers * cfg->plan->connections + 1;
    session->turn = ARENA_ARRAY(arena, int64_t, peers);
    session->connections = ARENA_ARRAY(arena, struct connection, n);
    struct transport_cfg there = {.fabric = cfg->fabric,
                                  .wan = cfg->wan,
                                  .dst = cfg->server_node,
                                  .framing = &cfg->plan->framing,
                                  .law = tcp_law_find(cfg->plan->law),
                                  .window_bytes = cfg->plan->window_bytes};
    for (int64_t i = 0; i < n; i++) {
        struct transport_cfg back = there;
        there.src = back.dst = cfg->port[i % cfg->port_n];
        there.stream = back.stream = (uint32_t)i;
        back.src = cfg->server_node;
        back.process_bps = cfg->plan->process_bps;
        const char *name = arena_printf(arena, "%s/connection%lld", cfg->name, (long long)i);
        session->connections[i].up = transport_new(&there, arena_printf(arena, "%s/up", name));
        session->connections[i].down = transport_new(&back, arena_printf(arena, "%s/down", name));
    }
}

struct session *session_new(struct sim *sim, const struct session_cfg *cfg)
{
    struct arena *arena = sim_arena(sim);
    struct session *session = ARENA_NEW(arena, struct session);
    session->cfg = *cfg;
    session->sim = sim;
    const struct server_cfg *server = server_cfg(cfg->server);
    for (int g = 0; g < cfg->plan->gate_n; g++) {
        enum client_scope scope = cfg->plan->gate[g].scope;
        int64_t n = scope == CLIENT_PER_TARGET ? server->targets
                    : scope == CLIENT_PER_PEER ? server->peers
                                               : 1;
        session->gates[g] = ARENA_ARRAY(arena, struct gate, n);
    }
    session->readahead.limit_bytes = cfg->plan->readahead_total_bytes;
    pool_init(&session->requests, arena, sizeof(struct request));
    stats_rate_init(&session->read_rate, READ_RATE_WINDOW_PS);
    if (!cfg->plan->local) connect(session);
    return session;
}

const struct client_plan *session_plan(const struct session *session)
{
    return session->cfg.plan;
}

struct cache *session_cache(const struct session *session)
{
    return session->cfg.cache;
}

struct server *session_server(const struct session *session)
{
    return session->cfg.server;
}

struct sim *session_sim(const struct session *session)
{
    return session->sim;
}

struct pool *session_pool(struct session *session)
{
    return &session->requests;
}

struct readahead *session_readahead(struct session *session)
{
    return &session->readahead;
}

int64_t session_read_bytes(const struct session *session)
{
    return session->read_bytes;
}

static void record_connections(const struct session *session, struct record *record)
{
    if (!session->connections) return;
    int64_t n = server_cfg(session->cfg.server)->peers * session->cfg.plan->connections + 1;
    struct transport_stats sum = {0};
    for (int64_t i = 0; i < 2 * n; i++) {
        const struct connection *connection = &session->connections[i / 2];
        struct transport_stats one = transport_stats(i % 2 ? connection->up : connection->down);
        sum.sent_bytes += one.sent_bytes;
        sum.delivered_bytes += one.delivered_bytes;
        sum.bursts += one.bursts;
        sum.losses += one.losses;
        sum.retransmitted_bytes += one.retransmitted_bytes;
        sum.inflight_bytes += one.inflight_bytes;
    }
    const char *entity = arena_printf(&record->arena, "%s/transport", session->cfg.name);
    record_metric(record, entity, "sent_bytes", "bytes", (double)sum.sent_bytes);
    record_metric(record, entity, "delivered_bytes", "bytes", (double)sum.delivered_bytes);
    record_metric(record, entity, "inflight_bytes", "bytes", (double)sum.inflight_bytes);
    record_metric(record, entity, "retransmitted_bytes", "bytes", (double)sum.retransmitted_bytes);
    record_metric(record, entity, "losses", "1", (double)sum.losses);
    record_metric(record, entity, "bursts", "1", (double)sum.bursts);
}

void session_record(const struct session *session, struct record *record)
{
    const char *name = session->cfg.name;
    record_metric(record, name, "read_bytes", "bytes", (double)session->read_bytes);
    record_metric(record, name, "written_bytes", "bytes", (double)session->written_bytes);
    record_metric(record, name, "reads", "1", (double)session->reads);
    record_metric(record, name, "writes", "1", (double)session->writes);
    record_metric(record, name, "metadata_operations", "1", (double)session->metas);
    stats_hist_record(&session->read_latency, record,
                      &(struct stats_name){name, "read_latency", "s", 1e-12});
    stats_hist_record(&session->meta_latency, record,
                      &(struct stats_name){name, "metadata_latency", "s", 1e-12});
    stats_rate_record(&session->read_rate, record,
                      &(struct stats_name){name, "read_rate", "bit/s", 8},
                      sim_now_ps(session->sim));
    record_connections(session, record);
}

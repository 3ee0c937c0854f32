/* exec_message.c - sends and receives of single messages between ranks.
 *
 * The one idea: a send does not wait for its receive: the message waits at the receiver, and a
 * receive waits there for a message, each in a list in order of coming. One connection per pair of
 * ranks keeps messages of a pair in order.
 * NOT modelled: the handshake before long messages (rendezvous), room for messages that came early.
 */
#include <inttypes.h>

#include "models/step/exec_live.h"

struct exec_message {
    struct cluster_msg msg; /* first */
    struct exec_live *send;
    struct exec_message *next;
    int64_t tag, start_ps;
    int32_t src, dst;
};

struct exec_pair {
    struct cluster_conn conn;
    int32_t src, dst;
};

/* ---- connections ----------------------------------------------------------------------------- */

static struct exec_pair **find_place(const struct exec *exec, int32_t src, int32_t dst)
{
    uint64_t h = ((uint64_t)(uint32_t)src << 32 | (uint32_t)dst) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t mask = (uint64_t)exec->pair_cap - 1, at = (h ^ h >> 31) & mask;
    for (;; at = (at + 1) & mask) {
        struct exec_pair *pair = exec->pair[at];
        if (!pair || (pair->src == src && pair->dst == dst)) return &exec->pair[at];
    }
}

static void grow_pairs(struct exec *exec)
{
    struct exec_pair **old = exec->pair;
    int64_t old_n = exec->pair_cap;
    exec->pair_cap = old_n ? 2 * old_n : 64;
    exec->pair = ARENA_ARRAY(sim_arena(exec_sim(exec)), struct exec_pair *, exec->pair_cap);
    for (int64_t i = 0; i < old_n; i++)
        if (old[i]) *find_place(exec, old[i]->src, old[i]->dst) = old[i];
}

static struct exec_pair *find_pair(struct exec *exec, int32_t src, int32_t dst)
{
    if (2 * exec->pair_n >= exec->pair_cap) grow_pairs(exec);
    struct exec_pair **place = find_place(exec, src, dst);
    if (*place) return *place;
    const struct collective_cost *cost = &exec->cfg.facts->cost[COLL_SIMPLE];
    struct exec_pair *pair = *place = ARENA_NEW(sim_arena(exec_sim(exec)), struct exec_pair);
    exec->pair_n++;
    pair->src = src;
    pair->dst = dst;
    const int32_t *gpu = exec->cfg.gpu;
    cluster_connect(exec->cfg.cluster, &pair->conn, gpu ? gpu[src] : src, gpu ? gpu[dst] : dst, 0);
    cluster_lag(&pair->conn, &(struct cluster_lag){cost->nvlink_ps, cost->net_ps});
    return pair;
}

/* ---- the two ends ---------------------------------------------------------------------------- */

static bool fits(const struct exec_op *receive, const struct exec_message *message)
{
    return (receive->peer == EXEC_ANY || receive->peer == message->src) &&
           (receive->tag == EXEC_ANY || receive->tag == message->tag);
}

static void take(struct exec *exec, struct exec_live *receive, struct exec_message *message)
{
    receive->moving_ps = message->start_ps;
    receive->op.bytes = message->msg.bytes;
    exec->pending--;
    pool_put(&exec->messages, message);
    exec_over(receive);
}

static void arrived(struct sim *sim, struct cluster_msg *msg)
{
    (void)sim;
    struct exec_message *message = (struct exec_message *)(void *)msg;
    struct exec *exec = msg->owner;
    struct exec_rank *rank = &exec->rank[message->dst];
    struct exec_live **at = &rank->posted;
    exec_over(message->send);
    message->next = NULL;
    while (*at && !fits(&(*at)->op, message))
        at = &(*at)->next;
    if (*at) {
        struct exec_live *receive = *at;
        *at = receive->next;
        if (!*at) rank->posted_end = at;
        take(exec, receive, message);
    } else {
        *rank->inbox_end = message;
        rank->inbox_end = &message->next;
    }
    exec_go_on(exec);
}

void exec_send(struct exec_live *live)
{
    struct exec *exec = live->stream->exec;
    struct exec_pair *pair = find_pair(exec, live->stream->rank, live->op.peer);
    if (exec->messages.size == 0)
        pool_init(&exec->messages, sim_arena(exec_sim(exec)), sizeof(struct exec_message));
    struct exec_message *message = pool_get(&exec->messages);
    message->send = live;
    message->src = live->stream->rank;
    message->dst = live->op.peer;
    message->tag = live->op.tag;
    message->start_ps = live->start_ps;
    message->msg.bytes = live->op.bytes;
    message->msg.done = arrived;
    message->msg.owner = exec;
    exec->pending++;
    cluster_send(&pair->conn, &message->msg);
}

void exec_receive(struct exec_live *live)
{
    struct exec *exec = live->stream->exec;
    struct exec_rank *rank = &exec->rank[live->stream->rank];
    struct exec_message **at = &rank->inbox;
    while (*at && !fits(&live->op, *at))
        at = &(*at)->next;
    if (*at) {
        struct exec_message *message = *at;
        *at = message->next;
        if (!*at) rank->inbox_end = at;
        take(exec, live, message);
        return;
    }
    live->next = NULL;
    *rank->posted_end = live;
    rank->posted_end = &live->next;
}

const char *exec_unreceived(const struct exec *exec, struct arena *arena)
{
    for (int32_t r = 0; r < exec->cfg.ranks; r++) {
        const struct exec_message *message = exec->rank[r].inbox;
        if (message)
            return arena_printf(arena,
                                "a message from rank %d to rank %d with tag %" PRId64
                                " has no receive that matches",
                                message->src, message->dst, message->tag);
        const struct exec_live *receive = exec->rank[r].posted;
        if (receive)
            return arena_printf(arena,
                                "rank %d, stream %s: a receive from rank %d with tag %" PRId64
                                " has no message that matches",
                                r, exec->cfg.stream_names[receive->stream->number],
                                receive->op.peer, receive->op.tag);
    }
    return "";
}

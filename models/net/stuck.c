/* stuck.c - the wait-for graph of held lanes, what never ends in it, and a circle (stuck.h).
 *
 * A lane is a link and a data class. PFC lets a lane go when the switch holds no more than XON of
 * what came by it; credit comes back as packets leave. So a held lane waits for those held egress
 * lanes of the switch in whose queues such packets lie: a held queue does not move. The one idea:
 * take all held lanes, and strike out, again and again, each one of which so little lies in queues
 * of lanes still on the list that it could be let go. What is left can never move: each holds the
 * others. (A mere circle of paused links proves nothing: the packets that hold one of them may be
 * leaving by another port.) Each lane that is left waits for one that is left, so that following
 * them leads into a circle.
 *
 * A pause frame on its way can make a fabric look stuck for a moment: a deadlock counts when the
 * next look finds the same queue in it, with the same packet in front.
 * Source: C. Guo et al., "RDMA over Commodity Ethernet at Scale", SIGCOMM 2016, section 4.2.
 * NOT modelled: pauses that come from endpoints (a storm is not a deadlock: the watchdog's task).
 */
#include "models/net/stuck.h"

#include "models/net/net.h"
#include "models/net/switch.h"
#include "sim/base/units.h"

#define LOOK_SHARE 8    /* a look costs at most this part of the time so far: few in long runs */
#define CREDIT_FRAMES 2 /* as in pfc.c: less credit is not told while something is left */
#define NAMES_MAX 12    /* of a long circle */

enum state { MOVES, HELD, PASSED }; /* passed: held, and met on the walk into a circle */

/* struct waits: lane = link * classes + class. */
struct waits {
    struct net_parts parts;
    int32_t classes, lane_n;
    char *state;          /* [lane_n] enum state */
    int64_t *stuck_bytes; /* [lane_n] of what came by the lane and lies in queues of held ones */
};

static const struct port *port_of(const struct waits *waits, int32_t lane)
{
    return waits->parts.port[lane / waits->classes];
}

/* An endpoint's is empty. */
static const struct port_queue *queue_of(const struct waits *waits, int32_t lane)
{
    const struct port *port = port_of(waits, lane);
    int32_t class_ = lane % waits->classes;
    return class_ == 0 ? &port->queue[1] : &port->share->queue[class_];
}

/* The switch at the end of a lane, NULL if it is an endpoint. */
static const struct net_switch *switch_behind(const struct waits *waits, int32_t lane)
{
    const struct port *port = port_of(waits, lane);
    return port->to_nic ? NULL : port->peer;
}

/* The account of a lane in the switch behind it, and the lane of an account. */
static int32_t account_of(const struct waits *waits, int32_t lane)
{
    return port_of(waits, lane)->peer_slot * waits->classes + lane % waits->classes;
}
static int32_t lane_of(const struct waits *waits, const struct net_switch *sw, int32_t account)
{
    const struct port *out = &sw->ports[account / waits->classes];
    return out->reverse->link * waits->classes + account % waits->classes;
}

/* What a lane needs of credit to send one packet. */
static int64_t need_bytes(const struct waits *waits, int32_t lane)
{
    const struct port_queue *queue = queue_of(waits, lane);
    return port_queue_waits(queue) ? queue->first->wire_bytes
                                   : port_of(waits, lane)->credit->frame_bytes;
}

/* Does the switch behind a lane hold it? */
static bool is_held(const struct waits *waits, int32_t lane)
{
    const struct port *port = port_of(waits, lane);
    const struct net_switch *sw = switch_behind(waits, lane);
    int32_t class_ = lane % waits->classes;
    if (!sw) return false;
    if (port->credit) return port->credit->left_bytes[class_] < need_bytes(waits, lane);
    return port->paused >> class_ & 1 && sw->ingress[account_of(waits, lane)].paused;
}

/* Will it be let go when all has left that is not stuck? */
static bool can_go(const struct waits *waits, int32_t lane)
{
    const struct port *port = port_of(waits, lane);
    const struct net_switch *sw = switch_behind(waits, lane);
    const struct switch_ingress *in = &sw->ingress[account_of(waits, lane)];
    int64_t stuck_bytes = waits->stuck_bytes[lane], xon_bytes = sw->cfg->pfc.xon_bytes;
    if (!port->credit || stuck_bytes == 0) return stuck_bytes <= xon_bytes;
    int64_t told_bytes = in->owed_bytes + in->bytes - stuck_bytes;
    if (told_bytes < CREDIT_FRAMES * sw->net->frame_bytes) return false;
    return port->credit->left_bytes[lane % waits->classes] + told_bytes >= need_bytes(waits, lane);
}

/* Add what waits in a lane to stuck_bytes of the lanes it came by, or (sign -1) take it off. */
static void count(struct waits *waits, int32_t lane, int sign)
{
    const struct port *port = port_of(waits, lane);
    const struct port_queue *queue = queue_of(waits, lane);
    for (const struct port_entry *entry = queue->first; entry != queue->behind;
         entry = port_queue_next(queue, entry)) {
        waits->stuck_bytes[lane_of(waits, port->node, entry->account)] += sign * entry->wire_bytes;
    }
}

/* Sets the state of all lanes; false if all can move. */
static bool find_held(struct waits *waits)
{
    int32_t held = 0;
    for (int32_t lane = 0; lane < waits->lane_n; lane++) {
        if (!is_held(waits, lane)) continue;
        waits->state[lane] = HELD;
        held++;
        count(waits, lane, 1);
    }
    for (bool again = true; again;) {
        again = false;
        for (int32_t lane = 0; lane < waits->lane_n; lane++) {
            if (waits->state[lane] == MOVES || !can_go(waits, lane)) continue;
            waits->state[lane] = MOVES;
            count(waits, lane, -1);
            held--;
            again = true;
        }
    }
    return held > 0;
}

static bool has_packet_of(const struct port_queue *queue, int32_t account)
{
    for (const struct port_entry *entry = queue->first; entry != queue->behind;
         entry = port_queue_next(queue, entry))
        if (entry->account == account) return true;
    return false;
}

/* The first held lane that a held lane waits for. */
static int32_t waits_for(const struct waits *waits, int32_t lane)
{
    const struct net_switch *sw = switch_behind(waits, lane);
    int32_t account = account_of(waits, lane), class_ = lane % waits->classes;
    for (int i = 0; i < sw->port_n; i++) {
        int32_t next = sw->ports[i].link * waits->classes + class_;
        if (waits->state[next] != MOVES && has_packet_of(queue_of(waits, next), account))
            return next;
    }
    CHECK(false, "a held lane that waits for nothing");
}

/* The lowest lane of the circle into which the lowest held lane leads. */
static int32_t find_circle(struct waits *waits)
{
    int32_t at = 0;
    while (waits->state[at] == MOVES)
        at++;
    for (; waits->state[at] == HELD; at = waits_for(waits, at))
        waits->state[at] = PASSED;
    int32_t lowest = at;
    for (int32_t lane = waits_for(waits, at); lane != at; lane = waits_for(waits, lane))
        if (lane < lowest) lowest = lane;
    return lowest;
}

/* False if every lane can move, or will be able to. */
static bool look(const struct fabric *fabric, struct arena *arena, struct waits *waits)
{
    struct net_parts parts = net_parts(fabric);
    *waits = (struct waits){.parts = parts, .classes = parts.classes};
    bool holds = false;
    for (int32_t v = 0; v < parts.graph->node_n && !holds; v++)
        holds = parts.sw[v] &&
                (parts.sw[v]->paused_n > 0 || parts.sw[v]->cfg->link_layer == NET_INFINIBAND);
    if (!holds) return false;
    waits->lane_n = (int32_t)parts.graph->link_n * parts.classes;
    waits->state = ARENA_ARRAY(arena, char, waits->lane_n);
    waits->stuck_bytes = ARENA_ARRAY(arena, int64_t, waits->lane_n);
    return find_held(waits);
}

static const char *name_of(const struct waits *waits, struct arena *arena, int32_t lane)
{
    const char *name = waits->parts.graph->links[lane / waits->classes].name;
    if (waits->classes == 1) return name;
    return arena_printf(arena, "%s class %d", name, lane % waits->classes);
}

static const char *name_circle(struct waits *waits, struct arena *arena)
{
    const int32_t first = find_circle(waits);
    const char *text = name_of(waits, arena, first);
    int n = 1;
    for (int32_t lane = waits_for(waits, first); lane != first; lane = waits_for(waits, lane))
        if (++n <= NAMES_MAX)
            text = arena_printf(arena, "%s, %s", text, name_of(waits, arena, lane));
    return arena_printf(arena, "%s deadlock: %d links wait for each other: %s%s",
                        port_of(waits, first)->credit ? "credit" : "PFC", n, text,
                        n > NAMES_MAX ? ", ..." : "");
}

const char *stuck_text(const struct fabric *fabric, struct arena *arena)
{
    struct waits waits;
    if (look(fabric, arena, &waits)) return name_circle(&waits, arena);
    int paused = 0;
    for (int32_t l = 0; l < waits.parts.graph->link_n; l++)
        paused += waits.parts.port[l]->paused != 0;
    if (paused == 1) return "1 port is paused";
    return paused ? arena_printf(arena, "%d ports are paused", paused) : "";
}

void stuck_init(struct stuck *stuck, const struct fabric *fabric, int64_t every_ps)
{
    *stuck = (struct stuck){.fabric = fabric,
                            .every_ps = every_ps,
                            .due_ps = every_ps > 0 ? every_ps : INT64_MAX,
                            .suspect = -1};
}

/* Tells the packet in front of a lane's queue from all others: when it was sent, and its number. */
static uint64_t front_of(const struct waits *waits, int32_t lane)
{
    const struct port *port = port_of(waits, lane);
    uint32_t number = queue_of(waits, lane)->first->packet;
    return (uint64_t)packet_at(&port->net->packets, number)->sent_ps << 24 ^ number;
}

bool stuck_check(struct stuck *stuck)
{
    struct arena arena = {0};
    struct waits waits;
    const int64_t now_ps = sim_now_ps(stuck->fabric->sim);
    const int32_t before = stuck->suspect;
    int64_t wait_ps = stuck->every_ps;
    bool stands = false;
    if (look(stuck->fabric, &arena, &waits)) {
        stands =
            before >= 0 && waits.state[before] != MOVES && front_of(&waits, before) == stuck->front;
        stuck->suspect = find_circle(&waits);
        stuck->front = front_of(&waits, stuck->suspect);
    } else {
        stuck->suspect = -1;
        if (wait_ps < now_ps / LOOK_SHARE) wait_ps = now_ps / LOOK_SHARE;
    }
    stuck->due_ps = now_ps + wait_ps;
    arena_free(&arena);
    return stands;
}

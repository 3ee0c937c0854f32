/* share.h - who shares which link, and whose rates a change alters. Pure: no clock.
 *
 * Flows join and leave, links change their rate; share_solve then gives every flow its max-min fair
 * rate. The rates after it are those that maxmin_solve gives for all flows on all links, to the
 * last bit, but only the flows that the changes reach are looked at.
 */
#ifndef RAILSIM_MODELS_FLOW_SHARE_H
#define RAILSIM_MODELS_FLOW_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/base/arena.h"

/* struct share_flow: embedded in its owner, who fills the first part before share_join. */
struct share_flow {
    const int32_t *path; /* [path_n] links, none twice; they stay until share_leave */
    int32_t *place;      /* [path_n] of the owner, for the share: index in each link's list */
    int32_t path_n;
    /* ---- */
    int32_t limited_by; /* the link that limits it; -1 until it has a rate */
    double rate_bps;    /* 0 until it has one, and while a link of its path is down */
    int64_t mark;
    int32_t index;
};

struct share_member {
    struct share_flow *flow;
    int32_t hop; /* which hop of the flow this link is */
};

/* struct share_link: read-only outside. used_bps is what its flows have together, each rounded up;
 * limits_n how many of them it limits; carried_bytes the sum of what share_leave was told. */
struct share_link {
    double cap_bps;
    int64_t used_bps, carried_bytes;
    struct share_member *member; /* [member_n], in no order */
    struct share_member first;   /* room for the one that most links have at most */
    int32_t member_n, member_cap, limits_n;
};

struct share;

/* share_new makes link_n links in arena, with a rate of 0. rank[link_n], which must stay, are
 * different numbers: of equally tight links the lowest is the one that limits. */
struct share *share_new(struct arena *arena, int64_t link_n, const int32_t *rank);

/* share_link returns link l; the address stays. */
const struct share_link *share_link(const struct share *share, int32_t l);

/* share_join adds a flow. Alone on all its links it has its rate at once, and true is returned;
 * else it waits for share_solve. */
bool share_join(struct share *share, struct share_flow *flow);
/* share_leave takes a flow off that has a rate (limited_by >= 0) and has carried so many bytes.
 * Returns whether others are on its links. */
bool share_leave(struct share *share, struct share_flow *flow, int64_t bytes);
/* share_follow is share_leave of a flow whose place, path and rate `next` takes: nothing is to be
 * solved. */
void share_follow(struct share *share, struct share_flow *flow, struct share_flow *next,
                  int64_t bytes);
/* share_set_cap changes the rate of a link; 0: it is down. */
void share_set_cap(struct share *share, int32_t l, double cap_bps);

/* A share_fn is told the new rate of a flow, whose rate_bps is still the old one (but limited_by is
 * the new one). */
typedef void share_fn(void *context, struct share_flow *flow, double rate_bps);
/* share_solve gives all flows their rates, and calls fn for each whose rate or limiting link
 * changed: in the order of the changes since the last time and of the links' lists, going on from
 * flow to flow through shared links. */
void share_solve(struct share *share, share_fn *fn, void *context);

#endif

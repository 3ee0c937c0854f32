/* maxmin.h - max-min fair rates: arrays in, rates out. Pure: no clock, no memory of its own.
 *
 * Progressive filling (Bertsekas and Gallager, "Data Networks", 6.5.2): the link with the smallest
 * fair share of what is left settles the rates of its flows; repeat with the rest. At the end no
 * flow can grow without shrinking one that is not larger.
 *
 * The rates are a function of the flows and links alone, to the last bit: not of their numbers, of
 * the order of flows, or of what else is in the problem. So a part of a net can be solved apart
 * from the rest (flow/share.h): flows whose rates are known are given as pinned.
 */
#ifndef RAILSIM_MODELS_FLOW_MAXMIN_H
#define RAILSIM_MODELS_FLOW_MAXMIN_H

#include <stdbool.h>
#include <stdint.h>

/* struct maxmin_turn: the scratch of maxmin_solve: whose turn it is at which level. */
struct maxmin_turn {
    double level_bps;
    int32_t rank; /* among equal levels */
    int32_t what; /* a link, or link_n + a pin */
};

/* struct maxmin_pin: a link outside the problem, and the rate that it gives its flows in it. */
struct maxmin_pin {
    double rate_bps;
    int32_t rank;
    int32_t flow; /* the first one; each is followed by next[flow], the last by -1 */
};

/* struct maxmin_link: the scratch of a link. */
struct maxmin_link {
    double left_bps;
    double level_bps; /* the share of each open flow; it never falls */
    int32_t open_n;   /* flows not settled yet */
    int32_t begin;    /* in member */
};

/* struct maxmin: a problem. Flow f crosses links hop[first[f]] .. hop[first[f+1]-1]. The first
 * free_n flows get rates. The others are pinned: they have rates already, each by one of pin[]. */
struct maxmin {
    /* in */
    int32_t flow_n, free_n, link_n, pin_n;
    int32_t *first;         /* [flow_n + 1] */
    int32_t *hop;           /* link numbers; a flow crosses at least one link, none twice */
    double *cap_bps;        /* [link_n], >= 0; from 0 follow rates of 0 */
    int32_t *rank;          /* [link_n] all different: of equally tight links the lowest settles */
    struct maxmin_pin *pin; /* [pin_n] */
    int32_t *next;          /* [flow_n], read from free_n on */
    /* out */
    double *rate_bps;    /* [flow_n]; of pinned flows only where limited_by is a link */
    int32_t *limited_by; /* [flow_n] the link that settled the flow, MAXMIN_OUTSIDE of a pinned one;
                          * a pinned flow with a link here would have got less: pin it no longer */
    /* scratch of the caller */
    struct maxmin_link *link; /* [link_n + 1] */
    int32_t *member;          /* [first[flow_n]] flows of each link */
    struct maxmin_turn *turn; /* [link_n + pin_n] */
};

#define MAXMIN_OUTSIDE (-2)

/* maxmin_solve fills rate_bps and limited_by. The sum of the rates on a link never exceeds its
 * capacity by more than a rounding error of the last bit per flow. Returns true if no pinned flow
 * would have got less than it has (then all rates are those of the whole net, provided that they
 * are small enough for the links of free flows that are not in the problem). */
bool maxmin_solve(struct maxmin *problem);

#endif

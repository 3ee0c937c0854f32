/* maxmin.h - max-min fair rates: arrays in, rates out. Pure: no clock, no memory of its own.
 *
 * Progressive filling (Bertsekas and Gallager, "Data Networks", 6.5.2): the link with the smallest
 * fair share of what is left settles the rates of its flows; repeat with the rest. At the end no
 * flow can grow without shrinking one that is not larger.
 */
#ifndef RAILSIM_MODELS_FLOW_MAXMIN_H
#define RAILSIM_MODELS_FLOW_MAXMIN_H

#include <stdint.h>

/* struct maxmin: a problem. Flow f crosses links hop[first[f]] .. hop[first[f+1]-1]. */
struct maxmin {
    int32_t flow_n, link_n;
    const int32_t *first;  /* [flow_n + 1] */
    const int32_t *hop;    /* link numbers; a flow crosses at least one link, none twice */
    const double *cap_bps; /* [link_n], > 0 */
    /* out */
    double *rate_bps;    /* [flow_n] */
    int32_t *limited_by; /* [flow_n] the link that settled the flow */
    /* scratch of the caller */
    double *left_bps; /* [link_n] */
    int32_t *open_n;  /* [link_n] flows not settled yet */
    int32_t *begin;   /* [link_n + 1] */
    int32_t *member;  /* [first[flow_n]] flows of each link */
};

/* maxmin_solve fills rate_bps and limited_by. The sum of the rates on a link never exceeds its
 * capacity by more than a rounding error of the last bit per flow. */
void maxmin_solve(struct maxmin *problem);

#endif

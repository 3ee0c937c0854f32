/* pfc.h - who may still send to a switch: its buffer, ingress accounts, pause frames, credits. */
#ifndef RAILSIM_MODELS_NET_PFC_H
#define RAILSIM_MODELS_NET_PFC_H

#include "models/net/switch.h"

/* pfc_init sets up the accounts of a switch whose ports are initialised. */
void pfc_init(struct net_switch *sw);
/* pfc_cells_bytes is what a packet takes in the buffer. */
static inline int64_t pfc_cells_bytes(const struct net_switch *sw, uint32_t bytes)
{
    uint32_t cell = sw->cell_bytes;
    return cell == 1 ? bytes : (bytes + cell - 1) / cell * cell;
}
/* pfc_admit: may a packet of wire_bytes enter by this account? Counts it if so; pauses the
 * neighbour if it has to. pfc_decide is its closer look. */
bool pfc_decide(struct net_switch *sw, int account, int64_t bytes);
static inline bool pfc_admit(struct net_switch *sw, int account, uint32_t wire_bytes)
{
    struct switch_ingress *in = &sw->ingress[account];
    int64_t bytes = pfc_cells_bytes(sw, wire_bytes), held_bytes = in->bytes + bytes;
    /* Within its share of the free buffer it fits, and is below that threshold; calm_bytes is the
     * other one. */
    bool calm = held_bytes <= (sw->buffer_bytes - sw->bytes) >> sw->alpha_shift &&
                held_bytes <= in->calm_bytes;
    if (__builtin_expect(!calm, 0) && !pfc_decide(sw, account, bytes)) return false;
    in->bytes += bytes;
    sw->bytes += bytes;
    if (in->bytes > in->max_bytes) in->max_bytes = in->bytes;
    if (sw->bytes > sw->max_bytes) sw->max_bytes = sw->bytes;
    return true;
}
/* pfc_free: a packet of wire_bytes leaves; pfc_tell lets the neighbour go, or tells it of its
 * credit. */
void pfc_tell(struct net_switch *sw, int account, uint32_t wire_bytes);
static inline void pfc_free(struct net_switch *sw, int account, uint32_t wire_bytes)
{
    struct switch_ingress *in = &sw->ingress[account];
    int64_t bytes = pfc_cells_bytes(sw, wire_bytes);
    in->bytes -= bytes;
    sw->bytes -= bytes;
    if (__builtin_expect(in->bytes <= in->tell_bytes, 0)) pfc_tell(sw, account, wire_bytes);
}
/* pfc_round_bytes returns the least headroom without loss of a link whose data and pauses take
 * way_ps there and back, response included. */
int64_t pfc_round_bytes(int64_t rate_bps, int64_t way_ps, int64_t frame_bytes);
/* pfc_need_bytes returns the least headroom without loss of the link that comes in at slot. */
int64_t pfc_need_bytes(const struct net_switch *sw, int slot);

#endif

/* pfc.h - who may still send to a switch: its buffer, ingress accounts, pause frames, credits. */
#ifndef RAILSIM_MODELS_NET_PFC_H
#define RAILSIM_MODELS_NET_PFC_H

#include "models/net/switch.h"

/* pfc_init sets up the accounts of a switch whose ports are initialised. */
void pfc_init(struct net_switch *sw);
/* pfc_admit: may a packet of wire_bytes enter by this account? Counts it if so; pauses the neighbour if
 * it has to. */
bool pfc_admit(struct net_switch *sw, int account, uint32_t wire_bytes);
/* pfc_free: a packet of wire_bytes leaves; lets the neighbour go, or tells it of its credit. */
void pfc_free(struct net_switch *sw, int account, uint32_t wire_bytes);
/* pfc_need_bytes returns the least headroom without loss of the link that comes in at slot. */
int64_t pfc_need_bytes(const struct net_switch *sw, int slot);

#endif

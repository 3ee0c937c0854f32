/* headroom.h - how much buffer a lossless port needs behind the threshold at which it pauses. */
#ifndef RAILSIM_MODELS_NET_HEADROOM_H
#define RAILSIM_MODELS_NET_HEADROOM_H

#include <stdint.h>

/* struct headroom_port: facts of a switch port and its cable. */
struct headroom_port {
    int64_t rate_bps, cable_mm;
    int64_t lanes;              /* 8-lane ports (800G) keep twice the XON and one MTU more */
    int64_t port_mtu_bytes;     /* largest frame of any class */
    int64_t lossless_mtu_bytes; /* largest frame of the lossless class */
    double small_frac;          /* share of the bytes in 64-byte packets, which fill cells badly */
};
/* HEADROOM_PORT_SONIC: what the published table assumes, but for rate and cable. */
#define HEADROOM_PORT_SONIC                                                                        \
    ((struct headroom_port){                                                                       \
        .lanes = 4, .port_mtu_bytes = 9216, .lossless_mtu_bytes = 1024, .small_frac = 1})

/* struct headroom: xoff is the headroom proper (kept free behind the pause threshold), xon the
 * fill below which the neighbour is let go, size what the two take from the buffer. */
struct headroom {
    int64_t xoff_bytes, xon_bytes, size_bytes;
};
/* headroom_spectrum4 returns what SONiC configures on Spectrum-4: a worst case. */
struct headroom headroom_spectrum4(const struct headroom_port *port);

/* headroom_response_bytes returns how many bytes a port of rate_bps may still send between the
 * arrival of a pause frame and its silence (IEEE 802.3 31B.3.7). */
int64_t headroom_response_bytes(int64_t rate_bps);

/* struct headroom_link: a link whose receiver pauses its sender. */
struct headroom_link {
    int64_t rate_bps, delay_ps; /* one way */
    int64_t frame_bytes;        /* largest frame, either way, with all that it takes on the wire */
    int64_t response_bytes;     /* what the sender still sends after the pause frame came */
};
/* headroom_in_flight_bytes returns what can still arrive after the decision to pause: the least
 * headroom without loss. */
int64_t headroom_in_flight_bytes(const struct headroom_link *link);

#endif

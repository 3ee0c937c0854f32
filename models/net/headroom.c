/* headroom.c - the lossless headroom formula of Spectrum-4, and the physical bound below it.
 *
 * Apart, since it is pure arithmetic with a published table to hold it to. The one idea: after XOFF
 * all that is on the cable both ways, in the peer's pipeline or sent in its response time still
 * arrives, and a frame that had just begun; each byte may take up to three times its size in cells.
 * Source: sonic-net/sonic-swss buffer_headroom_mellanox.lua, constants of Spectrum-4; published
 * table: sonic-buildimage, x86_64-nvidia_sn5600-r0, pg_profile_lookup.ini; response times: IEEE
 * 802.3 31B.3.7 (fabric.md sections 3.1 and 3.5).
 * NOT modelled: gearboxes (none on these ports).
 */
#include "models/net/headroom.h"

#include "sim/base/units.h"

#define KIB 1024
#define CELL_BYTES 192
#define PIPELINE_BYTES (19 * KIB)
#define MAC_PHY_BYTES (0.8 * KIB)
#define RESPONSE_FALLBACK_BYTES 3891 /* 3.8 KiB */
#define CABLE_M_PER_S 198e6
#define TILE_S 120e-9 /* serialisation inside the ASIC, per port */
#define SMALL_BYTES 64
#define QUANTUM_BYTES 64 /* 512 bit */
#define PAUSE_FRAME_BYTES 64

static int64_t ceil_kib(double bytes)
{
    int64_t kib = (int64_t)(bytes / KIB);
    if ((double)kib * KIB < bytes) kib++;
    return kib * KIB;
}

int64_t headroom_response_bytes(int64_t rate_bps)
{
    static const struct {
        int64_t gbps, quanta;
    } table[] = {{10, 67},   {25, 80},   {40, 118},  {50, 147},
                 {100, 394}, {200, 453}, {400, 905}, {800, 905}};
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        if (rate_bps == table[i].gbps * 1000000000) return table[i].quanta * QUANTUM_BYTES;
    return RESPONSE_FALLBACK_BYTES;
}

struct headroom headroom_spectrum4(const struct headroom_port *port)
{
    double rate = (double)port->rate_bps / 8; /* bytes per second */
    double cable_m = (double)port->cable_mm / 1000;
    /* bytes_on_cable = 2 L speed / (8 * 198e6) */
    double cable = 2 * cable_m * rate / CABLE_M_PER_S;
    /* PD = port_mtu + bytes_on_cable + mac_phy + peer_response + kb_on_tile */
    double delayed = (double)port->port_mtu_bytes + cable + MAC_PHY_BYTES +
                     (double)headroom_response_bytes(port->rate_bps) + rate * TILE_S;
    /* k = 1 + s (w - 1), w = ceil(cell / 64) */
    double worst = (CELL_BYTES + SMALL_BYTES - 1) / SMALL_BYTES;
    double occupancy = 1 + port->small_frac * (worst - 1);
    int64_t wide = port->lanes >= 8;
    struct headroom out;
    /* xoff = ceil1K(lossless_mtu + PD k); xon = ceil1K(pipeline_latency) */
    out.xoff_bytes = ceil_kib((double)port->lossless_mtu_bytes + delayed * occupancy);
    out.xon_bytes = ceil_kib(PIPELINE_BYTES) * (1 + wide);
    out.size_bytes = out.xoff_bytes + out.xon_bytes + wide * port->port_mtu_bytes;
    return out;
}

int64_t headroom_in_flight_bytes(const struct headroom_link *link)
{
    /* 2 d rate + frame just begun at the sender + frame ahead of the pause frame at the receiver
     * + response + the pause frame itself */
    return units_carried_bytes(link->rate_bps, 2 * link->delay_ps) + 1 + 2 * link->frame_bytes +
           link->response_bytes + PAUSE_FRAME_BYTES;
}

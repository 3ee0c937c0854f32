/* idle.h - how long a message takes with nothing else on its path. */
#ifndef RAILSIM_MODELS_NET_IDLE_H
#define RAILSIM_MODELS_NET_IDLE_H

#include <stdint.h>

#define IDLE_LINKS_MAX 16

/* struct idle_link: cut_bytes as in struct port. */
struct idle_link {
    int64_t rate_bps, delay_ps, cut_bytes;
};

/* struct idle_packets: bytes on the wire of the first packet, of the last one, and of those between
 * (whose number may be 0). One packet is a first one without a last. */
struct idle_packets {
    int64_t n, first_bytes, middle_bytes, last_bytes;
};

/* idle_ps returns the time from the start of the first packet at link[0] until the last one has
 * arrived at the end of link[n - 1]; n <= IDLE_LINKS_MAX. To the picosecond what ports do. */
int64_t idle_ps(const struct idle_link *link, int n, const struct idle_packets *packets);

#endif

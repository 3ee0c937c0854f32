/* packet.h - a packet on its way: 32 bytes, one pool per network.
 *
 * A data packet becomes its own acknowledgement at the receiver (same memory, other type).
 */
#ifndef RAILSIM_MODELS_NET_PACKET_H
#define RAILSIM_MODELS_NET_PACKET_H

#include <stdint.h>

enum packet_type { PACKET_DATA, PACKET_ACK, PACKET_NACK, PACKET_CNP, PACKET_PAUSE };

/* enum packet_class: strict priority in this order. Control frames (acknowledgements, CNPs, pause)
 * are never paused and not counted against ingress buffers: they are few and small. */
enum packet_class { CLASS_CONTROL, CLASS_DATA, CLASSES };

#define PACKET_MARKED 1u /* ECN congestion experienced; in an ACK: its echo */
#define PACKET_LAST 2u   /* last of its message */
#define PACKET_XOFF 4u   /* a pause frame that stops; without it, one that resumes */

struct packet {
    int64_t sent_ps; /* when its data packet left the sender */
    uint32_t qp;     /* number of the queue pair */
    uint32_t seq;    /* of the packet in its queue pair; ACK: of the acknowledged one */
    int32_t dst;     /* graph node of the endpoint that it goes to */
    uint32_t ack;    /* ACK, NACK: all packets below this number have arrived */
    uint16_t wire_bytes;
    uint16_t ingress; /* port by which it entered the switch where it is */
    uint8_t type, flags;
};
_Static_assert(sizeof(struct packet) == 32, "a packet is half a cache line");

#endif

/* tcp_law.h - the contract of window laws of a byte-stream transport over distance.
 *
 * Pure: facts in, congestion window out; no clock, no packets. A law is one file tcp_law_NAME.c
 * with `const struct tcp_law_ops tcp_law_NAME`. Only + - * / on doubles, so that the same bits come
 * out everywhere.
 */
#ifndef RAILSIM_MODELS_STORAGE_TCP_LAW_H
#define RAILSIM_MODELS_STORAGE_TCP_LAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tcp_event {
    TCP_ACK,  /* acked_bytes arrived */
    TCP_LOSS, /* a loss was found; at most once per window of data */
    TCP_IDLE  /* nothing was sent for longer than a retransmission timeout */
};

/* struct tcp_signal: what the sender knows. */
struct tcp_signal {
    enum tcp_event event;
    bool window_limited;    /* the congestion window, not the application, held the sender */
    int64_t now_ps, rtt_ps; /* rtt_ps: of the acknowledged bytes */
    int64_t acked_bytes, mss_bytes;
    int64_t delivered_bps; /* rate of delivery over the last round trip; 0 = unknown */
};

struct tcp_law_ops {
    const char *help;
    size_t state_size;
    void (*init)(void *state, int64_t mss_bytes);
    /* step returns the congestion window in bytes after the event. */
    int64_t (*step)(void *state, const struct tcp_signal *signal);
};

#define TCP_LAW_STATE_MAX 128             /* bytes; a transport embeds so much */
#define TCP_INITIAL_SEGMENTS 10           /* RFC 6928 */
#define TCP_WINDOW_MAX (INT64_C(1) << 50) /* bytes: no limit */

/* The registered laws and their names, NULL-terminated, same order. */
extern const struct tcp_law_ops *const tcp_law_list[];
extern const char *const tcp_law_names[];
/* tcp_law_find returns the law called name, which must exist. */
const struct tcp_law_ops *tcp_law_find(const char *name);

#endif

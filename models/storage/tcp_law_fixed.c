/* tcp_law_fixed.c - no congestion window: the receive window alone limits (RDMA, tuned lines). */
#include "models/storage/tcp_law.h"

static void init(void *state, int64_t mss_bytes)
{
    (void)state;
    (void)mss_bytes;
}

static int64_t step(void *state, const struct tcp_signal *signal)
{
    (void)state;
    (void)signal;
    return TCP_WINDOW_MAX;
}

const struct tcp_law_ops tcp_law_fixed = {
    .help = "no congestion window: only the receive window (or RDMA's outstanding bytes) limits",
    .state_size = 0,
    .init = init,
    .step = step,
};

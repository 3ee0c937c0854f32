/* line_run.h - a connection with no end of data on a line: what laws of throughput are tried on. */
#ifndef RAILSIM_TESTS_LINE_RUN_H
#define RAILSIM_TESTS_LINE_RUN_H

#include "models/flow/flow.h"
#include "models/storage/transport.h"

/* struct line: the facts that laws are about. */
struct line {
    const char *law;
    const struct framing *framing;
    int64_t window_bytes, rtt_ps, rate_bps, process_bps;
    double loss;
};

struct line_run {
    struct arena arena;
    struct sim *sim;
    struct topo_graph graph;
    struct wan wan;
    struct transport *transport;
    struct transport_msg msg;
};

static void line_run_never(struct sim *sim, struct transport_msg *msg)
{
    (void)sim;
    (void)msg;
    fail_msg("more was delivered than there is time for");
}

static void line_run_open(struct line_run *run, const struct line *line, uint64_t seed)
{
    *run = (struct line_run){.msg = {.bytes = INT64_C(1) << 60, .done = line_run_never}};
    run->sim = sim_new(&run->arena, seed, "line_run");
    struct wan_cfg wan = {.rate_bps = line->rate_bps, .rtt_ps = line->rtt_ps, .loss = line->loss};
    wan_init(&run->wan, &wan);
    topo_init(&run->graph, &run->arena);
    int32_t a = topo_node(&run->graph, TOPO_HOST, "a"), b = topo_node(&run->graph, TOPO_HOST, "b");
    topo_cable(&run->graph, &(struct topo_link){.from = a,
                                                .to = b,
                                                .kind = TOPO_WAN,
                                                .rate_bps = run->wan.free_bps,
                                                .delay_ps = run->wan.one_way_ps});
    struct transport_cfg cfg = {.fabric = flow_new(run->sim, &run->graph),
                                .wan = &run->wan,
                                .src = a,
                                .dst = b,
                                .framing = line->framing,
                                .law = tcp_law_find(line->law),
                                .window_bytes = line->window_bytes,
                                .process_bps = line->process_bps};
    run->transport = transport_new(&cfg, "line");
    transport_send(run->transport, &run->msg);
}

#endif

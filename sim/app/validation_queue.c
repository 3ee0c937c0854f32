/* validation_queue.c - the port of switches and NICs between a Poisson source and nothing.
 *
 *   M/D/1  Wq = S rho / (2 (1 - rho))      M/M/1  Wq = S rho / (1 - rho)
 *   each packet (Lindley):  W' = max(0, W + S - A)
 * Source: Kleinrock, "Queueing Systems", vol. 1, 3.2, 5.6 and 8.1.
 */
#include "sim/app/validation_queue.h"

#include "models/net/port.h"
#include "models/work/flows_sizes.h"
#include "sim/base/arena.h"
#include "sim/base/units.h"

#define BYTE_PS 80 /* at 100 Gbit/s */
#define MEAN_BYTES 1000
#define DELAY_PS (3 * PS_PER_US) /* many packets are in flight */

struct station {
    struct sim *sim;
    struct port_net net;
    struct port port;
    struct timer arrival;
    struct rng rng;
    const struct validation_queue *queue;
    double gap_ps; /* mean between arrivals */
    int64_t left_n, wrong_n;
    int64_t free_ps; /* Lindley: when the last packet that left had been sent */
    double wait_ps, service_ps;
};

/* Waits are counted where the port says that a packet starts; sent_ps is when it came. */
static void leave(struct port *port, const struct port_entry *entry, int64_t at_ps)
{
    struct station *station = port->node;
    int64_t came_ps = packet_at(&port->net->packets, entry->packet)->sent_ps;
    int64_t service_ps = (int64_t)entry->wire_bytes * BYTE_PS;
    int64_t due_ps = came_ps > station->free_ps ? came_ps : station->free_ps;
    station->wrong_n += at_ps != due_ps;
    station->free_ps = due_ps + service_ps;
    station->wait_ps += (double)(at_ps - came_ps);
    station->service_ps += (double)service_ps;
    if (++station->left_n == station->queue->packets) sim_finish(station->sim);
}

static void deliver(struct port *port, struct packet *packet)
{
    packet_put(&port->net->packets, packet);
}

static void on_arrival(struct sim *sim, void *self)
{
    struct station *station = self;
    int64_t bytes = MEAN_BYTES;
    if (station->queue->exponential) bytes = flows_sizes_gap_ps(&station->rng, MEAN_BYTES);
    if (bytes < 1) bytes = 1;
    if (bytes > UINT16_MAX) bytes = UINT16_MAX; /* one in 10^28 */
    struct packet *packet = packet_get(&station->net.packets);
    packet->sent_ps = sim_now_ps(sim);
    packet->wire_bytes = (uint16_t)bytes;
    port_enqueue(&station->port, packet, PACKET_QUEUE(packet), 0);
    timer_after(sim, &station->arrival, flows_sizes_gap_ps(&station->rng, station->gap_ps));
}

struct validation_wait validation_queue_wait(const struct validation_queue *queue)
{
    struct arena arena = {0};
    struct station *station = arena_lines(&arena, sizeof(struct station)); /* it holds ports */
    *station = (struct station){.queue = queue,
                                .gap_ps = MEAN_BYTES * BYTE_PS / queue->load,
                                .rng = rng_stream(1, "validation/queue")};
    station->sim = sim_new(&arena, 1, "a queue");
    station->net = (struct port_net){.sim = station->sim,
                                     .leave = leave,
                                     .deliver_switch = deliver,
                                     .frame_bytes = UINT16_MAX,
                                     .classes = 1};
    packet_pool_init(&station->net.packets, &arena, 0);
    station->port = (struct port){.node = station,
                                  .net = &station->net,
                                  .rate_bps = 8 * PS_PER_S / BYTE_PS,
                                  .delay_ps = DELAY_PS};
    port_init(&station->port);
    timer_init(&station->arrival, on_arrival, station, sim_component(station->sim), 0);
    timer_arm(station->sim, &station->arrival, 0);
    sim_run(station->sim, &(struct sim_limits){0});
    struct validation_wait wait = {.services = station->wait_ps / station->service_ps,
                                   .wrong_n = station->wrong_n};
    arena_free(&arena);
    return wait;
}

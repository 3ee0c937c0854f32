/* parts.h - what topology families are made of: keys of links, endpoints, a Clos of two or three
 * tiers. A family says which endpoint hangs at which leaf.
 */
#ifndef RAILSIM_MODELS_TOPO_PARTS_H
#define RAILSIM_MODELS_TOPO_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/topo/topo.h"

/* Limits of a fabric: what fits into memory many times over. */
#define PARTS_ENDPOINTS_MAX 262144
#define PARTS_SWITCHES_MAX 65536
#define PARTS_CABLES_MAX 1048576
#define PARTS_ROUTES_MAX 67108864   /* switches x switches with endpoints */
#define PARTS_SEARCH_MAX 1073741824 /* cables x switches with endpoints */

#define PARTS_RATE_MAX "8Tbps" /* times the endpoints stays below 2^63 */
#define PARTS_LATENCY "600ns"
#define PARTS_LATENCY_SOURCE                                                                       \
    "assumed: 500-800 ns cut-through with FEC; the SN5600 data sheet gives none"

/* struct parts_links: the links of a fabric. A cable's delay is delay_ps + 5 ns per metre. */
struct parts_links {
    int64_t rate_bps, delay_ps, length_mm; /* at endpoints */
    int64_t up_rate_bps, up_length_mm;     /* between switches; up_rate_bps 0 = rate_bps */
    int64_t latency_ps;                    /* of a switch */
};

/* PARTS_LINK_FIELDS are the rows for a struct `cfg` with a member `links`. */
#define PARTS_AT(cfg, member) offsetof(cfg, links) + offsetof(struct parts_links, member)
#define PARTS_LINK_FIELDS(cfg)                                                                     \
    {.key = "link_rate",                                                                           \
     .type = SCHEMA_RATE,                                                                          \
     .offset = PARTS_AT(cfg, rate_bps),                                                            \
     .fallback = "400Gbps",                                                                        \
     .min = "1Mbps",                                                                               \
     .max = PARTS_RATE_MAX,                                                                        \
     .help = "Each cable between an endpoint and its switch."},                                    \
        {.key = "uplink_rate",                                                                     \
         .type = SCHEMA_RATE,                                                                      \
         .offset = PARTS_AT(cfg, up_rate_bps),                                                     \
         .fallback = "0bps",                                                                       \
         .max = PARTS_RATE_MAX,                                                                    \
         .help = "Each cable between switches; 0 = link_rate."},                                   \
        {.key = "link_delay",                                                                      \
         .type = SCHEMA_TIME,                                                                      \
         .offset = PARTS_AT(cfg, delay_ps),                                                        \
         .fallback = "100ns",                                                                      \
         .max = "1s",                                                                              \
         .help = "Each cable, one way, besides its length: transceivers, FEC.",                    \
         .source = "assumed: RS(544,514) at 400 Gb/s takes 100-120 ns"},                           \
        {.key = "link_length",                                                                     \
         .type = SCHEMA_LENGTH,                                                                    \
         .offset = PARTS_AT(cfg, length_mm),                                                       \
         .fallback = "5m",                                                                         \
         .max = "1000km",                                                                          \
         .help = "Cables to endpoints; 5 ns per metre.",                                           \
         .source = "first column of the SN5600 buffer table in SONiC"},                            \
        {.key = "uplink_length",                                                                   \
         .type = SCHEMA_LENGTH,                                                                    \
         .offset = PARTS_AT(cfg, up_length_mm),                                                    \
         .fallback = "40m",                                                                        \
         .max = "1000km",                                                                          \
         .help = "Cables between switches; 5 ns per metre.",                                       \
         .source = "second column of the SN5600 buffer table in SONiC"},                           \
    {                                                                                              \
        .key = "switch_latency", .type = SCHEMA_TIME, .offset = PARTS_AT(cfg, latency_ps),         \
        .fallback = PARTS_LATENCY, .max = "1s",                                                    \
        .help = "Time that a switch takes to pass a packet on.", .source = PARTS_LATENCY_SOURCE    \
    }

/* parts_link returns a cable's facts for topo_cable: at an endpoint (TOPO_NIC), or between switches
 * (TOPO_FABRIC). from and to are the caller's. */
struct topo_link parts_link(const struct parts_links *links, enum topo_link_kind kind);
/* parts_delay_ps returns delay + 5 ns per metre. */
int64_t parts_delay_ps(int64_t delay_ps, int64_t length_mm);

/* struct parts_clos: leaves, spines, and cores if there is more than one pod. All leaves of a pod
 * are cabled to all its spines; spine s of each pod to the cores of plane s. */
struct parts_clos {
    int64_t pods, leaves, spines;  /* leaves and spines: of each pod */
    int64_t links;                 /* cables per leaf and spine; 0 = does not come out whole */
    int64_t cores, core_links;     /* cores in all; cables per spine and core of its plane */
    int64_t group;                 /* leaves that share a name "unit3/..."; 0 = plain names */
    const char *group_name;        /* "unit", "pod" */
    const char *const *tier_names; /* [3] "leaf", "spine", "core" */
    const struct parts_links *link;
};

/* struct parts_above: keys of a Clos above the leaves; PARTS_ABOVE_FIELDS are the rows for a struct
 * `type` with a member `above`. */
struct parts_above {
    int64_t spines, links, cores, core_links, switch_ports;
    double over;
};
#define PARTS_ABOVE_AT(cfg, member) offsetof(cfg, above) + offsetof(struct parts_above, member)
#define PARTS_ABOVE_FIELDS(cfg)                                                                    \
    {.key = "spines",                                                                              \
     .type = SCHEMA_COUNT,                                                                         \
     .offset = PARTS_ABOVE_AT(cfg, spines),                                                        \
     .fallback = "8",                                                                              \
     .min = "1",                                                                                   \
     .max = "65536",                                                                               \
     .help = "Spine switches; with cores: of each pod."},                                          \
        {.key = "uplinks_per_pair",                                                                \
         .type = SCHEMA_COUNT,                                                                     \
         .offset = PARTS_ABOVE_AT(cfg, links),                                                     \
         .fallback = "0",                                                                          \
         .max = "1024",                                                                            \
         .help = "Parallel cables per leaf and spine; 0 = as oversubscription asks."},             \
        {.key = "oversubscription",                                                                \
         .type = SCHEMA_REAL,                                                                      \
         .offset = PARTS_ABOVE_AT(cfg, over),                                                      \
         .fallback = "1",                                                                          \
         .min = "0.01",                                                                            \
         .max = "1000",                                                                            \
         .help = "Rate of a leaf's endpoints to that of its uplinks; 1 = full bisection."},        \
        {.key = "cores",                                                                           \
         .type = SCHEMA_COUNT,                                                                     \
         .offset = PARTS_ABOVE_AT(cfg, cores),                                                     \
         .fallback = "0",                                                                          \
         .max = "65536",                                                                           \
         .help = "Core switches that join pods, a multiple of the spines of a pod."},              \
        {.key = "core_links_per_pair",                                                             \
         .type = SCHEMA_COUNT,                                                                     \
         .offset = PARTS_ABOVE_AT(cfg, core_links),                                                \
         .fallback = "0",                                                                          \
         .max = "1024",                                                                            \
         .help = "Parallel cables per spine and core of its plane; 0 = as the spine has below."},  \
    {                                                                                              \
        .key = "switch_ports", .type = SCHEMA_COUNT, .offset = PARTS_ABOVE_AT(cfg, switch_ports),  \
        .fallback = "128", .max = "65536", .help = "Ports that a switch has; 0 = any number.",     \
        .source = "SN5600: 64 x 800G = 128 x 400G"                                                 \
    }

/* parts_above_fit completes clos (pods, leaves and link are set) by the keys; `down` endpoints hang
 * at each leaf. Uses no more of `above` than is in clos afterwards. */
void parts_above_fit(struct parts_clos *clos, const struct parts_above *above, int64_t down);
/* parts_fit returns how many cables of the uplink rate make an oversubscription of `over` (1 =
 * none) below `down` endpoints, for each of n switches above; 0 if that is no whole number. */
int64_t parts_fit(const struct parts_links *links, int64_t down, int64_t n, double over);

/* struct parts_size: counts to check before anything is allocated; doubles, so that no product of
 * keys overflows. */
struct parts_size {
    double endpoints, switches, edges, cables;
};
/* parts_check_size complains (C020) at key about more than the limits above; false if so. */
bool parts_check_size(struct schema_check *check, const char *key, const struct parts_size *size);
/* parts_check_clos complains about counts that do not fit: C021 links per pair, C023 more than
 * `ports` on a switch (0 = any), C024 cores, C020 sizes. leaf_ports: endpoints of a leaf. */
void parts_check_clos(struct schema_check *check, const struct parts_clos *clos, int64_t leaf_ports,
                      int64_t ports);

/* parts_endpoints makes the endpoints of nodes servers with ports each: "node3/nic5", or "node3" if
 * each has one port; call it first, so that endpoint numbers are graph numbers. */
void parts_endpoints(struct topo_graph *graph, struct topo_made *made, int64_t nodes,
                     int64_t ports);
/* parts_clos_build makes switches and the cables between them; returns the first leaf, the others
 * follow pod by pod; sets made->edge, tiers and their names. */
int32_t parts_clos_build(struct topo_graph *graph, const struct parts_clos *clos,
                         struct topo_made *made);
/* parts_attach cables endpoint number `endpoint` to a switch. */
void parts_attach(struct topo_graph *graph, const struct topo_made *made, int64_t endpoint,
                  int32_t to, const struct parts_links *links);

#endif

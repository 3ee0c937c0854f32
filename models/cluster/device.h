/* device.h - what is known of accelerators, NICs and servers: the catalogue's structs and keys.
 *
 * The catalogue itself is topologies/devices.yaml, built into the program (sim/app/devices.h);
 * here are its schema and the look-up by name. Pure.
 */
#ifndef RAILSIM_MODELS_CLUSTER_DEVICE_H
#define RAILSIM_MODELS_CLUSTER_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "models/coll/tuner.h"
#include "sim/io/schema.h"

/* enum device_shape: how the accelerators of a link domain are connected. */
enum device_shape {
    DEVICE_SWITCH, /* each to switches, its whole rate to any other */
    DEVICE_MESH,   /* each to each other, an equal share of its rate to each */
    DEVICE_TORUS   /* to its neighbours in two dimensions, a quarter of its rate to each */
};

/* struct device_source: where the values come from, by group. "[assumed]" marks what no document
 * says. */
struct device_source {
    const char *compute, *memory, *link, *reduction, *channel;
};

/* struct device_facts: an accelerator apart from its links; 0 = unknown, or not able to. */
struct device_facts {
    int generation;                             /* enum tuner_generation */
    double bf16_tflops, fp8_tflops, fp4_tflops; /* peak, dense */
    int64_t memory_bytes, memory_bps;
    int link_shape;           /* enum device_shape */
    bool in_switch_reduction; /* NVLS */
};

struct device_accelerator {
    const char *name;
    struct device_facts facts;
    int64_t link_bps;            /* to the others of its link domain, one way, all links together */
    int64_t link_domain;         /* accelerators that the links connect */
    double link_efficiency;      /* of link_bps: what a long ring all-reduce reaches */
    double reduction_efficiency; /* of link_bps: what a long all-reduce in the switch reaches, whose
                                    bytes are (n + 1) / n of the buffer per GPU, each way */
    int64_t channel_bps[COLL_PROTOCOLS], switch_channel_bps; /* as of `collectives`; 0 = as there */
    struct device_source source;
};

struct device_nic {
    const char *name;
    int64_t rate_bps; /* of the wire, one way */
    int64_t host_bps; /* of its PCIe connection, one way; 0 = unknown */
    const char *source;
};

/* struct device_system: a server, or a tray of a rack-wide link domain. */
struct device_system {
    const char *name, *accelerator, *nic;
    int64_t gpus, nics;
    int cpu; /* enum tuner_cpu */
    const char *source;
};

/* struct device_catalogue: root of a file of devices. */
struct device_catalogue {
    struct schema_list accelerators, nics, systems; /* of the structs above */
};

/* The file; and the section of a topology that holds the facts of its accelerators. */
extern const struct schema device_catalogue_schema, device_facts_schema;

/* "hopper"; "switch" */
const char *device_generation_name(int generation);
const char *device_shape_name(int shape);
/* device_cpu_name: "intel"; device_cpus: all names, by enum tuner_cpu; NULL-terminated. */
const char *device_cpu_name(int cpu);
extern const char *const device_cpus[];

/* device_find returns the accelerator of that name, device_find_nic the NIC, ...; NULL = none,
 * and device_near names the nearest of a list of structs of size bytes (NULL = none is near). */
const struct device_accelerator *device_find(const struct device_catalogue *catalogue,
                                             const char *name);
const struct device_nic *device_find_nic(const struct device_catalogue *catalogue,
                                         const char *name);
const struct device_system *device_find_system(const struct device_catalogue *catalogue,
                                               const char *name);
const char *device_near(const struct schema_list *list, size_t size, const char *name);

/* device_system_bps returns the rate of all NICs of a system; 0 if its NIC is unknown. */
int64_t device_system_bps(const struct device_catalogue *catalogue,
                          const struct device_system *system);

#endif

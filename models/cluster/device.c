/* device.c - keys of the device catalogue, its checks, look-up by name.
 *
 * The one idea: an accelerator is a row of facts that has the same keys in the catalogue and in a
 * topology; the catalogue must say where each fact comes from.
 * NOT modelled: clocks under load, power, which PCIe switch a NIC hangs on; of the shape of links
 * all but what send-recv has of it (collective_choice.c).
 */
#include "models/cluster/device.h"

#include <string.h>

#include "sim/base/err.h"

#define LIST_MAX 128 /* as `.max` of the lists */

/* ---- keys ----------------------------------------------------------------------------------- */

static const char *const generation_words[] = {
    [TUNER_VOLTA] = "volta",         [TUNER_AMPERE] = "ampere",     [TUNER_HOPPER] = "hopper",
    [TUNER_BLACKWELL] = "blackwell", [TUNER_GENERATIONS] = "other", NULL};
static const char *const shape_words[] = {
    [DEVICE_SWITCH] = "switch", [DEVICE_MESH] = "mesh", [DEVICE_TORUS] = "torus", NULL};

const char *const device_cpus[] = {
    [TUNER_INTEL] = "intel", [TUNER_AMD] = "amd", [TUNER_ARM] = "arm", NULL};

#define SOURCE(member) offsetof(struct device_source, member)
static const struct schema_field source_fields[] = {
    {.key = "compute",
     .type = SCHEMA_STRING,
     .offset = SOURCE(compute),
     .fallback = "",
     .help = "Where the peak rates come from."},
    {.key = "memory",
     .type = SCHEMA_STRING,
     .offset = SOURCE(memory),
     .fallback = "",
     .help = "Where size and rate of the memory come from."},
    {.key = "link",
     .type = SCHEMA_STRING,
     .offset = SOURCE(link),
     .fallback = "",
     .help = "Where the keys link_... come from."},
    {.key = "reduction",
     .type = SCHEMA_STRING,
     .offset = SOURCE(reduction),
     .fallback = "",
     .help = "Where reduction_efficiency comes from."},
    {.key = "channel",
     .type = SCHEMA_STRING,
     .offset = SOURCE(channel),
     .fallback = "",
     .help = "Where the keys ..._channel_rate come from."},
    {.key = NULL},
};
static const struct schema source_schema = {
    .name = "source",
    .help = "Where the values come from; [assumed] marks what no document says.",
    .size = sizeof(struct device_source),
    .fields = source_fields,
};

/* The facts, in a struct device_facts at base. */
#define TFLOPS(base, text, member)                                                                 \
    {                                                                                              \
        .key = #member, .type = SCHEMA_REAL,                                                       \
        .offset = (base) + offsetof(struct device_facts, member), .fallback = "0",                 \
        .max = "1000000",                                                                          \
        .help = "Peak dense rate in " text ", TFLOP/s; 0 = unknown, or not able to."               \
    }
#define FACTS(base)                                                                                \
    {.key = "generation",                                                                          \
     .type = SCHEMA_ENUM,                                                                          \
     .offset = (base) + offsetof(struct device_facts, generation),                                 \
     .fallback = "other",                                                                          \
     .words = generation_words,                                                                    \
     .help = "Selects the constants of NCCL's choice of algorithms; other = not NVIDIA's."},       \
        TFLOPS(base, "bfloat16", bf16_tflops), TFLOPS(base, "8-bit floating point", fp8_tflops),   \
        TFLOPS(base, "4-bit floating point", fp4_tflops),                                          \
        {.key = "memory",                                                                          \
         .type = SCHEMA_SIZE,                                                                      \
         .offset = (base) + offsetof(struct device_facts, memory_bytes),                           \
         .fallback = "0",                                                                          \
         .max = "1PiB",                                                                            \
         .help = "Its own memory; 0 = unknown."},                                                  \
        {.key = "memory_rate",                                                                     \
         .type = SCHEMA_RATE,                                                                      \
         .offset = (base) + offsetof(struct device_facts, memory_bps),                             \
         .fallback = "0",                                                                          \
         .max = "10000Tbps",                                                                       \
         .help = "Of its own memory; 0 = unknown."},                                               \
        {.key = "link_shape",                                                                      \
         .type = SCHEMA_ENUM,                                                                      \
         .offset = (base) + offsetof(struct device_facts, link_shape),                             \
         .fallback = "switch",                                                                     \
         .words = shape_words,                                                                     \
         .help =                                                                                   \
             "Switch: the whole rate to any other; mesh: a share to each; torus: a quarter to "    \
             "each neighbour. Only send-recv goes by it; other operations as by a switch."},       \
    {                                                                                              \
        .key = "in_switch_reduction", .type = SCHEMA_BOOL,                                         \
        .offset = (base) + offsetof(struct device_facts, in_switch_reduction),                     \
        .fallback = "false", .help = "The switches of the links can add (NVLS)."                   \
    }

static const struct schema_field facts_fields[] = {FACTS(0), {.key = NULL}};
const struct schema device_facts_schema = {
    .name = "device",
    .help = "What is known of an accelerator.",
    .size = sizeof(struct device_facts),
    .fields = facts_fields,
};

#define AT(member) offsetof(struct device_accelerator, member)
#define CHANNEL_RATE(name, member)                                                                 \
    {                                                                                              \
        .key = name "_channel_rate", .type = SCHEMA_RATE, .offset = AT(member), .fallback = "0",   \
        .max = "1000Tbps",                                                                         \
        .help = "Of collectives." name ".channel_rate in topologies with it; 0 = its own default." \
    }
static const struct schema_field accelerator_fields[] = {
    {.key = "name", .type = SCHEMA_STRING, .offset = AT(name), .help = "What to call it."},
    FACTS(AT(facts)),
    {.key = "link_rate",
     .type = SCHEMA_RATE,
     .offset = AT(link_bps),
     .fallback = "0",
     .max = "1000Tbps",
     .help = "NVLink or its like: all links of one accelerator together, one way; 0 = none."},
    {.key = "link_domain",
     .type = SCHEMA_COUNT,
     .offset = AT(link_domain),
     .fallback = "1",
     .min = "1",
     .max = "1024",
     .help = "Accelerators that the links connect."},
    {.key = "link_efficiency",
     .type = SCHEMA_FRACTION,
     .offset = AT(link_efficiency),
     .fallback = "1",
     .max = "1",
     .help = "Share of link_rate that a long ring all-reduce reaches."},
    {.key = "reduction_efficiency",
     .type = SCHEMA_FRACTION,
     .offset = AT(reduction_efficiency),
     .fallback = "0",
     .max = "1",
     .help = "Share of link_rate that a long all-reduce in the switch reaches, each way."},
    CHANNEL_RATE("ll", channel_bps[COLL_LL]),
    CHANNEL_RATE("ll128", channel_bps[COLL_LL128]),
    CHANNEL_RATE("simple", channel_bps[COLL_SIMPLE]),
    CHANNEL_RATE("in_switch", switch_channel_bps),
    {.key = "source",
     .type = SCHEMA_SECTION,
     .offset = AT(source),
     .section = &source_schema,
     .help = "Where the values come from."},
    {.key = NULL},
};

/* check_sources: each value says where it comes from. */
static void check_sources(const struct device_accelerator *a, struct schema_check *check)
{
    const struct device_facts *facts = &a->facts;
    const struct device_source *source = &a->source;
    const char *missing = NULL;
    bool channels = a->switch_channel_bps > 0;
    for (int protocol = 0; protocol < COLL_PROTOCOLS; protocol++)
        channels |= a->channel_bps[protocol] > 0;
    if (channels && !*source->channel) missing = "channel";
    if (facts->in_switch_reduction && !*source->reduction) missing = "reduction";
    if (a->link_bps && !*source->link) missing = "link";
    if ((facts->memory_bytes || facts->memory_bps) && !*source->memory) missing = "memory";
    if ((facts->bf16_tflops > 0 || facts->fp8_tflops > 0 || facts->fp4_tflops > 0) &&
        !*source->compute)
        missing = "compute";
    if (missing)
        schema_complain(check, "source", "C062: source.%s is missing: where does this come from?",
                        missing);
}

static void check_accelerator(const void *config, struct schema_check *check)
{
    const struct device_accelerator *a = config;
    check_sources(a, check);
    if (!a->facts.in_switch_reduction) return;
    if (a->facts.link_shape != DEVICE_SWITCH || a->link_domain < 2)
        schema_complain(check, "in_switch_reduction",
                        "C063: only the switches of a link domain can reduce");
    else if (a->reduction_efficiency <= 0)
        schema_complain(check, "in_switch_reduction",
                        "C063: in_switch_reduction needs a reduction_efficiency above 0");
}

static const struct schema accelerator_schema = {
    .name = "accelerator",
    .help = "A GPU or the like.",
    .size = sizeof(struct device_accelerator),
    .fields = accelerator_fields,
    .check = check_accelerator,
};

#define NIC(member) offsetof(struct device_nic, member)
static const struct schema_field nic_fields[] = {
    {.key = "name", .type = SCHEMA_STRING, .offset = NIC(name), .help = "What to call it."},
    {.key = "rate",
     .type = SCHEMA_RATE,
     .offset = NIC(rate_bps),
     .min = "1Mbps",
     .max = "100Tbps",
     .help = "Of the wire, one way, all ports together."},
    {.key = "host_rate",
     .type = SCHEMA_RATE,
     .offset = NIC(host_bps),
     .fallback = "0",
     .max = "100Tbps",
     .help = "Of its PCIe connection, one way; 0 = unknown."},
    {.key = "source",
     .type = SCHEMA_STRING,
     .offset = NIC(source),
     .help = "Where the values come from."},
    {.key = NULL},
};
static const struct schema nic_schema = {
    .name = "nic",
    .help = "A network card.",
    .size = sizeof(struct device_nic),
    .fields = nic_fields,
};

#define SYSTEM(member) offsetof(struct device_system, member)
static const struct schema_field system_fields[] = {
    {.key = "name", .type = SCHEMA_STRING, .offset = SYSTEM(name), .help = "What to call it."},
    {.key = "accelerator",
     .type = SCHEMA_STRING,
     .offset = SYSTEM(accelerator),
     .help = "Name of its accelerators."},
    {.key = "gpus",
     .type = SCHEMA_COUNT,
     .offset = SYSTEM(gpus),
     .fallback = "8",
     .min = "1",
     .max = "1024",
     .help = "Accelerators of a server."},
    {.key = "nic", .type = SCHEMA_STRING, .offset = SYSTEM(nic), .help = "Name of its NICs."},
    {.key = "nics",
     .type = SCHEMA_COUNT,
     .offset = SYSTEM(nics),
     .min = "1",
     .max = "1024",
     .help = "NICs of a server that serve its accelerators."},
    {.key = "cpu",
     .type = SCHEMA_ENUM,
     .offset = SYSTEM(cpu),
     .fallback = "intel",
     .words = device_cpus,
     .help = "Its processors, which NCCL's choice of algorithms goes by (collectives.cpu)."},
    {.key = "source",
     .type = SCHEMA_STRING,
     .offset = SYSTEM(source),
     .help = "Where the values come from."},
    {.key = NULL},
};
static const struct schema system_schema = {
    .name = "system",
    .help = "A server.",
    .size = sizeof(struct device_system),
    .fields = system_fields,
};

static const struct schema_field catalogue_fields[] = {
    {.key = "accelerators",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct device_catalogue, accelerators),
     .section = &accelerator_schema,
     .max = "128",
     .help = "GPUs and the like."},
    {.key = "nics",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct device_catalogue, nics),
     .section = &nic_schema,
     .max = "128",
     .help = "Network cards."},
    {.key = "systems",
     .type = SCHEMA_LIST,
     .offset = offsetof(struct device_catalogue, systems),
     .section = &system_schema,
     .max = "128",
     .help = "Servers: which accelerators and NICs, and how many."},
    {.key = NULL},
};

/* ---- look-up -------------------------------------------------------------------------------- */

_Static_assert(offsetof(struct device_accelerator, name) == 0 &&
                   offsetof(struct device_nic, name) == 0 &&
                   offsetof(struct device_system, name) == 0,
               "name_at reads the first member");

/* name_at returns the name of an item of a list of structs of size bytes. */
static const char *name_at(const struct schema_list *list, size_t size, int64_t i)
{
    return *(const char *const *)((const char *)list->items + (size_t)i * size);
}

static const void *find(const struct schema_list *list, size_t size, const char *name)
{
    for (int64_t i = 0; i < list->n; i++)
        if (strcmp(name_at(list, size, i), name) == 0)
            return (const char *)list->items + (size_t)i * size;
    return NULL;
}

const struct device_accelerator *device_find(const struct device_catalogue *catalogue,
                                             const char *name)
{
    return find(&catalogue->accelerators, sizeof(struct device_accelerator), name);
}

const struct device_nic *device_find_nic(const struct device_catalogue *catalogue, const char *name)
{
    return find(&catalogue->nics, sizeof(struct device_nic), name);
}

const struct device_system *device_find_system(const struct device_catalogue *catalogue,
                                               const char *name)
{
    return find(&catalogue->systems, sizeof(struct device_system), name);
}

const char *device_near(const struct schema_list *list, size_t size, const char *name)
{
    const char *names[LIST_MAX];
    int n = 0;
    for (int64_t i = 0; i < list->n && n < LIST_MAX; i++)
        names[n++] = name_at(list, size, i);
    return err_suggest(name, names, n);
}

int64_t device_system_bps(const struct device_catalogue *catalogue,
                          const struct device_system *system)
{
    const struct device_nic *nic = device_find_nic(catalogue, system->nic);
    return nic ? nic->rate_bps * system->nics : 0;
}

const char *device_generation_name(int generation)
{
    return generation_words[generation];
}

const char *device_cpu_name(int cpu)
{
    return device_cpus[cpu];
}

const char *device_shape_name(int shape)
{
    return shape_words[shape];
}

/* ---- the catalogue as a whole --------------------------------------------------------------- */

static void check_names(const struct schema_list *list, size_t size, const char *key,
                        struct schema_check *check)
{
    for (int64_t i = 0; i < list->n; i++) {
        const char *name = name_at(list, size, i);
        const struct schema_list before = {.n = i, .items = list->items};
        if (find(&before, size, name))
            schema_complain(check, key, "C060: two of %s are called '%s'", key, name);
    }
}

/* unknown complains about a system that names what is not there. */
static void unknown(struct schema_check *check, const struct device_system *system,
                    const char *name, const char *near)
{
    schema_complain(check, "systems", "C061: '%s' of system '%s' is not in the catalogue%s%s%s",
                    name, system->name, near ? " (did you mean '" : "", near ? near : "",
                    near ? "'?)" : "");
}

static void check_catalogue(const void *config, struct schema_check *check)
{
    const struct device_catalogue *c = config;
    const struct device_system *systems = c->systems.items;
    const size_t size = sizeof(struct device_accelerator), nic_size = sizeof(struct device_nic);
    check_names(&c->accelerators, size, "accelerators", check);
    check_names(&c->nics, nic_size, "nics", check);
    check_names(&c->systems, sizeof(struct device_system), "systems", check);
    for (int64_t i = 0; i < c->systems.n; i++) {
        const struct device_system *s = &systems[i];
        const struct device_accelerator *a = device_find(c, s->accelerator);
        if (!a)
            unknown(check, s, s->accelerator, device_near(&c->accelerators, size, s->accelerator));
        if (!device_find_nic(c, s->nic))
            unknown(check, s, s->nic, device_near(&c->nics, nic_size, s->nic));
        if (a && a->link_domain % s->gpus && s->gpus % a->link_domain)
            schema_complain(
                check, "systems",
                "C064: system '%s': servers of %lld do not make up link domains of %lld", s->name,
                (long long)s->gpus, (long long)a->link_domain);
    }
}

const struct schema device_catalogue_schema = {
    .name = "devices",
    .help = "Accelerators, network cards and servers.",
    .size = sizeof(struct device_catalogue),
    .fields = catalogue_fields,
    .check = check_catalogue,
};

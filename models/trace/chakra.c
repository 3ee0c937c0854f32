/* chakra.c - a Chakra trace: which files, which messages, and what nodes mean.
 *
 * A file is a sequence of messages, each behind its length: GlobalMetadata, then nodes in any
 * order. The one idea: one message at a time is in memory; what a node waits for is kept as ids
 * until the file has been read, because nodes may come later than those that wait for them.
 * Data dependencies are followed; control dependencies (who called whom) are kept as TRACE_CALLED,
 * and those on nodes that are not in the file are only counted: converters drop callers that do
 * nothing. comm_size is what one rank puts in, so that of an all-gather is multiplied by the size
 * of the group to count as coll.h does. Streams: CPU 0; stream s of the GPU s + 1; where none is
 * named, computation 1 and communication 2.
 * Source: mlcommons/chakra, schema/protobuf/et_def.proto and src/feeder; astra-sim for comm_size.
 * Not modelled: start times (they follow from the replay), priorities, inputs and outputs of nodes,
 * opening, closing and flushing of files.
 */
#include "models/trace/chakra.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/trace/chakra_node.h"
#include "models/trace/trace_text.h"
#include "sim/base/units.h"

#define MESSAGE_MAX (64 << 20) /* bytes; protobuf's own default */
#define READ_STEP (64 << 10)   /* a length is believed as far as there are bytes */
#define GROUPS_SHOWN 8         /* in a message */

struct unresolved {
    uint64_t id;
    uint32_t op;
    bool control;
};

struct reader {
    struct trace_build *build;
    const struct chakra_file *file;
    uint8_t *message;
    int64_t message_cap, message_at, at; /* where the message begins, and where reading is */
    size_t message_len;
    struct trace_keys ids; /* of nodes; operation i is that of id i */
    struct unresolved *deps;
    int64_t dep_n, dep_cap;
};

/* ---- messages --------------------------------------------------------------------------------*/

static bool wrong(const struct reader *reader, int64_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(const struct reader *reader, int64_t at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = arena_vprintf(reader->build->arena, fmt, ap);
    va_end(ap);
    return err_add(reader->build->err, (struct err_pos){.file = reader->file->file},
                   "%.5s at byte %" PRId64 ": %s", text, at, text + 5);
}

/* Reads the length in front of a message; false at the end of the file, or with a message. */
static bool read_length(struct reader *reader, size_t *len)
{
    uint64_t value = 0;
    int64_t start = reader->at;
    for (int shift = 0; shift <= 28; shift += 7) {
        int c = getc(reader->file->in);
        if (c == EOF && ferror(reader->file->in))
            return wrong(reader, reader->at, "C083:cannot read: %s", strerror(errno));
        if (c == EOF) return shift > 0 && wrong(reader, start, "C085:the file ends in a length");
        reader->at++;
        value |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *len = (size_t)value;
            return value <= MESSAGE_MAX ||
                   wrong(reader, start, "C085:a message of more than %d MiB", MESSAGE_MAX >> 20);
        }
    }
    return wrong(reader, start, "C085:the length of a message has more than 32 bits");
}

/* Reads the next message; false at the end of the file, or with a message in err. */
static bool read_message(struct reader *reader)
{
    size_t len = 0, have = 0;
    if (!read_length(reader, &len)) return false;
    reader->message_at = reader->at;
    reader->message_len = len;
    while (have < len) {
        size_t step = len - have < READ_STEP ? len - have : READ_STEP;
        reader->message =
            mem_grow(reader->message, &reader->message_cap, (int64_t)(have + step), 1);
        size_t got = fread(reader->message + have, 1, step, reader->file->in);
        have += got;
        reader->at += (int64_t)got;
        if (got == step) continue;
        if (ferror(reader->file->in))
            return wrong(reader, reader->at, "C083:cannot read: %s", strerror(errno));
        return wrong(reader, reader->message_at,
                     "C085:a message of %zu bytes, but the file ends %zu bytes later", len, have);
    }
    return true;
}

static struct protobuf message_of(const struct reader *reader)
{
    static const uint8_t nothing[1];
    const uint8_t *start = reader->message ? reader->message : nothing;
    return (struct protobuf){.at = start, .end = start + reader->message_len};
}

static bool wrong_inside(const struct reader *reader, const struct protobuf *message)
{
    const uint8_t *start = reader->message ? reader->message : message->at;
    return wrong(reader, reader->message_at + (message->at - start), "C085:%s", message->wrong);
}

/* ---- what a node means -----------------------------------------------------------------------*/

static bool wrong_node(const struct reader *reader, const struct chakra_node *node,
                       const char *what)
{
    return wrong(reader, reader->message_at, "C086:node %" PRIu64 ": %s", node->id, what);
}

/* An attribute that must be there, from min to max. */
static bool need(const struct reader *reader, const struct chakra_node *node, enum chakra_attr attr,
                 int64_t max, int64_t *out)
{
    if (node->has[attr] && node->value[attr] >= 0 && node->value[attr] <= max) {
        *out = node->value[attr];
        return true;
    }
    if (!node->has[attr])
        return wrong(reader, reader->message_at, "C086:node %" PRIu64 " has no %s", node->id,
                     chakra_attr_names[attr]);
    return wrong(reader, reader->message_at,
                 "C086:node %" PRIu64 ": %s %" PRId64 " is not from 0 to %" PRId64, node->id,
                 chakra_attr_names[attr], node->value[attr], max);
}

/* As need, but 0 if it is not there. */
static bool may(const struct reader *reader, const struct chakra_node *node, enum chakra_attr attr,
                int64_t max, int64_t *out)
{
    *out = 0;
    return !node->has[attr] || need(reader, node, attr, max, out);
}

/* The groups that there are, but the first, which is that of all ranks: "'dp', 'tp', ...". */
static const char *list_groups(const struct reader *reader)
{
    const struct trace *trace = reader->build->trace;
    const char *list = "";
    for (int64_t g = 1; g < trace->group_n && g <= GROUPS_SHOWN; g++)
        list = arena_printf(reader->build->arena, "%s%s'%s'", list, g > 1 ? ", " : "",
                            trace->group[g].name);
    if (trace->group_n - 1 <= GROUPS_SHOWN) return list;
    return arena_printf(reader->build->arena, "%s and %" PRId64 " more", list,
                        trace->group_n - 1 - GROUPS_SHOWN);
}

static bool take_group(const struct reader *reader, const struct chakra_node *node,
                       struct trace_op *op)
{
    int64_t group = trace_keys_find(&reader->build->groups, node->group, node->group_len);
    const int len = node->group_len < 80 ? (int)node->group_len : 80;
    if (group < 0 && reader->build->trace->group_n > 1)
        return wrong(reader, reader->message_at,
                     "C086:node %" PRIu64 ": no group '%.*s' among the process groups: %s",
                     node->id, len, node->group, list_groups(reader));
    if (group < 0)
        return wrong(reader, reader->message_at,
                     "C086:node %" PRIu64 ": no file of process groups says who is in '%.*s'",
                     node->id, len, node->group);
    op->group = (int32_t)group;
    return true;
}

static bool take_collective(const struct reader *reader, const struct chakra_node *node,
                            struct trace_op *op)
{
    static const uint8_t collectives[] = {
        TRACE_ALL_REDUCE,     TRACE_REDUCE,    TRACE_ALL_GATHER, TRACE_GATHER,
        TRACE_SCATTER,        TRACE_BROADCAST, TRACE_ALL_TO_ALL, TRACE_REDUCE_SCATTER,
        TRACE_REDUCE_SCATTER, TRACE_BARRIER};
    int64_t type = 0, root = 0, rank_n = reader->build->trace->rank_n;
    if (!need(reader, node, CHAKRA_COMM_TYPE, (int64_t)sizeof collectives - 1, &type) ||
        !take_group(reader, node, op))
        return false;
    op->collective = collectives[type];
    bool ok = op->collective == TRACE_BARRIER
                  ? may(reader, node, CHAKRA_COMM_SIZE, TRACE_BYTES_MAX, &op->bytes)
                  : need(reader, node, CHAKRA_COMM_SIZE, TRACE_BYTES_MAX, &op->bytes);
    if (!ok) return false;
    if (node->has[CHAKRA_COMM_SRC]) {
        if (!need(reader, node, CHAKRA_COMM_SRC, rank_n - 1, &root)) return false;
        op->peer = (int32_t)root;
    }
    if (op->collective != TRACE_ALL_GATHER) return true;
    int32_t members = reader->build->trace->group[op->group].n;
    if (op->bytes > TRACE_BYTES_MAX / members)
        return wrong_node(reader, node, "all ranks together gather more than 2^50 bytes");
    op->bytes *= members;
    return true;
}

static bool take_message(const struct reader *reader, const struct chakra_node *node,
                         struct trace_op *op)
{
    int64_t peer = 0;
    enum chakra_attr end = op->kind == TRACE_SEND ? CHAKRA_COMM_DST : CHAKRA_COMM_SRC;
    if (!need(reader, node, end, reader->build->trace->rank_n - 1, &peer) ||
        !need(reader, node, CHAKRA_COMM_SIZE, TRACE_BYTES_MAX, &op->bytes) ||
        !may(reader, node, CHAKRA_COMM_TAG, INT64_MAX, &op->tag))
        return false;
    op->peer = (int32_t)peer;
    return true;
}

static bool take_storage(const struct reader *reader, const struct chakra_node *node,
                         struct trace_op *op)
{
    if (node->io == CHAKRA_NO_IO) return true;
    op->kind = node->io == CHAKRA_READ ? TRACE_LOAD : TRACE_STORE;
    if (node->io_bytes > (uint64_t)TRACE_BYTES_MAX)
        return wrong_node(reader, node, "reads or writes more than 2^50 bytes");
    op->bytes = (int64_t)node->io_bytes;
    return true;
}

static bool take_stream(const struct reader *reader, const struct chakra_node *node,
                        struct trace_op *op)
{
    int64_t stream = 0;
    if (!node->has[CHAKRA_IS_CPU_OP] || node->value[CHAKRA_IS_CPU_OP] != 0) return true;
    if (!may(reader, node, CHAKRA_STREAM, UINT16_MAX - 1, &stream)) return false;
    bool communicates = op->kind != TRACE_COMPUTE && !node->has[CHAKRA_STREAM];
    op->stream = (uint16_t)(stream + 1 + communicates);
    return true;
}

static bool take_node(const struct reader *reader, const struct chakra_node *node,
                      struct trace_op *op)
{
    static const uint8_t kinds[] = {TRACE_MARK,    TRACE_MARK, TRACE_LOAD, TRACE_STORE,
                                    TRACE_COMPUTE, TRACE_SEND, TRACE_RECV, TRACE_COLLECTIVE,
                                    TRACE_MARK,    TRACE_MARK, TRACE_MARK};
    _Static_assert(sizeof kinds == CHAKRA_TYPES, "a kind for each type");
    if (node->type >= CHAKRA_TYPES)
        return wrong(reader, reader->message_at,
                     "C086:node %" PRIu64 " is of type %" PRIu64 "; known are 0 to %d", node->id,
                     node->type, CHAKRA_TYPES - 1);
    if (node->duration_us > (uint64_t)(INT64_MAX / PS_PER_US))
        return wrong_node(reader, node, "lasts longer than 106 days");
    op->duration_ps = (int64_t)node->duration_us * PS_PER_US;
    op->kind = kinds[node->type];
    bool ok = true;
    switch (node->type) {
    case CHAKRA_COMP:
        ok = may(reader, node, CHAKRA_NUM_OPS, INT64_MAX, &op->flop);
        break;
    case CHAKRA_COMM_SEND:
    case CHAKRA_COMM_RECV:
        return take_message(reader, node, op) && take_stream(reader, node, op);
    case CHAKRA_COMM_COLL:
        return take_collective(reader, node, op) && take_stream(reader, node, op);
    case CHAKRA_STORAGE:
        return take_storage(reader, node, op);
    default:
        break;
    }
    return ok && may(reader, node, CHAKRA_TENSOR_SIZE, TRACE_BYTES_MAX, &op->bytes) &&
           take_stream(reader, node, op);
}

/* ---- a rank ----------------------------------------------------------------------------------*/

static void add_dep(void *self, uint64_t id, bool control)
{
    struct reader *reader = self;
    reader->deps =
        mem_grow(reader->deps, &reader->dep_cap, reader->dep_n + 1, sizeof *reader->deps);
    reader->deps[reader->dep_n++] =
        (struct unresolved){.id = id, .op = (uint32_t)reader->build->op_n, .control = control};
}

static bool read_node(struct reader *reader)
{
    struct chakra_node node;
    struct protobuf message = message_of(reader);
    const struct chakra_deps deps = {add_dep, reader};
    if (!chakra_node_read(&message, &node, &deps)) return wrong_inside(reader, &message);
    int64_t before = reader->ids.n;
    if (trace_keys_add(&reader->ids, &node.id, sizeof node.id) < before)
        return wrong_node(reader, &node, "an earlier node has this id");
    struct trace_op *op = trace_build_op(reader->build);
    if (!op) return wrong_node(reader, &node, "more nodes than can be numbered");
    op->place = node.id;
    op->name = trace_build_name(reader->build, node.name, node.name_len);
    return take_node(reader, &node, op);
}

static bool resolve(struct reader *reader)
{
    for (int64_t i = 0; i < reader->dep_n; i++) {
        const struct unresolved *dep = &reader->deps[i];
        int64_t on = trace_keys_find(&reader->ids, &dep->id, sizeof dep->id);
        if (on >= 0) {
            trace_build_wait(reader->build,
                             &(struct trace_edge){.op = dep->op,
                                                  .on = (uint32_t)on,
                                                  .wait = dep->control ? TRACE_CALLED : TRACE_END});
            continue;
        }
        if (!dep->control)
            return err_add(reader->build->err, (struct err_pos){.file = reader->file->file},
                           "C086: node %" PRIu64 " waits for node %" PRIu64
                           ", which is not in the file",
                           reader->build->op[dep->op].place, dep->id);
        reader->build->trace->lost_calls++;
    }
    return true;
}

static bool read_all(struct reader *reader)
{
    struct protobuf_field field;
    const struct err *err = reader->build->err;
    int before = err->count;
    if (!read_message(reader))
        return err->count > before ? false : wrong(reader, 0, "C085:the file is empty");
    struct protobuf metadata = message_of(reader);
    while (protobuf_next(&metadata, &field)) {}
    if (metadata.wrong) return wrong_inside(reader, &metadata);
    while (read_message(reader))
        if (!read_node(reader)) return false;
    return err->count == before && resolve(reader);
}

bool chakra_read_rank(struct trace_build *build, const struct chakra_file *file)
{
    struct reader reader = {.build = build, .file = file};
    bool ok = read_all(&reader) && trace_build_rank(build, file->rank, file->file);
    mem_free(reader.message);
    mem_free(reader.deps);
    trace_keys_free(&reader.ids);
    return ok;
}

/* ---- all ranks -------------------------------------------------------------------------------*/

/* The R of "NAME.R.et", -1 if a file is none. */
static int64_t rank_of(const char *file, const char *name)
{
    size_t len = strlen(name);
    if (strncmp(file, name, len) != 0 || file[len] != '.') return -1;
    const char *digits = file + len + 1;
    size_t n = strspn(digits, "0123456789");
    if (n == 0 || n > 7 || (n > 1 && *digits == '0') || strcmp(digits + n, ".et") != 0) return -1;
    return strtol(digits, NULL, 10);
}

/* Returns how many files there are, 0 with a message: none, too many, or one is missing. */
static int64_t count_ranks(const struct chakra_source *source)
{
    const char *slash = strrchr(source->name, '/');
    const char *name = slash ? slash + 1 : source->name;
    const char *folder =
        slash ? arena_printf(source->arena, "%.*s", (int)(slash - source->name + 1), source->name)
              : ".";
    DIR *dir = opendir(folder);
    int64_t last = -1, n = 0;
    if (!dir) {
        err_add(source->err, (struct err_pos){.file = folder}, "C083: cannot read: %s",
                strerror(errno));
        return 0;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        int64_t rank = rank_of(entry->d_name, name);
        n += rank >= 0;
        if (rank > last) last = rank;
    }
    closedir(dir);
    int64_t most = source->ranks_max > 0 ? source->ranks_max : TRACE_RANKS_MAX;
    if (n == last + 1 && n > 0 && n <= most) return n;
    if (n == 0)
        err_add(source->err, (struct err_pos){.file = source->name},
                "C083: there is no file %s.0.et", source->name);
    else
        err_add(source->err, (struct err_pos){.file = source->name},
                "C083: %" PRId64 " files, but the last one is %s.%" PRId64
                ".et: ranks count 0, 1, 2, ..., here up to %" PRId64,
                n, source->name, last, most - 1);
    return 0;
}

static bool read_groups(const struct chakra_source *source, struct trace_build *build)
{
    if (!source->groups) return true;
    FILE *in = trace_text_open(source->groups, source->err);
    bool ok = in && chakra_read_groups(build, source->groups, in);
    if (in) fclose(in);
    return ok;
}

bool chakra_read(const struct chakra_source *source, struct trace *trace)
{
    struct trace_build build = {.trace = trace, .arena = source->arena, .err = source->err};
    int64_t rank_n = count_ranks(source);
    if (rank_n == 0) return false;
    trace_build_begin(&build, rank_n);
    bool ok = read_groups(source, &build);
    for (int64_t rank = 0; rank < rank_n && ok; rank++) {
        struct chakra_file file = {
            .file = arena_printf(source->arena, "%s.%" PRId64 ".et", source->name, rank),
            .rank = rank,
        };
        file.in = trace_text_open(file.file, source->err);
        ok = file.in && chakra_read_rank(&build, &file);
        if (file.in) fclose(file.in);
    }
    if (ok) trace_build_end(&build);
    trace_build_free(&build);
    return ok;
}

/* msccl.c - reads MSCCL XML: <algo><gpu><tb><step/></tb></gpu></algo>.
 *
 * The one idea: each element is a row of attributes that a table names, with their limits; an
 * attribute that is missing, unknown or out of its limits is an error at its place, not a default.
 * Source: microsoft/msccl-tools, msccl/language/ir.py; microsoft/msccl, src/graph/topo.cc, for the
 * meaning and the checks. Not modelled: type "ra" (adding a residual), attributes that tell the
 * runtime how to run (nthreads, rtype, stype, redop, outofplace): known and skipped.
 */
#include "models/trace/msccl.h"

#include <inttypes.h>
#include <string.h>

#include "models/trace/xml.h"

struct reader {
    struct xml xml;
    struct arena *arena;
    struct msccl *algorithm;
    struct msccl_gpu *gpu;     /* the present one */
    struct msccl_block *block; /* the present one */
    int64_t block_cap, step_cap;
};

/* ---- attributes ------------------------------------------------------------------------------*/

/* struct column: an attribute; a number from min to max, one of words, or any text. */
struct column {
    const char *name;
    const char *const *words; /* NULL = a number */
    int64_t min, max;
    int64_t fallback;
    bool optional, skipped, text;
};
#define COLUMNS_MAX 12

static bool wrong(const struct reader *reader, struct trace_spot at, const char *what,
                  const char *about)
{
    return trace_text_wrong(&reader->xml.text, at, "C058: %s '%s'", what, about);
}

static const struct xml_attr *find(const struct reader *reader, const char *name)
{
    for (int i = 0; i < reader->xml.attr_n; i++)
        if (strcmp(reader->xml.attr[i].name, name) == 0) return &reader->xml.attr[i];
    return NULL;
}

static bool parse_number(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    int64_t value = 0;
    text += negative;
    if (!*text) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > INT64_MAX / 10 - 1) return false;
        value = value * 10 + (*text - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool take_word(const struct reader *reader, const struct xml_attr *attr,
                      const struct column *column, int64_t *out)
{
    int n = 0;
    for (; column->words[n]; n++) {
        if (strcmp(column->words[n], attr->value) != 0) continue;
        *out = n;
        return true;
    }
    const char *near = err_suggest(attr->value, column->words, n);
    return trace_text_wrong(&reader->xml.text, attr->spot, "C058: %s '%s' is not known%s%s%s",
                            attr->name, attr->value, near ? " (did you mean '" : "",
                            near ? near : "", near ? "'?)" : "");
}

static bool take_column(const struct reader *reader, const struct column *column, int64_t *out)
{
    const struct xml_attr *attr = find(reader, column->name);
    *out = column->fallback;
    if (!attr)
        return column->optional ||
               trace_text_wrong(&reader->xml.text, reader->xml.spot, "C058: <%s> needs %s",
                                reader->xml.name, column->name);
    if (column->skipped || column->text) return true;
    if (column->words) return take_word(reader, attr, column, out);
    if (parse_number(attr->value, out) && *out >= column->min && *out <= column->max) return true;
    return trace_text_wrong(&reader->xml.text, attr->spot,
                            "C058: %s is no number from %" PRId64 " to %" PRId64, attr->name,
                            column->min, column->max);
}

/* Reads the columns, ended by a name NULL, into value; no other attributes are allowed. */
static bool take_columns(const struct reader *reader, const struct column *columns, int64_t *value)
{
    const char *names[COLUMNS_MAX + 1];
    int n = 0;
    for (; columns[n].name; n++) {
        names[n] = columns[n].name;
        if (!take_column(reader, &columns[n], &value[n])) return false;
    }
    for (int i = 0; i < reader->xml.attr_n; i++) {
        const struct xml_attr *attr = &reader->xml.attr[i];
        int known = 0;
        while (known < n && strcmp(names[known], attr->name) != 0)
            known++;
        if (known < n) continue;
        const char *near = err_suggest(attr->name, names, n);
        return trace_text_wrong(
            &reader->xml.text, attr->spot, "C058: unknown attribute '%s' of <%s>%s%s%s", attr->name,
            reader->xml.name, near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
    }
    return true;
}

/* ---- elements --------------------------------------------------------------------------------*/

static const char *const protocols[] = {"LL", "LL128", "Simple", NULL};
_Static_assert(COLL_LL == 0 && COLL_LL128 == 1 && COLL_SIMPLE == 2, "as in coll.h");
static const char *const colls[] = {"allreduce", "allgather", "reduce_scatter", "broadcast",
                                    "alltoall",  "custom",    "reduce",         NULL};
static const int coll_of[] = {COLL_ALL_REDUCE, COLL_ALL_GATHER, COLL_REDUCE_SCATTER, COLL_BROADCAST,
                              COLL_ALL_TO_ALL, MSCCL_CUSTOM,    MSCCL_REDUCE_TO_ROOT};
static const char *const types[] = {"nop", "s",    "r",   "rcs", "rrc",
                                    "rrs", "rrcs", "cpy", "re",  NULL};
_Static_assert(sizeof types / sizeof *types == MSCCL_TYPES + 1, "a word for each type");
static const char *const buffers[] = {"i", "o", "s", NULL};

enum algo_column { PROTO, COLL, CHANNELS, CHUNKS, GPUS, IN_PLACE, BYTES_MIN, BYTES_MAX, NAME };
static const struct column algo_columns[] = {
    [PROTO] = {.name = "proto", .words = protocols},
    [COLL] = {.name = "coll", .words = colls},
    [CHANNELS] = {.name = "nchannels", .min = 1, .max = 1024},
    [CHUNKS] = {.name = "nchunksperloop", .min = 1, .max = MSCCL_CHUNKS_MAX},
    [GPUS] = {.name = "ngpus", .min = 1, .max = MSCCL_GPUS_MAX},
    [IN_PLACE] = {.name = "inplace", .max = 1},
    [BYTES_MIN] = {.name = "minBytes", .max = INT64_MAX, .optional = true},
    [BYTES_MAX] = {.name = "maxBytes", .max = INT64_MAX, .optional = true, .fallback = INT64_MAX},
    [NAME] = {.name = "name", .text = true, .optional = true},
    {.name = "nthreads", .skipped = true, .optional = true},
    {.name = "outofplace", .skipped = true, .optional = true},
    {.name = "redop", .skipped = true, .optional = true},
    {.name = NULL},
};
_Static_assert(sizeof algo_columns / sizeof *algo_columns <= COLUMNS_MAX + 1, "room for values");

static bool open_algo(struct reader *reader)
{
    struct msccl *algorithm = reader->algorithm;
    int64_t value[COLUMNS_MAX];
    if (!take_columns(reader, algo_columns, value)) return false;
    const struct xml_attr *name = find(reader, "name");
    *algorithm = (struct msccl){
        .name = arena_strdup(reader->arena, name ? name->value : ""),
        .bytes_min = value[BYTES_MIN],
        .bytes_max = value[BYTES_MAX],
        .gpu_n = (int32_t)value[GPUS],
        .channels = (int32_t)value[CHANNELS],
        .chunks_per_loop = (int32_t)value[CHUNKS],
        .coll = coll_of[value[COLL]],
        .protocol = (enum coll_protocol)value[PROTO],
        .in_place = value[IN_PLACE] != 0,
    };
    algorithm->gpu = ARENA_ARRAY(reader->arena, struct msccl_gpu, algorithm->gpu_n);
    if (value[BYTES_MIN] <= value[BYTES_MAX]) return true;
    return wrong(reader, find(reader, "minBytes")->spot, "minBytes is above maxBytes of", "algo");
}

enum gpu_column { GPU_ID, I_CHUNKS, O_CHUNKS, S_CHUNKS };

/* An all-gather has chunks_per_loop chunks over all inputs, a reduce-scatter over all outputs. */
static bool check_chunks(const struct reader *reader, const int64_t *value)
{
    const struct msccl *algorithm = reader->algorithm;
    int64_t inputs = algorithm->coll == COLL_ALL_GATHER ? algorithm->gpu_n : 1;
    int64_t outputs = algorithm->coll == COLL_REDUCE_SCATTER ? algorithm->gpu_n : 1;
    int64_t chunks = algorithm->chunks_per_loop;
    bool in = value[I_CHUNKS] == 0 || value[I_CHUNKS] * inputs == chunks;
    bool out = value[O_CHUNKS] == 0 || value[O_CHUNKS] * outputs == chunks;
    if (in && out) return true;
    return trace_text_wrong(&reader->xml.text, reader->xml.spot,
                            "C058: %s does not fit nchunksperloop %" PRId64 " (of %" PRId64
                            " GPUs)",
                            in ? "o_chunks" : "i_chunks", chunks, in ? outputs : inputs);
}

static bool open_gpu(struct reader *reader)
{
    const struct column columns[] = {
        [GPU_ID] = {.name = "id", .max = reader->algorithm->gpu_n - 1},
        [I_CHUNKS] = {.name = "i_chunks", .max = MSCCL_CHUNKS_MAX},
        [O_CHUNKS] = {.name = "o_chunks", .max = MSCCL_CHUNKS_MAX},
        [S_CHUNKS] = {.name = "s_chunks", .max = MSCCL_CHUNKS_MAX},
        {.name = NULL},
    };
    int64_t value[COLUMNS_MAX];
    if (!take_columns(reader, columns, value) || !check_chunks(reader, value)) return false;
    struct msccl_gpu *gpu = &reader->algorithm->gpu[value[GPU_ID]];
    if (gpu->line > 0)
        return wrong(reader, reader->xml.spot, "a second gpu", find(reader, "id")->value);
    gpu->line = (uint32_t)reader->xml.spot.line;
    for (int i = 0; i < MSCCL_BUFFERS; i++)
        gpu->chunks[i] = (int32_t)value[I_CHUNKS + i];
    reader->gpu = gpu;
    reader->block_cap = 0;
    return true;
}

enum tb_column { TB_ID, SEND, RECV, CHAN };

static bool open_block(struct reader *reader)
{
    struct msccl_gpu *gpu = reader->gpu;
    int64_t last = reader->algorithm->gpu_n - 1, self = gpu - reader->algorithm->gpu;
    const struct column columns[] = {
        [TB_ID] = {.name = "id", .min = gpu->block_n, .max = gpu->block_n},
        [SEND] = {.name = "send", .min = -1, .max = last},
        [RECV] = {.name = "recv", .min = -1, .max = last},
        [CHAN] = {.name = "chan", .max = reader->algorithm->channels - 1},
        {.name = "rtype", .skipped = true, .optional = true},
        {.name = "stype", .skipped = true, .optional = true},
        {.name = NULL},
    };
    int64_t value[COLUMNS_MAX];
    if (!take_columns(reader, columns, value)) return false;
    if (value[SEND] == self || value[RECV] == self)
        return wrong(reader, reader->xml.spot, "a GPU that exchanges with itself:",
                     find(reader, value[SEND] == self ? "send" : "recv")->value);
    gpu->block = arena_grow(reader->arena, gpu->block, &reader->block_cap, gpu->block_n + 1,
                            sizeof *gpu->block);
    reader->block = &gpu->block[gpu->block_n++];
    reader->step_cap = 0;
    *reader->block = (struct msccl_block){.send = (int32_t)value[SEND],
                                          .recv = (int32_t)value[RECV],
                                          .channel = (int32_t)value[CHAN],
                                          .line = (uint32_t)reader->xml.spot.line};
    return true;
}

enum step_column { STEP, TYPE, SRCBUF, SRCOFF, DSTBUF, DSTOFF, CNT, DEPID, DEPS, HASDEP };

bool msccl_sends(enum msccl_type type)
{
    return type == MSCCL_SEND || type == MSCCL_RECV_COPY_SEND || type == MSCCL_RECV_REDUCE_SEND ||
           type == MSCCL_RECV_REDUCE_COPY_SEND;
}

bool msccl_receives(enum msccl_type type)
{
    return type == MSCCL_RECV || type == MSCCL_RECV_REDUCE_COPY ||
           (msccl_sends(type) && type != MSCCL_SEND);
}

/* What a step does on its own GPU must lie within the buffers: a send reads its source, a receive
 * writes its destination. Of rrc the runtime checks neither; its source need not be of this GPU. */
static bool check_step(const struct reader *reader, const struct msccl_step *step)
{
    const struct msccl_block *block = reader->block;
    bool reads = step->type == MSCCL_SEND || step->type == MSCCL_COPY ||
                 step->type == MSCCL_REDUCE || step->type == MSCCL_RECV_REDUCE_SEND ||
                 step->type == MSCCL_RECV_REDUCE_COPY_SEND;
    bool writes = step->type == MSCCL_COPY || step->type == MSCCL_REDUCE ||
                  (msccl_receives(step->type) && step->type != MSCCL_RECV_REDUCE_SEND);
    if (step->type != MSCCL_NOP && step->count == 0)
        return wrong(reader, reader->xml.spot, "no chunks (cnt 0) in type", types[step->type]);
    if (msccl_sends(step->type) && block->send < 0)
        return wrong(reader, reader->xml.spot, "the tb sends to no GPU, but a step has type",
                     types[step->type]);
    if (msccl_receives(step->type) && block->recv < 0)
        return wrong(reader, reader->xml.spot, "the tb receives from no GPU, but a step has type",
                     types[step->type]);
    int32_t source = reader->gpu->chunks[step->src], target = reader->gpu->chunks[step->dst];
    if (reads && (step->src_offset < 0 || step->src_offset > source - step->count))
        return wrong(reader, find(reader, "srcoff")->spot,
                     "srcoff to srcoff + cnt is not within buffer", buffers[step->src]);
    if (writes && (step->dst_offset < 0 || step->dst_offset > target - step->count))
        return wrong(reader, find(reader, "dstoff")->spot,
                     "dstoff to dstoff + cnt is not within buffer", buffers[step->dst]);
    return true;
}

static bool open_step(struct reader *reader)
{
    struct msccl_block *block = reader->block;
    const struct column columns[] = {
        [STEP] = {.name = "s", .min = block->step_n, .max = block->step_n},
        [TYPE] = {.name = "type", .words = types},
        [SRCBUF] = {.name = "srcbuf", .words = buffers},
        [SRCOFF] = {.name = "srcoff", .min = -1, .max = MSCCL_CHUNKS_MAX},
        [DSTBUF] = {.name = "dstbuf", .words = buffers},
        [DSTOFF] = {.name = "dstoff", .min = -1, .max = MSCCL_CHUNKS_MAX},
        [CNT] = {.name = "cnt", .max = MSCCL_CHUNKS_MAX},
        [DEPID] = {.name = "depid", .min = -1, .max = INT32_MAX},
        [DEPS] = {.name = "deps", .min = -1, .max = INT32_MAX},
        [HASDEP] = {.name = "hasdep", .max = 1},
        {.name = NULL},
    };
    int64_t value[COLUMNS_MAX];
    if (!take_columns(reader, columns, value)) return false;
    if ((value[DEPID] < 0) != (value[DEPS] < 0))
        return wrong(reader, reader->xml.spot, "only one of depid and deps is -1 in step",
                     find(reader, "s")->value);
    const struct msccl_step step = {.src_offset = (int32_t)value[SRCOFF],
                                    .dst_offset = (int32_t)value[DSTOFF],
                                    .count = (int32_t)value[CNT],
                                    .dep_block = (int32_t)value[DEPID],
                                    .dep_step = (int32_t)value[DEPS],
                                    .line = (uint32_t)reader->xml.spot.line,
                                    .type = (uint8_t)value[TYPE],
                                    .src = (uint8_t)value[SRCBUF],
                                    .dst = (uint8_t)value[DSTBUF],
                                    .has_dep = value[HASDEP] != 0};
    block->step = arena_grow(reader->arena, block->step, &reader->step_cap, block->step_n + 1,
                             sizeof *block->step);
    block->step[block->step_n++] = step;
    reader->algorithm->step_n++;
    return check_step(reader, &step);
}

/* ---- the file --------------------------------------------------------------------------------*/

typedef bool open_fn(struct reader *reader);

static bool open_element(struct reader *reader, int depth)
{
    static const struct {
        const char *name;
        open_fn *open;
    } levels[] = {{"algo", open_algo}, {"gpu", open_gpu}, {"tb", open_block}, {"step", open_step}};
    const int level_n = sizeof levels / sizeof *levels;
    const char *allowed = depth <= level_n ? levels[depth - 1].name : "";
    if (strcmp(reader->xml.name, allowed) == 0) return levels[depth - 1].open(reader);
    return trace_text_wrong(&reader->xml.text, reader->xml.spot,
                            "C058: <%s> has no place here; expected %s%s%s", reader->xml.name,
                            *allowed ? "<" : "no element", allowed, *allowed ? ">" : "");
}

static bool read_file(struct reader *reader)
{
    xml_begin(&reader->xml);
    for (int algos = 0;;) {
        enum xml_kind kind = xml_next(&reader->xml);
        if (kind == XML_WRONG || ferror(reader->xml.text.in)) return false;
        if (kind == XML_END)
            return algos > 0 || wrong(reader, reader->xml.spot, "the file holds no", "algo");
        if (kind == XML_CLOSE) continue;
        if (reader->xml.depth == 1 && algos++ > 0)
            return wrong(reader, reader->xml.spot, "a second outermost element:", reader->xml.name);
        if (!open_element(reader, reader->xml.depth)) return false;
    }
}

bool msccl_read(const struct msccl_source *source, struct msccl *algorithm)
{
    FILE *in = source->in ? source->in : trace_text_open(source->file, source->err);
    if (!in) return false;
    *algorithm = (struct msccl){0};
    struct reader *reader = ARENA_NEW(source->arena, struct reader);
    *reader = (struct reader){
        .xml.text = {.file = source->file, .in = in, .arena = source->arena, .err = source->err},
        .arena = source->arena,
        .algorithm = algorithm,
    };
    bool ok = read_file(reader) && msccl_check(source, algorithm);
    if (!source->in) fclose(in);
    return ok;
}

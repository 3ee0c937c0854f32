/* chakra_node.c - the messages Node, AttributeProto and StorageInfo of Chakra.
 *
 * Apart from what nodes mean (chakra.c). The one idea: fields and attributes that a simulation does
 * not need are skipped by their length, so that traces of newer producers are read, too. Producers
 * do not agree on the type of an attribute (is_cpu_op is a bool or an int32), so any number will
 * do.
 * Source: mlcommons/chakra, schema/protobuf/et_def.proto.
 */
#include "models/trace/chakra_node.h"

#include <string.h>

const char *const chakra_attr_names[CHAKRA_ATTRS] = {
    "is_cpu_op", "num_ops",  "tensor_size", "comm_type", "comm_size",
    "comm_src",  "comm_dst", "comm_tag",    "stream",    "pg_name",
};

static bool wrong(struct protobuf *message, const uint8_t *at, const char *what)
{
    message->at = at;
    message->wrong = what;
    return false;
}

/* What went wrong inside a field went wrong in the message. */
static bool pass_on(struct protobuf *message, const struct protobuf *inside)
{
    if (inside->wrong) wrong(message, inside->at, inside->wrong);
    return !message->wrong;
}

/* ---- attributes ------------------------------------------------------------------------------*/

enum { NAME = 1, DOUBLE_VAL = 3, FLOAT_VAL = 5, STRING_VAL = 29 };

/* struct value: of an attribute, whatever its type. */
struct value {
    bool is_number, is_text;
    int64_t number;
    const uint8_t *text;
    size_t len;
};

/* A float that is a whole number below 2^62 is one. */
static void take_real(struct value *value, double real)
{
    value->is_number = real > -0x1p62 && real < 0x1p62 && (double)(int64_t)real == real;
    if (value->is_number) value->number = (int64_t)real;
}

/* The oneof of AttributeProto: odd field numbers are single values, even ones lists. */
static void take_value(struct value *value, const struct protobuf_field *field)
{
    double real;
    float single;
    uint32_t low = (uint32_t)field->value;
    switch (field->number) {
    case DOUBLE_VAL:
        memcpy(&real, &field->value, sizeof real);
        if (field->type == PROTOBUF_FIXED64) take_real(value, real);
        return;
    case FLOAT_VAL:
        memcpy(&single, &low, sizeof single);
        if (field->type == PROTOBUF_FIXED32) take_real(value, (double)single);
        return;
    case STRING_VAL:
        value->is_text = field->type == PROTOBUF_BYTES;
        value->text = field->bytes;
        value->len = field->len;
        return;
    case 15: /* sint32 */
    case 17: /* sint64 */
        value->number = protobuf_zigzag(field->value);
        break;
    case 23: /* sfixed32 */
        value->number = (int32_t)low;
        break;
    case 7:  /* int32, sign-extended to 64 bits */
    case 9:  /* int64 */
    case 11: /* uint32 */
    case 13: /* uint64 */
    case 19: /* fixed32 */
    case 21: /* fixed64 */
    case 25: /* sfixed64 */
    case 27: /* bool */
        value->number = (int64_t)field->value;
        break;
    default:
        return;
    }
    value->is_number = field->type != PROTOBUF_BYTES;
}

static bool read_attr(struct protobuf *message, const struct protobuf_field *whole,
                      struct chakra_node *node)
{
    struct protobuf inside = protobuf_inside(whole);
    struct protobuf_field field;
    struct value value = {0};
    int which = CHAKRA_ATTRS;
    while (protobuf_next(&inside, &field)) {
        if (field.number != NAME) {
            take_value(&value, &field);
            continue;
        }
        if (field.type != PROTOBUF_BYTES)
            return wrong(message, whole->bytes, "an attribute whose name is no text");
        for (which = 0; which < CHAKRA_ATTRS; which++)
            if (strlen(chakra_attr_names[which]) == field.len &&
                memcmp(chakra_attr_names[which], field.bytes, field.len) == 0)
                break;
    }
    if (!pass_on(message, &inside)) return false;
    if (which == CHAKRA_ATTRS) return true;
    if (which == CHAKRA_PG_NAME ? !value.is_text : !value.is_number)
        return wrong(message, whole->bytes,
                     which == CHAKRA_PG_NAME
                         ? "attribute pg_name is no text"
                         : "an attribute that should be a whole number is none");
    node->has[which] = true;
    node->value[which] = value.number;
    if (which == CHAKRA_PG_NAME) {
        node->group = (const char *)value.text;
        node->group_len = value.len;
    }
    return true;
}

/* ---- storage ---------------------------------------------------------------------------------*/

enum { INFO_FS = 10, FS_OP = 1, FS_SIZE = 5 };
enum { FS_READ = 3, FS_WRITE = 4, FS_PREAD = 5, FS_PWRITE = 6 };

/* StorageInfo: of interest are reads and writes of files (FsOp), not what follows from them in the
 * page cache and the block layer. */
static bool read_storage(struct protobuf *message, const struct protobuf_field *whole,
                         struct chakra_node *node)
{
    struct protobuf info = protobuf_inside(whole);
    struct protobuf_field field, part;
    while (protobuf_next(&info, &field)) {
        if (field.number != INFO_FS || field.type != PROTOBUF_BYTES) continue;
        struct protobuf fs = protobuf_inside(&field);
        while (protobuf_next(&fs, &part)) {
            if (part.type != PROTOBUF_VARINT) continue;
            if (part.number == FS_SIZE) node->io_bytes = part.value;
            if (part.number != FS_OP) continue;
            if (part.value == FS_READ || part.value == FS_PREAD) node->io = CHAKRA_READ;
            if (part.value == FS_WRITE || part.value == FS_PWRITE) node->io = CHAKRA_WRITE;
        }
        if (!pass_on(&info, &fs)) break;
    }
    return pass_on(message, &info);
}

/* ---- nodes -----------------------------------------------------------------------------------*/

enum {
    NODE_ID = 1,
    NODE_NAME = 2,
    NODE_TYPE = 3,
    NODE_CTRL_DEPS = 4,
    NODE_DATA_DEPS = 5,
    NODE_DURATION = 7,
    NODE_ATTR = 10,
    NODE_STORAGE = 11
};

/* Lists of numbers may be packed into one field, or not. */
static bool read_deps(struct protobuf *message, const struct protobuf_field *field,
                      const struct chakra_deps *deps)
{
    bool control = field->number == NODE_CTRL_DEPS;
    if (field->type == PROTOBUF_VARINT) {
        deps->add(deps->self, field->value, control);
        return true;
    }
    struct protobuf list = protobuf_inside(field);
    uint64_t id;
    while (list.at < list.end && protobuf_varint(&list, &id))
        deps->add(deps->self, id, control);
    return pass_on(message, &list);
}

static bool type_fits(const struct protobuf_field *field)
{
    switch (field->number) {
    case NODE_ID:
    case NODE_TYPE:
    case NODE_DURATION:
        return field->type == PROTOBUF_VARINT;
    case NODE_NAME:
    case NODE_ATTR:
    case NODE_STORAGE:
        return field->type == PROTOBUF_BYTES;
    case NODE_CTRL_DEPS:
    case NODE_DATA_DEPS:
        return field->type == PROTOBUF_BYTES || field->type == PROTOBUF_VARINT;
    default:
        return true;
    }
}

bool chakra_node_read(struct protobuf *message, struct chakra_node *node,
                      const struct chakra_deps *deps)
{
    struct protobuf_field field;
    *node = (struct chakra_node){.name = "", .group = ""};
    for (;;) {
        const uint8_t *start = message->at;
        if (!protobuf_next(message, &field)) return !message->wrong;
        if (!type_fits(&field)) return wrong(message, start, "a field of a node has another type");
        bool ok = true;
        switch (field.number) {
        case NODE_ID:
            node->id = field.value;
            break;
        case NODE_TYPE:
            node->type = field.value;
            break;
        case NODE_DURATION:
            node->duration_us = field.value;
            break;
        case NODE_NAME:
            node->name = (const char *)field.bytes;
            node->name_len = field.len;
            break;
        case NODE_ATTR:
            ok = read_attr(message, &field, node);
            break;
        case NODE_STORAGE:
            ok = read_storage(message, &field, node);
            break;
        case NODE_CTRL_DEPS:
        case NODE_DATA_DEPS:
            ok = read_deps(message, &field, deps);
            break;
        default:
            break;
        }
        if (!ok) return false;
    }
}

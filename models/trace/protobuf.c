/* protobuf.c - fields of a message, one after the other.
 *
 * Apart because it knows nothing of Chakra. The one idea: nothing is copied or allocated; a field
 * points into the message, and every length is compared with what is left before it is used.
 * Source: protobuf.dev, "Encoding". Not modelled: groups (deprecated; refused), writing.
 */
#include "models/trace/protobuf.h"

#define TYPE_BITS 3
#define NUMBER_MAX ((1u << 29) - 1)

static bool wrong(struct protobuf *message, const uint8_t *at, const char *what)
{
    message->at = at;
    message->wrong = what;
    return false;
}

bool protobuf_varint(struct protobuf *message, uint64_t *out)
{
    const uint8_t *start = message->at;
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (message->at == message->end) return wrong(message, start, "a number is cut off");
        uint8_t byte = *message->at++;
        if (shift == 63 && byte > 1) break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return wrong(message, start, "a number of more than 64 bits");
}

/* Fixed numbers are little-endian. */
static bool read_fixed(struct protobuf *message, size_t n, uint64_t *out)
{
    if ((size_t)(message->end - message->at) < n)
        return wrong(message, message->at, "a number is cut off");
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out |= (uint64_t)message->at[i] << 8 * i;
    message->at += n;
    return true;
}

bool protobuf_next(struct protobuf *message, struct protobuf_field *field)
{
    const uint8_t *start = message->at;
    uint64_t tag, len;
    *field = (struct protobuf_field){0};
    if (message->wrong || start == message->end || !protobuf_varint(message, &tag)) return false;
    if (tag >> TYPE_BITS == 0 || tag >> TYPE_BITS > NUMBER_MAX)
        return wrong(message, start, "no field has this number");
    field->number = (uint32_t)(tag >> TYPE_BITS);
    switch (tag & ((1u << TYPE_BITS) - 1)) {
    case PROTOBUF_VARINT:
        return protobuf_varint(message, &field->value);
    case PROTOBUF_FIXED64:
        field->type = PROTOBUF_FIXED64;
        return read_fixed(message, 8, &field->value);
    case PROTOBUF_FIXED32:
        field->type = PROTOBUF_FIXED32;
        return read_fixed(message, 4, &field->value);
    case PROTOBUF_BYTES:
        field->type = PROTOBUF_BYTES;
        if (!protobuf_varint(message, &len)) return false;
        if (len > (size_t)(message->end - message->at))
            return wrong(message, start, "a field is longer than what holds it");
        field->bytes = message->at;
        field->len = (size_t)len;
        message->at += len;
        return true;
    default:
        return wrong(message, start, "a field of a type that is not used any more");
    }
}

struct protobuf protobuf_inside(const struct protobuf_field *field)
{
    return (struct protobuf){.at = field->bytes, .end = field->bytes + field->len};
}

int64_t protobuf_zigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (~(value & 1) + 1));
}

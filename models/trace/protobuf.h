/* protobuf.h - the wire format of protocol buffers, read from bytes in memory. */
#ifndef RAILSIM_MODELS_TRACE_PROTOBUF_H
#define RAILSIM_MODELS_TRACE_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum protobuf_type {
    PROTOBUF_VARINT = 0,
    PROTOBUF_FIXED64 = 1,
    PROTOBUF_BYTES = 2, /* strings, messages, packed lists */
    PROTOBUF_FIXED32 = 5
};

/* struct protobuf: a message that is being read; the caller sets at and end. */
struct protobuf {
    const uint8_t *at, *end;
    const char *wrong; /* what is wrong at `at`; NULL = nothing */
};

struct protobuf_field {
    uint32_t number;
    enum protobuf_type type;
    uint64_t value; /* varint, fixed64, fixed32 */
    const uint8_t *bytes;
    size_t len; /* of bytes */
};

/* protobuf_next reads the next field; false at the end, or with message->wrong set. */
bool protobuf_next(struct protobuf *message, struct protobuf_field *field);
/* protobuf_varint reads a varint, as those of a packed list; false with message->wrong set. */
bool protobuf_varint(struct protobuf *message, uint64_t *out);
/* protobuf_inside is the message that a field of type PROTOBUF_BYTES holds. */
struct protobuf protobuf_inside(const struct protobuf_field *field);
/* protobuf_zigzag decodes a sint32 or sint64. */
int64_t protobuf_zigzag(uint64_t value);

#endif

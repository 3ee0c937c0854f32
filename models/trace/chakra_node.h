/* chakra_node.h - one node of a Chakra trace, decoded; nothing yet of what it means. */
#ifndef RAILSIM_MODELS_TRACE_CHAKRA_NODE_H
#define RAILSIM_MODELS_TRACE_CHAKRA_NODE_H

#include "models/trace/protobuf.h"

/* enum chakra_type: NodeType of et_def.proto. */
enum chakra_type {
    CHAKRA_INVALID,
    CHAKRA_METADATA,
    CHAKRA_MEM_LOAD,
    CHAKRA_MEM_STORE,
    CHAKRA_COMP,
    CHAKRA_COMM_SEND,
    CHAKRA_COMM_RECV,
    CHAKRA_COMM_COLL,
    CHAKRA_STORAGE,
    CHAKRA_BATCH,
    CHAKRA_CHECKPOINT,
    CHAKRA_TYPES
};

/* The attributes that matter; others are skipped. */
enum chakra_attr {
    CHAKRA_IS_CPU_OP,
    CHAKRA_NUM_OPS,
    CHAKRA_TENSOR_SIZE,
    CHAKRA_COMM_TYPE,
    CHAKRA_COMM_SIZE,
    CHAKRA_COMM_SRC,
    CHAKRA_COMM_DST,
    CHAKRA_COMM_TAG,
    CHAKRA_STREAM,
    CHAKRA_PG_NAME,
    CHAKRA_ATTRS
};
extern const char *const chakra_attr_names[CHAKRA_ATTRS];

/* enum chakra_io: what a storage node does with the bytes of a file. */
enum chakra_io { CHAKRA_NO_IO, CHAKRA_READ, CHAKRA_WRITE };

/* struct chakra_node: texts point into the message. */
struct chakra_node {
    uint64_t id, duration_us;
    uint64_t type; /* enum chakra_type, or more */
    const char *name, *group;
    size_t name_len, group_len;
    bool has[CHAKRA_ATTRS];
    int64_t value[CHAKRA_ATTRS]; /* not of CHAKRA_PG_NAME, whose text is group */
    enum chakra_io io;
    uint64_t io_bytes;
};

/* struct chakra_deps: ids of what a node waits for, to be handed on one by one. */
typedef void chakra_dep_fn(void *self, uint64_t id, bool control);
struct chakra_deps {
    chakra_dep_fn *add;
    void *self;
};

/* chakra_node_read decodes message; false with message->wrong and message->at set. */
bool chakra_node_read(struct protobuf *message, struct chakra_node *node,
                      const struct chakra_deps *deps);

#endif

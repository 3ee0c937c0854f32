/* spans.h - the contract by which a run says what happened when, for a timeline to draw.
 *
 * Models get a `const struct spans *` (NULL = nobody is interested) and call the functions below;
 * sim/io/timeline.c is who listens. Texts are used at once and need not outlive the call. Times are
 * simulated ps. A node is a host, a lane one row of it: a GPU, a stream, a NIC, a link. One more
 * node, called SPANS_RUN before anything happens in it, is for what concerns the run as a whole.
 */
#ifndef RAILSIM_BASE_SPANS_H
#define RAILSIM_BASE_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#define SPANS_RUN "run"

/* struct spans_lane: where something happens. lane -1 = the node as a whole. */
struct spans_lane {
    int32_t node, lane;
};

/* struct span: something that lasts. Spans of one lane overlap only if one holds the other. */
struct span {
    struct spans_lane at;
    const char *name;     /* "all_reduce", "forward 3" */
    const char *category; /* "compute", "communication", "io": what a viewer filters by */
    int64_t start_ps, end_ps;
    int64_t bytes; /* moved; -1 = says nothing */
};

/* struct spans_arrow: from a cause to its effect, e.g. from a send to its receive. Each end lies
 * in a span of its lane. */
struct spans_arrow {
    const char *name;
    struct spans_lane from, to;
    int64_t from_ps, to_ps;
};

/* struct spans_level: a value that holds from at_ps on. */
struct spans_level {
    int32_t node;
    const char *name; /* "queue bytes" */
    int64_t at_ps;
    double value;
};

struct spans_ops {
    void (*name)(void *self, struct spans_lane at, const char *text);
    void (*span)(void *self, const struct span *span);
    void (*arrow)(void *self, const struct spans_arrow *arrow);
    void (*level)(void *self, const struct spans_level *level);
};
struct spans {
    const struct spans_ops *ops;
    void *self;
};

/* spans_name names a lane, or (lane -1) a node; before or after what happens there, once each. */
static inline void spans_name(const struct spans *to, struct spans_lane at, const char *text)
{
    if (to) to->ops->name(to->self, at, text);
}
/* spans_add hands over a span that has ended. */
static inline void spans_add(const struct spans *to, const struct span *span)
{
    if (to) to->ops->span(to->self, span);
}
static inline void spans_arrow(const struct spans *to, const struct spans_arrow *arrow)
{
    if (to) to->ops->arrow(to->self, arrow);
}
static inline void spans_level(const struct spans *to, const struct spans_level *level)
{
    if (to) to->ops->level(to->self, level);
}

#endif

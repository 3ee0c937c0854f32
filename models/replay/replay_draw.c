/* replay_draw.c - spans of a replay: a lane per stream of compute, more for what overlaps.
 *
 * Apart from the replay because nobody may be looking. The one idea: communication of a rank
 * overlaps in any way, spans of a lane must not, so each takes the first lane that is free when it
 * starts. NOT modelled: more than 64 at a time of one rank are not drawn.
 */
#include "models/replay/replay_live.h"

#define LANES 64 /* of communication, per rank: bits of a word */
#define NO_LANE UINT8_MAX

static const char *category_of(const struct trace_op *op)
{
    switch ((enum trace_kind)op->kind) {
    case TRACE_COMPUTE:
        return "compute";
    case TRACE_RECV: /* from when it is posted: it may wait most of the time */
        return "receive";
    case TRACE_LOAD:
    case TRACE_STORE:
        return "io";
    default:
        return "communication";
    }
}

const char *replay_name(const struct trace *trace, const struct trace_op *op)
{
    if (op->name) return trace->name[op->name];
    return op->kind == TRACE_COLLECTIVE
               ? trace_collective_name((enum trace_collective)op->collective)
               : trace_kind_name((enum trace_kind)op->kind);
}

/* Lane `number` of a rank: streams of compute first. */
static struct spans_lane place(const struct replay_drawing *drawing, int32_t rank, int32_t number)
{
    int32_t each = drawing->graph->streams - 1 + LANES;
    return (struct spans_lane){rank / drawing->node_gpus,
                               rank % drawing->node_gpus * each + number};
}

static void name_lane(const struct replay_drawing *drawing, int32_t rank, int32_t number)
{
    struct arena arena = {0};
    int32_t compute = drawing->graph->streams - 1;
    const char *what = number < compute ? "compute" : "network";
    spans_name(drawing->spans, place(drawing, rank, number),
               arena_printf(&arena, "GPU %d %s %d", rank % drawing->node_gpus, what,
                            number < compute ? number : number - compute));
    arena_free(&arena);
}

void replay_draw_new(struct replay_drawing *drawing, struct arena *arena)
{
    const struct trace *trace = drawing->graph->trace;
    if (!drawing->spans) return;
    drawing->start_ps = ARENA_ARRAY(arena, int64_t *, trace->rank_n);
    drawing->lane = ARENA_ARRAY(arena, uint8_t *, trace->rank_n);
    drawing->busy = ARENA_ARRAY(arena, uint64_t, trace->rank_n);
    drawing->named = ARENA_ARRAY(arena, uint64_t, trace->rank_n);
    for (int32_t r = 0; r < trace->rank_n; r++) {
        drawing->start_ps[r] = ARENA_ARRAY(arena, int64_t, trace->rank[r].op_n);
        drawing->lane[r] = ARENA_ARRAY(arena, uint8_t, trace->rank[r].op_n);
        for (int32_t s = 0; s < drawing->graph->streams - 1; s++)
            name_lane(drawing, r, s);
    }
}

void replay_draw_start(const struct replay_drawing *drawing, int32_t rank, uint32_t i,
                       int64_t now_ps)
{
    if (!drawing->spans) return;
    const struct replay_graph *graph = drawing->graph;
    const struct trace_op *op = &graph->trace->rank[rank].op[i];
    drawing->start_ps[rank][i] = now_ps;
    if (op->kind == TRACE_COMPUTE) return;
    uint64_t *busy = &drawing->busy[rank];
    int lane = 0;
    while (lane < LANES && *busy >> lane & 1)
        lane++;
    drawing->lane[rank][i] = lane < LANES ? (uint8_t)lane : NO_LANE;
    if (lane == LANES) return;
    *busy |= UINT64_C(1) << lane;
    if (!(drawing->named[rank] >> lane & 1)) name_lane(drawing, rank, graph->streams - 1 + lane);
    drawing->named[rank] |= UINT64_C(1) << lane;
}

void replay_draw_over(const struct replay_drawing *drawing, int32_t rank, uint32_t i,
                      int64_t now_ps)
{
    if (!drawing->spans) return;
    const struct replay_graph *graph = drawing->graph;
    const struct trace_op *op = &graph->trace->rank[rank].op[i];
    uint8_t lane = drawing->lane[rank][i];
    int32_t number = graph->stream_of[op->stream];
    if (op->kind != TRACE_COMPUTE) {
        if (lane == NO_LANE) return;
        drawing->busy[rank] &= ~(UINT64_C(1) << lane);
        number = graph->streams - 1 + lane;
    }
    if (now_ps == drawing->start_ps[rank][i]) return;
    spans_add(drawing->spans, &(struct span){.at = place(drawing, rank, number),
                                             .name = replay_name(graph->trace, op),
                                             .category = category_of(op),
                                             .start_ps = drawing->start_ps[rank][i],
                                             .end_ps = now_ps,
                                             .bytes = op->bytes > 0 ? op->bytes : -1});
}

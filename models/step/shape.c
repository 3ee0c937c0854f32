/* shape.c - numbers of ranks and of groups, in mixed radix.
 *
 * The one idea: a rank is a number with digits tensor, context, data, stage; a group keeps some of
 * the digits, which number it, and the others number its members.
 */
#include "models/step/shape.h"

int32_t shape_ranks(const struct shape *shape)
{
    return shape->tensor * shape->context * shape->data * shape->pipeline;
}

struct shape_place shape_place(const struct shape *shape, int32_t rank)
{
    struct shape_place place;
    place.tensor = rank % shape->tensor;
    rank /= shape->tensor;
    place.context = rank % shape->context;
    rank /= shape->context;
    place.data = shape->data_outermost ? rank / shape->pipeline : rank % shape->data;
    place.stage = shape->data_outermost ? rank % shape->pipeline : rank / shape->data;
    place.replica = place.context + shape->context * place.data;
    return place;
}

int32_t shape_rank(const struct shape *shape, const struct shape_place *place)
{
    int32_t outer = shape->data_outermost ? place->stage + shape->pipeline * place->data
                                          : place->data + shape->data * place->stage;
    return place->tensor + shape->tensor * (place->context + shape->context * outer);
}

int32_t shape_size(const struct shape *shape, enum shape_group kind)
{
    switch (kind) {
    case SHAPE_TENSOR:
        return shape->tensor;
    case SHAPE_CONTEXT:
        return shape->context;
    case SHAPE_REPLICAS:
        return shape->context * shape->data;
    case SHAPE_EXPERT:
        return shape->expert;
    case SHAPE_TWINS:
        return shape->context * shape->data / shape->expert;
    default:
        return shape_ranks(shape);
    }
}

int32_t shape_count(const struct shape *shape, enum shape_group kind)
{
    return shape_ranks(shape) / shape_size(shape, kind);
}

struct shape_seat shape_seat(const struct shape *shape, enum shape_group kind, int32_t rank)
{
    const struct shape_place place = shape_place(shape, rank);
    const int32_t row = place.tensor + shape->tensor * place.stage;
    const int32_t rows = shape->tensor * shape->pipeline;
    switch (kind) {
    case SHAPE_TENSOR:
        return (struct shape_seat){rank / shape->tensor, place.tensor};
    case SHAPE_CONTEXT:
        return (struct shape_seat){row + rows * place.data, place.context};
    case SHAPE_REPLICAS:
        return (struct shape_seat){row, place.replica};
    case SHAPE_EXPERT:
        return (struct shape_seat){row + rows * (place.replica / shape->expert),
                                   place.replica % shape->expert};
    case SHAPE_TWINS:
        return (struct shape_seat){row + rows * (place.replica % shape->expert),
                                   place.replica / shape->expert};
    default:
        return (struct shape_seat){0, rank};
    }
}

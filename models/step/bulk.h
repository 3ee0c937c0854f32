/* bulk.h - collectives of many ranks in few, long messages. */
#ifndef RAILSIM_MODELS_STEP_BULK_H
#define RAILSIM_MODELS_STEP_BULK_H

#include "models/coll/coll.h"

/* bulk_ops: all-reduce, all-gather, reduce-scatter; chunks of the ask are ignored. Not in the list
 * of algorithms: the messages have the sizes and ways of the hierarchical algorithm's, but stand
 * for many of them at a time, so that they do not carry the data in its order. */
extern const struct coll_ops bulk_ops;

/* bulk_messages returns the messages of a rank per ring. */
int32_t bulk_messages(void);

#endif

/* validation_model.h - rows whose value comes from a formula, or from a part of the fabric by
 * itself, rather than from the run of a workload. */
#ifndef RAILSIM_APP_VALIDATION_MODEL_H
#define RAILSIM_APP_VALIDATION_MODEL_H

#include <stdbool.h>

#include "sim/io/schema.h"

/* The models that a row may name, NULL-terminated; the first one, `run`, is none: the row's
 * workload is simulated. */
extern const struct schema *const validation_model_kinds[];

/* validation_model_is_run tells whether a row is simulated. */
bool validation_model_is_run(const struct schema_variant *model);
/* validation_model_value returns a metric of a model in *value; false if it has none of that name
 * (or none at this point: a fluid without a fixed point). */
bool validation_model_value(const struct schema_variant *model, const char *metric, double *value);

#endif

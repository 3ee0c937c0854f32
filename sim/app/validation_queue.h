/* validation_queue.h - one egress port under Poisson arrivals, as a row of queueing theory. */
#ifndef RAILSIM_APP_VALIDATION_QUEUE_H
#define RAILSIM_APP_VALIDATION_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

/* struct validation_queue: what arrives: packets of 1000 bytes, or of exponential size with that
 * mean (at least 1), at a share `load` of the port's rate. */
struct validation_queue {
    double load; /* less than 1 */
    bool exponential;
    int64_t packets; /* after so many it is over */
};

/* struct validation_wait: the mean wait in mean service times; and how many packets did not start
 * when Lindley's recursion says they do, to the picosecond. */
struct validation_wait {
    double services;
    int64_t wrong_n;
};
struct validation_wait validation_queue_wait(const struct validation_queue *queue);

#endif

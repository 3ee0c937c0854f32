/* timeline_shrink.h - makes room in the file of a timeline by giving up hosts. */
#ifndef RAILSIM_IO_TIMELINE_SHRINK_H
#define RAILSIM_IO_TIMELINE_SHRINK_H

#include "sim/io/timeline.h"

/* timeline_shrink takes the events of the upper half of the hosts that have some out of the file,
 * which are not drawn from now on. False if nothing was gained: there is one host only, the file
 * cannot be changed, or timeline_keep_hosts forbids it. A write that failed is timeline->failed. */
bool timeline_shrink(struct timeline *timeline);

#endif

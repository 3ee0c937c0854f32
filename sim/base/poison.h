/* poison.h - included on the command line (-include) for every file outside sim/base: memory comes
 * from arena.h. System and library headers that name these functions are included first. */
#ifndef RAILSIM_BASE_POISON_H
#define RAILSIM_BASE_POISON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison malloc calloc realloc strdup strndup asprintf vasprintf

#endif

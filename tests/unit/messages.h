/* messages.h - for tests: compares what an err collected with the text that the user shall see. */
#ifndef RAILSIM_TESTS_MESSAGES_H
#define RAILSIM_TESTS_MESSAGES_H

#include <stdio.h>
#include <stdlib.h>

#include "sim/base/err.h"

/* assert_messages: err_print prints exactly expected. cmocka.h is included before. */
static inline void assert_messages(const struct err *err, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    err_print(err, out);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

#endif

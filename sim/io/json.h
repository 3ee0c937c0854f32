/* json.h - writes JSON: one document to a stream. NaN and infinities become null. */
#ifndef RAILSIM_IO_JSON_H
#define RAILSIM_IO_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 16
#define JSON_NUMBER_MAX 40 /* bytes of json_number_text, with the final 0 */

/* struct json: zero-initialise with .out set. Keys are NULL inside arrays and at the top. */
struct json {
    FILE *out;
    int depth;
    bool filled[JSON_DEPTH]; /* does the open object or array hold something? */
};

void json_object(struct json *json, const char *key); /* { */
void json_array(struct json *json, const char *key);  /* [ */
void json_end(struct json *json, char bracket);       /* '}' or ']' ; newline after the last */
void json_string(struct json *json, const char *key, const char *text); /* text NULL = null;
                                                        bytes that are no UTF-8 become U+FFFD */
void json_int(struct json *json, const char *key, int64_t value);
void json_double(struct json *json, const char *key, double value); /* shortest text that reads
                                                                       back to the same bits */
void json_bool(struct json *json, const char *key, bool value);
/* json_raw writes text that already is JSON. */
void json_raw(struct json *json, const char *key, const char *text);

/* json_number_text writes a finite value as the shortest decimal text that reads back to the same
 * bits into buf[JSON_NUMBER_MAX] and returns buf. */
char *json_number_text(double value, char *buf);

#endif

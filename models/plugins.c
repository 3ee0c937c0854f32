/* plugins.c - the lists of registered algorithms; the only file that names them.
 *
 * gen/plugins.h comes from the Makefile, which looks which files there are: adding a file adds it
 * to its list. A file x_y.c of a family defines `x_y` (its ops) and, if it has keys, `x_y_schema`.
 */
#include "gen/plugins.h"

#include <string.h>

#include "models/cc/cc.h"
#include "models/coll/coll.h"
#include "models/route/route.h"
#include "models/storage/client.h"
#include "models/storage/tcp_law.h"
#include "models/topo/topo.h"
#include "sim/base/check.h"

#define DECLARE_CLIENT(name)                                                                       \
    extern const struct client_ops name;                                                           \
    extern const struct schema name##_schema;
#define DECLARE_TOPO(name)                                                                         \
    extern const struct topo_ops name;                                                             \
    extern const struct schema name##_schema;
#define DECLARE_TCP_LAW(name) extern const struct tcp_law_ops name;
#define DECLARE_ROUTE(name)                                                                        \
    extern const struct route_ops name;                                                            \
    extern const struct schema name##_schema;
#define DECLARE_CC(name)                                                                           \
    extern const struct cc_ops name;                                                               \
    extern const struct schema name##_schema;
#define DECLARE_COLL(name) extern const struct coll_ops name;
#define OPS(name) &name,
#define SCHEMA(name) &name##_schema,
#define TCP_LAW_NAME(name) &#name[sizeof("tcp_law_") - 1],
#define COLL_NAME(name) &#name[sizeof("coll_") - 1],

PLUGINS_client(DECLARE_CLIENT) PLUGINS_topo(DECLARE_TOPO) PLUGINS_tcp_law(DECLARE_TCP_LAW)
    PLUGINS_route(DECLARE_ROUTE) PLUGINS_cc(DECLARE_CC) PLUGINS_coll(DECLARE_COLL)

        const struct client_ops *const client_list[] = {PLUGINS_client(OPS) NULL};
const struct schema *const client_kinds[] = {PLUGINS_client(SCHEMA) NULL};
const struct topo_ops *const topo_list[] = {PLUGINS_topo(OPS) NULL};
const struct schema *const topo_kinds[] = {PLUGINS_topo(SCHEMA) NULL};
const struct route_ops *const route_list[] = {PLUGINS_route(OPS) NULL};
const struct schema *const route_kinds[] = {PLUGINS_route(SCHEMA) NULL};
const struct cc_ops *const cc_list[] = {PLUGINS_cc(OPS) NULL};
const struct schema *const cc_kinds[] = {PLUGINS_cc(SCHEMA) NULL};
const struct tcp_law_ops *const tcp_law_list[] = {PLUGINS_tcp_law(OPS) NULL};
const struct coll_ops *const coll_list[] = {PLUGINS_coll(OPS) NULL};
const char *const coll_names[] = {PLUGINS_coll(COLL_NAME) NULL};
const char *const coll_words[] = {"auto", PLUGINS_coll(COLL_NAME) NULL};
const char *const tcp_law_names[] = {PLUGINS_tcp_law(TCP_LAW_NAME) NULL};

const struct tcp_law_ops *tcp_law_find(const char *name)
{
    for (int i = 0; tcp_law_names[i]; i++)
        if (strcmp(tcp_law_names[i], name) == 0) return tcp_law_list[i];
    CHECK(false, "no window law is called %s", name);
    return NULL;
}

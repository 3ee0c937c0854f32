/* xml.h - the part of XML that tools write tables with: elements, attributes, comments. */
#ifndef RAILSIM_MODELS_TRACE_XML_H
#define RAILSIM_MODELS_TRACE_XML_H

#include "models/trace/trace_text.h"

#define XML_NAME_MAX 31
#define XML_VALUE_MAX 255
#define XML_ATTRS_MAX 32
#define XML_DEPTH_MAX 16

enum xml_kind { XML_OPEN, XML_CLOSE, XML_END, XML_WRONG };

struct xml_attr {
    struct trace_spot spot; /* of the name */
    char name[XML_NAME_MAX + 1];
    char value[XML_VALUE_MAX + 1];
};

/* struct xml: set text's first block, then xml_begin. */
struct xml {
    struct trace_text text;
    char name[XML_NAME_MAX + 1]; /* of the element that was opened or closed */
    struct trace_spot spot;      /* of its '<' */
    int attr_n;                  /* of the element that was opened */
    struct xml_attr attr[XML_ATTRS_MAX];
    /* ---- */
    int depth;
    bool close_next; /* <name/> opens, then closes */
    char open[XML_DEPTH_MAX][XML_NAME_MAX + 1];
};

void xml_begin(struct xml *xml);
/* xml_next goes to the next tag: XML_OPEN, XML_CLOSE, XML_END behind the outermost element;
 * XML_WRONG with a message, file:line:column (C057). */
enum xml_kind xml_next(struct xml *xml);

#endif

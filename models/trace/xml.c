/* xml.c - a pull reader of a strict subset of XML.
 *
 * Apart from MSCCL because other tables of this field are written the same way. The one idea:
 * nothing is allocated and nothing grows: names, values, attributes and depth have limits, so that
 * no file can cost more than its own length. Text between tags is refused, for it would be ignored.
 * Source: W3C, Extensible Markup Language 1.0. Not modelled: DTDs and their entities (refused),
 * CDATA and text (refused), processing instructions other than the declaration, namespaces,
 * encodings other than UTF-8.
 */
#include "models/trace/xml.h"

#include <stdlib.h>
#include <string.h>

static bool expected(struct xml *xml, const char *what)
{
    char shown[TRACE_TEXT_SHOWN];
    const char *found = trace_text_shown(&xml->text, shown);
    return trace_text_wrong(&xml->text, trace_text_spot(&xml->text), "C057: expected %s, found %s",
                            what, found);
}

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct xml *xml)
{
    while (is_space(xml->text.c))
        trace_text_next(&xml->text);
}

static bool starts_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(int c)
{
    return starts_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == ':';
}

static bool read_name(struct xml *xml, char *name)
{
    struct trace_spot start = trace_text_spot(&xml->text);
    int n = 0;
    if (!starts_name(xml->text.c)) return expected(xml, "a name");
    for (; is_name(xml->text.c); trace_text_next(&xml->text)) {
        if (n == XML_NAME_MAX)
            return trace_text_wrong(&xml->text, start, "C057: a name of more than %d characters",
                                    XML_NAME_MAX);
        name[n++] = (char)xml->text.c;
    }
    name[n] = 0;
    return true;
}

static bool take(struct xml *xml, char c)
{
    const char what[] = {'\'', c, '\'', 0};
    if (xml->text.c != c) return expected(xml, what);
    trace_text_next(&xml->text);
    return true;
}

/* ---- values ----------------------------------------------------------------------------------*/

/* Goes behind "&...;" and returns what it stands for, a character of ASCII; 0 with a message. */
static char read_entity(struct xml *xml)
{
    static const struct {
        const char *name;
        char c;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    struct trace_spot start = trace_text_spot(&xml->text);
    char name[8];
    size_t n = 0;
    long code = 0;
    while (trace_text_next(&xml->text) != ';' && n < sizeof name - 1 && xml->text.c > ' ')
        name[n++] = (char)xml->text.c;
    name[n] = 0;
    if (xml->text.c == ';') {
        for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
            if (strcmp(name, entities[i].name) == 0) code = entities[i].c;
        if (*name == '#')
            code = name[1] == 'x' ? strtol(name + 2, NULL, 16) : strtol(name + 1, NULL, 10);
        trace_text_next(&xml->text);
    }
    if (code >= ' ' && code <= '~') return (char)code;
    trace_text_wrong(&xml->text, start, "C057: '&' stands for no character that is known here");
    return 0;
}

static bool read_value(struct xml *xml, struct xml_attr *attr)
{
    int quote = xml->text.c, n = 0;
    if (quote != '"' && quote != '\'') return expected(xml, "a value in quotes");
    trace_text_next(&xml->text);
    while (xml->text.c != quote) {
        int c = xml->text.c;
        if (c == EOF || c == '<' || (c < ' ' && !is_space(c)))
            return expected(xml, "the end of a value");
        if (n == XML_VALUE_MAX)
            return trace_text_wrong(&xml->text, attr->spot, "C057: a value of more than %d bytes",
                                    XML_VALUE_MAX);
        if (c == '&') {
            attr->value[n] = read_entity(xml);
            if (!attr->value[n++]) return false;
            continue;
        }
        attr->value[n++] = is_space(c) ? ' ' : (char)c;
        trace_text_next(&xml->text);
    }
    attr->value[n] = 0;
    trace_text_next(&xml->text);
    return true;
}

static bool read_attr(struct xml *xml)
{
    struct xml_attr *attr = &xml->attr[xml->attr_n];
    struct trace_spot spot = trace_text_spot(&xml->text);
    if (xml->attr_n == XML_ATTRS_MAX)
        return trace_text_wrong(&xml->text, spot, "C057: more than %d attributes", XML_ATTRS_MAX);
    attr->spot = spot;
    if (!read_name(xml, attr->name)) return false;
    for (int i = 0; i < xml->attr_n; i++)
        if (strcmp(xml->attr[i].name, attr->name) == 0)
            return trace_text_wrong(&xml->text, spot, "C057: a second '%s'", attr->name);
    xml->attr_n++;
    skip_space(xml);
    if (!take(xml, '=')) return false;
    skip_space(xml);
    return read_value(xml, attr);
}

/* ---- tags ------------------------------------------------------------------------------------*/

/* Behind "<!": a comment, or what is refused. */
static bool skip_comment(struct xml *xml)
{
    if (trace_text_next(&xml->text) != '-' || trace_text_next(&xml->text) != '-')
        return trace_text_wrong(&xml->text, xml->spot,
                                "C057: no comment; DOCTYPE and CDATA are not read");
    int dashes = 0;
    do {
        dashes = trace_text_next(&xml->text) == '-' ? dashes + 1 : 0;
        if (xml->text.c == EOF)
            return trace_text_wrong(&xml->text, xml->spot, "C057: this comment does not end");
    } while (dashes < 2);
    trace_text_next(&xml->text);
    return take(xml, '>');
}

/* Behind "<?": the declaration, whose content is of no interest. */
static bool skip_declaration(struct xml *xml)
{
    for (int before = 0; before != '?' || xml->text.c != '>';) {
        if (xml->text.c == EOF || xml->text.c == '<') return expected(xml, "'?>'");
        before = xml->text.c;
        trace_text_next(&xml->text);
    }
    return take(xml, '>');
}

/* Behind the '<' of an opening tag: reads the rest of it. */
static bool read_tag(struct xml *xml)
{
    xml->attr_n = 0;
    if (!read_name(xml, xml->name)) return false;
    for (;;) {
        bool space = is_space(xml->text.c);
        skip_space(xml);
        if (xml->text.c == '>' || xml->text.c == '/') break;
        if (!space) return expected(xml, "a blank, '>' or '/>'");
        if (!read_attr(xml)) return false;
    }
    xml->close_next = xml->text.c == '/';
    if (xml->close_next) trace_text_next(&xml->text);
    return take(xml, '>');
}

static enum xml_kind open_element(struct xml *xml)
{
    if (!read_tag(xml)) return XML_WRONG;
    if (xml->depth == XML_DEPTH_MAX) {
        trace_text_wrong(&xml->text, xml->spot, "C057: elements are nested deeper than %d",
                         XML_DEPTH_MAX);
        return XML_WRONG;
    }
    memcpy(xml->open[xml->depth++], xml->name, sizeof xml->name);
    return XML_OPEN;
}

static enum xml_kind close_element(struct xml *xml)
{
    if (!read_name(xml, xml->name)) return XML_WRONG;
    skip_space(xml);
    if (!take(xml, '>')) return XML_WRONG;
    if (xml->depth > 0 && strcmp(xml->open[xml->depth - 1], xml->name) == 0) {
        xml->depth--;
        return XML_CLOSE;
    }
    trace_text_wrong(&xml->text, xml->spot, "C057: </%s> closes nothing; open is <%s>", xml->name,
                     xml->depth > 0 ? xml->open[xml->depth - 1] : "");
    return XML_WRONG;
}

void xml_begin(struct xml *xml)
{
    trace_text_begin(&xml->text);
    xml->depth = 0;
    xml->close_next = false;
    xml->name[0] = 0;
    xml->attr_n = 0;
}

enum xml_kind xml_next(struct xml *xml)
{
    if (xml->close_next) {
        xml->close_next = false;
        memcpy(xml->name, xml->open[--xml->depth], sizeof xml->name);
        return XML_CLOSE;
    }
    for (;;) {
        skip_space(xml);
        xml->spot = trace_text_spot(&xml->text);
        if (xml->text.c == EOF && xml->depth == 0) return XML_END;
        if (xml->text.c == EOF) {
            trace_text_wrong(&xml->text, xml->spot, "C057: the file ends, but <%s> is open",
                             xml->open[xml->depth - 1]);
            return XML_WRONG;
        }
        if (!take(xml, '<')) return XML_WRONG;
        int c = xml->text.c;
        if (c == '/') {
            trace_text_next(&xml->text);
            return close_element(xml);
        }
        if (c != '!' && c != '?') return open_element(xml);
        if (c == '?') trace_text_next(&xml->text);
        if (!(c == '!' ? skip_comment(xml) : skip_declaration(xml))) return XML_WRONG;
    }
}

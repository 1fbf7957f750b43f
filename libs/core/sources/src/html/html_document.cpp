#include "html/html_document.hpp"

#include "html/raw_html.hpp"

#include <libxml/HTMLparser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include <limits>
#include <unordered_map>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_selectors = 512; ///< compiled and kept by one reader
constexpr std::size_t most_values = 4096;   ///< results of one page that are no nodes

const xmlChar* to_xml(const char* text) noexcept {
    return reinterpret_cast<const xmlChar*>(text);
}

struct xml_end {
    void operator()(xmlDoc* d) const noexcept { xmlFreeDoc(d); }
    void operator()(xmlXPathContext* c) const noexcept { xmlXPathFreeContext(c); }
    void operator()(xmlXPathCompExpr* e) const noexcept { xmlXPathFreeCompExpr(e); }
    void operator()(xmlXPathObject* o) const noexcept { xmlXPathFreeObject(o); }
    void operator()(xmlNode* n) const noexcept { xmlFreeNode(n); }
    void operator()(xmlParserCtxt* c) const noexcept { xmlFreeParserCtxt(c); }
};
template <class T>
using owned = std::unique_ptr<T, xml_end>;

void be_silent(void*, xmlErrorPtr) {}

/// Names without their namespaces, so that a selector need not know them.
void drop_namespaces(xmlNode* root) {
    for (html_node at{root}; at.exists(); at = next_in_order(at, html_node{root})) {
        if (!at.is_element()) continue;
        at.raw()->ns = nullptr;
        for (auto* a = at.raw()->properties; a != nullptr; a = a->next)
            a->ns = nullptr;
    }
}

} // namespace

struct html_document::state {
    owned<xmlDoc> doc;
    owned<xmlXPathContext> context;
    std::unordered_map<std::string, owned<xmlXPathCompExpr>> compiled;
    std::vector<owned<xmlNode>> values; ///< text nodes for results that are strings, numbers or truths
    unsigned long spent = 0;            ///< operations on this page
};

/// Counts while libxml2 builds, and ends the parse at a limit.
struct tree_builder {
    html_document* out = nullptr;
    startElementSAXFunc start = nullptr;
    startElementNsSAX2Func start_ns = nullptr;
    commentSAXFunc comment = nullptr;

    static bool count(xmlParserCtxt* context) {
        auto& self = *static_cast<tree_builder*>(context->_private);
        const bool is_full =
            ++self.out->nodes_ > html_document::max_nodes || context->nameNr > html_document::max_depth;
        if (is_full) {
            self.out->was_cut_ = true;
            xmlStopParser(context);
        }
        return !is_full;
    }

    static void on_start(void* user, const xmlChar* name, const xmlChar** attributes) {
        auto* context = static_cast<xmlParserCtxt*>(user);
        if (count(context)) static_cast<tree_builder*>(context->_private)->start(user, name, attributes);
    }
    static void on_start_ns(void* user, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri,
                            int namespaces, const xmlChar** declared, int attributes, int defaulted,
                            const xmlChar** values) {
        auto* context = static_cast<xmlParserCtxt*>(user);
        if (count(context))
            static_cast<tree_builder*>(context->_private)
                ->start_ns(user, name, prefix, uri, namespaces, declared, attributes, defaulted, values);
    }
    static void on_comment(void* user, const xmlChar* text) {
        auto* context = static_cast<xmlParserCtxt*>(user);
        if (count(context)) static_cast<tree_builder*>(context->_private)->comment(user, text);
    }
};

html_document::html_document() : state_{std::make_unique<state>()} {
    xmlInitParser();
}
html_document::~html_document() = default;
html_document::html_document(html_document&&) noexcept = default;
html_document& html_document::operator=(html_document&&) noexcept = default;

void html_document::clear() noexcept {
    state_->values.clear();
    state_->context.reset();
    state_->doc.reset();
    state_->spent = 0;
    nodes_ = 0;
    was_cut_ = false;
}

bool html_document::parse_html(std::string_view text) {
    clear();
    const auto tamed = tame_html(text);
    if (!tamed.empty()) text = tamed;
    if (text.size() > std::numeric_limits<int>::max()) return false;
    const owned<xmlParserCtxt> context{htmlNewParserCtxt()};
    if (!context) throw std::bad_alloc{};
    tree_builder builder{this, context->sax->startElement, nullptr, context->sax->comment};
    context->_private = &builder;
    context->sax->startElement = &tree_builder::on_start;
    context->sax->comment = &tree_builder::on_comment;
    // XML_PARSE_HUGE is bit 19 here too; without it the tree ends at 256 levels in silence. RECOVER keeps
    // what looks like tags inside of scripts.
    constexpr int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                            HTML_PARSE_NONET | HTML_PARSE_COMPACT | XML_PARSE_HUGE;
    state_->doc.reset(htmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                         "UTF-8", options));
    context->_private = nullptr;
    return root().exists();
}

bool html_document::parse_xml(std::string_view text) {
    clear();
    if (text.size() > std::numeric_limits<int>::max()) return false;
    const owned<xmlParserCtxt> context{xmlNewParserCtxt()};
    if (!context) throw std::bad_alloc{};
    tree_builder builder{this, nullptr, context->sax->startElementNs, context->sax->comment};
    context->_private = &builder;
    context->sax->startElementNs = &tree_builder::on_start_ns;
    context->sax->comment = &tree_builder::on_comment;
    // Entities are neither declared nor expanded: no billion laughs, no files.
    context->sax->entityDecl = nullptr;
    context->sax->unparsedEntityDecl = nullptr;
    context->sax->externalSubset = nullptr;
    context->sax->resolveEntity = nullptr;
    context->sax->reference = nullptr;
    constexpr int options = XML_PARSE_RECOVER | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NONET |
                            XML_PARSE_NOCDATA | XML_PARSE_COMPACT;
    state_->doc.reset(xmlCtxtReadMemory(context.get(), text.data(), static_cast<int>(text.size()), nullptr,
                                        "UTF-8", options));
    context->_private = nullptr;
    if (root().exists()) drop_namespaces(root().raw());
    return root().exists();
}

html_node html_document::root() const noexcept {
    return html_node{state_->doc ? xmlDocGetRootElement(state_->doc.get()) : nullptr};
}

select_status html_document::find(const selector& what, html_node from) {
    found_.clear();
    if (!from.exists() || !state_->doc) return select_status::ok;
    if (!state_->context) {
        state_->context.reset(xmlXPathNewContext(state_->doc.get()));
        if (!state_->context) throw std::bad_alloc{};
        state_->context->error = be_silent;
    }
    auto& compiled = state_->compiled;
    auto entry = compiled.find(what.xpath);
    if (entry == compiled.end()) {
        if (compiled.size() >= most_selectors) compiled.clear();
        owned<xmlXPathCompExpr> made{xmlXPathCtxtCompile(state_->context.get(), to_xml(what.xpath.c_str()))};
        if (!made) return select_status::failed;
        entry = compiled.emplace(what.xpath, std::move(made)).first;
    }
    auto& context = *state_->context;
    if (state_->spent >= max_page_operations) return select_status::too_costly;
    // Selectors on the whole page may name its root element, which is no descendant of itself.
    const bool is_whole = from == root() && what.xpath.starts_with("descendant::");
    context.node = is_whole ? reinterpret_cast<xmlNode*>(state_->doc.get()) : from.raw();
    context.opLimit = max_operations;
    context.opCount = 0;
    const owned<xmlXPathObject> result{xmlXPathCompiledEval(entry->second.get(), &context)};
    state_->spent += context.opCount;
    if (!result)
        return context.opCount >= context.opLimit ? select_status::too_costly : select_status::failed;
    if (result->type == XPATH_NODESET) {
        const auto* set = result->nodesetval;
        for (int i = 0; set != nullptr && i < set->nodeNr; ++i)
            if (set->nodeTab[i]->type != XML_NAMESPACE_DECL) found_.push_back(set->nodeTab[i]);
        return select_status::ok;
    }
    if (state_->values.size() >= most_values) return select_status::too_costly;
    if (xmlChar* text = xmlXPathCastToString(result.get()); text != nullptr) {
        state_->values.emplace_back(xmlNewDocText(state_->doc.get(), text));
        xmlFree(text);
        if (state_->values.back()) found_.push_back(state_->values.back().get());
    }
    return select_status::ok;
}

html_node html_document::first(const selector& what, html_node from) {
    return find(what, from) == select_status::ok && !found_.empty() ? html_node{found_.front()} : html_node{};
}

std::string value_of(const selector& what, html_node node) {
    return what.wants == selector::part::attribute ? std::string{node.attribute(what.attribute.c_str())}
                                                   : node.text();
}

} // namespace tiktrend::sources

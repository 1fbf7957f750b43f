#include "documents/document_set.hpp"

#include "documents/gunzip.hpp"
#include "glob.hpp"
#include "html/encoding.hpp"
#include "structured/lenient_json.hpp"
#include "structured/microdata.hpp"
#include "structured/open_graph.hpp"
#include "structured/schema_choice.hpp"
#include "structured/state_product.hpp"
#include "structured/visible_product.hpp"
#include "values/web_address.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t large_text = 1 << 20; ///< of a slot that is given back

bool is_utf16(std::string_view body) noexcept {
    return body.starts_with("\xFE\xFF") || body.starts_with("\xFF\xFE");
}

bool is_json_ld(const script_block& s) noexcept {
    return matches_glob("*ld+json*", s.attribute("type"), true);
}

} // namespace

document_set::document_set() = default;
document_set::~document_set() = default;
document_set::document_set(document_set&&) noexcept = default;
document_set& document_set::operator=(document_set&&) noexcept = default;

void document_set::begin(const std::vector<document_rule>& rules, const response_view& response) {
    rules_ = &rules;
    response_ = &response;
    while (slots_.size() < rules.size())
        slots_.push_back(std::make_unique<slot>());
    for (auto& s : slots_) {
        s->status.reset();
        s->is_used = false;
        s->problem.clear();
        if (s->text.size() > large_text) s->text = {};
    }
    if (has_html_) html_.clear();
    if (has_xml_) xml_.clear();
    if (storage_.size() > large_text) storage_ = {};
    decoded_.reset();
    was_repaired_ = false;
    has_html_.reset();
    has_xml_.reset();
    scripts_.reset();
    hints_.reset();
    is_body_json_.reset();
}

std::string_view document_set::decoded() {
    if (!decoded_) {
        const auto text = decode_text(response_->body, response_->content_type, storage_);
        decoded_ = text.text;
        was_repaired_ = text.has_replacements;
    }
    return *decoded_;
}

bool document_set::has_html() {
    if (!has_html_) has_html_ = html_.parse_html(decoded());
    return *has_html_;
}

bool document_set::has_xml() {
    if (has_xml_) return *has_xml_;
    if (is_gzip(response_->body)) { // sitemap.xml.gz comes as it is
        has_xml_ = false;
        if (auto text = gunzip(response_->body, most_gunzipped)) {
            std::string storage;
            has_xml_ = xml_.parse_xml(decode_text(*text, "", storage).text);
        }
    } else {
        has_xml_ = xml_.parse_xml(decoded());
    }
    return *has_xml_;
}

const std::vector<script_block>& document_set::scripts() {
    if (!scripts_) scripts_ = find_scripts(decoded());
    return *scripts_;
}

const page_hints& document_set::hints() {
    if (!hints_) {
        if (has_html_.value_or(false)) {
            hints_ = hints_of(html_, response_->url);
        } else {
            hints_.emplace();
            hints_->url = response_->url;
            set_locale(*hints_, "");
        }
    }
    return *hints_;
}

std::string document_set::base_url() {
    std::string out{response_->url};
    const bool is_page = std::any_of(rules_->begin(), rules_->end(),
                                     [](const auto& r) { return r.parse == document_rule::kind::html; });
    if (!(is_page ? has_html() : has_html_.value_or(false))) return out;
    const auto root = html_.root();
    for (auto at = root; at.exists() && at.name() != "body"; at = next_in_order(at, root)) {
        if (at.name() != "base" || !at.has_attribute("href")) continue;
        if (auto base = page_address{out}.resolve(at.attribute("href"))) return std::move(*base);
        return out; // only the first counts
    }
    return out;
}

bool document_set::looks_like_markup() const noexcept {
    if (trim_blanks(response_->body).starts_with('<')) return true;
    return matches_glob("*html*", response_->content_type, true);
}

bool document_set::is_body_json() {
    if (!is_body_json_) {
        for (std::size_t i = 0; i < size(); ++i)
            if (rule(i).parse == document_rule::kind::json) {
                is_body_json_ = status(i) == document_status::ok;
                return *is_body_json_;
            }
        json_document probe;
        is_body_json_ = probe.parse(response_->body) == json_status::ok;
    }
    return *is_body_json_;
}

document_status document_set::status(std::size_t i) {
    auto& s = *slots_[i];
    if (!s.status) load(i);
    return *s.status;
}

std::string document_set::problem(std::size_t i) {
    static_cast<void>(status(i));
    return slots_[i]->problem;
}

json_node document_set::json(std::size_t i) {
    return !rule(i).is_tree() && status(i) == document_status::ok ? slots_[i]->document.root() : json_node{};
}

html_document& document_set::page(std::size_t i) {
    return rule(i).parse == document_rule::kind::xml ? xml_ : html_;
}

html_node document_set::tree(std::size_t i) {
    return rule(i).is_tree() && status(i) == document_status::ok ? page(i).root() : html_node{};
}

void document_set::load(std::size_t i) {
    auto& into = *slots_[i];
    const auto& r = rule(i);
    const bool is_empty = trim_blanks(response_->body).empty();
    switch (r.parse) {
    case document_rule::kind::json:
        into.status = load_body_json(r, into);
        break;
    case document_rule::kind::html:
    case document_rule::kind::xml:
        if (is_empty)
            into.status = document_status::empty;
        else if (r.parse == document_rule::kind::html ? has_html() : has_xml())
            into.status = document_status::ok;
        else
            into.status = document_status::bad;
        if (into.status == document_status::bad) into.problem = "no element in it";
        break;
    case document_rule::kind::embedded_json:
        into.status = is_empty ? document_status::empty : load_embedded(r, into);
        break;
    case document_rule::kind::structured:
        into.status = is_empty ? document_status::empty : load_structured(r, into);
        break;
    }
}

document_status document_set::parse(slot& into) {
    into.is_used = true;
    switch (into.document.parse(into.text)) {
    case json_status::ok:
        return document_status::ok;
    case json_status::empty:
        return document_status::missing;
    case json_status::bad:
        break;
    }
    into.problem = into.document.problem();
    return document_status::bad;
}

document_status document_set::load_body_json(const document_rule& r, slot& into) {
    into.is_used = true;
    // JSON is UTF-8 (RFC 8259 section 8.1) unless the header insists on something else.
    auto body = response_->body;
    if (matches_glob("*charset*", response_->content_type, true) &&
        !matches_glob("*utf-8*", response_->content_type, true) && !is_utf16(body))
        body = decoded();
    switch (into.document.parse(body)) {
    case json_status::ok:
        return document_status::ok;
    case json_status::empty:
        return document_status::empty;
    case json_status::bad:
        break;
    }
    into.problem = into.document.problem();
    if (!r.is_lenient || looks_like_markup()) return document_status::bad;
    into.text = mend_json(decoded());
    return parse(into);
}

document_status document_set::load_embedded(const document_rule& r, slot& into) {
    for (const auto& id : r.script_ids)
        for (const auto& s : scripts()) {
            if (s.attribute("id") != id) continue;
            into.text = s.text;
            auto status = parse(into);
            if (status == document_status::bad && r.is_lenient) {
                into.text = mend_json(s.text);
                status = parse(into);
            }
            if (status == document_status::bad && !s.is_closed)
                into.problem = fmt::format("the script \"{}\" is cut off", id);
            if (status != document_status::missing) return status;
        }
    for (const auto& name : r.assignments)
        for (const auto& s : scripts()) {
            auto text = assigned_json(s.text, name);
            if (!text) continue;
            into.text = std::move(*text);
            return parse(into);
        }
    std::vector<std::string> wanted;
    for (const auto& id : r.script_ids)
        wanted.push_back("<script id=" + id + ">");
    wanted.insert(wanted.end(), r.assignments.begin(), r.assignments.end());
    into.problem = fmt::format("the page has no {}", fmt::join(wanted, " or "));
    return document_status::missing;
}

/// Gathers the JSON-LD of the page, block by block: a broken one does not cost the others.
std::optional<std::string> document_set::item_text(const document_rule& r, slot& into) {
    std::vector<std::unique_ptr<json_document>> documents;
    std::vector<std::string> texts; // alive as long as the nodes
    std::vector<json_node> roots;
    const auto add = [&](std::string text) {
        texts.push_back(std::move(text));
        documents.push_back(std::make_unique<json_document>());
        return documents.back()->parse(texts.back()) == json_status::ok;
    };
    if (r.syntax == document_rule::syntax_kind::microdata) {
        if (has_html() && add(microdata_json(html_))) roots.push_back(documents.back()->root());
    } else {
        const auto count = static_cast<std::size_t>(
            std::count_if(scripts().begin(), scripts().end(), [](const auto& s) { return is_json_ld(s); }));
        texts.reserve(2 * count); // views into them must not move
        for (const auto& s : scripts()) {
            if (!is_json_ld(s)) continue;
            if (add(std::string{s.text}) || (r.is_lenient && add(mend_json(s.text))))
                roots.push_back(documents.back()->root());
            else
                into.problem = fmt::format("a block of JSON-LD is broken: {}", documents.back()->problem());
        }
    }
    static_cast<void>(has_html()); // titles to choose by
    return choose_item(roots, r.types, hints());
}

document_status document_set::load_structured(const document_rule& r, slot& into) {
    std::optional<std::string> text;
    switch (r.syntax) {
    case document_rule::syntax_kind::json_ld:
    case document_rule::syntax_kind::microdata:
        text = item_text(r, into);
        break;
    case document_rule::syntax_kind::opengraph:
        if (has_html()) text = open_graph_json(html_, hints());
        break;
    case document_rule::syntax_kind::state:
        if (has_html()) text = state_product(scripts(), hints());
        break;
    case document_rule::syntax_kind::visible:
        if (has_html()) text = visible_product(html_, hints());
        break;
    }
    if (!text) {
        if (into.problem.empty()) into.problem = "the page has none";
        return document_status::missing;
    }
    into.text = std::move(*text);
    return parse(into);
}

document_notes document_set::notes() const {
    document_notes out;
    out.repaired_utf8 = was_repaired_;
    out.cut_markup = (has_html_ && html_.was_cut()) || (has_xml_ && xml_.was_cut());
    for (const auto& s : slots_) {
        if (!s->is_used) continue;
        const auto& notes = s->document.notes();
        out.duplicate_keys += notes.duplicate_keys;
        out.replaced_surrogates += notes.replaced_surrogates;
        out.repaired_utf8 = out.repaired_utf8 || notes.repaired_utf8;
    }
    return out;
}

} // namespace tiktrend::sources

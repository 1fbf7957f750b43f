// The part of row_reader that finds what a rule names and joins it to one value.
#include "glob.hpp"
#include "record_json.hpp"
#include "row_reader.hpp"
#include "values/currency_sign.hpp"
#include "values/text.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t element_characters = 1000; ///< of each text in a list
constexpr std::size_t default_elements = 256;    ///< of a list without `max`
constexpr std::size_t most_rows = 500;           ///< of nested rows
constexpr std::size_t most_json_bytes = 64 * 1024;
constexpr std::size_t most_number_bytes = 64; ///< of a number token kept as it is

/// Negative if a comes first; both hold the same kind of number.
int compare(const typed_value& a, const typed_value& b) {
    if (const auto* x = std::get_if<decimal_number>(&a.value)) {
        const auto order = *x <=> std::get<decimal_number>(b.value);
        return order < 0 ? -1 : order > 0 ? 1 : 0;
    }
    const auto number = [](const typed_value& v) {
        if (const auto* n = std::get_if<std::int64_t>(&v.value)) return *n;
        if (const auto* t = std::get_if<timestamp>(&v.value)) return t->ms;
        return std::int64_t{0};
    };
    return number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0;
}

decimal_number to_decimal(const typed_value& v) {
    if (const auto* d = std::get_if<decimal_number>(&v.value)) return *d;
    if (const auto* n = std::get_if<std::int64_t>(&v.value)) return *decimal_from_json(std::to_string(*n));
    return {};
}

} // namespace

template <class Visit>
void row_reader::each_found(const value_source& source, row_ref row, Visit&& visit) {
    if (const auto* way = std::get_if<path>(&source.from)) return each_at_path(source, *way, row, visit);
    if (const auto* what = std::get_if<selector_source>(&source.from))
        return each_selected(source, *what, row, visit);
    if (const auto* symbol = std::get_if<symbol_source>(&source.from)) {
        if (const auto code = symbol_of(symbol->field, row)) visit(found{{}, *code, false});
        return;
    }
    const template_values values{&scope_.inputs, &scope_.state, nullptr, row.json, scope_.response_url};
    if (const auto* text = std::get_if<text_template>(&source.from)) {
        text_.clear();
        if (text->render(values, text_)) visit(found{{}, text_, false});
        return;
    }
    url_template::rendered url;
    if (std::get<url_template>(source.from).render(values, url) == url_template::failure::none) {
        text_ = std::move(url.url);
        visit(found{{}, text_, false});
    }
}

template <class Visit>
void row_reader::each_at_path(const value_source& source, const path& way, row_ref row, Visit&& visit) {
    bool goes_on = true;
    auto visit_node = [&](json_node node) {
        if (node.kind() == json_kind::null) return true;
        goes_on = !node.is_scalar() ? visit(found{node, {}, false})
                                    : visit(found{node, node.text(scratch_), node.is(json_kind::number)});
        return goes_on;
    };
    const auto* step = way.steps.data();
    const auto* end = step + way.steps.size();
    if (!source.document && !scope_.merged.empty()) {
        for (const auto& part : scope_.merged) {
            const auto first = first_at(part.json, way);
            if (!first.exists() || first.kind() == json_kind::null) continue;
            detail::walk_path(part.json, step, end, visit_node);
            return;
        }
        return;
    }
    auto node = row.json;
    if (source.document) {
        node = scope_.documents.json(*source.document);
    } else if (step != end && step->type == path_step::kind::key) {
        node = node.member(step->text, hints_[source.hint]);
        ++step;
    }
    if (node.exists()) detail::walk_path(node, step, end, visit_node);
}

const selector* row_reader::selector_of(const selector_source& what) {
    if (what.input.empty()) return &what.what;
    auto known = given_selectors_.find(what.input);
    if (known == given_selectors_.end()) {
        std::optional<selector> made;
        if (const auto text = scope_.inputs.find(what.input))
            if (auto compiled = compile_css(*text)) made = std::move(*compiled);
        if (made && !what.attribute.empty()) {
            made->wants = selector::part::attribute;
            made->attribute = what.attribute;
        }
        known = given_selectors_.emplace(what.input, std::move(made)).first;
    }
    return known->second ? &*known->second : nullptr;
}

template <class Visit>
void row_reader::each_selected(const value_source& source, const selector_source& what, row_ref row,
                               Visit&& visit) {
    const auto* compiled = selector_of(what);
    if (compiled == nullptr) return;
    const bool is_in_row = !source.document && row.element.exists();
    const auto tree = is_in_row ? scope_.rules.records.document : source.document.value_or(scope_.rules.tree);
    if (tree >= scope_.documents.size() || !scope_.documents.rule(tree).is_tree()) return;
    const auto from = is_in_row ? row.element : scope_.documents.tree(tree);
    if (!from.exists()) return;
    const auto status = scope_.documents.page(tree).select(*compiled, from, [&](html_node node) {
        const auto text = value_of(*compiled, node);
        return text.empty() || visit(found{{}, text, false});
    });
    was_too_costly_ = was_too_costly_ || status == select_status::too_costly;
}

/// The currency in what another field finds, converted or not.
std::optional<std::string> row_reader::symbol_of(std::size_t field, row_ref row) {
    std::optional<std::string> code;
    for (const auto& source : scope_.rules.fields[field].sources) {
        if (std::holds_alternative<symbol_source>(source.from)) continue;
        each_found(source, row, [&](const found& raw) {
            code = currency_in(raw.text, scope_.documents.hints().country);
            return !code;
        });
        if (code) break;
    }
    return code;
}

row_reader::reading row_reader::evaluate(const field_rule& rule, row_ref row, typed_value& out) {
    reading how;
    how.won = rule.sources.size();
    out.reset();
    switch (rule.form) {
    case field_rule::shape::nothing:
        return how;
    case field_rule::shape::object:
        evaluate_object(rule, row, out);
        return how;
    case field_rule::shape::rows:
        evaluate_rows(rule, row, out, how);
        return how;
    case field_rule::shape::each:
        evaluate_list(rule, row, out, how);
        return how;
    case field_rule::shape::single:
        break;
    }
    if (rule.type == field_type::list)
        evaluate_list(rule, row, out, how);
    else
        evaluate_single(rule, row, out, how);
    finish(rule, out, how);
    return how;
}

void row_reader::evaluate_single(const field_rule& rule, row_ref row, typed_value& out, reading& how) {
    const bool wants_all = rule.reduce != reduction::none && rule.reduce != reduction::first;
    bool is_lost = false; // a sum that is out of range does not begin again
    for (std::size_t i = 0; i < rule.sources.size() && !out.exists() && !is_lost; ++i) {
        each_found(rule.sources[i], row, [&](const found& raw) {
            const bool joins = out.exists();
            const auto converted = convert(rule, raw, joins ? spare_ : out);
            if (converted.state == conversion::kind::taken) {
                if (joins) join(rule, spare_, out, how);
                how.won = i;
                is_lost = !out.exists();
                return wants_all && !is_lost;
            }
            if (converted.state == conversion::kind::refused && !how.was_rejected) {
                how.was_rejected = true;
                how.reason = converted.reason;
                const bool is_whole = raw.node.exists() && !raw.node.is_scalar();
                how.shown = is_whole ? raw.node.is(json_kind::array) ? "[…]" : "{…}" : excerpt(raw.text);
            }
            return true;
        });
    }
}

/// Joins one more value to what `reduce` has so far.
void row_reader::join(const field_rule& rule, typed_value& value, typed_value& sofar, reading& how) {
    switch (rule.reduce) {
    case reduction::none:
    case reduction::first:
        return;
    case reduction::min:
        if (compare(value, sofar) < 0) sofar = std::move(value);
        return;
    case reduction::max:
        if (compare(value, sofar) > 0) sofar = std::move(value);
        return;
    case reduction::any:
        if (std::get<bool>(value.value)) sofar = std::move(value);
        return;
    case reduction::sum:
        break;
    }
    bool is_good = true;
    if (auto* count = std::get_if<std::int64_t>(&sofar.value)) {
        is_good = !__builtin_add_overflow(*count, std::get<std::int64_t>(value.value), count);
    } else if (auto* number = std::get_if<decimal_number>(&sofar.value)) {
        const auto sum = number->plus(std::get<decimal_number>(value.value));
        is_good = sum.has_value();
        if (is_good) *number = sofar.high = *sum;
    }
    if (is_good) return;
    sofar.reset();
    how.was_rejected = true;
    how.reason = "is part of a sum that is out of range";
    how.shown = to_decimal(value).text();
}

/// Bounds, conditions to drop the value, and the default.
void row_reader::finish(const field_rule& rule, typed_value& out, reading& how) {
    if (out.exists() && (rule.least || rule.most)) {
        const auto number = to_decimal(out);
        const bool is_below = rule.least && number < *rule.least;
        if (is_below || (rule.most && number > *rule.most)) {
            out.reset();
            how.was_rejected = true;
            how.reason = is_below ? "is below the field's min" : "is above the field's max";
            how.shown = number.text();
        }
    }
    if (out.exists() && rule.zero_is_null && to_decimal(out).is_zero()) out.reset();
    if (out.exists() && rule.drop_unless_above) {
        const auto& other = values_[*rule.drop_unless_above];
        if (other.exists() && compare(out, other) <= 0) out.reset();
    }
    if (out.exists() && rule.drop_if_equals) {
        const auto* text = std::get_if<std::string>(&out.value);
        if ((text != nullptr ? *text : to_decimal(out).text()) == *rule.drop_if_equals) out.reset();
    }
    if (!out.exists() && rule.fallback) {
        const found given{{}, *rule.fallback, is_json_number(*rule.fallback)};
        if (convert(rule, given, out).state != conversion::kind::taken) out.reset();
    }
}

void row_reader::evaluate_list(const field_rule& rule, row_ref row, typed_value& out, reading& how) {
    std::vector<std::string> list;
    const auto most = rule.max_length.value_or(default_elements);
    const auto add = [&](std::string_view text) {
        if (list.size() >= most) return false;
        std::string element;
        if (!clean(rule, trim_blanks(text), element_characters, element) && !element.empty())
            list.push_back(std::move(element));
        return true;
    };
    const auto add_text = [&](std::string_view text) {
        if (!rule.split) return add(text);
        while (true) {
            const auto end = std::min(text.find(*rule.split), text.size());
            if (!add(text.substr(0, end))) return false;
            if (end == text.size()) return true;
            text.remove_prefix(end + rule.split->size());
        }
    };
    const bool is_each = rule.form == field_rule::shape::each;
    for (std::size_t i = 0; i < rule.sources.size() && (is_each || list.empty()); ++i) {
        each_found(rule.sources[i], row, [&](const found& raw) {
            if (raw.node.is(json_kind::array)) {
                list.reserve(std::min(raw.node.size(), most));
                raw.node.each_value([&](json_node n) {
                    return !n.is_scalar() || n.kind() == json_kind::null || add_text(n.text(scratch_));
                });
            } else if (!raw.node.is(json_kind::object)) {
                add_text(raw.text);
            }
            how.won = std::min(how.won, i);
            return !is_each && list.size() < most;
        });
    }
    if (!list.empty()) out.value = std::move(list);
}

void row_reader::evaluate_object(const field_rule& rule, row_ref row, typed_value& out) {
    std::string json = "{";
    for (const auto& [name, source] : rule.members) {
        each_found(source, row, [&](const found& raw) {
            const bool is_json = raw.node.exists();
            if (is_json && !raw.node.is_scalar()) return true;
            const auto most = is_json && raw.is_number ? most_number_bytes : most_json_bytes;
            if ((is_json ? raw.node.raw().size() : raw.text.size()) > most) return true;
            if (json.size() > 1) json += ',';
            append_json_string(json, name);
            json += ':';
            if (is_json)
                raw.node.append_to(json);
            else
                append_json_string(json, raw.text);
            return false;
        });
    }
    if (json.size() > 1) out.value = json_value{json + "}"};
}

void row_reader::evaluate_rows(const field_rule& rule, row_ref row, typed_value& out, reading& how) {
    std::string json = "[";
    std::size_t count = 0;
    typed_value value;
    const auto add = [&](row_ref inner) {
        if (count == most_rows || json.size() > most_json_bytes) return false;
        const auto before = json.size();
        if (count > 0) json += ',';
        json += '{';
        bool is_first = true;
        current_ = inner;
        for (const auto& field : rule.children) {
            evaluate(field, inner, value);
            if (!value.exists()) {
                if (!field.is_required) continue;
                json.resize(before);
                return true;
            }
            if (!std::exchange(is_first, false)) json += ',';
            append_json_string(json, field.name);
            json += ':';
            append_json(json, to_field_value(value));
        }
        json += '}';
        ++count;
        return true;
    };
    const auto& source = rule.sources.front();
    if (const auto* what = std::get_if<selector_source>(&source.from)) {
        const auto* compiled = selector_of(*what);
        const auto tree = row.element.exists() ? scope_.rules.records.document : scope_.rules.tree;
        if (compiled != nullptr && tree < scope_.documents.size() && scope_.documents.rule(tree).is_tree())
            scope_.documents.page(tree).select(
                *compiled, row.element.exists() ? row.element : scope_.documents.tree(tree),
                [&](html_node n) { return add(row_ref{n}); });
    } else {
        each_found(source, row, [&](const found& raw) {
            if (raw.node.is(json_kind::array))
                return raw.node.each_value([&](json_node n) { return add(row_ref{n}); });
            return !raw.node.is(json_kind::object) || add(row_ref{raw.node});
        });
    }
    current_ = row;
    if (count == 0) return;
    how.won = 0;
    out.value = json_value{json + "]"};
}

} // namespace tiktrend::sources

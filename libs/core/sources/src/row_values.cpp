// The part of row_reader that turns what a rule finds into a typed value.
#include "glob.hpp"
#include "record_json.hpp"
#include "row_reader.hpp"
#include "values/count.hpp"
#include "values/currency.hpp"
#include "values/money.hpp"
#include "values/text.hpp"
#include "values/time_text.hpp"
#include "values/truth.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {
namespace {

constexpr std::size_t default_characters = 4000; ///< of a text without `max`
constexpr std::size_t element_characters = 1000; ///< of each text in a list
constexpr std::size_t default_elements = 256;    ///< of a list without `max`
constexpr std::size_t most_rows = 500;           ///< of nested rows
constexpr std::size_t most_json_values = 10'000;
constexpr std::size_t most_json_bytes = 64 * 1024;
constexpr std::size_t most_number_bytes = 64; ///< of a number token kept as it is

constexpr reject nothing_left{""}; ///< an empty text: missing, not refused

converted<typed_value> make(typed_value::variant value) {
    typed_value out;
    out.value = std::move(value);
    return out;
}

template <class T>
converted<typed_value> wrap(converted<T> value) {
    if (!value) return value.error();
    return make(std::move(*value));
}

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
void row_reader::each_found(const value_source& source, json_node row, Visit&& visit) {
    if (const auto* way = std::get_if<path>(&source.from)) {
        for_each_at(source.document ? scope_.documents[*source.document] : row, *way, [&](json_node node) {
            if (node.kind() == json_kind::null) return true;
            if (!node.is_scalar()) return visit(found{node, {}, false});
            return visit(found{node, node.text(scratch_), node.is(json_kind::number)});
        });
        return;
    }
    const template_values values{&scope_.inputs, &scope_.state, nullptr, row, scope_.response_url};
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

row_reader::reading row_reader::evaluate(const field_rule& rule, json_node row) {
    reading out;
    out.won = rule.sources.size();
    switch (rule.form) {
    case field_rule::shape::nothing:
        return out;
    case field_rule::shape::object:
        evaluate_object(rule, row, out);
        return out;
    case field_rule::shape::rows:
        evaluate_rows(rule, row, out);
        return out;
    case field_rule::shape::each:
        evaluate_list(rule, row, out);
        return out;
    case field_rule::shape::single:
        break;
    }
    if (rule.type == field_type::list)
        evaluate_list(rule, row, out);
    else
        evaluate_single(rule, row, out);
    finish(rule, out);
    return out;
}

void row_reader::evaluate_single(const field_rule& rule, json_node row, reading& out) {
    const bool wants_all = rule.reduce != reduction::none && rule.reduce != reduction::first;
    for (std::size_t i = 0; i < rule.sources.size() && !out.value.exists(); ++i) {
        each_found(rule.sources[i], row, [&](const found& raw) {
            auto value = convert(rule, raw);
            if (value) {
                take(rule, std::move(*value), out);
                out.won = i;
                return wants_all;
            }
            if (value.error().reason.empty()) return true;
            if (!out.was_rejected) {
                out.was_rejected = true;
                out.reason = value.error().reason;
                out.shown = raw.text.empty() && raw.node.exists()
                                ? std::string{raw.node.is(json_kind::array) ? "[…]" : "{…}"}
                                : excerpt(raw.text);
            }
            return true;
        });
    }
}

/// Joins one more value to what `reduce` has so far.
void row_reader::take(const field_rule& rule, typed_value value, reading& out) {
    auto& sofar = out.value;
    if (!sofar.exists()) {
        sofar = std::move(value);
        return;
    }
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
        if (auto* n = std::get_if<std::int64_t>(&sofar.value)) {
            if (__builtin_add_overflow(*n, std::get<std::int64_t>(value.value), n)) {
                sofar = {};
                out.was_rejected = true;
                out.reason = "is a sum out of range";
            }
        } else if (auto* d = std::get_if<decimal_number>(&sofar.value)) {
            if (auto sum = d->plus(std::get<decimal_number>(value.value))) *d = std::move(*sum);
        }
        return;
    }
}

/// Bounds, conditions to drop the value, and the default.
void row_reader::finish(const field_rule& rule, reading& out) {
    const auto refuse = [&](std::string_view reason, std::string shown) {
        out.value = {};
        out.was_rejected = true;
        out.reason = reason;
        out.shown = std::move(shown);
    };
    if (out.value.exists() && (rule.least || rule.most)) {
        const auto number = to_decimal(out.value);
        if (rule.least && number < *rule.least)
            refuse("is below the field's min", number.text());
        else if (rule.most && number > *rule.most)
            refuse("is above the field's max", number.text());
    }
    if (out.value.exists() && rule.zero_is_null && to_decimal(out.value).is_zero()) out.value = {};
    if (out.value.exists() && rule.drop_unless_above) {
        const auto& other = values_[*rule.drop_unless_above];
        if (other.exists() && compare(out.value, other) <= 0) out.value = {};
    }
    if (out.value.exists() && rule.drop_if_equals) {
        const auto* text = std::get_if<std::string>(&out.value.value);
        const auto shown = text != nullptr ? *text : to_decimal(out.value).text();
        if (shown == *rule.drop_if_equals) out.value = {};
    }
    if (!out.value.exists() && rule.fallback) {
        auto value = convert(rule, found{{}, *rule.fallback, is_json_number(*rule.fallback)});
        if (value) out.value = std::move(*value);
    }
}

void row_reader::evaluate_list(const field_rule& rule, json_node row, reading& out) {
    std::vector<std::string> list;
    const auto most = rule.max_length.value_or(default_elements);
    const auto add = [&](std::string_view text) {
        if (list.size() >= most) return false;
        auto cleaned = clean(rule, trim_blanks(text), element_characters);
        if (cleaned && !cleaned->empty()) list.push_back(std::move(*cleaned));
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
                std::string element;
                raw.node.each_value([&](json_node n) {
                    return !n.is_scalar() || n.kind() == json_kind::null || add_text(n.text(element));
                });
            } else if (!raw.node.is(json_kind::object)) {
                add_text(raw.text);
            }
            out.won = std::min(out.won, i);
            return !is_each && list.size() < most;
        });
    }
    if (!list.empty()) out.value.value = std::move(list);
}

void row_reader::evaluate_object(const field_rule& rule, json_node row, reading& out) {
    std::string json = "{";
    for (const auto& [name, way] : rule.members) {
        const auto node = first_at(row, way);
        if (!node.exists() || !node.is_scalar() || node.kind() == json_kind::null) continue;
        if (node.raw().size() > most_json_bytes ||
            (node.is(json_kind::number) && node.raw().size() > most_number_bytes))
            continue;
        if (json.size() > 1) json += ',';
        append_json_string(json, name);
        json += ':';
        node.append_to(json);
    }
    if (json.size() > 1) out.value.value = json_value{json + "}"};
}

void row_reader::evaluate_rows(const field_rule& rule, json_node row, reading& out) {
    std::string json = "[";
    std::size_t count = 0;
    const auto add = [&](json_node inner) {
        if (count == most_rows || json.size() > most_json_bytes) return false;
        const auto before = json.size();
        if (count > 0) json += ',';
        json += '{';
        bool is_first = true;
        for (const auto& field : rule.children) {
            auto read = evaluate(field, inner);
            if (!read.value.exists()) {
                if (!field.is_required) continue;
                json.resize(before);
                return true;
            }
            if (!std::exchange(is_first, false)) json += ',';
            append_json_string(json, field.name);
            json += ':';
            append_json(json, to_field_value(read.value));
        }
        json += '}';
        ++count;
        return true;
    };
    for_each_at(row, std::get<path>(rule.sources.front().from), [&](json_node node) {
        return node.is(json_kind::array)    ? node.each_value(add)
               : node.is(json_kind::object) ? add(node)
                                            : true;
    });
    if (count > 0) {
        out.won = 0;
        out.value.value = json_value{json + "]"};
    }
}

converted<std::string> row_reader::clean(const field_rule& rule, std::string_view text,
                                         std::size_t max_characters) {
    std::string held;
    for (const auto& step : rule.clean) {
        switch (step.type) {
        case cleaner::kind::trim:
            text = trim_blanks(text);
            continue;
        case cleaner::kind::match: {
            const auto group = step.expression->first_group(text);
            if (!group) return reject{"does not match the field's pattern"};
            text = *group;
            continue;
        }
        case cleaner::kind::map: {
            const auto mapped = step.table.find(text);
            if (mapped == step.table.end()) return reject{"is not in the field's map"};
            text = mapped->second;
            continue;
        }
        case cleaner::kind::collapse:
            held = collapse_blanks(text);
            break;
        case cleaner::kind::html_to_text:
            held = html_to_text(text, max_characters);
            break;
        case cleaner::kind::decode_entities:
            held = decode_entities(text);
            break;
        case cleaner::kind::lower:
        case cleaner::kind::upper: {
            std::string changed{text};
            const bool is_lower = step.type == cleaner::kind::lower;
            for (auto& c : changed)
                if (is_lower ? (c >= 'A' && c <= 'Z') : (c >= 'a' && c <= 'z'))
                    c = static_cast<char>(c ^ 0x20);
            held = std::move(changed);
            break;
        }
        }
        text = held;
    }
    return storable_text(text, max_characters);
}

converted<typed_value> row_reader::convert_money(const field_rule& rule, std::string_view text,
                                                 bool is_number) {
    const auto minor_unit = minor_unit_for(rule);
    const auto decimals = decimals_of(rule);
    const auto range =
        is_number ? price_from_json(text, decimals, minor_unit) : price_from_text(text, decimals, minor_unit);
    if (!range) return range.error();
    typed_value out;
    out.minor_unit = minor_unit;
    const bool wants_high = rule.reduce == reduction::max || rule.canonical == "price_max";
    out.value = wants_high ? range->high : range->low;
    if (rule.reduce == reduction::none) out.high = range->high;
    return out;
}

converted<typed_value> row_reader::convert(const field_rule& rule, const found& raw) {
    if (raw.node.exists() && !raw.node.is_scalar()) {
        if (rule.type != field_type::json)
            return raw.node.is(json_kind::array) ? reject{"is a list where one value is expected"}
                                                 : reject{"is an object where one value is expected"};
        if (raw.node.value_count() > most_json_values) return reject{"has more than 10000 values"};
        json_value json;
        raw.node.append_to(json.text);
        if (json.text.size() > most_json_bytes) return reject{"is larger than 64 KiB"};
        return make(std::move(json));
    }
    if (rule.type == field_type::json) {
        json_value json;
        if (raw.node.exists())
            raw.node.append_to(json.text);
        else
            append_json_string(json.text, raw.text);
        if (json.text.size() > most_json_bytes) return reject{"is larger than 64 KiB"};
        return make(std::move(json));
    }

    auto text = raw.text;
    bool is_number = raw.is_number;
    std::string cleaned;
    const bool is_text = rule.type == field_type::text || rule.type == field_type::any;
    if (!rule.clean.empty() && !is_text) {
        auto made = clean(rule, text, default_characters);
        if (!made) return made.error();
        is_number = is_number && *made == text;
        cleaned = std::move(*made);
        text = cleaned;
    }
    if (trim_blanks(text).empty()) return nothing_left;

    switch (rule.type) {
    case field_type::any:
        if (raw.is_number && rule.clean.empty()) {
            if (text.size() > most_number_bytes) return reject{"is a number of more than 64 digits"};
            return make(json_value{std::string{text}});
        }
        if (raw.node.is(json_kind::boolean)) return make(raw.node.boolean());
        [[fallthrough]];
    case field_type::text: {
        if (raw.is_number && text.size() > most_number_bytes)
            return reject{"is a number of more than 64 digits"};
        auto made = clean(rule, text, rule.max_length.value_or(default_characters));
        if (!made) return made.error();
        if (made->empty()) return nothing_left;
        return make(std::move(*made));
    }
    case field_type::url:
        return wrap(scope_.address.resolve(text));
    case field_type::money:
        return convert_money(rule, text, is_number);
    case field_type::currency:
        return wrap(currency_from_text(text));
    case field_type::count:
        return wrap(is_number ? count_from_json(text) : count_from_text(text));
    case field_type::decimal: {
        auto value = wrap(is_number ? decimal_from_json(text) : decimal_from_text(text, decimals_of(rule)));
        if (value) value->minor_unit = 0;
        return value;
    }
    case field_type::boolean:
        return wrap(bool_from_text(text));
    case field_type::availability:
        return wrap(availability_from_text(text));
    case field_type::time: {
        const auto ms = time_from_text(text);
        if (!ms) return ms.error();
        return make(timestamp{*ms});
    }
    case field_type::list:
    case field_type::json:
        break;
    }
    return nothing_left;
}

} // namespace tiktrend::sources

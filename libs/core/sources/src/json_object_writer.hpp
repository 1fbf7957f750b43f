#pragma once
// One JSON object after the other members of a text that is being written.
#include "json_document.hpp"

#include <tiktrend/base/json_text.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Opens the object when it is made and closes it when it goes. Empty values are left out; so is a second
/// value for a name.
class json_object_writer {
public:
    explicit json_object_writer(std::string& out) : out_{out} { out_ += '{'; }
    ~json_object_writer() { out_ += '}'; }
    json_object_writer(const json_object_writer&) = delete;
    json_object_writer& operator=(const json_object_writer&) = delete;

    bool has(std::string_view name) const noexcept {
        for (const auto& n : names_)
            if (n == name) return true;
        return false;
    }

    /// The name and a colon; the caller appends the value.
    void key(std::string_view name) {
        if (!names_.empty()) out_ += ',';
        names_.emplace_back(name);
        append_json_string(out_, name);
        out_ += ':';
    }
    void text(std::string_view name, std::string_view value) {
        if (value.empty() || has(name)) return;
        key(name);
        append_json_string(out_, value);
    }
    void list(std::string_view name, const std::vector<std::string>& values) {
        if (values.empty() || has(name)) return;
        key(name);
        out_ += '[';
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i > 0) out_ += ',';
            append_json_string(out_, values[i]);
        }
        out_ += ']';
    }
    void node(std::string_view name, json_node value) {
        if (!value.exists() || value.kind() == json_kind::null || has(name)) return;
        key(name);
        value.append_to(out_);
    }

private:
    std::string& out_;
    std::vector<std::string> names_;
};

} // namespace tiktrend::sources

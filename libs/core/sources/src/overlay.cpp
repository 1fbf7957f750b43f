#include <tiktrend/sources/overlay.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace tiktrend::sources {
namespace {

registry_ptr checked(registry_result made) {
    if (made) return std::move(*made);
    std::string all;
    for (const auto& e : made.error())
        all += to_string(e) + '\n';
    throw std::runtime_error(all);
}

} // namespace

overlay::overlay(std::vector<source_file> files, registry_options options)
    : files_{std::move(files)}, options_{std::move(options)},
      current_{checked(make_registry(files_, options_))} {
    for (const auto& d : current_->all())
        file_of_.emplace(d->id, d->file);
}

overlay::outcome overlay::take(std::vector<overlaid_text> texts) {
    outcome out;
    std::map<std::string, std::string, std::less<>> by_id;
    for (const auto& t : texts)
        by_id.emplace(t.id, t.text);
    if (by_id == in_use_) return out;
    in_use_ = std::move(by_id);
    out.changed = true;

    auto files = files_;
    // One that hands links on to another of them fits only behind that, so what did not fit is tried again
    // as long as others did.
    for (std::size_t before = texts.size() + 1; !texts.empty() && texts.size() < before;) {
        before = texts.size();
        out.refused.clear();
        texts = take_those_that_fit(std::move(texts), files, out);
    }
    current_ = checked(make_registry(files, options_));
    return out;
}

std::vector<overlaid_text> overlay::take_those_that_fit(std::vector<overlaid_text> texts,
                                                        std::vector<source_file>& files, outcome& out) const {
    std::vector<overlaid_text> left;
    for (auto& t : texts) {
        const auto refuse = [&](std::string why) {
            out.refused.push_back({t.id, t.version, std::move(why)});
            left.push_back(std::move(t));
        };
        const auto name = fmt::format("database:{}@{}", t.id, t.version);
        const auto parsed = parse_definition(name, t.text);
        if (!parsed || (*parsed)->id != t.id) {
            refuse(parsed ? "its id is " + (*parsed)->id : to_string(parsed.error().front()));
            continue;
        }
        auto candidate = files;
        if (const auto file = file_of_.find(t.id); file != file_of_.end())
            std::erase_if(candidate, [&](const auto& f) { return f.name == file->second; });
        candidate.push_back({name, t.text});
        if (const auto made = make_registry(candidate, options_); !made) {
            refuse(to_string(made.error().front()));
            continue;
        }
        files = std::move(candidate);
        out.taken.push_back(std::move(t));
    }
    return left;
}

void log_outcome(const overlay::outcome& out, const logger& log) {
    for (const auto& r : out.refused)
        log.error("definition_refused", {{"source", r.id}, {"version", r.version}, {"error", r.why}});
    for (const auto& t : out.taken)
        log.info("definition_from_database", {{"source", t.id}, {"version", t.version}});
}

} // namespace tiktrend::sources

#pragma once
// Definitions that come while a program runs, over those of its files.
#include <tiktrend/base/log.hpp>
#include <tiktrend/sources/registry.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::sources {

/// A definition from elsewhere than a file, as its author wrote it.
struct overlaid_text {
    std::string id;
    std::int32_t version = 1;
    std::string text;
};

/// Makes a registry of files and what lies over them: a text stands in for the file that defines the same id.
/// Belongs to one executor; the registries it makes may be shared as any.
class overlay {
public:
    /// `files` have been checked; throws std::runtime_error when they do not make a registry after all.
    overlay(std::vector<source_file> files, registry_options options);

    /// A text that was left out, since it is broken or does not fit the others. Nothing else suffers from it.
    struct refusal {
        std::string id;
        std::int32_t version = 1;
        std::string why;
    };
    struct outcome {
        bool changed = false; ///< the texts are not those of the last time: current() is new
        std::vector<refusal> refused;
        std::vector<overlaid_text> taken;
    };
    /// These texts and no others lie over the files from now on.
    outcome take(std::vector<overlaid_text> texts);

    /// Never null.
    const registry_ptr& current() const noexcept { return current_; }

private:
    /// Those go into `files` and out.taken; returns the others, which are in out.refused too.
    std::vector<overlaid_text> take_those_that_fit(std::vector<overlaid_text> texts,
                                                   std::vector<source_file>& files, outcome& out) const;

    std::vector<source_file> files_;
    std::map<std::string, std::string, std::less<>> file_of_; ///< definition id → name of its file
    registry_options options_;
    registry_ptr current_;
    std::map<std::string, std::string, std::less<>> in_use_; ///< texts by id, as last taken
};

/// Says in the log what became of the texts: `definition_refused` and `definition_from_database`.
void log_outcome(const overlay::outcome& out, const logger& log);

} // namespace tiktrend::sources

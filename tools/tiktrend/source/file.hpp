#pragma once
// A definition file with its fixtures, as the verbs of `tiktrend source` use it.
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/definition_test.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace tiktrend::cli {

struct source_file {
    std::filesystem::path path;
    std::string text;
    sources::definition_ptr definition;
};

/// Reads and parses a file; null after printing every mistake, or when it cannot be read. Throws nothing.
std::optional<source_file> read_source(const std::string& path);

/// Checks a file that is an alias and prints its mistakes or what it stands for: true if it is good. Nothing
/// for files that are none.
std::optional<bool> check_alias(const std::string& path);

/// Runs the file's tests and prints what each expected and found. The number of tests that failed; -1 if
/// there is none.
int run_tests(const source_file& file);

} // namespace tiktrend::cli

#pragma once
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace tiktrend::testing {

struct outcome {
    int status;
    std::string output;
};

inline std::string tiktrend_program() {
    const auto* folder = std::getenv("TIKTREND_BIN_DIR");
    REQUIRE(folder);
    return std::string{folder} + "/tiktrend";
}

/// Runs the program with `arguments`; `environment` beside ours.
inline outcome run_tiktrend(std::vector<std::string> arguments,
                            std::map<std::string, std::string> environment = {}) {
    arguments.insert(arguments.begin(), tiktrend_program());
    const temp_dir dir;
    process::options options;
    options.environment = std::move(environment);
    options.output = dir.path() / "output";
    const auto status = run(std::move(arguments), options);
    std::ifstream file{options.output};
    return {status, {std::istreambuf_iterator<char>{file}, {}}};
}

} // namespace tiktrend::testing

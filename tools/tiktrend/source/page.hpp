#pragma once
#include <string>
#include <vector>

namespace tiktrend::cli {

/// Which page `try` and `record` read.
struct page_options {
    std::string file;
    std::string url;
    std::vector<std::string> inputs;  ///< name=value
    std::vector<std::string> secrets; ///< name=value
    std::vector<std::string> allow;   ///< as FETCH_ALLOW
    std::vector<std::string> plain_http;
    std::string contact;      ///< where shops can reach who asks
    std::string response;     ///< file; empty: ask
    std::string content_type; ///< of `response`
    std::string name;         ///< of the fixture
};

/// Exit codes of command.hpp.
int try_page(const page_options& options);
int record_page(const page_options& options);

} // namespace tiktrend::cli

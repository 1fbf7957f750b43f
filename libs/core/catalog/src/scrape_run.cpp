#include <tiktrend/catalog/scrape_run.hpp>

namespace tiktrend::catalog {

std::string_view to_string(run_status s) noexcept {
    switch (s) {
    case run_status::running:
        return "running";
    case run_status::succeeded:
        return "succeeded";
    case run_status::failed:
        return "failed";
    case run_status::interrupted:
        return "interrupted";
    }
    return {};
}

} // namespace tiktrend::catalog

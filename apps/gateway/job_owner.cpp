#include "job_owner.hpp"

#include <tiktrend/base/json_text.hpp>

#include <simdjson.h>

namespace tiktrend::gateway {
namespace {

http::problem no_such_job(std::string_view id) {
    std::string quoted;
    append_json_string(quoted, id);
    return http::problem(404, "job_not_found",
                         "There is no job " + quoted + ", or it was removed after it finished.");
}

} // namespace

bool may_see_job(const principal& who, const queue::job_record& job) {
    if (who.is_admin()) return true;
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element data;
    std::string_view owner;
    return parser.parse(job.data).get(data) == simdjson::SUCCESS &&
           data.at_key("owner").get(owner) == simdjson::SUCCESS && owner == who.id;
}

task<std::pair<queue::job_record, queue::job_state>> visible_job(queue::queue& jobs, const http::request& r) {
    const std::string id{r.param("id")};
    auto found = co_await jobs.get_job_and_state(id);
    if (!found || !may_see_job(principal_of(r), found->first)) throw no_such_job(id);
    co_return std::move(*found);
}

} // namespace tiktrend::gateway

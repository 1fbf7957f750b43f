#include "job_owner.hpp"

#include <simdjson.h>

namespace tiktrend::gateway {

bool may_see_job(const principal& who, const queue::job_record& job) {
    if (who.is_admin()) return true;
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element data;
    std::string_view owner;
    return parser.parse(job.data).get(data) == simdjson::SUCCESS &&
           data.at_key("owner").get(owner) == simdjson::SUCCESS && owner == who.id;
}

} // namespace tiktrend::gateway

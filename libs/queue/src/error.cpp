#include <tiktrend/queue/error.hpp>

namespace tiktrend::queue {
namespace {

class queue_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.queue"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::job_not_found:
            return "there is no such job";
        case errc::lock_not_found:
            return "the job's lock expired or was released";
        case errc::job_not_in_state:
            return "the job is not in the expected state";
        case errc::pending_dependencies:
            return "the job has pending dependencies";
        case errc::parent_not_found:
            return "there is no such parent job";
        case errc::lock_mismatch:
            return "the job's lock belongs to another worker";
        case errc::parent_cannot_be_replaced:
            return "the job already has another parent";
        case errc::belongs_to_scheduler:
            return "the job is the pending one of a scheduler and cannot be removed directly";
        case errc::failed_children:
            return "the job has at least one failed child";
        case errc::scheduler_job_exists:
            return "the scheduler's next job exists already and is not waiting";
        case errc::scheduler_slots_busy:
            return "the scheduler's next slots have jobs already";
        case errc::group_is_full:
            return "the job's group is full";
        case errc::invalid_job_id:
            return "this job id is not allowed";
        case errc::invalid_priority:
            return "the priority is not in 0 ... 2097151";
        case errc::invalid_options:
            return "a job option is out of range";
        case errc::data_too_large:
            return "the job's data is larger than its size limit";
        case errc::invalid_json:
            return "not a JSON text";
        case errc::invalid_argument:
            return "an argument is out of range";
        case errc::queue_is_active:
            return "the queue has active jobs";
        case errc::invalid_flow:
            return "this tree of jobs cannot be added";
        case errc::invalid_scheduler:
            return "this scheduler is not valid";
        case errc::invalid_event:
            return "this event cannot be published";
        }
        return "unknown queue error";
    }
};

} // namespace

const boost::system::error_category& category() noexcept {
    static const queue_category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), category()};
}

} // namespace tiktrend::queue

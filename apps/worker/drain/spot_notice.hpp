#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::worker {

/// Whose metadata server is asked for notices that this machine goes away. Values of SPOT_NOTICE.
enum class cloud { none, aws, gcp, azure };

/// "off", "aws", "gcp", "azure"; nothing for any other text.
std::optional<cloud> parse_cloud(std::string_view text) noexcept;

/// The machine is taken away.
struct spot_notice {
    std::string what; ///< "terminate", "stop", "hibernate", "preempted", "Preempt"
    std::optional<std::int64_t>
        at_ms; ///< when, milliseconds since the epoch; nothing: the cloud does not say
};

/// How long a drain may take that starts now because of this notice (operations: 120 s with AWS, of which the
/// last 10 are the machine's; 30 s with Azure, less 3; 15 s of Google's 30 for ordinary pods, less 2).
/// At least a second, also for a notice of the past.
std::int64_t usable_ms(cloud where, const spot_notice& notice, std::int64_t now_ms) noexcept;

// What the metadata servers answer. Pure; anything that cannot be read is no notice.

/// GET /latest/meta-data/spot/instance-action:
/// {"action":"terminate","time":"2017-09-18T08:22:00Z"}
/// (docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html)
std::optional<spot_notice> read_aws_action(std::string_view body);
/// GET /computeMetadata/v1/instance/preempted: TRUE or FALSE
std::optional<spot_notice> read_gcp_preempted(std::string_view body);
/// GET /metadata/scheduledevents: the first event of type Preempt or Terminate that names `resource`; an
/// empty name, or an event without resources, is any machine.
/// (learn.microsoft.com/azure/virtual-machines/linux/scheduled-events)
std::optional<spot_notice> read_azure_events(std::string_view body, std::string_view resource);

/// "2017-09-18T08:22:00Z" and "Mon, 19 Sep 2016 18:29:47 GMT" in milliseconds since the epoch.
std::optional<std::int64_t> parse_notice_time(std::string_view text);

} // namespace tiktrend::worker

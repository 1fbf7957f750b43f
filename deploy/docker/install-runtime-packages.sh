#!/bin/sh
# The shared libraries of the three programs, by their Debian packages (a test compares with what the programs link), the
# certificates of the web, and time zones for schedules.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends \
    ca-certificates tzdata \
    libboost-container1.81.0 libboost-json1.81.0 libboost-url1.81.0 libdate-tz3 \
    libbrotli1 libcurl4 libfmt9 libhiredis0.14 libidn2-0 libpq5 libprometheus-cpp-core1.0 libre2-9 libsimdjson14 \
    libspdlog1.10 libssl3 libstdc++6 libxml2 libyaml-cpp0.7 libzstd1 zlib1g
rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/log/apt /var/log/dpkg.log

#!/bin/bash
# What building needs, and no servers: the list is tools/setup's, so that there is one.
set -euo pipefail
mapfile -t packages < <(tools/setup --build --list)
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --yes --quiet --no-install-recommends "${packages[@]}"
rm -rf /var/lib/apt/lists/*

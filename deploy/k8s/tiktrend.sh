#!/bin/bash
# The command line in a pod of the cluster that kubectl speaks to, with the service's own image, secrets and settings; the exit
# status is the command's. `tiktrend` in the pages of docs/operations is this, on a cluster.
#
#   deploy/k8s/tiktrend.sh queue stats
#   deploy/k8s/tiktrend.sh api-key create --email you@example.com --scopes admin
set -euo pipefail
case ${1:-} in
'' | -h | --help)
    sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
command -v jq >/dev/null || { echo "tiktrend.sh: needs jq" >&2; exit 1; }
# Image and settings of what runs now, so that program, schema and configuration fit.
gateway=$(kubectl --namespace tiktrend get deployment api-server --output json)
name=cli-$(date +%s)-$$
image=$(jq -r '.spec.template.spec.initContainers[0].image' <<<"$gateway")
pod=$(jq --arg image "$image" --arg name "$name" '.spec.template.spec as $gateway | {
    apiVersion: "v1",
    spec: ({
        automountServiceAccountToken: false,
        securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, seccompProfile: {type: "RuntimeDefault"}},
        containers: [{
            name: $name, image: $image, args: $ARGS.positional, stdin: true,
            envFrom: ([$gateway.containers[0].envFrom[] | select(.configMapRef)] + [{secretRef: {name: "tiktrend-secrets"}}]),
            resources: {requests: {cpu: "50m", memory: "64Mi"}, limits: {memory: "128Mi"}},
            securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: ["ALL"]}}
        }]
    } + ($gateway | with_entries(select(.key == "imagePullSecrets"))))
}' --args -- "$@" <<<"$gateway")
# The label lets it reach the servers (base/network-policies.yaml).
exec kubectl --namespace tiktrend run "$name" --rm --stdin --quiet --restart=Never --image "$image" \
    --labels app.kubernetes.io/name=migrate --overrides "$pod"

#!/bin/sh
# Signs an image that you have built and pushed, and attaches its list of packages. The project publishes no image, and HAS NOT RUN
# this script: it is written after cosign's documentation. Needs cosign 2 and Node 24, and a login to the registry.
#
#   tools/release/sign-image.sh registry.example.com/platform/keyvault-injector@sha256:<digest> [--key <key>]
#
# Without --key cosign signs by your OIDC identity and writes to its public transparency log.
set -eu
if [ $# -lt 1 ]; then
  echo "sign-image: name the image by its digest: $0 <registry>/<name>@sha256:<digest> [--key <key>]" >&2
  exit 2
fi
image=$1
shift
case $image in
  *@sha256:*) ;;
  *)
    echo "sign-image: $image has no digest: a tag can be moved after it was signed; docker push prints the digest" >&2
    exit 2
    ;;
esac
command -v cosign >/dev/null || {
  echo "sign-image: cosign is not installed" >&2
  exit 2
}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm run --silent sbom -- "$folder/sbom.cdx.json"
cosign sign --yes "$@" "$image"
cosign attest --yes "$@" --type cyclonedx --predicate "$folder/sbom.cdx.json" "$image"

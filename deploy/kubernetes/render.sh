#!/bin/sh
# Writes rendered/ anew: what each overlay comes to. It is there to be read, to be compared in a
# review, and for whoever applies plain manifests. Needs kubectl.
set -eu
cd "$(dirname "$0")"
for overlay in overlays/single overlays/ha overlays/local menu/single menu/ha menu/job; do
  case $overlay in
    overlays/*) file=rendered/${overlay#overlays/}.yaml ;;
    menu/*) file=rendered/menu-${overlay#menu/}.yaml ;;
  esac
  kubectl kustomize "$overlay" >"$file.new"
  mv "$file.new" "$file"
done

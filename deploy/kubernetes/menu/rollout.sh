#!/bin/sh
# Rolls a menu out and waits for the verdict; a bad one is undone.
#
#   rollout.sh FOLDER       the folder of an overlay, as menu/ha
#
# Exit codes: 0 the menu is live; 1 it could not be applied, and the revision before is back, or there
# was none, or the cluster was out of reach and nothing was begun; 2 not even that could be brought
# back, or nobody knows: somebody has to look.
set -eu
overlay=${1:?which overlay? e.g. menu/ha}
worker=deployment/menu-worker

on() { kubectl -n zhongkong "$@"; }

# Above the Deployment's progressDeadlineSeconds, so that it is the Deployment that gives up.
verdict() { on rollout status "$worker" --timeout=6m; }

before=$(on get "$worker" --ignore-not-found \
  -o 'jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}')
if ! kubectl apply -k "$overlay"; then
  echo "It was not applied, or only in part." >&2
  exit 2
fi
if verdict; then
  echo "The menu is live."
  exit 0
fi

echo "The menu could not be applied. What the worker says:" >&2
on logs "$worker" --tail=40 >&2 || true
if [ -z "$before" ]; then
  echo "There is no revision before this one." >&2
  exit 1
fi
on rollout undo "$worker" --to-revision="$before" && verdict || exit 2
echo "The menu before is back. Take the change back in git, too, or the next apply brings it again." >&2
exit 1

#!/bin/sh
# Syncs the menu and waits for its health, which is the Deployment's: live equals desired. A bad menu is
# rolled back. To be run after a merge, by whatever has the argocd command and a login; `applications, get`
# and `applications, sync` of this one application are all the rights that it needs.
#
# Exit codes: 0 the menu is live; 1 it could not be applied, and the one before is back, or there was
# none, or Argo CD was out of reach and nothing was begun; 2 not even that could be brought back, or
# nobody knows: somebody has to look.
set -eu
application=${1:-zhongkong-menu}

# Above the Deployment's progressDeadlineSeconds.
healthy() { argocd app wait "$application" --health --operation --timeout 360; }

# The one to go back to, by its number: a sync that fails half-way leaves none of its own, and "the one
# before" would be another.
history=$(argocd app history "$application" -o id) || exit 1
before=$(printf '%s\n' "$history" | tail -n 1)
if ! argocd app sync "$application" --timeout 120; then
  echo "It was not synced, or only in part." >&2
  exit 2
fi
if healthy; then
  echo "The menu is live."
  exit 0
fi

echo "The menu could not be applied." >&2
if [ -z "$before" ]; then
  echo "There is no menu before this one." >&2
  exit 1
fi
argocd app rollback "$application" "$before" --timeout 120 && healthy || exit 2
echo "The menu before is back. Take the change back in git, too, or the next sync brings it again." >&2
exit 1

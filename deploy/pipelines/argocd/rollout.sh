#!/bin/sh
# Syncs the menu and waits for its health, which is the Deployment's: live equals desired. A bad menu is
# rolled back. To be run after a merge, by whatever has the argocd command and a login.
#
# Exit codes: 0 the menu is live; 1 it could not be applied, and the one before is back; 2 not even
# that: somebody has to look.
set -eu
application=${1:-zhongkong-menu}

# Above the Deployment's progressDeadlineSeconds.
healthy() { argocd app wait "$application" --health --operation --timeout 360; }

argocd app sync "$application" --timeout 120
if healthy; then
  echo "The menu is live."
  exit 0
fi
echo "The menu could not be applied." >&2
argocd app rollback "$application" --timeout 120 && healthy || exit 2
echo "The menu before is back. Take the change back in git, too, or the next sync brings it again." >&2
exit 1

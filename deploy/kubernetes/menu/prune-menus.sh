#!/bin/sh
# Deletes the menus that no revision of the rollout needs any more. A ConfigMap that a ReplicaSet
# mounts stays, for `kubectl rollout undo` may want it; the Deployment keeps ten of them.
# Run it after a rollout has come to its end, not beside one.
set -eu

on() { kubectl -n zhongkong "$@"; }

needed=$(on get replicasets,jobs -l app.kubernetes.io/name=menu-worker \
  -o 'jsonpath={range .items[*]}{range .spec.template.spec.volumes[*]}{.configMap.name}{"\n"}{end}{end}')
needed=$(printf '%s\n' "$needed" | grep . || true)
if [ -z "$needed" ]; then
  echo "No revision of the menu worker is in namespace zhongkong; nothing is deleted." >&2
  exit 1
fi

there=$(on get configmaps -l zhongkong.io/menu-revision=true \
  -o 'jsonpath={range .items[*]}{.metadata.name}{"\n"}{end}')
for name in $there; do
  printf '%s\n' "$needed" | grep -qxF "$name" || on delete configmap "$name"
done

#!/bin/sh
# Makes in keys/ every key that is missing, and puts the digests of keys into the configuration
# files, where <sha256 of FILE> stands. Nothing that exists is changed; run it as often as you like.
# Needs a shell and what every Linux and macOS brings.
set -eu
umask 077
cd "$(dirname "$0")"

hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
letters() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | dd bs=1 count="$1" 2>/dev/null; }
signing_secret() { printf whsec_; dd if=/dev/urandom bs=32 count=1 2>/dev/null | base64 | tr -d '\n'; }
digest() { printf %s "$(cat "$1")" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }

# Each service gets at its own keys alone; who has no password may ask whether Redis lives.
users() {
  echo 'user default on nopass resetkeys resetchannels -@all +ping'
  for service in token-service:ts callback-gateway:gw menu-worker:mw; do
    printf 'user %s on #%s ~zk:%s:* resetchannels +@all -@admin -@dangerous +info +role +config|get\n' \
      "${service%:*}" "$(digest "keys/${service%:*}.password")" "${service#*:}"
  done
}

# make FILE COMMAND…: the file holds what the command prints, whole or not at all.
make() {
  file=keys/$1
  shift
  if [ ! -s "$file" ]; then
    "$@" >"$file.new"
    mv "$file.new" "$file"
    echo "made $file"
  fi
}

for client in admin metrics menus menus-plan orders; do
  make "$client.key" hex 16
done
make encryption.key hex 32
make opaque.key hex 32
make shop.token hex 16
make shop.aes_key letters 43
make trading.secret signing_secret
for service in token-service callback-gateway menu-worker; do
  make "$service.password" hex 32
done
make users.acl users

for config in config/*.yaml menu/desired/menu_worker.yaml; do
  for key in keys/*.key; do
    name=${key#keys/}
    if grep -q "<sha256 of $name>" "$config"; then
      sed "s/<sha256 of $name>/$(digest "$key")/" "$config" >"keys/$name.new"
      cat "keys/$name.new" >"$config"
      rm "keys/$name.new"
      echo "put the digest of $key into $config"
    fi
  done
done

if [ ! -s keys/shop.secret ]; then
  echo
  echo "Still missing: keys/shop.secret, the account's AppSecret from WeChat's console. Type"
  echo "  (umask 077; cat >'$(pwd)/keys/shop.secret')"
  echo "then paste it, and end with Return and Ctrl-D."
fi

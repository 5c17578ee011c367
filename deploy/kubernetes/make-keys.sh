#!/bin/sh
# Makes in keys/ every key that is missing, and puts the digests of keys into the configuration
# files, where <sha256 of FILE> stands. Nothing that exists is changed; run it as often as you like.
# A further client: write key_sha256: "<sha256 of NAME.key>" in its entry, and run it again.
# Needs a shell and what every Linux and macOS brings.
set -eu
umask 077
cd "$(dirname "$0")"

stop() { echo "$1" >&2; exit 1; }
sha256() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }
digest() { printf %s "$(cat "$1")" | sha256; }
hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
letters() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | dd bs=1 count="$1" 2>/dev/null; }
signing_secret() { printf whsec_; dd if=/dev/urandom bs=32 count=1 2>/dev/null | base64 | tr -d '\n'; }

# Each service gets at its own keys alone; the gateway also looks whether the server keeps what
# `durability` promises. `probe` may ask whether Redis lives, and nothing else.
# Nobody can log in as `default`, and its rights must stay: under them Redis reads its own file at a
# start, and leaves out what they do not allow, which would be all that scripts have written.
users() {
  echo 'user default off resetpass ~* &* +@all'
  echo 'user probe on nopass resetkeys resetchannels -@all +ping'
  user token-service ts
  user callback-gateway gw '+role +config|get'
  user menu-worker mw
}

user() {
  printf 'user %s on #%s ~zk:%s:* resetchannels +@all -@admin -@dangerous +info%s\n' \
    "$1" "$(digest "keys/$1.password")" "$2" "${3:+ $3}"
}

# make FILE COMMAND…: the file holds what the command prints, whole or not at all.
make() {
  file=keys/$1
  shift
  if [ ! -s "$file" ]; then
    "$@" >"$file.new"
    [ -s "$file.new" ] || stop "$file could not be made"
    mv "$file.new" "$file"
    echo "made $file"
  fi
}

for tool in base64 cut dd grep od sed sort tr; do
  command -v "$tool" >/dev/null || stop "$tool is missing, and nothing was made"
done
[ "$(printf abc | sha256)" = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ] ||
  stop "neither sha256sum nor shasum works here, and nothing was made"

set -- config/*.yaml menu/desired/menu_worker.yaml
waiting=$(sed -n 's/.*<sha256 of \([A-Za-z0-9._-]*\)>.*/\1/p' "$@" | sort -u)
waits_for() { printf '%s\n' "$waiting" | grep -qxF "$1"; }

# A fresh checkout has the digests and not the keys: other ones would open nothing, and applied to the
# cluster they would take the place of those that are in use.
for name in menus.key metrics.key; do
  if grep -q "$name" keys/kustomization.yaml && [ ! -s "keys/$name" ] && ! waits_for "$name"; then
    stop "keys/$name is missing, and a configuration holds its digest already. Bring the keys back \
from where you keep them; nothing was made. For a new key in its place, write <sha256 of $name> \
where that digest stands."
  fi
done

for name in $waiting; do
  make "$name" hex 16
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

for config in "$@"; do
  for name in $waiting; do
    if grep -q "<sha256 of $name>" "$config"; then
      sed "s/<sha256 of $name>/$(digest "keys/$name")/" "$config" >"keys/$name.new"
      cat "keys/$name.new" >"$config"
      rm "keys/$name.new"
      echo "put the digest of keys/$name into $config"
    fi
  done
done

for name in admin.key menus.key metrics.key; do
  [ ! -s "keys/$name" ] || grep -q "$(digest "keys/$name")" "$@" ||
    echo "keys/$name opens nothing: no configuration holds its digest." >&2
done

if [ ! -s keys/shop.secret ]; then
  echo
  echo "Still missing: keys/shop.secret, the account's AppSecret from WeChat's console. Type"
  echo "  (umask 077; cat >'$(pwd)/keys/shop.secret')"
  echo "then paste it, and end with Return and Ctrl-D."
else
  case $(cat keys/shop.secret) in
    *[[:space:]]*) echo "keys/shop.secret holds a space or a carriage return beside the AppSecret." >&2 ;;
  esac
fi

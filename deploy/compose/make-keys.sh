#!/bin/sh
# Makes every key, and from a folder of templates the configuration that goes with them.
#
#   sh make-keys.sh            a world of its own, with the emulator in WeChat's place
#   sh make-keys.sh wx0123…    for the account with this AppID; asks for its AppSecret
#
# --templates FOLDER and --into FOLDER name other places than templates/ and this script's folder.
# What exists is never changed. Needs a shell and what every Linux and macOS brings.
set -eu
umask 022

stop() { echo "$1" >&2; exit "${2:-1}"; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
templates=$here/templates into=$here appid=
while [ $# -gt 0 ]; do
    case $1 in
        --templates) templates=${2:?--templates wants a folder}; shift 2 ;;
        --into) into=${2:?--into wants a folder}; shift 2 ;;
        -*) stop "usage: make-keys.sh [--templates FOLDER] [--into FOLDER] [APPID]" 64 ;;
        *[!A-Za-z0-9_-]*) stop "$1 is not an AppID: write it as WeChat's console shows it" 64 ;;
        *) appid=$1; shift ;;
    esac
done

for made in "$into/secrets" "$into/config" "$into/.env"; do
    [ ! -e "$made" ] || stop "$made is there already, and is left as it is. To begin anew, end \
what runs with it and move it away."
done

hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
letters() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | dd bs=1 count="$1" 2>/dev/null; }
digest() { printf %s "$1" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }

ask() {
    if [ -t 0 ]; then
        printf 'AppSecret of %s: ' "$appid" >&2
        trap 'stty echo; exit 1' INT TERM
        stty -echo
    fi
    IFS= read -r answer || true
    if [ -t 0 ]; then
        stty echo
        trap - INT TERM
        echo >&2
    fi
    [ -n "$answer" ] || stop "no AppSecret was given, and nothing was made"
}

if [ -z "$appid" ]; then
    world=emulator appid=wx0123456789abcdef answer=$(hex 16)
    wechat=http://emulator:8080 project=zhongkong-emulator publish=127.0.0.1:8082
else
    world=wechat
    wechat=https://api.weixin.qq.com project=zhongkong publish=0.0.0.0:8082
    ask
fi

# The files are readable, since a container's user isn't yours; the folder keeps others out.
mkdir -p "$into"
mkdir -m 700 "$into/secrets"
keep() { printf '%s\n' "$2" >"$into/secrets/$1"; }
for name in admin metrics menus orders; do
    keep "$name.key" "$(hex 16)"
done
keep encryption.key "$(hex 32)"
keep opaque.key "$(hex 32)"
keep shop.token "$(hex 16)"
keep shop.aes_key "$(letters 43)"
keep shop.secret "$answer"

# fill FILE: prints the template with its <…> replaced. Secrets in plain text are for the emulator
# alone, whose secrets are worth nothing.
fill() {
    file=$1
    [ $world = emulator ] && profiles=emulator || profiles=
    set -- -e "s|<appid>|$appid|" -e "s|<wechat>|$wechat|" -e "s|<project>|$project|" \
        -e "s|<profiles>|$profiles|" -e "s|<publish>|$publish|"
    for name in $(sed -n 's/.*<sha256 of \([a-z_.]*\)>.*/\1/p' "$file"); do
        set -- "$@" -e "s|<sha256 of $name>|$(digest "$(cat "$into/secrets/$name")")|"
    done
    for name in $(sed -n 's/.*<text of \([a-z_.]*\)>.*/\1/p' "$file"); do
        set -- "$@" -e "s|<text of $name>|$(cat "$into/secrets/$name")|"
    done
    sed "$@" "$file"
}

(cd "$templates" && find . -type f | sort) | while IFS= read -r template; do
    target=$into/${template#./}
    case $world:$template in
        wechat:*/emulator/*) continue ;;
        # An account's menu is its owner's: without a file the worker leaves it as it is.
        wechat:*/menus/*) mkdir -p "$(dirname "$target")"; continue ;;
        *:./env) target=$into/.env ;;
    esac
    mkdir -p "$(dirname "$target")"
    if [ -e "$target" ]; then
        echo "$target is there already, and is left as it is" >&2
    else
        fill "$templates/$template" >"$target"
    fi
done
echo "Made $into/secrets, and the configuration that goes with it."

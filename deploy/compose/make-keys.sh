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
misused() { stop "$1; usage: make-keys.sh [--templates FOLDER] [--into FOLDER] [APPID]" 64; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
templates=$here/templates into=$here appid=
while [ $# -gt 0 ]; do
    case $1 in
        --templates) templates=${2:?--templates wants a folder}; shift 2 ;;
        --into) into=${2:?--into wants a folder}; shift 2 ;;
        -*) misused "$1 is unknown" ;;
        '' | *[!A-Za-z0-9_-]*) misused "'$1' is not an AppID: write it as WeChat's console shows it" ;;
        *) appid=$1; shift ;;
    esac
done

sha256() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -d ' ' -f 1; }
hex() { od -An -v -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
letters() { LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom 2>/dev/null | dd bs=1 count="$1" 2>/dev/null; }

# Everything that can be wrong is looked for before anything is made.
for tool in cut dd find od sed tr; do
    command -v "$tool" >/dev/null || stop "$tool is missing, and nothing was made"
done
[ "$(printf abc | sha256)" = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ] ||
    stop "neither sha256sum nor shasum works here, and nothing was made"
templates=$(CDPATH='' cd -- "$templates" && pwd) || stop "there are no templates, and nothing was made"
[ -n "$appid" ] || [ -d "$templates/config/emulator" ] ||
    misused "these templates are for a real account: name its AppID"

# target TEMPLATE: the file that is made from it.
target() {
    case $1 in
        ./env) echo "$into/.env" ;;
        *) echo "$into/${1#./}" ;;
    esac
}

files=$(cd "$templates" && find . -type f)
made="$into/secrets"
while IFS= read -r template; do
    made="$made
$(target "$template")"
done <<FILES
$files
FILES
while IFS= read -r path; do
    [ ! -e "$path" ] || stop "$path is there already, and is left as it is. To begin anew, end \
what runs with it and move it away."
done <<PATHS
$made
PATHS

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
    # What is pasted brings spaces along, and from Windows a carriage return.
    answer=$(printf %s "$answer" | tr -d '[:space:]')
    [ -n "$answer" ] || stop "no AppSecret was given, and nothing was made"
}

if [ -z "$appid" ]; then
    world=emulator appid=wx0123456789abcdef answer=$(hex 16)
    wechat=http://emulator:8080 project=zhongkong-emulator profiles=emulator
else
    world=wechat wechat=https://api.weixin.qq.com project=zhongkong profiles=
    ask
fi

# The files are readable, since a container's user isn't yours; the folder keeps others out.
mkdir -p "$into"
mkdir -m 700 "$into/secrets"
keep() {
    [ -n "$2" ] || stop "$into/secrets/$1 could not be made; remove $into/secrets and begin anew"
    printf '%s\n' "$2" >"$into/secrets/$1"
}
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
    set -- -e "s|<appid>|$appid|" -e "s|<wechat>|$wechat|" -e "s|<project>|$project|" \
        -e "s|<profiles>|$profiles|"
    for name in $(sed -n 's/.*<sha256 of \([a-z_.]*\)>.*/\1/p' "$file"); do
        digest=$(printf %s "$(cat "$into/secrets/$name")" | sha256)
        set -- "$@" -e "s|<sha256 of $name>|$digest|"
    done
    for name in $(sed -n 's/.*<text of \([a-z_.]*\)>.*/\1/p' "$file"); do
        set -- "$@" -e "s|<text of $name>|$(cat "$into/secrets/$name")|"
    done
    sed "$@" "$file"
}

while IFS= read -r template; do
    path=$(target "$template")
    case $world:$template in
        wechat:*/emulator/*) continue ;;
    esac
    mkdir -p "$(dirname "$path")"
    case $world:$template in
        # An account's menu is its owner's: without a file the worker leaves it as it is.
        wechat:*/menus/*) ;;
        *) fill "$templates/$template" >"$path" ;;
    esac
done <<FILES
$files
FILES
echo "Made $into/secrets, and the configuration that goes with it."

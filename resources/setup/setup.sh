# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the lists are for those who source this
# Sets up a Debian 12 machine for building Starling: finds the packages that are missing, configures, builds. Sourced by
# ./demo and ./check, which set `source_dir`. Talks on standard error only; reads nothing from standard input.

logs=${source_dir:?}/build/logs

# What compiles and links Starling. Compiler, linker and libc come with g++.
build_packages=(
    g++                       # C++20 compiler
    cmake                     # 3.25: presets of version 6
    ninja-build               # the presets' generator
    pkg-config                # finds libsodium
    qt6-base-dev              # Core, Network, Widgets, Test
    qt6-svg-dev               # the console's icons, and maps as drawings
    qtkeychain-qt6-dev        # passphrases in the desktop's keychain
    libtorrent-rasterbar-dev  # BitTorrent v2
    libsodium-dev             # signatures, sealed keys
    libssl-dev                # SHA-256 by the processor's instructions
    libsqlite3-dev            # the agent's state
    libcli11-dev              # command lines
    libexpected-dev           # tl::expected
    libminiupnpc-dev          # asks routers for ports by UPnP
)

# What makes the networks of tests/lab.
lab_packages=(
    iproute2                  # ip: interfaces, routes, namespaces; tc
    nftables                  # nft: NATs and firewalls
    miniupnpd-nftables        # a router that maps ports, by PCP, NAT-PMP and UPnP
)

# What tests/bench measures beside, and with.
bench_packages=(
    aria2                     # the peer of the transfers
    openssl                   # the peer of hashing
    iproute2                  # ip: bytes are counted on interfaces of the benchmark's own
)

# What the tests run besides what was built. ctest runs the benchmarks, too, with small sizes.
check_packages=(
    puppet-agent              # releases with method puppet are applied by the real one
    coturn                    # a foreign STUN server and its clients
    tinyproxy                 # the only way out of a network in tests/lab
    qbittorrent-nox           # a foreign client opens a release and fetches its payload
    gnome-keyring             # a real Secret Service keeps a passphrase
    dbus-daemon               # dbus-run-session: a session bus of its own
    dpkg-dev                  # dpkg-shlibdeps: what the packages that cpack makes depend on
    file                      # cpack asks it what is a program
    "${bench_packages[@]}"
    "${lab_packages[@]}"
)

# What ./check --long runs besides.
long_packages=(
    clang                     # fuzz targets
    libclang-rt-14-dev        # libFuzzer and the sanitizers of clang
)

step_pid=

say() { printf '%s\n' "$*" >&2; }

# stop MESSAGE [WHAT TO DO…]: ends with status 1.
stop() {
    say "error: $1"
    shift
    local line
    for line in "$@"; do say "  $line"; done
    exit 1
}

end_step() {
    [[ -n $step_pid ]] && kill -TERM -- "-$step_pid" 2>/dev/null
    say "interrupted"
    exit 130
}

# draw SECONDS TEXT: the line of the step that runs, on a terminal only.
draw() { [[ -t 2 ]] && printf '\r\033[K%5d s  %.70s' "$1" "$2" >&2; }

# progress_of LOG: "[12/340]" of ninja, if it is there.
progress_of() { tail -n 3 "$1" 2>/dev/null | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1; }

# step TITLE LOG HINT COMMAND…: runs it with its output in build/logs/LOG.log and one line on standard error. If it
# fails, shows the end of the log and HINT, and returns 1.
step() {
    local title=$1 log=$logs/$2.log hint=$3
    shift 3
    mkdir -p "$logs" || stop "cannot write to $logs" "Starling builds below its source directory; clone it where you may write."
    local begun=$SECONDS shown=$SECONDS status=0 done_part
    set -m # a process group of its own, so that all of it can be ended
    "$@" >"$log" 2>&1 </dev/null &
    step_pid=$!
    set +m
    [[ -t 2 ]] || say "        $title …"
    while kill -0 "$step_pid" 2>/dev/null; do
        sleep 0.3
        done_part=$(progress_of "$log")
        draw "$((SECONDS - begun))" "${done_part:+$done_part }$title"
        if [[ ! -t 2 && -n $done_part ]] && ((SECONDS - shown >= 60)); then
            printf '%5d s  %s %s\n' "$((SECONDS - begun))" "$title" "$done_part" >&2
            shown=$SECONDS
        fi
    done
    wait "$step_pid" || status=$?
    step_pid=
    [[ -t 2 ]] && printf '\r\033[K' >&2
    if ((status == 0)); then
        printf '%5d s  %s\n' "$((SECONDS - begun))" "$title" >&2
        return 0
    fi
    printf '%5d s  %s: failed (status %d)\n' "$((SECONDS - begun))" "$title" "$status" >&2
    tail -n 30 "$log" | cut -c 1-200 | sed 's/^/    | /' >&2
    say "  $hint"
    say "  The whole log: $log"
    return 1
}

# missing_of PACKAGE…: those that are not installed.
missing_of() {
    local installed package
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
    for package in "$@"; do
        grep -qx -- "$package installed" <<<"$installed" || printf '%s\n' "$package"
    done
}

# Puts the command prefix that makes us root into `as_root`, or stops and says what is wanted.
become_root() {
    as_root=()
    ((EUID == 0)) && return
    if ! command -v sudo >/dev/null; then
        stop "these packages are missing, and only root can install them (there is no sudo): $*" \
            "As root: apt-get install --no-install-recommends $*" "Then run this again."
    fi
    if ! sudo -n true 2>/dev/null; then
        # sudo asks on the terminal itself, not on standard input; without a terminal it cannot.
        { [[ -t 2 ]] && sudo -v; } || stop "sudo wants a password and could not ask for it" \
            "Install by hand: sudo apt-get install --no-install-recommends $*" "Then run this again."
    fi
    as_root=(sudo -n)
}

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
    apt update && apt install -y --no-install-recommends "$@" && return
    say "once more, in 5 s" # mirrors and networks have their moments
    sleep 5
    apt update && apt install -y --no-install-recommends "$@"
}

# need_packages PACKAGE…: installs those that are missing.
need_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "This is not a Debian system, so nothing was installed. Wanted, by the names of Debian 12: $*"
        return 0
    fi
    local missing
    mapfile -t missing < <(missing_of "$@")
    ((${#missing[@]} == 0)) && return 0
    become_root "${missing[@]}"
    step "Installing ${missing[*]}" packages \
        "apt-get could not install them. Is the network there, and does /etc/apt name a mirror of Debian 12 (bookworm)?" \
        install_packages "${missing[@]}" || exit 1
    # Only their programs are wanted; Puppet's service would look for a server, coturn's and tinyproxy's be one.
    local service
    for service in puppet-agent:puppet coturn:coturn tinyproxy:tinyproxy; do
        if [[ " ${missing[*]} " == *" ${service%:*} "* && -d /run/systemd/system ]]; then
            "${as_root[@]}" systemctl disable --now "${service#*:}.service" >/dev/null 2>&1 ||
                say "note: ${service#*:}.service may be running now"
        fi
    done
    return 0
}

# How many compilers fit: one per processor, and 1 GiB of memory for each.
job_count() {
    local jobs limit kib
    jobs=$(nproc)
    kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo 2>/dev/null)
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null)
    [[ $limit =~ ^[0-9]+$ ]] && ((${kib:-0} == 0 || limit / 1024 < kib)) && kib=$((limit / 1024))
    ((${kib:-0} > 0 && kib / 1048576 < jobs)) && jobs=$((kib / 1048576))
    echo "$((jobs < 1 ? 1 : jobs))"
}

# configure PRESET DIRECTORY [CMAKE OPTION…]
configure() {
    local preset=$1 directory=$2
    shift 2
    local options=("$@")
    command -v ccache >/dev/null && options+=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    step "Configuring ${directory##*/}" "configure-${directory##*/}" \
        "If the source was moved or a package was replaced, remove $directory and run this again." \
        cmake -S "$source_dir" --preset "$preset" -B "$directory" "${options[@]}" || exit 1
}

# build DIRECTORY [TARGET…]: all of it without targets.
build() {
    local directory=$1 jobs
    shift
    jobs=$(job_count)
    local targets=()
    (($# > 0)) && targets=(--target "$@")
    step "Building ${directory##*/} with $jobs job(s)" "build-${directory##*/}" \
        "If a compiler was killed, memory ran out: close something and run this again, it goes on where it stopped." \
        cmake --build "$directory" -j "$jobs" "${targets[@]}" || exit 1
}

trap end_step INT TERM

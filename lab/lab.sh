#!/usr/bin/env bash
# Real systemd hosts on this machine: containers that boot Debian, each with its own address.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=$(dirname "$here")/.lab
name=${LAB_NAME:-weather-lab}
read -ra debians <<<"${DEBIAN:-bookworm}"
read -ra more <<<"${LAB_PACKAGES:-}"
project=$(dirname "$here")
packages=(systemd systemd-sysv dbus python3 openssh-server sudo cron sqlite3 iproute2 ca-certificates procps)

image_of() { # RELEASE
    (IFS=-; echo "$(base_of "$1")${more[*]:+-${more[*]}}")
}

# What the hosts of a Debian release have in common. Named by what an earlier release is made from, if they have one.
base_of() { # RELEASE
    local locks=("$project"/requirements/{hosts,uv}.txt "$project/roles/weather/files/install.sh")
    echo "localhost/weather-lab:$1${LAB_EARLIER:+-earlier-$(cat "${locks[@]}" | sha256sum | head -c 12)}"
}

usage() {
    cat <<EOF
usage: lab/lab.sh up [HOSTS] | down | clean | list | gateway | image

  up [HOSTS]  make or start HOSTS (3) hosts, named $name-1 and so on; remove those above
  down        remove the hosts and their network
  clean       remove the hosts and networks of every lab, and the images
  list        the hosts and their addresses
  gateway     the address at which the hosts reach this machine
  image       make the image that hosts boot from

LAB_NAME names the lab, DEBIAN the release (bookworm, trixie; of two, hosts have one in turn), LAB_PACKAGES what hosts
have besides. With LAB_EARLIER=yes they have a release of the service that does not run, whose packages are those of this
tree: a deployment takes them from there, and need not install them on every host.
EOF
}

die() {
    echo "lab: $*" >&2
    exit 1
}

# What podman needs differs by machine: crun and systemd's cgroups on an ordinary one; on one without a unified
# cgroup hierarchy only runc works, told by a file of ours.
prepare() {
    [ "$(id -u)" -eq 0 ] || die "the hosts run systemd as root: run this with sudo"
    mkdir -p "$state/compiled"
    # Also for who runs podman beside the lab.
    if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
        "$here/../tools/need.sh" podman openssh-client
        : >"$state/containers.conf"
    else
        "$here/../tools/need.sh" podman openssh-client runc iproute2 iptables nftables catatonit
        cmp --silent "$here/containers.conf" "$state/containers.conf" || cp "$here/containers.conf" "$state"
        export CONTAINERS_CONF=$state/containers.conf
    fi
}

hosts_of() {
    podman ps --all --filter "label=weather-lab${1:+=$1}" --format '{{.Names}}' | sort -V
}

make_images() {
    local release
    scratch=$(mktemp --directory)
    # In memory: on a disk much of the time goes to files that are removed at once.
    mount -t tmpfs lab "$scratch"
    trap 'umount --lazy "$scratch" && rmdir "$scratch"' EXIT
    for release in "${debians[@]}"; do make_image "$release"; done
}

# All hosts of a release have one base; what some have besides is a layer upon it.
make_image() { # RELEASE
    local plain=localhost/weather-lab:$1 base image
    base=$(base_of "$1")
    image=$(image_of "$1")
    podman image exists "$plain" || make_base "$1" "$plain"
    podman image exists "$base" || install_earlier "$plain" "$base"
    podman image exists "$image" || build "$image" "$base" "${more[@]}"
}

# As the role does it: the bundle that it builds, installed by what is in it, where nothing but python3 is needed.
install_earlier() { # FROM IMAGE
    local kind container
    echo "making the image $2, with an earlier release"
    kind=$(podman run --rm "$1" python3 -c \
        'import platform, sys; print("%d.%d-%s" % (*sys.version_info[:2], platform.machine()))')
    quietly ansible-playbook "$here/bundle.yml" -e "lab_kind=$kind" -e "lab_bundle=$scratch/bundle.tar" ||
        die "the bundle could not be built: mend what is said above, then try again"
    container=weather-lab-earlier-$$
    # shellcheck disable=SC2016 # it is the container's shell that knows
    if ! quietly podman run --name "$container" --volume "$scratch/bundle.tar:/bundle.tar:ro" "$1" sh -euc '
        mkdir -p /opt/weather/releases /var/tmp/bundle
        tar --extract --no-same-owner --directory /var/tmp/bundle --file /bundle.tar
        cd /var/tmp/bundle/*
        ./install.sh /opt/weather/releases/earlier "/opt/weather/packages/$(head -c 12 packages)-1"
        cd /
        rm -r /var/tmp/bundle' || ! quietly podman commit "$container" "$2"; then
        podman rm --force "$container" >/dev/null
        die "the bundle could not be installed: see above"
    fi
    podman rm "$container" >/dev/null
}

make_base() { # RELEASE IMAGE
    local registry=${LAB_BASE_IMAGE:-debian:$1-slim}
    if timeout 20 podman pull --quiet "$registry" >/dev/null 2>&1; then
        echo "making the image $2 from $registry"
        build "$2" "$registry" "${packages[@]}"
    else
        "$here/../tools/need.sh" mmdebstrap
        echo "making the image $2 from Debian's packages (no image registry answers)"
        bootstrap "$1" "$2"
    fi
}

build() { # IMAGE BASE PACKAGE…
    had podman build --pull=never --network host --tag "$1" --build-arg "BASE=$2" --build-arg "PACKAGES=${*:3}" "$here"
}

# Without documents, as the registry's image is: a quarter of what is stored, of which podman makes three copies. Packages
# that come later have none either.
bootstrap() { # RELEASE IMAGE
    local slim mask
    slim="mkdir -p \"\$1/etc/dpkg/dpkg.cfg.d\" &&
        printf 'path-exclude=/usr/share/%s/*\n' doc info locale man >\"\$1/etc/dpkg/dpkg.cfg.d/lab\""
    # Kernel modules are the machine's own: without this, trixie is `degraded`.
    mask="chroot \"\$1\" systemctl mask systemd-modules-load.service"
    # shellcheck disable=SC2016 # it is mmdebstrap's shell that knows
    TMPDIR=$scratch had mmdebstrap --variant=minbase --include="$(IFS=,; echo "${packages[*]}")" \
        --dpkgopt=force-unsafe-io --setup-hook="$slim" --customize-hook="$mask" \
        --customize-hook='cd "$1/usr/share" && rm -r doc/* info/* locale/* man/*' "$1" "$scratch/base.tar"
    podman import --quiet "$scratch/base.tar" "$2" >/dev/null
    rm "$scratch/base.tar"
}

# Run what needs Debian's packages.
had() { # COMMAND
    quietly "$@" || die "Debian's packages could not be had: mend what is said above, then try again"
}

# Of what fails the last lines are shown.
quietly() { # COMMAND
    "$@" >"$scratch/log" 2>&1 || { tail -n 5 "$scratch/log" >&2; return 1; }
}

# Its address is known from its number, and told by a label: the inventory has it from there.
make_host() { # HOST
    local gateway address
    gateway=$(gateway)
    address=${gateway%.*}.$((100 + ${1##*-}))
    # Privileged, for systemd mounts file systems for its sandboxes and these are what is to be tested.
    local python=/usr/lib/python3/dist-packages file=weather_lab_modules
    podman run --detach --name "$1" --hostname "$1" --network "$name" --ip "$address" \
        --label "weather-lab=$name" --label "weather-lab-address=$address" --label "weather-lab-gateway=$gateway" \
        --volume "$here/host/$file.py:$python/$file.py:ro" --volume "$here/host/$file.pth:$python/$file.pth:ro" \
        --volume "$state/compiled:/root/.ansible/compiled" \
        --volume "$state/ssh_key.pub:/root/.ssh/authorized_keys:ro" --systemd=always --privileged \
        "$(image_of "${debians[$(((${1##*-} - 1) % ${#debians[@]}))]}")" /lib/systemd/systemd >/dev/null
}

up() {
    local wanted=${1:-3} host number
    [[ $wanted =~ ^[1-9][0-9]?$|^100$ ]] || die "HOSTS=$wanted: give a number from 1 to 100"
    ( # one lab at a time: they share images, the key and the range of addresses
        flock 9
        make_images
        [ -f "$state/ssh_key" ] || ssh-keygen -q -t ed25519 -N "" -C lab -f "$state/ssh_key"
        podman network exists "$name" || podman network create "$name" >/dev/null
    ) 9>"$state/lock"
    for host in $(hosts_of "$name"); do
        number=${host##*-}
        [ "$number" -le "$wanted" ] || podman rm --force --time 0 --volumes "$host" >/dev/null
    done
    for number in $(seq "$wanted"); do
        start "$name-$number" &
    done
    wait_for_all
    echo "$wanted hosts are up: lab/lab.sh list"
}

start() {
    case $(podman container inspect --format '{{.State.Status}}' "$1" 2>/dev/null || true) in
        running) return ;;
        "") echo "making $1" && make_host "$1" ;;
        *) echo "starting $1" && podman start "$1" >/dev/null ;;
    esac
    wait_until_booted "$1"
    # Hosts reach one another and this machine, but not the internet: nothing that is deployed may need it.
    podman exec "$1" ip route delete default
    # As on a booted machine; systemd leaves it to who made the container. Without it units get no credentials.
    podman exec "$1" mount --make-rshared /
}

wait_for_all() {
    local job failed=0
    for job in $(jobs -p); do
        wait "$job" || failed=1
    done
    [ "$failed" -eq 0 ] || die "not every host came up: see above; lab/lab.sh down takes them away"
}

wait_until_booted() {
    local answer="" deadline=$((SECONDS + 120))
    while [ $SECONDS -lt $deadline ]; do
        # Before its bus is there the host cannot say how it is.
        answer=$(timeout 60 podman exec "$1" systemctl is-system-running --wait 2>/dev/null || true)
        case $answer in
            running) return ;;
            degraded)
                echo "$1 is up, but these units failed:" "$(podman exec "$1" systemctl --failed --plain --no-legend)" >&2
                return
                ;;
        esac
        sleep 0.5
    done
    die "$1 did not boot (${answer:-no answer}): podman logs $1"
}

down() {
    remove "$name"
}

# Remove the hosts of one lab, or of all, with their networks. They get no time to shut down: podman fails for one that
# ends by itself just when its time is over.
remove() {
    local hosts networks
    mapfile -t hosts < <(hosts_of "$1")
    [ ${#hosts[@]} -eq 0 ] || podman rm --force --time 0 --volumes "${hosts[@]}" >/dev/null
    mapfile -t networks < <(podman network ls --format '{{.Name}}' | grep -x "${1:-weather-.*}" || true)
    [ ${#networks[@]} -eq 0 ] || podman network rm --force "${networks[@]}" >/dev/null
}

clean() {
    local images
    remove ""
    mapfile -t images < <(podman images --format '{{.Repository}}:{{.Tag}}' | grep '^localhost/weather-lab:' || true)
    [ ${#images[@]} -eq 0 ] || podman rmi --force "${images[@]}" >/dev/null
    rm -rf "$state"
}

list() {
    local host
    for host in $(hosts_of "$name"); do
        podman container inspect --format \
            "{{.Name}} {{(index .NetworkSettings.Networks \"$name\").IPAddress}} {{.State.Status}}" "$host"
    done
}

gateway() {
    podman network inspect --format '{{(index .Subnets 0).Gateway}}' "$name"
}

case ${1:-} in
    down | clean)
        command -v podman >/dev/null || exit 0
        prepare
        "$1"
        ;;
    up)
        prepare
        up "${2:-}"
        ;;
    image)
        prepare
        make_images
        ;;
    list | gateway)
        prepare
        "$1"
        ;;
    *)
        usage >&2
        exit 2
        ;;
esac

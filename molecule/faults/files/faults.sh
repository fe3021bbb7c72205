#!/usr/bin/env bash
# What the fault matrix calls: sourced before each of its commands.
# shellcheck disable=SC2034,SC2012
db=/var/lib/weather/data/weather_stream.db
env=/etc/weather/weather.env
backups=/var/backups/weather
reports=/var/log/weather/reports
units=/etc/systemd/system
release=$(readlink /opt/weather/current)
[ -d "$release" ] || release=$(ls -td /opt/weather/releases/*/ | head -n 1)
site=$(echo "$release"/lib/python3*/site-packages)
held=/run/faults.pid

pid() { systemctl show --property MainPID --value "$1"; }

set_to() { # NAME VALUE
    sed -i "/^$1=/d" "$env"
    echo "$1=\"$2\"" >>"$env"
    systemctl restart weather-collector || true
}

# Of the feed itself, not of the settings: they are taken as deployed so.
feed_at() { # ADDRESS
    set_to WEATHER_FEED_URL "$1"
    as_deployed "$env"
}

feed_is() { feed_at "http://127.0.0.1:8090/$1"; }

as_deployed() { cp -a "$1" "/opt/weather/as-deployed$1"; }

masked() {
    mv "$units/$1" "/tmp/$1"
    ln -s /dev/null "$units/$1"
    systemctl daemon-reload
    systemctl stop "$1"
}

unmasked() {
    mv -f "/tmp/$1" "$units/$1"
    systemctl daemon-reload
}

drop_in() { # UNIT LINE...
    mkdir -p "$units/$1.service.d"
    { echo "[Service]" && printf '%s\n' "${@:2}"; } >"$units/$1.service.d/fault.conf"
    systemctl daemon-reload
    systemctl restart "$1" || true
}

in_unit() { # UNIT PATTERN LINE: in its own file
    sed -i "s|$2|$3|" "$units/$1.service"
    systemctl daemon-reload
    systemctl restart --no-block "$1" || true
}

other_unit() { # NAME
    printf '[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n' >"$units/$1.service"
    systemctl daemon-reload
    systemctl enable --now "$1"
}

timer_drop_in() { # UNIT CALENDAR
    mkdir -p "$units/$1.timer.d"
    printf '[Timer]\nOnCalendar=\nOnCalendar=%s\n' "$2" >"$units/$1.timer.d/fault.conf"
    systemctl daemon-reload
    systemctl restart "$1.timer"
}

in_background() { # COMMAND...: runs until let_go
    setsid "$@" >/dev/null 2>&1 </dev/null &
    echo $! >>"$held"
}

let_go() {
    [ ! -f "$held" ] || xargs kill <"$held" 2>/dev/null || true
    rm -f "$held"
}

as_weather() { setpriv --reuid weather --regid weather --init-groups "$@"; }

# Files that it makes are the service user's, as the service's own are.
sql() { as_weather sqlite3 "$db" ".timeout 20000" "$@" >/dev/null; }

python() { "$release/bin/python" "$@"; }

hold_lock() {
    in_background setpriv --reuid weather --regid weather --init-groups python3 -c "
import sqlite3, time
connection = sqlite3.connect('$db', isolation_level=None, timeout=30)
connection.execute('BEGIN IMMEDIATE')
time.sleep(600)"
    sleep 1
}

grow_log() {
    in_background setpriv --reuid weather --regid weather --init-groups python3 -c "
import sqlite3, time
connection = sqlite3.connect('$db', isolation_level=None)
connection.execute('BEGIN')
connection.execute('SELECT COUNT(*) FROM stations').fetchone()
time.sleep(600)"
    sleep 1
    sql "CREATE TABLE junk AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 90) SELECT i, randomblob(1000000) FROM n" "DROP TABLE junk"
}

corrupt_page() {
    systemctl stop weather-collector # or it would write the page anew, from its memory
    sql "PRAGMA wal_checkpoint(TRUNCATE)"
    page=$(as_weather sqlite3 "$db" "SELECT rootpage FROM sqlite_schema WHERE name = 'observation'")
    dd if=/dev/urandom of="$db" bs=4096 seek=$((page - 1)) count=1 conv=notrunc status=none
    systemctl start weather-collector || true
}

# As the release before the last step of the schema left it.
older_schema() {
    sql "DROP TABLE station_places; DROP TABLE station_sensors; ALTER TABLE stations DROP COLUMN wigos_id;
        PRAGMA user_version = 12"
}

read_only() {
    systemctl stop weather-collector weather-exporter weather-api # or the mount would be busy
    mount -o remount,ro "$1"
    systemctl start --no-block weather-collector weather-exporter weather-api
}

fill() { dd if=/dev/zero of="$1/junk" bs=1M status=none 2>/dev/null || true; }

many() { mkdir "$1/many" && (cd "$1/many" && for number in $(seq 100000); do : >"$number" || break; done 2>/dev/null); }

silent_stations() {
    for number in $(seq 20); do
        sql "INSERT INTO stations (station_id, first_seen, last_seen)
            VALUES ('silent$number', datetime('now'), datetime('now'));
            INSERT INTO observations (time, station_id, temp_out, collected_at)
            VALUES (datetime('now', '-1 day'), 'silent$number', 1.5, datetime('now', '-1 day'))"
    done
}

forget() { # PATTERN: the stations whose ids are like it
    sql "DELETE FROM observation WHERE station IN (SELECT number FROM stations WHERE station_id LIKE '$1');
        DELETE FROM stations WHERE station_id LIKE '$1';
        DELETE FROM newest WHERE station NOT IN (SELECT number FROM stations)"
}

no_silent_stations() { forget 'silent%'; }

no_bad_feed() {
    cp -p /run/weather.env.before "$env" && as_deployed "$env" && systemctl restart weather-collector weather-exporter weather-api
    forget 'fault%'
}

future_row() {
    sql "INSERT INTO observations (time, station_id, temp_out, collected_at)
        SELECT datetime('now', '+1 day'), station_id, 1.5, datetime('now') FROM stations LIMIT 1"
}

no_future_row() {
    sql "DELETE FROM observation WHERE time > datetime('now', '+1 hour');
        UPDATE newest SET time = (SELECT MAX(time) FROM observation WHERE station = newest.station)
        WHERE time > datetime('now', '+1 hour')"
}

newest_backup() { ls -t "$backups"/weather_*.zst | head -n 1; }

corrupt_backup() {
    file=$(newest_backup)
    printf 'xxxx' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") / 2)) conv=notrunc status=none
}

backups_of_long_ago() {
    python - <<EOF
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from toolkit.backup import manifest
from toolkit.times import iso, now
for path in Path("$backups").glob("weather_*.zst.json"):
    made = manifest.read(path)
    path.write_text(replace(made, created_at=iso(now() - timedelta(days=3))).as_text())
EOF
}

failed_drill() {
    file=$(newest_backup)
    cp "$file" /tmp/whole
    corrupt_backup
    weather-tool restore --drill >/dev/null 2>&1 || true
    cat /tmp/whole >"$file"
}

take_port() { # JOB PORT
    systemctl stop "weather-$1"
    in_background python3 -m http.server --bind 127.0.0.1 "$2"
    sleep 1
    systemctl start "weather-$1" >/dev/null 2>&1 || true
}

# As setfacl does, which is not on every host: the service user gets nothing, owner and group keep what they have.
deny() { # FOLDER
    python -c "
import os, pwd, struct
entries = ((0x01, 7, -1), (0x02, 0, pwd.getpwnam('weather').pw_uid), (0x04, 5, -1), (0x10, 5, -1), (0x20, 0, -1))
listed = b''.join(struct.pack('<HHI', tag, may, who & 0xFFFFFFFF) for tag, may, who in entries)
os.setxattr('$1', 'system.posix_acl_access', struct.pack('<I', 2) + listed)"
}

allow() { python -c "import os; os.removexattr('$1', 'system.posix_acl_access')"; } # FOLDER

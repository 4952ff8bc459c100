# Sourced by ./spigot: makes the caches of loaded and linked classes (JEP 483, JEP 514) that halve the start of the command line, a server and
# a mount. Uses what the caller has set: aot, class_path, common, here, image. One process trains, others go on without meanwhile.

train() {
  mkdir -p "$aot" || return 0
  exec 8> "$image/.training-lock"
  if ! flock -n 8 || [ -f "$aot/trained" ]; then
    exec 8>&-
    return 0
  fi
  echo "spigot: preparing a fast start (once, some seconds)" >&2
  rm -f "$aot"/*
  local work
  work=$(mktemp -d "${TMPDIR:-/tmp}/spigot-training.XXXXXX") || return 0
  (train_all "$work") 8>&- > "$work/log" 2>&1 < /dev/null &
  trap "kill $! 2> /dev/null; wait; rm -rf '$work'; exit 143" TERM INT HUP
  wait $!
  trap - TERM INT HUP
  cp -f "$work/log" "$aot/training.log"
  rm -rf "$work"
  # Made also when something is missing: a mount can't be trained where it is not permitted, and it starts without.
  touch "$aot/trained"
  exec 8>&-
}

# become_java ROLE OPTION... CLASS WORD...: for a subshell, so that its process is the JVM itself, or what 'starter' names.
become_java() {
  local role=$1
  shift
  # shellcheck disable=SC2086
  exec ${starter:-} "$JAVA_HOME/bin/java" $common $(flags_of "$role") "-Dspigot.launcher=$here/spigot" -cp "$class_path" "$@"
}

spigot_in_training() {
  (become_java cli spigot.cli.Main "$@")
}

# ended PID: waits for its end, for up to two minutes: the cache is written then. A zombie, which not every container collects, has ended.
ended() {
  local i
  for i in $(seq 1 1200); do
    grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" || return 0
    sleep 0.1
  done
  kill -KILL "$1" 2> /dev/null
}

train_all() {
  local work=$1 server token i daemon
  export SPIGOT_HOME=$work/home
  mkdir -p "$work/source/sub" "$work/mnt"
  # Large enough for profiles of what encrypts, checks and caches: the first reads of a mount are twice as fast with them.
  head -c 200000000 /dev/zero | tr '\0' 'x' > "$work/source/file"
  echo small > "$work/source/sub/small"
  ln -s file "$work/source/link"

  become_java server -XX:AOTCacheOutput="$aot/server.aot" spigot.cli.Main \
    server --data "$work/server" --listen 127.0.0.1:0 --http 127.0.0.1:0 --publish "$work/source=/data" > "$work/server.out" &
  server=$!
  trap 'kill -KILL $server 2> /dev/null; umount -l "$work/mnt" 2> /dev/null; exit 143' TERM INT HUP
  for i in $(seq 1 600); do
    grep -q '^ready ' "$work/server.out" && break
    kill -0 $server 2> /dev/null || break
    sleep 0.1
  done
  token=$(spigot_in_training token create --role node --data "$work/server")
  if [ -n "$token" ]; then
    (starter=$here/.ci/in-background become_java mount -Dspigot.background=true -XX:AOTCacheOutput="$aot/mount.aot" spigot.cli.Main \
      mount "$(sed -n 's/^ready //p' "$work/server.out")" "$work/mnt" --token "$token")
    if grep -q " $work/mnt " /proc/self/mountinfo; then
      timeout 20 sh -c "cd '$work/mnt/data' && ls -lR . && cat file link sub/small && dd if=file bs=4096 skip=100 count=3" > /dev/null
      for i in stats status info; do
        spigot_in_training $i "$work/mnt" --json > /dev/null
      done
      daemon=$(spigot_in_training status "$work/mnt" --json | sed -n 's/.*"pid" : \([0-9]*\).*/\1/p' | head -n 1)
      umount "$work/mnt" 2> /dev/null || fusermount3 -u "$work/mnt"
      ended "$daemon"
    fi
  fi
  # Every verb that ends by itself.
  (become_java cli -XX:AOTCacheOutput="$aot/cli.aot" spigot.cli.Training "$work/server") > /dev/null
  kill -TERM $server 2> /dev/null
  ended $server
  wait
}

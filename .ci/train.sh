# Sourced by ./spigot: makes the caches of loaded and linked classes (JEP 483, JEP 514) that halve the start of the command line, a server and
# a mount. Uses what the caller has set: aot, lib, class_path, common, here, dist. One process trains, others go on without meanwhile.

train() {
  mkdir -p "$aot" || return 0
  exec 8> "$dist/.aot-lock"
  if ! flock -n 8 || aot_fresh; then
    exec 8>&-
    return 0
  fi
  echo "spigot: preparing a fast start (once, some seconds)" >&2
  rm -f "$aot"/*
  local work
  work=$(mktemp -d "${TMPDIR:-/tmp}/spigot-training.XXXXXX") || return 0
  (train_all "$work") 8>&- > "$work/log" 2>&1 < /dev/null
  cp -f "$work/log" "$aot/training.log"
  rm -rf "$work"
  # Made also when something is missing: a mount can't be trained where it is not permitted, and it starts without.
  touch "$aot/trained"
  exec 8>&-
}

java_with() { # ROLE OPTION... WORD...: one run of the program that is not itself trained
  local role=$1
  shift
  # shellcheck disable=SC2086
  "$JAVA_HOME/bin/java" $common $(flags_of "$role") "-Dspigot.launcher=$here/spigot" "-Dspigot.aot=$aot" "$@"
}

train_all() {
  local work=$1 server token i
  export SPIGOT_HOME=$work/home SPIGOT_NO_AOT=1
  mkdir -p "$work/source/sub" "$work/mnt"
  head -c 3000000 /dev/zero | tr '\0' 'x' > "$work/source/file"
  echo small > "$work/source/sub/small"
  ln -s file "$work/source/link"

  java_with server -XX:AOTCacheOutput="$aot/server.aot" -cp "$class_path" spigot.cli.Main \
    server --data "$work/server" --listen 127.0.0.1:0 --http 127.0.0.1:0 --publish "$work/source=/data" > "$work/server.out" &
  server=$!
  for i in $(seq 1 300); do
    grep -q '^ready ' "$work/server.out" && break
    kill -0 $server 2> /dev/null || break
    sleep 0.1
  done
  token=$(java_with cli -cp "$class_path" spigot.cli.Main token create --role node --data "$work/server")
  if [ -n "$token" ]; then
    SPIGOT_MOUNT_JAVA_OPTIONS="-XX:AOTCacheOutput=$aot/mount.aot" java_with cli -cp "$class_path" spigot.cli.Main \
      mount "$(sed -n 's/^ready //p' "$work/server.out")" "$work/mnt" --token "$token"
    if grep -q " $work/mnt " /proc/self/mountinfo; then
      timeout 20 sh -c "ls -lR '$work/mnt'; cat '$work/mnt/data/file' '$work/mnt/data/sub/small'; dd if='$work/mnt/data/file' bs=4096 skip=100 count=3 of=/dev/null"
      for verb in stats status info; do
        java_with cli -cp "$class_path" spigot.cli.Main $verb "$work/mnt" --json
      done
      java_with cli -cp "$class_path" spigot.cli.Main umount "$work/mnt"
    fi
  fi
  # Every verb that ends by itself; the cache is written when the process ends.
  java_with cli -XX:AOTCacheOutput="$aot/cli.aot" -cp "$class_path" spigot.cli.Training "$work/server"
  kill -TERM $server 2> /dev/null
  for i in $(seq 1 300); do
    kill -0 $server 2> /dev/null || break
    sleep 0.1
  done
  kill -KILL $server 2> /dev/null
  wait
}

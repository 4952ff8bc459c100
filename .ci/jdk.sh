# Sourced by ./spigot and ./verify: finds a JDK of at least version 25 and sets JAVA_HOME, or says in one line what is missing.

# jdk_version DIR: sets 'version' to the feature release in DIR, and 'release' to its full version; fails when there is none.
jdk_version() {
  version= release=
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  local key value
  while IFS='=' read -r key value; do
    value=${value//\"/}
    case $key in
      JAVA_VERSION) version=${value%%[!0-9]*} ;;
      JAVA_RUNTIME_VERSION) release=$value ;;
    esac
  done < "$1/release"
  [ -n "$version" ]
}

# find_jdk PROGRAM: PROGRAM is what must be in its bin directory, java or javac.
find_jdk() {
  local directory seen= on_path
  on_path=$(command -v java 2>/dev/null) && on_path=$(readlink -f "$on_path") && on_path=${on_path%/bin/java}
  for directory in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/*jdk* /opt/*java* /opt/java/* \
    /usr/local/*jdk* "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* "${on_path:-/nonexistent}"; do
    if jdk_version "$directory"; then
      if [ "$version" -ge 25 ] && [ -x "$directory/bin/$1" ]; then
        export JAVA_HOME=$directory
        return 0
      fi
      seen=" (found only version $version in $directory)"
    fi
  done
  echo "${0##*/}: JDK 25 or newer is missing$seen: install one (Debian: apt install openjdk-25-jdk, or Temurin from adoptium.net) or set JAVA_HOME" >&2
  return 1
}

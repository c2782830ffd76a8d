#!/bin/sh
# The device is healthy if the program that was installed runs from where it was put, and is of this very release.
set -eu
current="$STARLING_ROOT/opt/starling/current"
test "$(cat "$current/RELEASE")" = "$STARLING_VERSION"
"$current/bin/starling" version

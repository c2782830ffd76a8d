#!/bin/sh
# Puts this payload in place below the device root. Can be repeated at any point: a version is copied beside the others, and
# one rename of a link makes it the current one, so that a power loss leaves the old version or the new one.
set -eu
target="$STARLING_ROOT/opt/starling"
version="$STARLING_EPOCH-$STARLING_VERSION"
mkdir -p "$target/releases"
rm -rf "$target/releases/$version.partial"
mkdir "$target/releases/$version.partial"
cp -R --reflink=auto "$STARLING_PAYLOAD/." "$target/releases/$version.partial/"
chmod +x "$target/releases/$version.partial/bin/starling"
rm -rf "$target/releases/$version"
mv "$target/releases/$version.partial" "$target/releases/$version"
ln -sfn "releases/$version" "$target/current.new"
mv -T "$target/current.new" "$target/current"
echo "installed $version"

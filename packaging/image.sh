#!/bin/sh
# Builds an OCI image layout, dist/image, from Debian's packages and bin/licet, without Docker. The same sources give the same bytes, as long as Debian's
# packages are the same: SOURCE_DATE_EPOCH is the time of all files.
set -eu
suite=${SUITE:-bookworm}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH="$epoch"
mkdir -p dist
base="dist/base-$suite.tar"
# What a server and functions need; documentation and caches stay behind. Of time and chance there is nothing in it.
if [ ! -f "$base" ]; then
	mmdebstrap --variant=essential --include=ca-certificates,crun,python3-minimal,python3,nodejs,tzdata \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "dist/new-$suite.tar"
	mv "dist/new-$suite.tar" "$base"
fi
go run ./tools/ocilayout -base "$base" -binary bin/licet -time "$epoch" -ref licet dist/image

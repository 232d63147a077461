#!/bin/sh
# Runs the tests of packages on arm64, as root, in a virtual machine that qemu emulates, with Debian's kernel and programs; root makes it.
#   scripts/arm64.sh internal/sandbox/native internal/sandbox/linux
# TESTFLAGS are for the tests, such as "-test.v -test.run 'TestFilter|TestInit'"; SUITE=trixie KERNEL=linux-image-arm64-16k has pages of 16 KiB.
# All is in dist/arm64: remove it for newer packages.
set -eu
suite=${SUITE:-bookworm}
kernel=${KERNEL:-linux-image-cloud-arm64}
dir=dist/arm64
base=$dir/$suite-$kernel
own=$dir/own
if [ ! -d "$base" ]; then
	rm -rf "$base.new"
	mkdir -p "$dir"
	# Extracted, not installed: no program of another machine runs here.
	mmdebstrap --quiet --variant=extract --architectures=arm64 \
		--include="$kernel,base-files,bash,ca-certificates,coreutils,dash,grep,iproute2,kmod,libc-bin,mount,openssl,python3,util-linux" \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
		"$suite" "$base.new"
	mv "$base.new" "$base"
fi

rm -rf "$own"
for package in "$@"; do
	mkdir -p "$own/tests/$package"
	GOARCH=arm64 CGO_ENABLED=0 go test -c -o "$own/tests/$package/run" "./$package"
	[ ! -d "$package/testdata" ] || cp -R "$package/testdata" "$own/tests/$package"
done
# The root of an initramfs cannot be exchanged (pivot_root(2)), but a mount of it on top can.
cat > "$own/init" << 'EOF'
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /proc /sys /mnt
mount --bind / /mnt && cd /mnt && mount --move /mnt / && exec chroot . /bin/sh /begin
EOF
chmod 755 "$own/init"
cat > "$own/begin" << EOF
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
ln -s /proc/self/fd /dev/fd
ip link set lo up
insmod /lib/modules/*/kernel/fs/overlayfs/overlay.ko*
cat /usr/share/ca-certificates/mozilla/*.crt > /etc/ssl/certs/ca-certificates.crt
uname -srm && getconf PAGE_SIZE
result=passed
for package in $*; do
	echo "== \$package"
	cd "/tests/\$package" && ./run -test.timeout 60m ${TESTFLAGS:-} || result=failed
done
echo "== \$result"
echo o > /proc/sysrq-trigger
sleep 60
EOF
# An initramfs is one archive after another.
archive() { (cd "$1" && find . -path ./boot -prune -o ! \( -name '*.ko*' ! -name 'overlay.ko*' \) -print0 | cpio --null --quiet -o -H newc); }
{ archive "$base"; archive "$own"; } > "$dir/initramfs"
nice -n 10 qemu-system-aarch64 -machine virt -cpu max,pauth-impdef=on -m 2048 -nographic -no-reboot -nic none -kernel "$base"/boot/vmlinuz-* \
	-initrd "$dir/initramfs" -append 'console=ttyAMA0 quiet panic=-1' < /dev/null | tee "$dir/log"
grep -q '^== passed' "$dir/log"

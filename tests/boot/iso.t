#!/usr/bin/env bash
# The disc boots through GRUB, by BIOS and by UEFI: the console comes, and powers off.
# The menu's entry of a lab starts the lab.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset CPUS MEM APPEND RUN SCRIPT TRACE ICOUNT SEED QEMU_CPU
image=${RELEASE_IMAGE:-${DEBUG_IMAGE:-build/quire.elf}}
ovmf=/usr/share/ovmf/OVMF.fd
mkdir -p build/test
if ! { command -v grub-mkrescue && command -v xorriso && command -v mformat; } >/dev/null; then
	echo '1..0 # SKIP without grub-mkrescue, xorriso and mtools'
	exit 0
fi

echo 1..3
tests/tools/iso "$image" build/test/quire.iso || exit 1
export CDROM=build/test/quire.iso TIMEOUT=60 QUIET=1 MEM=256M

wait_for() { # wait_for PATTERN: in the console's log, for a minute at most
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		grep -qs "$1" "$LOG" && return
		sleep 0.1
	done
}

# The menu's first entry, then lines at the prompt.
console() {
	wait_for 'quire: console'
	printf '\r'
	wait_for '^quire> '
	printf 'meminfo\npoweroff 9\n'
	sleep 5
}

# The fourth entry: it runs the lab, which waits for a number; Ctrl-D ends it.
lab() {
	local key
	wait_for 'quire: lab mem-virtual-objects'
	for key in down down down enter; do
		case $key in down) printf '\016' ;; enter) printf '\r' ;; esac
		sleep 0.3
	done
	wait_for '^vir obj id> '
	printf '4\n'
	wait_for '^x = '
	printf '\004'
	wait_for '^quire> $'
	printf 'poweroff 9\n'
	sleep 5
}

boots() { # boots NUMBER NAME WHO: WHO types
	export LOG=build/test/iso-$2.log
	rm -f "$LOG"
	$3 | tests/tools/boot run >/dev/null 2>&1
	if [ "${PIPESTATUS[1]}" = 9 ]; then
		echo "ok $1 - by $2"
	else
		echo "not ok $1 - by $2"
		tail -n 20 "$LOG" | tr -d '\033' | sed 's/^/# /'
	fi
}

boots 1 bios console
if [ -e $ovmf ]; then
	BIOS=$ovmf boots 2 uefi console
else
	echo "ok 2 - by uefi # SKIP without $ovmf"
fi
boots 3 lab lab

#!/usr/bin/env bash
# The disc boots through GRUB, by BIOS and by UEFI: the console comes, and powers off.
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

echo 1..2
tests/tools/iso "$image" build/test/quire.iso || exit 1
export CDROM=build/test/quire.iso TIMEOUT=60 QUIET=1 MEM=256M

wait_for() { # wait_for PATTERN: in the console's log, for a minute at most
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		grep -qs "$1" "$LOG" && return
		sleep 0.1
	done
}

boots() { # boots NUMBER NAME: takes the menu's first entry, then types at the prompt
	export LOG=build/test/iso-$2.log
	rm -f "$LOG"
	{
		wait_for 'quire: console'
		printf '\r'
		wait_for '^quire> '
		printf 'meminfo\npoweroff 9\n'
		sleep 5
	} | tests/tools/boot run >/dev/null 2>&1
	if [ "${PIPESTATUS[1]}" = 9 ]; then
		echo "ok $1 - by $2"
	else
		echo "not ok $1 - by $2"
		tail -n 20 "$LOG" | tr -d '\033' | sed 's/^/# /'
	fi
}

boots 1 bios
if [ -e $ovmf ]; then
	BIOS=$ovmf boots 2 uefi
else
	echo "ok 2 - by uefi # SKIP without $ovmf"
fi

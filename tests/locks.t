#!/usr/bin/env bash
# The analysis of locks (make analyze) can fail: each of these is wrong in one way, and is told.
set -u
cd "$(dirname "$0")/.." || exit 1
clang=${CLANG:-clang-19}
command -v "$clang" >/dev/null || { echo "1..0 # SKIP $clang is missing"; exit 0; }

number=0
failed=0
# expect NAME WARNING: the function body on standard input; no WARNING: it is right.
expect() {
	local said body
	body=$(cat)
	said=$("$clang" --target=x86_64-linux-gnu -std=gnu11 -I. -ffreestanding -fsyntax-only \
		-Wno-unknown-attributes -Wthread-safety -fexperimental-late-parse-attributes \
		-x c - 2>&1 <<-SOURCE
		#include "kernel/sched/mutex.h"
		struct account {
			long balance GUARDED_BY(lock);
			struct spinlock lock;
			struct mutex mutex;
			long limit GUARDED_BY(mutex);
		};
		void work(struct account *account, struct account *other);
		static void pay_locked(struct account *account) REQUIRES(account->lock);
		static void pay_locked(struct account *account)
		{
			account->balance--;
		}
		void work(struct account *account, struct account *other)
		{
			(void)other, (void)pay_locked;
			$body
		}
		SOURCE
	)
	number=$((number + 1))
	if { [ -z "$2" ] && [ -z "$said" ]; } || { [ -n "$2" ] && [[ $said == *"$2"* ]]; }; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		printf 'expected: %s\nobserved: %s\n' "${2:-nothing}" "$said" | sed 's/^/# /'
		failed=1
	fi
}

echo 1..8
expect 'what is right is accepted' '' <<-'BODY'
	uint64_t flags = spin_lock_irq(&account->lock);
	pay_locked(account);
	spin_unlock_irq(&account->lock, flags);
	mutex_lock(&account->mutex);
	account->limit = 0;
	mutex_unlock(&account->mutex);
BODY
expect 'an unlock is missing' "spinlock 'account->lock' is still held" <<-'BODY'
	spin_lock(&account->lock);
	pay_locked(account);
BODY
expect 'an unlock is missing on one way out' 'is not held on every path' <<-'BODY'
	mutex_lock(&account->mutex);
	if (account->limit)
		mutex_unlock(&account->mutex);
BODY
expect 'a guarded field without its spinlock' "variable 'balance' requires holding" <<-'BODY'
	account->balance++;
BODY
expect 'a guarded field without its mutex' "variable 'limit' requires holding" <<-'BODY'
	account->limit++;
BODY
expect 'a locked function without the lock' "calling function 'pay_locked' requires" <<-'BODY'
	spin_lock(&other->lock);
	pay_locked(account);
	spin_unlock(&other->lock);
BODY
expect 'one lock twice' "acquiring spinlock 'account->lock' that is already held" <<-'BODY'
	spin_lock(&account->lock);
	spin_lock(&account->lock);
	spin_unlock(&account->lock);
BODY
expect 'the other lock is released' "releasing spinlock 'other->lock' that was not held" <<-'BODY'
	spin_lock(&account->lock);
	spin_unlock(&other->lock);
BODY
exit $failed

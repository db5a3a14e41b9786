/*
 * copy_bytes.S: int copy_bytes(void *to, const void *from, size_t size_bytes)
 *
 * As memmove; 0, or -14 (-EFAULT) if an access faulted for good: then the fault
 * handler, which finds rip between copy_bytes and copy_bytes_end, continues at
 * copy_bytes_fault with rsp as it was at the call. Nothing is pushed here.
 */

	.text
	.globl copy_bytes, copy_bytes_end, copy_bytes_fault
	.type copy_bytes, @function
copy_bytes:
	movq %rdi, %rax
	subq %rsi, %rax
	cmpq %rdx, %rax		/* unsigned: to is inside [from, from + size) */
	jb 1f
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	xorl %eax, %eax
	ret
1:	/* Backwards, bytes at the end first, then words. */
	std
	leaq -1(%rdi, %rdx), %rdi
	leaq -1(%rsi, %rdx), %rsi
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	subq $7, %rdi
	subq $7, %rsi
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	cld
	xorl %eax, %eax
	ret
copy_bytes_end:
copy_bytes_fault:
	cld
	movl $-14, %eax
	ret
	.size copy_bytes, . - copy_bytes

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT */
/*
 * compat.S - system calls of 32-bit programs, made by the runtime in 64-bit mode.
 *
 * Calls no other file. signals.c tells by the address where the runtime was interrupted
 *   sb_block32_asked .. sb_block32_done  the final call has not been made, as in arch.S
 */
#include "layout.h"

#define CS32 0x23
#define SS32 0x2b

	.text

	/* long sb_block32(long nr, const long args[6]): as sb_block, for the
	 * call of a 32-bit program */
	.globl sb_block32
	.globl sb_block32_asked
	.globl sb_block32_done
	.globl sb_block32_refused
sb_block32:
	push	%rbx
	push	%rbp
	cmpl	$0, SB_GS(SB_T_PENDING)
sb_block32_asked:
	jne	sb_block32_refused
	mov	%rdi, %rax
	mov	%rsi, %r11
	mov	0(%r11), %ebx
	mov	8(%r11), %ecx
	mov	16(%r11), %edx
	mov	24(%r11), %esi
	mov	32(%r11), %edi
	mov	40(%r11), %ebp
	int	$0x80
sb_block32_done:
	movl	$1, SB_GS(SB_T_COMMIT)
	pop	%rbp
	pop	%rbx
	ret
sb_block32_refused:
	mov	$-512, %rax
	pop	%rbp
	pop	%rbx
	ret

	/* long sb_syscall32(long nr, const long args[6]): the runtime's own call */
	.globl sb_syscall32
sb_syscall32:
	push	%rbx
	push	%rbp
	mov	%rdi, %rax
	mov	%rsi, %r11
	mov	0(%r11), %ebx
	mov	8(%r11), %ecx
	mov	16(%r11), %edx
	mov	24(%r11), %esi
	mov	32(%r11), %edi
	mov	40(%r11), %ebp
	int	$0x80
	pop	%rbp
	pop	%rbx
	ret

	/* long sb_clone32(flags, stack, ptid, ctid, tls, child): a child with a
	 * block goes on where the word at the top of the block's stack says, with the block
	 * in rdi; stack is then the program's, not 0 */
	.globl sb_clone32
sb_clone32:
	push	%rbx
	push	%rbp
	push	%r12
	mov	%r9, %r12
	mov	%edi, %ebx
	mov	%ecx, %edi
	mov	%esi, %ecx
	mov	%r8d, %esi
	mov	$120, %eax
	int	$0x80
	test	%rax, %rax
	jnz	6f
	test	%r12, %r12
	jz	6f
	mov	SB_T_STACK_TOP(%r12), %rsp
	mov	%r12, %rdi
	jmp	*-8(%rsp)
6:	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* void sb_sigreturn32(const struct ucontext *uc, unsigned gs) */
	.globl sb_sigreturn32
sb_sigreturn32:
	mov	%rdi, %rsp
	mov	%esi, %gs
	mov	$15, %eax
	syscall
	ud2

	/* void sb_compat_jump(uint64_t entry, uint64_t sp): into a new program */
	.globl sb_compat_jump
sb_compat_jump:
	mov	$SS32, %eax
	mov	%eax, %ds
	mov	%eax, %es
	pushq	$SS32
	pushq	%rsi
	pushq	$0x202
	pushq	$CS32
	pushq	%rdi
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	iretq

	/* long sb_try32(void): a child makes a 32-bit call and ends with 0, or
	 * otherwise when the kernel does not answer. Returns its pid. */
	.globl sb_try32
sb_try32:
	push	%rbx
	xor	%esi, %esi
	mov	$0x4100, %edi /* CLONE_VM | CLONE_VFORK, no signal at its end */
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	mov	$56, %eax
	syscall
	test	%rax, %rax
	jnz	8f
	mov	$20, %eax /* getpid */
	int	$0x80
	xor	%edi, %edi
	test	%rax, %rax
	jg	7f
	inc	%edi
7:	mov	$231, %eax /* exit_group, as 64-bit programs do */
	syscall
	ud2
8:	pop	%rbx
	ret

	.section .note.GNU-stack,"",@progbits

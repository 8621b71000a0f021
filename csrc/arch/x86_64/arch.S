/* SPDX-License-Identifier: MIT */
/*
 * arch.S - what C cannot express on x86-64: copies that may fail, the final call, clone, jump.
 *
 * Calls no other file. signals.c tells by the address where the runtime was interrupted
 *   sb_block_asked .. sb_block_done  the final call has not been made: roll back, or once
 *                                    fs.commit is set let it return SB_RESTART
 *   sb_copy .. sb_copy_end           a fault comes from the guest's bad pointer: -EFAULT
 */
#include "layout.h"

	.text

	/* long sb_block(long nr, const long args[6]): the final, maybe blocking call */
	.globl sb_block
	.globl sb_block_asked
	.globl sb_block_done
	.globl sb_block_refused
sb_block:
	mov	%rdi, %rax
	mov	%rsi, %r11
	mov	0(%r11), %rdi
	mov	8(%r11), %rsi
	mov	16(%r11), %rdx
	mov	24(%r11), %r10
	mov	32(%r11), %r8
	mov	40(%r11), %r9
	cmpl	$0, SB_GS(SB_T_PENDING)
sb_block_asked:
	jne	sb_block_refused
	syscall
sb_block_done:
	movl	$1, SB_GS(SB_T_COMMIT)
	ret
sb_block_refused:
	mov	$-512, %rax
	ret

	/* long sb_copy(void *dst, const void *src, size_t len): 0 or -EFAULT */
	.globl sb_copy
	.globl sb_copy_end
	.globl sb_copy_fault
sb_copy:
	mov	%rdx, %rcx
	cmp	$256, %rdx	/* rep movsb takes its time to begin */
	ja	12f
	shr	$3, %ecx
	jz	11f
10:	mov	(%rsi), %rax
	mov	%rax, (%rdi)
	add	$8, %rsi
	add	$8, %rdi
	dec	%ecx
	jnz	10b
11:	and	$7, %edx
	jz	13f
	mov	(%rsi), %al
	mov	%al, (%rdi)
	inc	%rsi
	inc	%rdi
	dec	%edx
	jmp	11b
12:	rep movsb
13:	xor	%eax, %eax
	ret
	/* long sb_copy_string(char *dst, const char *src, size_t max) */
	.globl sb_copy_string
sb_copy_string:
	xor	%eax, %eax
4:	cmp	%rdx, %rax
	jae	5f
	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	testb	%cl, %cl
	jz	6f
	inc	%rax
	jmp	4b
5:	mov	$-36, %rax
6:	ret
sb_copy_end:
sb_copy_fault:
	mov	$-14, %rax
	ret

	/* long sb_clone(flags, stack, ptid, ctid, tls): a child that gets a stack
	 * starts on it. There it finds its block and the address where it goes on; rdi
	 * becomes the block. */
	.globl sb_clone
sb_clone:
	mov	%rcx, %r10
	mov	$56, %eax
	syscall
	test	%rax, %rax
	jnz	8f
	test	%rsi, %rsi
	jz	8f
	mov	(%rsp), %rdi
	jmp	*8(%rsp)
8:	ret

	/* void sb_jump(uint64_t entry, void *sp): into a new program */
	.globl sb_jump
sb_jump:
	mov	%rsi, %rsp
	mov	%rdi, %rcx
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	cld
	jmp	*%rcx

	.section .note.GNU-stack,"",@progbits

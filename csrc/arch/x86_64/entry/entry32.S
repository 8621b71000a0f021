/* SPDX-License-Identifier: MIT */
/*
 * entry32.S - where control enters and leaves the runtime of a 32-bit program.
 *
 * The program runs in compatibility mode, the runtime in 64-bit mode of the same
 * thread. The program's thread pointer is gs, as the runtime's is: the handlers of
 * signals take gs over and give it back, whatever they interrupt. The thread's block
 * is found again by fs base, which 32-bit programs do not use (sb_compat_find_thread).
 * Handlers run with all signals blocked. sb_trap_arrived32 fills sb_thread.regs (ecx
 * in r8), so there is nothing to save here.
 *
 * signals.c sorts an interrupted runtime by address:
 *   sb_block32_asked .. sb_block32_done  the final call has not been made, as in entry.S
 *   sb_exit32 .. sb_exit32_end     the block holds the guest's state: go there
 */
#include "layout.h"

#define CS32 0x23
#define SS32 0x2b
#define UC_CS 184

	.text

	.globl sb_trap_entry32
sb_trap_entry32:
	push	%rdx
	call	sb_trap_arrived32
	jmp	1f
	.globl sb_signal_entry32
sb_signal_entry32:
	push	%rdx
	cmpw	$CS32, UC_CS(%rdx)
	jne	9f
	/* The program was interrupted: its stack may be small, the runtime's is free. */
	mov	%edi, %ebx
	mov	%rsi, %rbp
	mov	%rdx, %r13
	mov	%rsp, %r12
	call	sb_compat_find_thread
	mov	SB_T_STACK_TOP(%rax), %rsp
	mov	%ebx, %edi
	mov	%rbp, %rsi
	mov	%r13, %rdx
	mov	%r12, %rcx
	call	sb_signal_arrived32
	mov	%r12, %rsp
	jmp	1f
9:	call	sb_signal_arrived32
1:	pop	%rdx
	cmpw	$CS32, UC_CS(%rdx)
	jne	2f
	mov	%gs:SB_T_GS, %eax
	mov	%eax, %gs
2:	ret

	/* The block holds the program's registers. */
	.globl sb_entry32
sb_entry32:
	cld
	xor	%ebp, %ebp
	mov	%gs:SB_T_SELF, %rdi
	call	sb_enter32

	.globl sb_exit32
	.globl sb_exit32_end
sb_exit32:
	cmpl	$0, %gs:SB_T_PENDING
	jne	4f
3:	mov	%gs:SB_T_STACK_TOP, %rsp
	pushq	$SS32
	pushq	%gs:SB_R_RSP
	pushq	%gs:SB_R_RFLAGS
	pushq	$CS32
	pushq	%gs:SB_R_RIP
	mov	%gs:SB_R_RAX, %rax
	mov	%gs:SB_R_RBX, %rbx
	mov	%gs:SB_R_R8, %rcx
	mov	%gs:SB_R_RDX, %rdx
	mov	%gs:SB_R_RSI, %rsi
	mov	%gs:SB_R_RDI, %rdi
	mov	%gs:SB_R_RBP, %rbp
	mov	%gs:SB_T_GS, %r8d
	mov	%r8d, %gs
	iretq
4:	/* as in sb_exit */
	mov	%gs:SB_T_SELF, %rdi
	call	sb_signal_release
	mov	%rax, %rsi
	mov	$2, %edi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	jmp	3b
sb_exit32_end:

	/* long sb_block32(long nr, const long args[6]): as sb_block, the call of a
	 * 32-bit program */
	.globl sb_block32
	.globl sb_block32_asked
	.globl sb_block32_done
	.globl sb_block32_refused
sb_block32:
	push	%rbx
	push	%rbp
	cmpl	$0, %gs:SB_T_PENDING
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
	movl	$1, %gs:SB_T_COMMIT
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

	/* long sb_clone32(flags, stack, ptid, ctid, tls, child): a child with a block
	 * starts on that block's stack; stack is then the program's, not 0 */
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
	xor	%ebp, %ebp
	mov	SB_T_STACK_TOP(%r12), %rsp
	mov	%r12, %rdi
	call	sb_task_started
	jmp	sb_exit32
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

	/* long sb_try32(void): a child that makes a 32-bit call and ends with 0; where
	 * the kernel answers none, it ends otherwise. Its pid. */
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

/* SPDX-License-Identifier: MIT */
/*
 * entry32.S - where control enters and leaves the runtime of a 32-bit program.
 *
 * The program runs in compatibility mode, the runtime in 64-bit mode of the same thread. gs is the
 * thread pointer of both, so the handlers of signals take gs over and give it back, whatever they
 * interrupt. They find the thread's block by fs base, which 32-bit programs do not use
 * (sb_compat_find_thread). They run with all signals blocked. sb_trap_arrived32 fills
 * sb_thread.regs (ecx in r8), so nothing is saved here.
 *
 * signals.c tells by the address where the runtime was interrupted
 *   sb_exit32 .. sb_exit32_end   the block holds the guest's state: go there
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
	/* The program was interrupted. Its stack may be small; the runtime's is free. */
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
	mov	SB_GS(SB_T_GS), %eax
	mov	%eax, %gs
2:	ret

	/* The block holds the program's registers. */
	.globl sb_entry32
sb_entry32:
	cld
	xor	%ebp, %ebp
	mov	SB_GS(SB_T_SELF), %rdi
	call	sb_enter32

	.globl sb_exit32
	.globl sb_exit32_end
sb_exit32:
	cmpl	$0, SB_GS(SB_T_PENDING)
	jne	4f
3:	mov	SB_GS(SB_T_STACK_TOP), %rsp
	pushq	$SS32
	pushq	SB_GS(SB_R_RSP)
	pushq	SB_GS(SB_R_RFLAGS)
	pushq	$CS32
	pushq	SB_GS(SB_R_RIP)
	mov	SB_GS(SB_R_RAX), %rax
	mov	SB_GS(SB_R_RBX), %rbx
	mov	SB_GS(SB_R_R8), %rcx
	mov	SB_GS(SB_R_RDX), %rdx
	mov	SB_GS(SB_R_RSI), %rsi
	mov	SB_GS(SB_R_RDI), %rdi
	mov	SB_GS(SB_R_RBP), %rbp
	mov	SB_GS(SB_T_GS), %r8d
	mov	%r8d, %gs
	iretq
4:	/* as in sb_exit */
	mov	SB_GS(SB_T_SELF), %rdi
	call	sb_signal_release
	mov	%rax, %rsi
	mov	$2, %edi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	jmp	3b
sb_exit32_end:

	/* A child that shares memory begins here, with its block in rdi. */
	.globl sb_child32
sb_child32:
	xor	%ebp, %ebp
	call	sb_task_started
	jmp	sb_exit32

	.section .note.GNU-stack,"",@progbits

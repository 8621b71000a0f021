/* SPDX-License-Identifier: MIT */
/*
 * entry.S - where control enters and leaves the runtime on x86-64.
 *
 * Contract of sb_entry, where every way in ends
 *   rax is the number of the system call, rcx the address where the guest goes on. r11 is free. All
 *   other registers are as at the guest's syscall instruction, also rsp and the flags; nothing may
 *   be stored on the guest's stack. The two bytes before the address in rcx are a syscall
 *   instruction. The guest gets back all registers but rax, rcx and r11, as after a syscall
 *   instruction. Vector state is never touched.
 * Contract of sb_entry_own: the same, and gs base leads to the thread's block.
 *
 * The program's gs
 *   sb_entry looks at gs base. When it does not lead to a block, the program uses gs itself, and
 *   the way in is a trap: its handler has a stack, finds the block and keeps the program's value
 *   there (thread_pointer.c). On the way out the value is given back. Flags must stay, so the test
 *   is made of instructions that change none.
 *
 * signals.c tells by the address where the runtime was interrupted (arch.S has more places)
 *   sb_entry_traced_gs .. sb_entry_saved  the registers are still the guest's: roll back
 *   sb_entry .. sb_entry_own     and the address where the guest goes on is in r11
 *   sb_exit .. sb_exit_end       the block holds the guest's state: go there
 *   anywhere else                roll back, or wait once fs.commit is set
 * No other file names a label of this one: _start hands their addresses down in a table.
 */
#include "layout.h"

/* SB_GS_TOP as it is in the two low bytes when gs base is shifted left by 12 bits and its bytes
 * are reversed. */
#define GS_TOP_BYTES ((SB_GS_TOP & 0xff) << 8 | SB_GS_TOP >> 8)
#define ARCH_SET_GS 0x1001
#define NR_ARCH_PRCTL 158

	.text

	.globl _start
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	mov	%r15, %rsi
	lea	entries(%rip), %rdx
	and	$-16, %rsp
	call	sb_boot
	ud2

	/* The tracer's ways in. They note the site, as sb_trap_arrived does for a trap. The tracer
	 * has set gs base; in r11 it brings the program's. */
	.section .text.traced, "ax"
	.globl sb_entry_traced_gs
	.globl sb_entry_traced
sb_entry_traced_gs:
	mov	%r11, SB_GS(SB_T_GS_BASE)
	movl	$1, SB_GS(SB_T_GS_OWN)
	.balign	0x20
sb_entry_traced:
	mov	%rcx, SB_GS(SB_T_TRAP_SITE)
	jmp	sb_entry_own

	.section .text.entry, "ax"
	.globl sb_entry
sb_entry:
	mov	%rcx, %r11
	mov	sb_gs_mode(%rip), %ecx
	jrcxz	3f
	lea	-SB_GS_OURS(%rcx), %ecx
	jrcxz	5f
4:	/* A trap at the program's own instruction. */
	mov	%r11, %rcx
	lea	-2(%r11), %r11
	jmp	*%r11
3:	rdgsbase %rcx
	lea	(,%rcx,8), %rcx
	lea	(,%rcx,8), %rcx
	lea	(,%rcx,8), %rcx
	lea	(,%rcx,8), %rcx
	bswap	%rcx
	movzwl	%cx, %ecx
	lea	-GS_TOP_BYTES(%rcx), %ecx
	jrcxz	5f
	jmp	4b
5:	mov	%r11, %rcx
sb_entry_own:
	mov	%rax, SB_GS(SB_R_RAX)
	mov	%rax, SB_GS(SB_T_NUMBER)
	mov	%rdi, SB_GS(SB_R_RDI)
	mov	%rsi, SB_GS(SB_R_RSI)
	mov	%rdx, SB_GS(SB_R_RDX)
	mov	%r10, SB_GS(SB_R_R10)
	mov	%r8, SB_GS(SB_R_R8)
	mov	%r9, SB_GS(SB_R_R9)
	mov	%rcx, SB_GS(SB_R_RIP)
	mov	%rbx, SB_GS(SB_R_RBX)
	mov	%rbp, SB_GS(SB_R_RBP)
	mov	%r12, SB_GS(SB_R_R12)
	mov	%r13, SB_GS(SB_R_R13)
	mov	%r14, SB_GS(SB_R_R14)
	mov	%r15, SB_GS(SB_R_R15)
	mov	%rsp, SB_GS(SB_R_RSP)
	movl	$0, SB_GS(SB_T_COMMIT)
	mov	SB_GS(SB_T_STACK_TOP), %rsp
	pushfq
	popq	SB_GS(SB_R_RFLAGS)
sb_entry_saved:
	cld
	xor	%ebp, %ebp
	mov	SB_GS(SB_T_SELF), %rdi
	call	sb_enter

sb_exit:
	cmpq	$0, SB_GS(SB_T_PENDING) /* and SB_T_GS_OWN */
	jne	2f
1:	mov	SB_GS(SB_R_RDI), %rdi
	mov	SB_GS(SB_R_RSI), %rsi
	mov	SB_GS(SB_R_RDX), %rdx
	mov	SB_GS(SB_R_R10), %r10
	mov	SB_GS(SB_R_R8), %r8
	mov	SB_GS(SB_R_R9), %r9
	mov	SB_GS(SB_R_RBX), %rbx
	mov	SB_GS(SB_R_RBP), %rbp
	mov	SB_GS(SB_R_R12), %r12
	mov	SB_GS(SB_R_R13), %r13
	mov	SB_GS(SB_R_R14), %r14
	mov	SB_GS(SB_R_R15), %r15
	mov	SB_GS(SB_R_RFLAGS), %r11
	mov	SB_GS(SB_R_RSP), %rsp
	mov	SB_GS(SB_R_RIP), %rcx
	/* The runtime changes the direction flag and the arithmetic flags. popfq is slow
	 * and needed only if the guest had the direction or the trap flag set. */
	test	$SB_FLAGS_SLOW, %r11d
	jnz	9f
	mov	%r11d, %eax
	xchg	%al, %ah
	and	$8, %al
	add	$0x78, %al	/* the overflow flag */
	sahf
	mov	SB_GS(SB_R_RAX), %rax
	jmp	*%rcx
9:	mov	SB_GS(SB_T_STACK_TOP), %rsp
	mov	SB_GS(SB_R_RAX), %rax
	pushq	%r11
	popfq
	mov	SB_GS(SB_R_RSP), %rsp
	jmp	*%rcx
2:	cmpl	$0, SB_GS(SB_T_PENDING)
	je	6f
	/* A signal waits, or a mask must be set back. All signals are blocked. */
	mov	SB_GS(SB_T_SELF), %rdi
	call	sb_signal_release
	/* rax is the address of the guest's mask. The kernel delivers right here. */
	mov	%rax, %rsi
	mov	$2, %edi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	cmpl	$0, SB_GS(SB_T_GS_OWN)
	je	1b
6:	/* The program's gs. From here on r15 leads to the block. */
	mov	SB_GS(SB_T_SELF), %r15
	mov	SB_T_GS_BASE(%r15), %rsi
	cmpl	$SB_GS_READ, sb_gs_mode(%rip)
	jne	7f
	wrgsbase %rsi
	jmp	8f
7:	mov	$ARCH_SET_GS, %edi
	mov	$NR_ARCH_PRCTL, %eax
	syscall
8:	movl	$0, SB_T_GS_OWN(%r15)
	mov	SB_R_RDI(%r15), %rdi
	mov	SB_R_RSI(%r15), %rsi
	mov	SB_R_RDX(%r15), %rdx
	mov	SB_R_R10(%r15), %r10
	mov	SB_R_R8(%r15), %r8
	mov	SB_R_R9(%r15), %r9
	mov	SB_R_RBX(%r15), %rbx
	mov	SB_R_RBP(%r15), %rbp
	mov	SB_R_R12(%r15), %r12
	mov	SB_R_R13(%r15), %r13
	mov	SB_R_R14(%r15), %r14
	mov	SB_R_RIP(%r15), %rcx
	mov	SB_R_RAX(%r15), %rax
	mov	SB_R_RFLAGS(%r15), %r11
	mov	SB_T_STACK_TOP(%r15), %rsp
	pushq	%r11
	popfq
	mov	SB_R_RSP(%r15), %rsp
	mov	SB_R_R15(%r15), %r15
	jmp	*%rcx
sb_exit_end:

	.text
	/* A child that shares memory begins here, with its block in rdi. */
sb_child:
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	sb_task_started
	mov	SB_GS(SB_T_STACK_TOP), %rsp
	jmp	sb_exit

	.section .text.handler, "ax"
	/* The kernel calls these handlers with rdi, rsi, rdx = signal, siginfo, ucontext.
	 * A handler of the guest is entered with the same stack, so it returns to the
	 * guest's restorer. */
sb_signal_entry:
	push	%rdi
	push	%rsi
	push	%rdx
	call	sb_pointer_take
	push	%rax
	sub	$8, %rsp
	mov	16(%rsp), %rdx
	mov	24(%rsp), %rsi
	mov	32(%rsp), %rdi
	incl	SB_GS(SB_T_HANDLING)
	call	sb_signal_arrived
	decl	SB_GS(SB_T_HANDLING)
	mov	%rax, (%rsp)
	mov	16(%rsp), %rdi
	mov	8(%rsp), %rsi
	call	sb_pointer_give
	pop	%rax
	pop	%rdx
	pop	%rdx
	pop	%rsi
	pop	%rdi
	test	%rax, %rax
	jz	7f
	mov	%rax, %rcx
	xor	%eax, %eax
	jmp	*%rcx
7:	ret

sb_trap_entry:
	sub	$8, %rsp
	call	sb_trap_arrived
	add	$8, %rsp
	ret

sb_restorer:
	mov	$15, %eax
	syscall
	ud2

	/* struct sb_entries (guest/entries.h; thread_offsets.c proves its size) */
	.section .rodata
	.balign	8
entries:
	.quad	_start
	.quad	sb_entry_saved
	.quad	sb_handlers_start
	.quad	sb_handlers_end
	.quad	sb_restorer
	.quad	sb_entry_own, sb_signal_entry, sb_trap_entry, sb_child, sb_exit, sb_exit_end
	.quad	sb_entry32, sb_signal_entry32, sb_trap_entry32, sb_child32, sb_exit32, sb_exit32_end

	.section .note.GNU-stack,"",@progbits

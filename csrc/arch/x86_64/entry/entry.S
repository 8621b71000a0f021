/* SPDX-License-Identifier: MIT */
/*
 * entry.S - where control enters and leaves the runtime on x86-64.
 *
 * Contract of sb_entry, where every way in ends
 *   rax is the number of the system call, rcx the address where the guest goes on, and gs base
 *   the thread's block. All other registers are as at the guest's syscall instruction, also rsp;
 *   nothing may be stored on the guest's stack. The guest gets back all registers but rax, rcx and
 *   r11, as after a syscall instruction. Vector state is never touched.
 *
 * signals.c tells by the address where the runtime was interrupted (arch.S has more places)
 *   sb_entry .. sb_entry_saved   the registers are still the guest's: roll back
 *   sb_exit .. sb_exit_end       the block holds the guest's state: go there
 *   anywhere else                roll back, or wait once fs.commit is set
 * No other file names a label of this one: _start hands their addresses down in a table.
 */
#include "layout.h"

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

	/* The tracer's way in. It notes the site, as sb_trap_arrived does for a trap. */
	.section .text.traced, "ax"
	.globl sb_entry_traced
sb_entry_traced:
	mov	%rcx, %gs:SB_T_TRAP_SITE
	jmp	sb_entry

	.section .text.entry, "ax"
	.globl sb_entry
sb_entry:
	mov	%rax, %gs:SB_R_RAX
	mov	%rax, %gs:SB_T_NUMBER
	mov	%rdi, %gs:SB_R_RDI
	mov	%rsi, %gs:SB_R_RSI
	mov	%rdx, %gs:SB_R_RDX
	mov	%r10, %gs:SB_R_R10
	mov	%r8, %gs:SB_R_R8
	mov	%r9, %gs:SB_R_R9
	mov	%rcx, %gs:SB_R_RIP
	mov	%rbx, %gs:SB_R_RBX
	mov	%rbp, %gs:SB_R_RBP
	mov	%r12, %gs:SB_R_R12
	mov	%r13, %gs:SB_R_R13
	mov	%r14, %gs:SB_R_R14
	mov	%r15, %gs:SB_R_R15
	mov	%rsp, %gs:SB_R_RSP
	movl	$0, %gs:SB_T_COMMIT
	mov	%gs:SB_T_STACK_TOP, %rsp
	pushfq
	popq	%gs:SB_R_RFLAGS
sb_entry_saved:
	cld
	xor	%ebp, %ebp
	mov	%gs:SB_T_SELF, %rdi
	call	sb_enter

sb_exit:
	cmpl	$0, %gs:SB_T_PENDING
	jne	2f
1:	mov	%gs:SB_R_RDI, %rdi
	mov	%gs:SB_R_RSI, %rsi
	mov	%gs:SB_R_RDX, %rdx
	mov	%gs:SB_R_R10, %r10
	mov	%gs:SB_R_R8, %r8
	mov	%gs:SB_R_R9, %r9
	mov	%gs:SB_R_RBX, %rbx
	mov	%gs:SB_R_RBP, %rbp
	mov	%gs:SB_R_R12, %r12
	mov	%gs:SB_R_R13, %r13
	mov	%gs:SB_R_R14, %r14
	mov	%gs:SB_R_R15, %r15
	mov	%gs:SB_R_RFLAGS, %r11
	mov	%gs:SB_R_RSP, %rsp
	mov	%gs:SB_R_RIP, %rcx
	/* The runtime changes the direction flag and the arithmetic flags. popfq is slow
	 * and needed only if the guest had the direction or the trap flag set. */
	test	$SB_FLAGS_SLOW, %r11d
	jnz	9f
	mov	%r11d, %eax
	xchg	%al, %ah
	and	$8, %al
	add	$0x78, %al	/* the overflow flag */
	sahf
	mov	%gs:SB_R_RAX, %rax
	jmp	*%rcx
9:	mov	%gs:SB_T_STACK_TOP, %rsp
	mov	%gs:SB_R_RAX, %rax
	pushq	%r11
	popfq
	mov	%gs:SB_R_RSP, %rsp
	jmp	*%rcx
2:	/* A signal waits, or a mask must be set back. All signals are blocked. */
	mov	%gs:SB_T_SELF, %rdi
	call	sb_signal_release
	/* rax is the address of the guest's mask. The kernel delivers right here. */
	mov	%rax, %rsi
	mov	$2, %edi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	jmp	1b
sb_exit_end:

	.text
	/* A child that shares memory begins here, with its block in rdi. */
sb_child:
	xor	%ebp, %ebp
	and	$-16, %rsp
	call	sb_task_started
	mov	%gs:SB_T_STACK_TOP, %rsp
	jmp	sb_exit

	/* The kernel calls these handlers with rdi, rsi, rdx = signal, siginfo, ucontext.
	 * A handler of the guest is entered with the same stack, so it returns to the
	 * guest's restorer. */
sb_signal_entry:
	push	%rdi
	push	%rsi
	push	%rdx
	incl	%gs:SB_T_HANDLING
	call	sb_signal_arrived
	decl	%gs:SB_T_HANDLING
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
sb_signal_entry_end:

	/* struct sb_entries (guest/entries.h; thread_offsets.c proves its size) */
	.section .rodata
	.balign	8
entries:
	.quad	_start
	.quad	sb_entry_saved
	.quad	sb_signal_entry
	.quad	sb_signal_entry_end
	.quad	sb_restorer
	.quad	sb_entry, sb_signal_entry, sb_trap_entry, sb_child, sb_exit, sb_exit_end
	.quad	sb_entry32, sb_signal_entry32, sb_trap_entry32, sb_child32, sb_exit32, sb_exit32_end

	.section .note.GNU-stack,"",@progbits

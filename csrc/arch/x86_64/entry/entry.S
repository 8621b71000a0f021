/* SPDX-License-Identifier: MIT */
/*
 * entry.S - where control enters and leaves the runtime on x86-64.
 *
 * Contract of sb_entry (every way in ends here): rax = system call number,
 * rcx = where the guest goes on, all other registers as at the guest's syscall
 * instruction, rsp the guest's; nothing may be stored on the guest's stack. gs
 * base is the thread's block. The guest gets all registers back but rax, rcx
 * and r11, as after a syscall instruction; vector state is never touched.
 *
 * signals.c sorts an interrupted runtime by address:
 *   sb_entry .. sb_entry_saved   registers are still the guest's: roll back
 *   sb_block_asked .. sb_block_done  the final call has not been made: roll back, or
 *                                once fs.commit is set let it return SB_RESTART
 *   sb_exit .. sb_exit_end       the block holds the guest's state: go there
 *   sb_copy .. sb_copy_end       a fault is the guest's bad pointer: -EFAULT
 *   anything else                roll back, or wait once fs.commit is set
 */
#include "layout.h"

	.text

	.globl _start
_start:
	xor	%ebp, %ebp
	mov	%rsp, %rdi
	mov	%r15, %rsi
	and	$-16, %rsp
	call	sb_boot
	ud2

	/* The tracer's way in: notes the site, as sb_trap_arrived does for a trap. */
	.section .text.traced, "ax"
	.globl sb_entry_traced
sb_entry_traced:
	mov	%rcx, %gs:SB_T_TRAP_SITE
	jmp	sb_entry

	.section .text.entry, "ax"
	.globl sb_entry
	.globl sb_entry_saved
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

	.globl sb_exit
	.globl sb_exit_end
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
	/* Of the flags the runtime changes the direction and those of arithmetic:
	 * without popfq, which is slow, unless the guest had the first set. */
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
2:	/* a signal waits, or a mask must be set back: all signals are blocked */
	mov	%gs:SB_T_SELF, %rdi
	call	sb_signal_release
	/* rax = address of the guest's mask; the kernel delivers right here */
	mov	%rax, %rsi
	mov	$2, %edi
	xor	%edx, %edx
	mov	$8, %r10d
	mov	$14, %eax
	syscall
	jmp	1b
sb_exit_end:

	.text
	/* Go on as the guest from the registers in the block, once. */
	.globl sb_resume
sb_resume:
	mov	%gs:SB_T_STACK_TOP, %rsp
	jmp	sb_exit

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
	cmpl	$0, %gs:SB_T_PENDING
sb_block_asked:
	jne	sb_block_refused
	syscall
sb_block_done:
	movl	$1, %gs:SB_T_COMMIT
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

	/* Signal handlers as the kernel calls them: rdi, rsi, rdx = signal,
	 * siginfo, ucontext. A handler of the guest is entered with the same
	 * stack, so that its return goes to the guest's restorer. */
	.globl sb_signal_entry
	.globl sb_signal_entry_end
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

	.globl sb_trap_entry
sb_trap_entry:
	sub	$8, %rsp
	call	sb_trap_arrived
	add	$8, %rsp
	ret

	.globl sb_restorer
sb_restorer:
	mov	$15, %eax
	syscall
	ud2
sb_signal_entry_end:

	/* long sb_clone(flags, stack, ptid, ctid, tls): the child, when stack is
	 * given, starts on it with the thread's block address on top. */
	.globl sb_clone
sb_clone:
	mov	%rcx, %r10
	mov	$56, %eax
	syscall
	test	%rax, %rax
	jnz	8f
	test	%rsi, %rsi
	jz	8f
	xor	%ebp, %ebp
	mov	(%rsp), %rdi
	and	$-16, %rsp
	call	sb_task_started
	jmp	sb_resume
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

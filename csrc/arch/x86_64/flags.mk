# Options of the compiler for this processor, for the code that runs in a container. Signal frames
# may lie right below the stack pointer. Jumps need no marked targets.
GUEST_CFLAGS += -mcmodel=small -mno-red-zone -fcf-protection=none

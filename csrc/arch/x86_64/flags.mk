# Options of the compiler that only this processor has, for the code that runs in a container.
# Signal frames may lie right below the stack pointer; jumps go to no marked places.
GUEST_CFLAGS += -mcmodel=small -mno-red-zone -fcf-protection=none

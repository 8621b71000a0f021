# Which folder belongs to which build: the one place. Paths relative to csrc/.
# COMMON: both builds. HOSTED_ONLY: what Python calls. GUEST_ONLY: what runs inside a container.
COMMON = pure/*.c net/*.c tree/*.c view/*.c change/*.c procfs/*.c arch/$(ARCH)/pure/*.c
HOSTED_ONLY = base/sys_path.c layers/*.c hosted/*.c
GUEST_ONLY = base/mem.c guest/*.c guest/*/*.c exec/*.c calls/*.c calls/*/*.c opener/*.c entry/*.c arch/$(ARCH)/*.[cS] arch/$(ARCH)/guest/*.c arch/$(ARCH)/calls/*.c arch/$(ARCH)/entry/*.[cS]
# O_PATH, AT_EMPTY_PATH and the like hide behind it in <fcntl.h>.
HOSTED_CFLAGS = -D_GNU_SOURCE
# The processor adds its own: arch/$(ARCH)/flags.mk.
GUEST_CFLAGS = -D_GNU_SOURCE

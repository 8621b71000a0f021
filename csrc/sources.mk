# Which C file belongs to which build: the one place. Paths relative to csrc/.
# COMMON: levels 0-2, in both builds. HOSTED_ONLY: what Python calls. GUEST_ONLY: levels 3-4.
COMMON = path.c verdict.c index.c spot.c view.c view_walk.c view_stat.c dircache.c fds.c view_path.c text.c arch/x86_64/site.c arch/x86_64/i386.c control.c ids.c ids_exec.c acl.c log.c proc_text.c proc_mounts.c \
	 owner.c lists.c upper.c upper_scan.c copyup.c copyup_content.c copyup_tree.c change_make.c change_link.c change_name.c \
	 change_rename.c change_quick.c change_meta.c change_xattr.c xattr.c dirlist.c dirlist_empty.c dirlist_index.c net_table.c \
	 net_place.c net_rules.c net_show.c net_link.c proc_net.c
HOSTED_ONLY = layer_draft.c layer_table.c layer_rows.c layer_quick.c probe.c tracer.c hosted.c hosted_change.c hosted_control.c hosted_tables.c hosted_pace.c index_build.c index_merge.c text_build.c hosted_text.c hosted_net.c
GUEST_ONLY = mem.c adopt.c guest.c cwd.c thread.c pids.c target.c dispatch.c trace.c trap.c signals.c binfmt_elf.c boot.c confine.c exec_plan.c maps.c patch.c on_map.c \
	 on_exec.c on_signal.c on_task.c on_stat.c on_open.c on_open_host.c on_close.c on_ioctl.c on_path.c on_change.c on_meta.c \
	 on_xattr.c on_dir.c on_id.c on_proc.c on_proc_link.c on_proc_name.c on_socket.c on_socket_message.c socket_name.c on_misc.c on_ptrace.c on_wait.c \
	 arch/x86_64/entry.S arch/x86_64/entry32.S arch/x86_64/signal32.c arch/x86_64/boot32.c \
	 arch/x86_64/i386_call.c arch/x86_64/i386_id.c arch/x86_64/i386_message.c arch/x86_64/i386_socket.c arch/x86_64/i386_stat.c arch/x86_64/i386_wait.c
GUEST_ONLY += on_net.c on_net_name.c on_net_log.c on_net_link.c on_net_diag.c on_net_ioctl.c on_proc_net.c on_ping.c
# O_PATH, AT_EMPTY_PATH and the like hide behind it in <fcntl.h>.
HOSTED_CFLAGS = -D_GNU_SOURCE
# Position-independent code reaches the runtime's far address without movabs.
GUEST_CFLAGS = -D_GNU_SOURCE -fPIE -mcmodel=small

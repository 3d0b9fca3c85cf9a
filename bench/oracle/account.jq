# SPDX-License-Identifier: GPL-2.0-only
#
# What the oracle counted, less what the tracer counted, less every difference
# that has a name: jq -n --slurpfile oracle FILE --slurpfile run FILE -f this.
#
# Each row is {what, oracle, tracer, remainders: [{why, count}], unexplained}.
# The source of a remainder is never the count that it explains: calls of other
# functions, the code that had run by then, the layout of the workload.

$oracle[0] as $o | $run[0] as $r |

def total: map(.count // 0) | add // 0;

# The tracer counts all of it: the statistics of a VM, from its begin to its end.

# --- calls of a function; null: this build has none, it is inlined everywhere
def entries($function): [$o.entries[] | select(.function == $function)] |
	if length == 0 then null else
		{ count: total } end;
def calls($function): entries($function) | if . then .count else null end;

# --- fence instructions
def fences($insns): [$o.fences[] | select(.insn as $i | $insns | index($i))];
def of($where): map(select(.where == $where));

def remainder($why; $count): { why: $why, count: $count };
def row($what; $seen; $tracer; $remainders):
	($remainders | map(select(.count != 0))) as $named |
	{ what: $what, oracle: $seen, tracer: $tracer, remainders: $named,
	  unexplained: (if $seen == null then null
			else $seen - $tracer - ($named | total) end) };
# Of a function that the tracer counts the calls of.
def call_row($what; $function; $tracer; $remainders):
	entries($function) as $e |
	row("\($what): calls of \($function)"; $e.count; $tracer;
	    $remainders);

# --- what the workload is, for the calls that are no event
($r.guest.options // {}) as $workload |
($r.environment.eager_page_split == "Y") as $eager |
(($workload.size_bytes // 0) / 4096) as $pages |
($pages / 512) as $blocks |
($workload.log == "initially-set") as $all_dirty |
([$r.splits[] | select(.failed != true)] | total) as $splits |
([$r.faults[] | select(.path == "map")] | total) as $maps |
([$r.faults[] | select(.path == "split")] | total) as $split_faults |

fences(["hfence.gvma", "hinval.gvma"]) as $gvma |
fences(["hfence.vvma", "hinval.vvma"]) as $vvma |

[
	row("G-stage fence instructions"; $gvma | total;
	    [$r.flush_executed[] | select(.kind != "vvma") | { count: .fences }] | total;
	    [remainder("kvm.ko is loaded: levels and VMID bits are tried out";
		       (calls("kvm_riscv_gstage_mode_detect") // 0) + (calls("kvm_riscv_gstage_vmid_detect") // 0)),
	     remainder("VMIDs begin, or begin anew: every hart forgets all guests";
		       calls("__local_hfence_gvma_all") // 0),
	     remainder("of the firmware"; $gvma | of("firmware") | total),
	     remainder("of the host kernel"; $gvma | of("kernel") | total),
	     remainder("tried by a guest"; $gvma | of("guest") | total)]),

	row("VS-stage fence instructions"; $vvma | total;
	    [$r.flush_executed[] | select(.kind == "vvma") | { count: .fences }] | total;
	    [remainder("of the firmware"; $vvma | of("firmware") | total),
	     remainder("of the host kernel"; $vvma | of("kernel") | total),
	     remainder("tried by a guest"; $vvma | of("guest") | total)]),

	call_row("requests"; "make_xfence_request"; $r.flush_requests | total;
		 [remainder("of everything of a VM, by another function";
			    -(calls("kvm_arch_flush_remote_tlbs") // 0))]),
	call_row("faults"; "kvm_riscv_mmu_map"; $r.faults | total; []),

	call_row("leaves split"; "kvm_riscv_gstage_split_huge"; $splits;
		 # Asked for by a fault, for each 2M of a slot when logging
		 # begins, or for each 64 pages cleared of an initially set log.
		 [remainder("calls that found no huge leaf, less those that split two levels";
			    $split_faults - $splits +
			    if $eager | not then 0
			    elif $all_dirty then calls("kvm_arch_mmu_enable_log_dirty_pt_masked") // 0
			    else $blocks * ([$r.phases[] | select(.name == "enable") | .entered] | add // 0) end)]),

	call_row("leaves write-protected"; "kvm_riscv_gstage_op_pte";
		 [$r.write_protects[]] | total;
		 # The first pass over an initially set log goes by 64 pages,
		 # and comes by each huge leaf, or what became of it, 8 times.
		 [remainder("leaves write-protected already: the rest of a block";
			    if $all_dirty | not then 0
			    elif $eager then $r.guest.blocks_huge * 7 * 64
			    else $r.guest.blocks_huge * 7 end),
		  remainder("leaves unmapped when the VM ends: those mapped, and 511 more for each split";
			    if (calls("kvm_riscv_mmu_free_pgd") // 0) > 0
			    then $maps + 511 * $splits else 0 end)]),

	# Under the write lock the function is inlined in its caller.
	if [$r.faults[] | select(.path == "prot")] | total > 0 then empty else
		call_row("permission updates"; "kvm_riscv_gstage_try_update_pte";
			 [$r.prot_updates[] | select(.outcome != "unchanged")] | total; [])
	end,

	call_row("reads of the log"; "kvm_vm_ioctl_get_dirty_log";
		 [$r.phases[] | select(.name | startswith("get")) | { count: .entered }] | total; []),
	call_row("clears of the log"; "kvm_vm_ioctl_clear_dirty_log";
		 [$r.phases[] | select(.name | startswith("clear")) | { count: .entered }] | total; [])
] as $rows |

{ qemu: $r.environment.qemu, plugin_api: $o.plugin_api, kernel: $r.environment.kernel,
  version: $r.environment.version, kvm_args: $r.environment.kvm_args,
  workload: ($r.environment.cmdline | join(" ")), rows: $rows,
  # Not of the G-stage: the tracer does not count them.
  other: [$o.fences | group_by([.where, .insn])[] |
	  select(.[0].insn | test("gvma|vvma") | not) |
	  { where: .[0].where, insn: .[0].insn, count: total }] }

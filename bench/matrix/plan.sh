# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by matrix.sh and cell.sh: reading a plan (docs/matrix.md), and the
# order of its cells. Nothing is started here, and every error is found before
# anything is.
# shellcheck disable=SC2034 # used by those that source this

# What a plan says. LABELS[i] runs VERSIONS[i].
plan_defaults() {
	BASE=7.3 MODE=icount ORDER=abba SEED=1 BOOTS='' LIMIT=120 SMP='' TRACE='' ARGS='' KVM_ARGS=''
	LABELS=() VERSIONS=() SCENARIOS=()
}

plan_number() { # LINE VALUE MIN MAX
	if ! [[ $2 =~ ^[0-9]{1,9}$ ]] || [ "$((10#$2))" -lt "$3" ] || [ "$((10#$2))" -gt "$4" ]; then
		plan_bad "$1" "a number from $3 to $4 is wanted, not '$2'"
	fi
}

plan_bad() { # LINE TEXT
	die "$EX_USAGE" "$PLAN:$1: $2 (docs/matrix.md)"
}

plan_arms() { # LINE WORD...
	local line=$1 word label version seen

	shift
	for word; do
		label=${word%%:*}
		version=${word#*:}
		[[ $label =~ ^[A-Za-z0-9][A-Za-z0-9._+-]{0,15}$ ]] ||
			plan_bad "$line" "'$label' is no label: up to 16 letters, digits and . _ + -"
		for seen in ${LABELS[@]+"${LABELS[@]}"}; do
			[ "$seen" != "$label" ] || plan_bad "$line" "two arms are called '$label'"
		done
		LABELS+=("$label")
		VERSIONS+=("$version")
	done
}

plan_scenarios() { # LINE WORD...
	local line=$1 word seen

	shift
	for word; do
		# A name becomes part of a path.
		{ [[ $word =~ ^[A-Za-z0-9-]+$ ]] && [ -f "$GSTAGE_TOP/bench/scenarios/$word.scn" ]; } ||
			plan_bad "$line" "there is no scenario '$word'; there are: $(cd "$GSTAGE_TOP/bench/scenarios" && echo *.scn | sed 's/\.scn//g')"
		for seen in ${SCENARIOS[@]+"${SCENARIOS[@]}"}; do
			[ "$seen" != "$word" ] || plan_bad "$line" "scenario '$word' is there twice"
		done
		SCENARIOS+=("$word")
	done
}

# The versions of the arms must exist; whether they build is seen later.
plan_versions() { # LINE
	local version

	for version in "${VERSIONS[@]}"; do
		case $version in stock) plan_bad "$1" "version stock has no tracepoints, and hooks on functions measure latencies otherwise; version tracepoints is the same code with them" ;; tracepoints) continue ;; esac
		version_dir "$BASE" "$version" >/dev/null ||
			plan_bad "$1" "there is no version '$version' for $BASE; there are: $(version_names "$BASE" | grep -v stock | tr '\n' ' ')(bring one with 'make version')"
	done
}

# plan_read FILE
plan_read() {
	local key rest line=0 arms_line=0 seen=' ' words

	PLAN=$1
	plan_defaults
	[ -r "$PLAN" ] || die "$EX_USAGE" "cannot read the plan $PLAN"
	while IFS= read -r rest || [ -n "$rest" ]; do
		line=$((line + 1))
		# Plans come from editors of other systems, too.
		rest=${rest%$'\r'}
		read -r key rest <<<"${rest%%#*}" || :
		[ -n "$key" ] || continue
		case $seen in *" $key "*) plan_bad "$line" "'$key' is there twice" ;; esac
		seen+="$key "
		[ -n "$rest" ] || plan_bad "$line" "'$key' has no value"
		read -ra words <<<"$rest"
		case $key in
		base) { [[ $rest =~ ^[0-9.]+$ ]] && [ -d "$GSTAGE_TOP/kernel-patches/$rest/tracepoints" ]; } ||
			plan_bad "$line" "there is no base '$rest'"
			BASE=$rest ;;
		arms) arms_line=$line; plan_arms "$line" "${words[@]}" ;;
		scenarios) plan_scenarios "$line" "${words[@]}" ;;
		boots) plan_number "$line" "$rest" 1 99; BOOTS=$((10#$rest)) ;;
		mode) case $rest in icount | smp) MODE=$rest ;; *) plan_bad "$line" "mode is icount or smp, not '$rest'" ;; esac ;;
		order) case $rest in abba | random) ORDER=$rest ;; *) plan_bad "$line" "order is abba or random, not '$rest'" ;; esac ;;
		seed) plan_number "$line" "$rest" 0 999999999; SEED=$((10#$rest)) ;;
		limit) plan_number "$line" "$rest" 1 86400; LIMIT=$((10#$rest)) ;;
		smp) plan_number "$line" "$rest" 1 8; SMP=$((10#$rest)) ;;
		trace) TRACE=$rest ;;
		args) ARGS=$rest ;;
		kvm-args) KVM_ARGS=$rest ;;
		*) plan_bad "$line" "'$key' is no key of a plan" ;;
		esac
	done <"$PLAN"
	[ ${#LABELS[@]} -gt 0 ] || die "$EX_USAGE" "$PLAN: no arms (arms LABEL[:VERSION]...)"
	[ ${#SCENARIOS[@]} -gt 0 ] || die "$EX_USAGE" "$PLAN: no scenarios"
	[ -n "$BOOTS" ] || die "$EX_USAGE" "$PLAN: how many boots?"
	plan_versions "$arms_line"
}

# plan_version LABEL: the version that the arm runs.
plan_version() {
	local i

	for i in "${!LABELS[@]}"; do
		[ "${LABELS[i]}" != "$1" ] || printf '%s\n' "${VERSIONS[i]}"
	done
}

# What must not change while results are added to: all but what extends them,
# and the limit, which a boot that ends does not feel.
plan_conditions() {
	printf '%s\n' "base $BASE" "mode $MODE" "smp $SMP" "trace $TRACE" "args $ARGS" \
		"kvm-args $KVM_ARGS" "order $ORDER" "seed $SEED"
}

# What a result depends on, a line each: the files of all cells, of an arm, of a
# scenario.
digest() { cat "$@" 2>/dev/null | sha256sum | cut -c1-16; }
input_files() {
	local file

	for file in "$O/kernel/$BASE/Image" "$O/riscv64/gstage" "$O/riscv64/dirtyguest"; do
		[ -r "$file" ] || die "$EX_IMPOSSIBLE" "$file is missing; 'make all kernel' builds it"
		echo "${file##*/} $(digest "$file")"
	done
}
input_arm() { # LABEL VERSION
	echo "arm $1 $2 $(digest "$O/kernel/$BASE/kvm-$2.ko" "$O/kernel/$BASE/kvm-$2.json")"
}
input_scenario() { # NAME
	echo "scenario $1 $(digest "$GSTAGE_TOP/bench/scenarios/$1.scn")"
}

# plan_cells: SCENARIO/LABEL/NN, in the order in which they are run. All arms
# take turns within a boot number, so that what drifts on the machine hits all
# of them alike: forwards and backwards (abba), or by chance from SEED.
plan_cells() {
	local n scenario

	for ((n = 1; n <= BOOTS; n++)); do
		for scenario in "${SCENARIOS[@]}"; do
			printf '%s\n' "${LABELS[@]}" | if [ "$ORDER" = random ]; then
				awk -v seed="$SEED $n $scenario" '
					# A hash of the words, so that a cell keeps its place
					# when the plan grows.
					function hash(s,   i, h) {
						h = 5381
						for (i = 1; i <= length(s); i++)
							h = (h * 33 + index(letters, substr(s, i, 1))) % 2147483647
						return h
					}
					BEGIN {
						letters = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"
						srand(hash(seed))
					}
					{ printf "%.9f %s\n", rand(), $0 }' | sort | cut -d' ' -f2-
			elif [ $((n % 2)) -eq 0 ]; then
				tac
			else
				cat
			fi | while read -r label; do
				printf '%s/%s/%02d\n' "$scenario" "$label" "$n"
			done
		done
	done
}
